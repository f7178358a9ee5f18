// The camera: shows it, reads the square guide alone, and posts that as a small JPEG to a route of this server.
// One picture is on its way at a time. The answer is drawn here, so the page never runs again for it.

const EVERY_MS = 100; // from one picture to the next, where answers come faster
const RECORD_MS = 200; // while a button is held
const BUSY_MS = 1000; // after a refusal
const SLOW_MS = 1500; // for an example to be kept, before it is said why
const GUIDE = 0.84; // of the shorter side of the video
const FILE_SIDE = 640; // a picture from a file, made smaller before it is sent
const QUALITY = 0.85;
const [FEW, MOST_BELOW] = [5, 4]; // with more classes than that, a longer name stands upright below its bar
const STEADY = 4; // answers alike in a row before a screen reader hears one

const cameras = new WeakMap(); // parentElement -> Camera
const kept = new Map(); // key -> how a person set this camera in this tab: on, mirrored, which

export default function ({ parentElement, data, setTriggerValue }) {
  let camera = cameras.get(parentElement);
  if (!camera) {
    camera = new Camera(parentElement, data);
    cameras.set(parentElement, camera);
  }
  const call = camera.update(data, (value) => setTriggerValue("recorded", value));
  return () => {
    if (camera.calls !== call) return; // Streamlit may clean up an overtaken call: the camera lives on
    camera.close();
    cameras.delete(parentElement);
  };
}

class Camera {
  constructor(parent, data) {
    this.calls = 0;
    this.id = Math.random().toString(36).slice(2, 10);
    this.stream = null;
    this.timer = 0;
    this.flying = false;
    this.recording = null; // the id of the class whose button is held
    this.lastRecord = 0;
    this.nRecorded = 0;
    this.adding = false; // files
    this.counts = {};
    this.steady = { label: "", n: 0, said: "" };
    this.canvas = document.createElement("canvas");
    this.set = kept.get(data.key) ?? { on: false, mirrored: true, device: "" };
    this.build(parent);
  }

  // -- what Python says ---------------------------------------------------------------------------------------

  update(data, emit) {
    const first = this.calls === 0;
    const asked = JSON.stringify([data.url, data.class_names]);
    this.data = data;
    this.emit = emit;
    this.root.querySelectorAll("[data-word]").forEach((element) => setText(element, data.words[element.dataset.word]));
    this.video.setAttribute("aria-label", data.words.label);
    this.choice.setAttribute("aria-label", data.words.which);
    this.showClasses();
    if (asked !== this.asked) this.blank(); // another model: its answer is still to come
    this.asked = asked;
    if (first) {
      this.showSettings();
      if (this.set.on) this.start();
      else if (!available()) this.say(whyNot(data.words));
    }
    return ++this.calls;
  }

  showClasses() {
    const classes = this.data.classes;
    this.root.classList.toggle("collects", classes.length > 0);
    this.counts = Object.fromEntries(classes.map(({ id, n }) => [id, Math.max(n, this.recording === null ? 0 : this.counts[id] ?? 0)]));
    const known = JSON.stringify(classes.map(({ id, name }) => [id, name]));
    if (known !== this.known) {
      this.known = known;
      this.recorders.replaceChildren(...classes.map((kind) => this.recorder(kind)));
    }
    this.showCounts();
  }

  recorder({ id, name }) {
    const row = document.createElement("div");
    row.innerHTML = `
      <button type="button" class="record" data-class="${id}">${icon("record")}<span></span><b></b></button>
      <label class="add">${icon("file")}<input type="file" accept="image/*" capture="environment" multiple></label>`;
    const [button, label, input] = ["button", "label", "input"].map((tag) => row.querySelector(tag));
    setText(button.querySelector("span"), this.data.words.hold.replace("{name}", name));
    input.setAttribute("aria-label", this.data.words.add.replace("{name}", name));
    label.title = this.data.words.add.replace("{name}", name);
    const end = () => this.endRecording();
    button.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      event.preventDefault();
      button.focus({ preventScroll: true });
      button.setPointerCapture(event.pointerId);
      this.beginRecording(id);
    });
    ["pointerup", "pointercancel", "lostpointercapture", "blur"].forEach((type) => button.addEventListener(type, end));
    button.addEventListener("contextmenu", (event) => event.preventDefault());
    button.addEventListener("keydown", (event) => {
      if ((event.key !== " " && event.key !== "Enter") || event.repeat) return;
      event.preventDefault();
      this.beginRecording(id);
    });
    button.addEventListener("keyup", (event) => {
      if (event.key === " " || event.key === "Enter") end();
    });
    input.addEventListener("change", () => this.takeFiles(input, id));
    return row;
  }

  showCounts() {
    this.recorders.querySelectorAll(".record").forEach((button) => {
      setText(button.querySelector("b"), String(this.counts[button.dataset.class] ?? 0));
      button.classList.toggle("on", String(this.recording) === button.dataset.class);
    });
  }

  // -- the camera ---------------------------------------------------------------------------------------------

  async start() {
    if (!available()) {
      this.say(whyNot(this.data.words));
      return;
    }
    this.say(this.data.words.asking);
    this.button.disabled = true;
    try {
      const video = { width: { ideal: 640 }, height: { ideal: 480 } };
      if (this.set.device) video.deviceId = { exact: this.set.device };
      const stream = await navigator.mediaDevices.getUserMedia({ video, audio: false });
      if (this.closed) {
        stream.getTracks().forEach((track) => track.stop());
        return;
      }
      this.stop();
      this.stream = stream;
      stream.getVideoTracks()[0].addEventListener("ended", () => this.lost(stream));
      this.video.srcObject = stream;
      await this.video.play();
      this.set.on = true;
      this.say("");
      await this.listDevices();
      this.next(0);
    } catch (error) {
      if (this.set.device && error.name === "OverconstrainedError") { // it was unplugged
        this.set.device = "";
        this.button.disabled = false;
        this.start();
        return;
      }
      this.stop();
      this.set.on = false;
      this.say(this.reason(error));
    } finally {
      this.button.disabled = false;
      this.showSettings();
    }
  }

  reason(error) {
    const { words } = this.data;
    if (error.name === "NotAllowedError" || error.name === "SecurityError") return words.refused;
    if (error.name === "NotReadableError" || error.name === "AbortError") return words.taken;
    return words.none;
  }

  lost(stream) {
    if (stream !== this.stream) return;
    this.stop();
    this.set.on = false;
    this.say(this.data.words.lost);
    this.showSettings();
  }

  stop() {
    clearTimeout(this.timer);
    this.endRecording();
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = null;
    this.video.srcObject = null;
  }

  async listDevices() {
    const all = await navigator.mediaDevices.enumerateDevices();
    const found = all.filter(({ kind }) => kind === "videoinput");
    const current = this.stream?.getVideoTracks()[0]?.getSettings().deviceId;
    this.choice.replaceChildren(...found.map(({ deviceId, label }, at) => {
      const option = new Option(label || `${this.data.words.camera} ${at + 1}`, deviceId);
      option.selected = deviceId === current;
      return option;
    }));
    this.choice.hidden = found.length < 2;
  }

  showSettings() {
    const on = Boolean(this.stream);
    kept.set(this.data.key, this.set);
    this.root.classList.toggle("live", on);
    this.root.classList.toggle("mirrored", this.set.mirrored);
    this.mirror.setAttribute("aria-pressed", this.set.mirrored);
    this.mirror.disabled = this.off.disabled = !on;
    if (on) this.frame.classList.remove("still");
  }

  // -- a picture and its answer -------------------------------------------------------------------------------

  next(wait) {
    clearTimeout(this.timer);
    if (this.stream) this.timer = setTimeout(() => this.turn(), wait);
  }

  async turn() {
    if (!this.stream) return;
    if (this.flying) { // a file is on its way
      this.next(EVERY_MS);
      return;
    }
    const began = performance.now();
    const { data, recording } = this;
    if (document.hidden || this.video.readyState < 2 || !this.video.clientWidth || (recording === null && !data.url)) {
      this.next(EVERY_MS);
      return;
    }
    this.grab();
    const picture = await blob(this.canvas);
    const status = picture ? await this.send(picture, recording) : 0;
    const spent = performance.now() - began;
    this.root.dataset.ms = Math.round(spent);
    const every = recording === null ? EVERY_MS : RECORD_MS;
    this.next(status === 200 ? Math.max(0, every - spent) : BUSY_MS);
  }

  grab() { // the middle square, as the camera sees it: mirrored is only what is shown
    const { videoWidth: width, videoHeight: height } = this.video;
    const { clientWidth: across, clientHeight: high } = this.video;
    const side = (GUIDE * Math.min(across, high)) / Math.max(across / width, high / height); // the video fills its frame
    this.canvas.width = this.canvas.height = this.data.side;
    const pen = this.canvas.getContext("2d", { willReadFrequently: true });
    pen.drawImage(this.video, (width - side) / 2, (height - side) / 2, side, side, 0, 0, this.data.side, this.data.side);
  }

  async send(picture, recording) {
    const { url, record_url: record, language } = this.data;
    const to = recording === null ? url : `${record}&class=${recording}`;
    this.flying = true;
    let status = 0;
    const asking = (this.asking = recording === null ? new AbortController() : null);
    const slow = recording === null ? 0 : setTimeout(() => this.say(this.data.words.loading), SLOW_MS);
    try {
      const answer = await fetch(`${to}&language=${encodeURIComponent(language)}`, {
        method: "POST", body: picture, headers: { "content-type": "image/jpeg" }, credentials: "same-origin",
        signal: asking?.signal,
      });
      status = answer.status;
      const body = await answer.json();
      if (status !== 200) this.say(body.error ?? this.data.words.failed);
      else if (recording !== null) {
        this.say("");
        this.recorded(body);
      }
      else this.answer(body);
    } catch {
      if (!asking?.signal.aborted) this.say(this.data.words.failed);
    } finally {
      clearTimeout(slow);
      this.flying = false;
    }
    return asking?.signal.aborted ? 200 : status; // a recording took its place
  }

  answer({ answers, class_names: names = this.data.class_names, note = "" }) {
    if (this.closed) return;
    const [shares] = Object.values(answers);
    if (typeof shares === "string") {
      this.blank(shares);
      return;
    }
    if (shares.length !== names.length) return; // a class came or went meanwhile: the next answer knows
    if (!this.frame.classList.contains("still")) this.say("");
    this.showNames(names);
    const order = shares.map((_, at) => at).sort((one, other) => shares[other] - shares[one]);
    const [best, second] = order;
    const percent = (at) => `${Math.round(100 * shares[at])}`;
    const { words, sure } = this.data;
    const sentence = shares[best] >= sure || order.length < 2
      ? words.is_sure.replace("{label}", names[best]).replace("{share}", percent(best))
      : words.unsure.replace("{label}", names[best]).replace("{share}", percent(best)).replace("{second}", names[second]);
    this.big.classList.toggle("word", names[best].length > 2);
    this.big.dataset.answer = names[best];
    setText(this.big, names[best]);
    setText(this.sure, sentence);
    setText(this.note, note);
    [...this.bars.children].forEach((column, at) => {
      column.classList.toggle("best", at === best);
      column.title = `${names[at]}: ${percent(at)} %`;
      column.firstChild.style.height = `calc((100% - var(--below)) * ${shares[at]})`;
    });
    this.root.dataset.answers = Number(this.root.dataset.answers ?? 0) + 1;
    this.announce(names[best], sentence);
  }

  announce(label, sentence) { // ten answers a second are no speech: one that stays is
    const { steady } = this;
    steady.n = label === steady.label ? steady.n + 1 : 1;
    steady.label = label;
    if (steady.n !== STEADY || steady.said === label) return;
    steady.said = label;
    setText(this.spoken, sentence);
  }

  blank(words = "") {
    this.big.classList.remove("word");
    delete this.big.dataset.answer;
    setText(this.big, "–");
    setText(this.sure, words || this.data.words.hint);
    setText(this.note, "");
    this.steady = { label: "", n: 0, said: "" }; // what is answered next is news, though it be the same
    setText(this.spoken, "");
    this.showNames(this.data.class_names);
    [...this.bars.children].forEach((column) => {
      column.className = "";
      column.firstChild.style.height = "0";
    });
  }

  showNames(names) {
    const known = JSON.stringify(names);
    if (known === this.names) return;
    this.names = known;
    this.bars.classList.toggle("upright", names.length > FEW && names.some((name) => name.length > MOST_BELOW));
    this.bars.replaceChildren(...names.map((name) => {
      const column = document.createElement("div");
      column.appendChild(document.createElement("i"));
      setText(column.appendChild(document.createElement("span")), name);
      return column;
    }));
  }

  // -- recording ----------------------------------------------------------------------------------------------

  beginRecording(id) {
    if (!this.stream) {
      this.say(this.data.words.start_first);
      return;
    }
    this.recording = id;
    this.showCounts();
    if (this.flying) this.asking?.abort(); // while a network is loaded an answer takes longer than a person holds
    this.next(0);
  }

  endRecording() {
    if (this.recording === null) return;
    if (this.nRecorded === 0 && this.stream && !this.tail) { // a short press records one picture too
      const id = this.recording;
      this.tail = setTimeout(() => {
        this.tail = 0;
        if (this.recording === id) this.finishRecording();
      }, 3 * RECORD_MS);
      return;
    }
    this.finishRecording();
  }

  finishRecording() {
    clearTimeout(this.tail);
    this.tail = 0;
    this.recording = null;
    this.showCounts();
    if (this.nRecorded) this.emit({ n: this.nRecorded });
    this.nRecorded = 0;
  }

  recorded({ counts }) {
    if (this.recording !== null) this.nRecorded += 1;
    else if (!this.adding) this.emit({ n: 1 }); // it was still on its way when the button was let go
    Object.assign(this.counts, counts);
    this.showCounts();
    this.frame.classList.remove("flash");
    void this.frame.offsetWidth; // the animation begins again
    this.frame.classList.add("flash");
    if (this.tail) this.finishRecording();
  }

  // -- a file in place of the camera --------------------------------------------------------------------------

  async takeFiles(input, id = null) {
    const files = [...input.files];
    input.value = ""; // the same file can be chosen again
    if (id === null && !this.data.url) { // nobody answers yet
      this.say(this.data.words.hint);
      return;
    }
    this.adding = true;
    let n = 0;
    for (const file of files) {
      const picture = await small(file, this.canvas);
      if (!picture) {
        this.say(this.data.words.unreadable.replace("{file}", file.name));
        continue;
      }
      while (this.flying) await new Promise((go) => setTimeout(go, 20));
      if (id === null) this.showStill(picture);
      const status = await this.send(picture, id);
      if (status === 200) n += 1;
      if (status === 200 && id === null) this.say(this.stream ? "" : file.name);
      if (status === 429) await new Promise((go) => setTimeout(go, BUSY_MS));
    }
    this.adding = false;
    if (id !== null && n) this.emit({ n });
  }

  showStill(picture) {
    URL.revokeObjectURL(this.still.src);
    this.still.src = URL.createObjectURL(picture);
    this.frame.classList.toggle("still", !this.stream);
  }

  // -- the parts ----------------------------------------------------------------------------------------------

  say(words) {
    setText(this.message, words);
  }

  build(parent) {
    this.root = parent.appendChild(document.createElement("div"));
    this.root.className = "tl-camera";
    this.root.innerHTML = `
      <div class="seeing">
        <div class="frame">
          <video playsinline muted></video><img class="stillness" alt=""><i class="guide" aria-hidden="true"></i>
          <div class="start"><button type="button" class="main" data-act="on">${icon("camera")}<span data-word="on"></span></button></div>
        </div>
        <p class="message" role="status"></p>
        <div class="tools">
          <button type="button" data-act="off">${icon("off")}<span data-word="off"></span></button>
          <button type="button" data-act="mirror" aria-pressed="true">${icon("mirror")}<span data-word="mirror"></span></button>
          <label class="file">${icon("file")}<span data-word="file"></span><input type="file" accept="image/*" capture="environment"></label>
          <select hidden></select>
        </div>
        <p class="quiet" data-word="privacy"></p>
      </div>
      <div class="telling">
        <div class="recorders"></div>
        <div class="answer">
          <p class="big">–</p><p class="sure"></p><div class="bars" aria-hidden="true"></div><p class="warn"></p>
          <p class="spoken" role="status" aria-live="polite"></p>
        </div>
      </div>`;
    const find = (selector) => this.root.querySelector(selector);
    this.frame = find(".frame");
    this.video = find("video");
    this.video.muted = true;
    this.still = find(".stillness");
    this.message = find(".message");
    this.choice = find("select");
    this.recorders = find(".recorders");
    [this.big, this.sure, this.bars, this.note, this.spoken] = [".big", ".sure", ".bars", ".warn", ".spoken"].map(find);
    [this.button, this.off, this.mirror] = ["on", "off", "mirror"].map((name) => find(`[data-act=${name}]`));
    const file = find(".file input");
    this.button.addEventListener("click", () => this.start());
    this.off.addEventListener("click", () => {
      this.stop();
      this.set.on = false;
      this.blank();
      this.say("");
      this.showSettings();
    });
    this.mirror.addEventListener("click", () => {
      this.set.mirrored = !this.set.mirrored;
      this.showSettings();
    });
    this.choice.addEventListener("change", () => {
      this.set.device = this.choice.value;
      this.start();
    });
    file.addEventListener("change", () => this.takeFiles(file));
    this.watch = () => this.next(0);
    document.addEventListener("visibilitychange", this.watch);
  }

  close() {
    this.closed = true;
    document.removeEventListener("visibilitychange", this.watch);
    this.stop();
    clearTimeout(this.tail);
    URL.revokeObjectURL(this.still.src);
    this.root.remove();
  }
}

function available() {
  return Boolean(navigator.mediaDevices?.getUserMedia);
}

function whyNot(words) { // browsers give a camera to https and to this machine's own address alone
  return window.isSecureContext ? words.none : words.insecure;
}

function blob(canvas) {
  return new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
}

async function small(file, canvas) {
  try {
    const picture = await createImageBitmap(file); // upright: the browser has turned it as its EXIF says
    const scale = Math.min(1, FILE_SIDE / Math.max(picture.width, picture.height));
    canvas.width = Math.max(1, Math.round(picture.width * scale));
    canvas.height = Math.max(1, Math.round(picture.height * scale));
    const pen = canvas.getContext("2d");
    pen.fillStyle = "white"; // a JPEG has no transparency
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
    picture.close();
    return await blob(canvas);
  } catch {
    return null;
  }
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text; // an equal text must not be announced again
}

function icon(name) {
  const paths = {
    camera: "M4 8h3l2-3h6l2 3h3v11H4zM12 10a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7",
    off: "M6 6h12v12H6z",
    mirror: "M12 3v18M9 7l-6 5 6 5zM15 7l6 5-6 5z",
    file: "M12 16V5M7 9l5-5 5 5M4 17v3h16v-3",
    record: "M12 5a7 7 0 1 0 0 14 7 7 0 0 0 0-14",
  };
  return `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${paths[name]}"/></svg>`;
}
