"use strict";
(async () => {
  const start = JSON.parse(document.getElementById("start").textContent);
  const [height, width, channels] = start.shape;
  const drawn = channels === 1; // white on black, as digits are; else a photograph
  const at = (id) => document.getElementById(id);
  let language = (navigator.language || "en").toLowerCase().startsWith("zh") && start.words["zh-CN"] ? "zh-CN" : "en";
  let words = start.words[language];
  let last = null; // the shares of the last answer
  let failed = "";
  let strokes = [];
  let stream = null;

  function put(node, text) {
    node.textContent = text;
    return node;
  }

  function make(name, text = "", type = "") {
    const node = put(document.createElement(name), text);
    if (type) node.className = type;
    return node;
  }

  // -- the model: unpacked, and asked one item at a time ------------------------------------------------------------

  function bytesOf(text) { // 5 MB: a function called for each letter took longer than all else before the model
    if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
    const letters = atob(text);
    const bytes = new Uint8Array(letters.length);
    for (let i = 0; i < letters.length; i += 1) bytes[i] = letters.charCodeAt(i);
    return bytes;
  }

  async function unpacked(id) {
    const bytes = bytesOf(at(id).textContent.trim());
    at(id).remove();
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
  }

  async function load() {
    const [code, wasm, model] = await Promise.all(["engine", "wasm", "model"].map(unpacked));
    const ort = await import(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
    ort.env.wasm.numThreads = 1;
    ort.env.wasm.wasmBinary = wasm;
    ort.env.logLevel = "error";
    const session = await ort.InferenceSession.create(new Uint8Array(model), { executionProviders: ["wasm"] });
    return async (items) => {
      const n = items.length / (height * width * channels);
      const image = new ort.Tensor(start.dtype, items, [n, height, width, channels]);
      return (await session.run({ image })).probabilities.data;
    };
  }

  const ready = load();
  window.answerTo = async (items) => Array.from(await (await ready)(Uint8Array.from(items))); // for who tries the file

  let busy = false;
  let waiting = null;
  async function ask(item) { // the newest counts, one at a time
    waiting = item;
    window.lastItem = item; // as answerTo
    if (busy) return;
    busy = true;
    try {
      while (waiting) {
        const now = waiting;
        waiting = null;
        last = Array.from(await (await ready)(now));
        failed = "";
        show();
      }
    } catch (error) {
      failed = words.failed;
      console.error(error);
      show();
    }
    busy = false;
  }

  // -- what is drawn: as MNIST is made (LeCun et al. 1998): cropped, 20 of 28 pixels high, its mass in the middle ---

  function hamming(x) {
    if (x === 0) return 1;
    const away = Math.abs(x);
    return away >= 1 ? 0 : (Math.sin(Math.PI * x) / (Math.PI * x)) * (0.54 + 0.46 * Math.cos(Math.PI * x));
  }

  function weightsTo(from, to) { // for each new pixel: where its mean begins, and the weights
    const scale = from / to;
    const reach = Math.max(1, scale);
    return Array.from({ length: to }, (_, i) => {
      const centre = (i + 0.5) * scale;
      const first = Math.max(0, Math.floor(centre - reach + 0.5));
      const end = Math.min(from, Math.floor(centre + reach + 0.5));
      const parts = Array.from({ length: end - first }, (_, k) => hamming((first + k - centre + 0.5) / reach));
      const sum = parts.reduce((a, b) => a + b, 0);
      return { first, parts: parts.map((part) => part / sum) };
    });
  }

  function resized(rows, newHeight, newWidth) {
    const across = weightsTo(rows[0].length, newWidth);
    const down = weightsTo(rows.length, newHeight);
    const mean = (of, { first, parts }) => parts.reduce((sum, part, k) => sum + part * of(first + k), 0);
    const narrow = rows.map((row) => across.map((to) => mean((x) => row[x], to)));
    return down.map((to) => across.map((_, x) => mean((y) => narrow[y][x], to)));
  }

  function normalised(rows) {
    const most = Math.max(...rows.map((row) => Math.max(...row)));
    if (most < 0.2) return null;
    const inked = (y, x) => rows[y][x] > 0.1 * most;
    const side = rows.length;
    const ys = [], xs = [];
    for (let y = 0; y < side; y++) for (let x = 0; x < side; x++) if (inked(y, x)) (ys.push(y), xs.push(x));
    const [top, bottom] = [ys[0], ys[ys.length - 1]];
    const left = xs.reduce((a, b) => Math.min(a, b)), right = xs.reduce((a, b) => Math.max(a, b));
    const ink = rows.slice(top, bottom + 1).map((row) => row.slice(left, right + 1));
    const scale = ((20 / 28) * height) / Math.max(ink.length, ink[0].length);
    const [h, w] = [ink.length, ink[0].length].map((length) => Math.max(1, Math.round(length * scale)));
    let small = resized(ink, h, w);
    const top1 = Math.max(...small.map((row) => Math.max(...row)));
    small = small.map((row) => row.map((value) => Math.min(1, Math.max(0, value / top1))));
    const begin = (mass) => {
      const centre = mass.reduce((sum, m, i) => sum + m * i, 0) / mass.reduce((a, b) => a + b, 0);
      return Math.min(Math.max(Math.round(height / 2 - centre), 0), height - mass.length);
    };
    const y0 = begin(small.map((row) => row.reduce((a, b) => a + b, 0)));
    const x0 = begin(small[0].map((_, x) => small.reduce((sum, row) => sum + row[x], 0)));
    const item = new Uint8Array(height * width);
    small.forEach((row, y) => row.forEach((value, x) => (item[(y0 + y) * width + x0 + x] = Math.round(255 * value))));
    return item;
  }

  function rowsOf(canvas, invert = false) {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return Array.from({ length: canvas.height }, (_, y) =>
      Array.from({ length: canvas.width }, (_, x) => {
        const i = 4 * (y * canvas.width + x);
        const light = (0.299 * data[i] + 0.587 * data[i + 1] + 0.114 * data[i + 2]) / 255;
        return invert ? 1 - light : light;
      }),
    );
  }

  // -- pad, file and camera ----------------------------------------------------------------------------------------

  const SIDE = 280;
  const paper = make("canvas");
  paper.width = paper.height = SIDE;
  paper.tabIndex = 0;

  function wipe() {
    strokes = [];
    paint();
    last = null;
    show();
  }

  function paint() {
    const pen = paper.getContext("2d");
    pen.fillStyle = "#000";
    pen.fillRect(0, 0, SIDE, SIDE);
    pen.strokeStyle = pen.fillStyle = "#fff";
    pen.lineWidth = 0.085 * SIDE;
    pen.lineCap = pen.lineJoin = "round";
    for (const points of strokes) {
      pen.beginPath();
      points.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
      if (points.length === 1) pen.lineTo(points[0][0] + 0.1, points[0][1]);
      pen.stroke();
    }
  }

  function pad() {
    const place = (event) => {
      const box = paper.getBoundingClientRect();
      return [((event.clientX - box.left) / box.width) * SIDE, ((event.clientY - box.top) / box.height) * SIDE];
    };
    let down = false;
    paper.addEventListener("pointerdown", (event) => {
      paper.setPointerCapture(event.pointerId);
      down = true;
      strokes.push([place(event)]);
      paint();
    });
    paper.addEventListener("pointermove", (event) => {
      if (!down) return;
      for (const each of event.getCoalescedEvents?.() ?? [event]) strokes[strokes.length - 1].push(place(each));
      paint();
    });
    const up = () => {
      if (!down) return;
      down = false;
      const item = normalised(rowsOf(paper));
      if (item) ask(item);
    };
    paper.addEventListener("pointerup", up);
    paper.addEventListener("pointercancel", up);
    paper.addEventListener("keydown", (event) => {
      if (event.key === "Delete" || event.key === "Backspace") wipe();
    });
    paint();
  }

  function square(picture, w, h, side) { // its middle, so many pixels a side
    const canvas = make("canvas");
    canvas.width = canvas.height = side;
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    pen.imageSmoothingQuality = "high";
    const most = Math.min(w, h);
    pen.drawImage(picture, (w - most) / 2, (h - most) / 2, most, most, 0, 0, side, side);
    return canvas;
  }

  function read(picture, w, h) {
    if (drawn) {
      const canvas = square(picture, w, h, SIDE);
      const rows = rowsOf(canvas);
      const edge = [...rows[0], ...rows[SIDE - 1], ...rows.map((row) => row[0])].sort((a, b) => a - b);
      const item = normalised(rowsOf(canvas, edge[edge.length >> 1] > 0.5).map((row) => row.map((v) => (v > 0.35 ? v : 0))));
      return item ? ask(item) : undefined;
    }
    const { data } = square(picture, w, h, height).getContext("2d").getImageData(0, 0, width, height);
    return ask(Uint8Array.from({ length: height * width * 3 }, (_, i) => data[4 * Math.floor(i / 3) + (i % 3)]));
  }

  async function fromFile(file) {
    try {
      const picture = await createImageBitmap(file);
      paper.getContext("2d").drawImage(square(picture, picture.width, picture.height, SIDE), 0, 0);
      strokes = [];
      await read(picture, picture.width, picture.height);
    } catch {
      failed = words.unreadable;
      last = null;
      show();
    }
  }

  async function camera(button, video) {
    if (stream) {
      stream.getTracks().forEach((track) => track.stop());
      stream = null;
      video.replaceWith(paper);
      put(button, words.camera);
      return;
    }
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    } catch {
      failed = words.nocamera;
      return show();
    }
    video.srcObject = stream;
    paper.replaceWith(video);
    put(button, words.stop);
    await video.play();
    const next = async () => {
      if (!stream) return;
      await read(video, video.videoWidth, video.videoHeight);
      setTimeout(next, 100);
    };
    next();
  }

  // -- the page ----------------------------------------------------------------------------------------------------

  function show() {
    document.documentElement.lang = language;
    const sorted = last ? [...last.keys()].sort((a, b) => last[b] - last[a]) : [];
    const percent = (share) => `${(100 * share).toFixed(1)}\u00a0%`;
    let said = failed || words[drawn ? "draw" : "show"];
    if (last && !failed) {
      const template = last[sorted[0]] >= 0.6 ? words.sure : words.unsure;
      said = template
        .replace("{first}", start.classes[sorted[0]])
        .replace("{second}", start.classes[sorted[1]])
        .replace("{sure}", percent(last[sorted[0]]));
    }
    put(at("answer"), said);
    at("bars").replaceChildren(
      ...start.classes.map((name, i) => {
        const row = make("li");
        const share = last ? last[i] : 0;
        if (last && i === sorted[0]) row.className = "best";
        const bar = make("i");
        const filled = make("b");
        filled.style.width = `${100 * share}%`;
        bar.append(filled);
        row.append(make("span", name), bar, make("span", last ? percent(share) : ""));
        return row;
      }),
    );
    put(at("title"), start.title[language]);
    put(at("intro"), words.intro);
    put(at("about"), words.about);
    put(at("language"), words.other).lang = language === "en" ? "zh-CN" : "en";
    paper.setAttribute("aria-label", words[drawn ? "pad" : "picture"]);
    put(document.querySelector("#card summary"), words.card);
    const card = document.querySelector("#card dl");
    card.replaceChildren(...Object.entries(start.card).flatMap(([name, value]) => [make("dt", name), make("dd", value)]));
  }

  function build() {
    const row = make("div", "", "row");
    if (drawn) {
      const clear = make("button", words.clear);
      clear.addEventListener("click", wipe);
      row.append(clear);
    } else {
      const video = make("video");
      video.muted = video.playsInline = true;
      const button = make("button", stream ? words.stop : words.camera);
      button.addEventListener("click", () => camera(button, video));
      row.append(button);
    }
    const label = make("label", words.file, "file");
    const file = make("input");
    file.type = "file";
    file.accept = "image/*";
    file.addEventListener("change", () => file.files[0] && fromFile(file.files[0]));
    label.append(file);
    row.append(label);
    at("given").replaceChildren(paper, row);
  }

  const longest = Math.max(...start.classes.map((name) => name.length));
  at("bars").style.setProperty("--names", `${Math.min(8, Math.max(1.5, 0.62 * longest))}rem`);
  at("language").hidden = Object.keys(start.words).length < 2;
  at("language").addEventListener("click", () => {
    language = language === "en" ? "zh-CN" : "en";
    words = start.words[language];
    if (stream) stream.getTracks().forEach((track) => track.stop());
    stream = null;
    build();
    show();
  });
  paint();
  if (drawn) pad();
  build();
  show();
  try {
    await ready;
    document.body.dataset.ready = "yes";
  } catch (error) {
    console.error(error);
    failed = words.failed;
    show();
  }
})();
