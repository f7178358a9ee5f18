// The epochs of watched runs, scrubbed by one slider or played. Films that still grow show their newest epoch until a
// person moves the slider, and again once they move it to the end.

const STEP_MS = 700; // of playing, per epoch
const PLAY_MS = 10000; // at most, from the first epoch to the last
const CHART = { width: 300, height: 150, left: 40, right: 62, top: 8, bottom: 24 };
const MAP = 300; // the map's side, in units of its own
const PALETTE = ["#009e73", "#cc79a7", "#b8a500", "#7b5ea7", "#8a4b2d", "#c2185b", "#5f8f2f", "#8c8c8c"]; // of classes; neither blue nor orange

const films = new WeakMap(); // parentElement -> Film

export default function ({ parentElement, data }) {
  let film = films.get(parentElement);
  if (!film) {
    film = new Film(parentElement);
    films.set(parentElement, film);
  }
  const call = film.update(data);
  return () => {
    if (film.calls !== call) return; // Streamlit may clean up an overtaken call
    film.pause();
    films.delete(parentElement);
  };
}

// One slider, and a lane for each run.
class Film {
  constructor(parent) {
    this.calls = 0;
    this.at = Infinity; // which epoch; beyond the end: the newest of each lane
    this.lanes = [];
    this.root = document.createElement("section");
    this.root.className = "tl-film";
    this.root.innerHTML = `
      <div class="reel"><button type="button" class="play"></button><input type="range" min="0" step="1">
        <span class="now"></span></div>
      <div class="lanes"></div>
      <figure class="together"><figcaption></figcaption><p></p><div class="images"></div></figure>`;
    parent.querySelector(".tl-film")?.remove();
    parent.appendChild(this.root);
    this.slider = this.find("input");
    this.button = this.find(".play");
    this.slider.addEventListener("input", () => this.go(Number(this.slider.value)));
    this.button.addEventListener("click", () => (this.timer ? this.pause() : this.play()));
  }

  find(selector) {
    return this.root.querySelector(selector);
  }

  update(data) {
    this.data = data;
    const known = data.lanes.flatMap((lane) => lane.frames.map((frame) => frame.epoch));
    this.epochs = [...new Set(known)].sort((a, b) => a - b);
    this.last = Math.max(0, ...this.epochs);
    this.slider.max = this.last;
    while (this.lanes.length > data.lanes.length) this.lanes.pop().root.remove();
    while (this.lanes.length < data.lanes.length) this.lanes.push(new Lane(this.find(".lanes")));
    this.draw();
    return ++this.calls;
  }

  go(epoch) {
    this.pause();
    this.at = epoch >= this.last ? Infinity : epoch;
    this.draw();
  }

  play() {
    if (this.at >= this.last) this.at = this.epochs[0];
    this.timer = setInterval(() => {
      this.at = this.epochs.find((epoch) => epoch > this.at) ?? Infinity;
      if (this.at >= this.last) {
        this.at = Infinity;
        this.pause();
      }
      this.draw();
    }, Math.min(STEP_MS, PLAY_MS / Math.max(1, this.epochs.length)));
    this.draw();
  }

  pause() {
    clearInterval(this.timer);
    this.timer = 0;
    if (this.data) this.writeButton();
  }

  draw() {
    const { data } = this;
    const begun = this.epochs.length > 0;
    const epoch = Math.min(this.at, this.last);
    this.root.dataset.epoch = begun ? epoch : "";
    this.find(".reel").style.visibility = begun ? "" : "hidden"; // it keeps its place
    const now = fill(data.words.epoch, { n: epoch, total: Math.max(...data.lanes.map((lane) => lane.n_epochs)) });
    text(this.find(".now"), now);
    this.slider.value = epoch;
    this.slider.setAttribute("aria-label", data.words.slider);
    this.slider.setAttribute("aria-valuetext", now);
    this.writeButton();
    this.lanes.forEach((lane, i) => lane.draw(data.lanes[i], this.at, data));
    this.drawTogether(epoch);
  }

  writeButton() {
    const word = this.timer ? this.data.words.pause : this.data.words.play;
    text(this.button, `${this.timer ? "❚❚" : "▶"} ${word}`);
    this.button.disabled = this.epochs.length < 2;
  }

  // The same images for all lanes: under each what every lane answers in this epoch, or in its last before.
  drawTogether(epoch) {
    const { together, lanes, words, language } = this.data;
    const figure = this.find(".together");
    figure.hidden = !together;
    if (!together) return;
    text(figure.querySelector("figcaption"), words.together);
    text(figure.querySelector("p"), `${together.note} ${words.together_note}`);
    const { class_names } = lanes[0];
    const grid = figure.querySelector(".images");
    while (grid.children.length > together.images.length) grid.lastChild.remove();
    together.images.forEach((image, i) => {
      const cell = grid.children[i] ?? grid.appendChild(node("div", `<img alt=""><b></b>`));
      const truth = class_names[together.labels[i]];
      if (cell.firstChild.src !== image) cell.firstChild.src = image;
      cell.firstChild.alt = fill(words.truth, { truth });
      text(cell.children[1], truth);
      while (cell.children.length > 2 + lanes.length) cell.lastChild.remove();
      lanes.forEach((lane, j) => {
        const line = cell.children[2 + j] ?? cell.appendChild(node("span", `<i></i><u></u><em></em>`));
        const answer = newest(together.answers[j], epoch)?.[i];
        line.style.setProperty("--lane", lane.colour);
        text(line.children[1], `${lane.title}: `);
        if (!answer) return text(line.children[2], "–");
        const right = answer[0] === together.labels[i];
        line.className = right ? "right" : "wrong";
        text(line.children[2], `${right ? "✓" : "✗"} ${class_names[answer[0]]} ${percent(answer[1], language)}`);
      });
    });
  }
}

class Lane {
  constructor(parent) {
    this.root = node("section", `
      <header><b class="title"></b><span class="now"></span></header>
      <p class="empty"></p>
      <div class="panels">
        <figure class="drift"><figcaption></figcaption><div class="bars"></div><p></p></figure>
        <figure class="accuracy"><figcaption></figcaption><svg role="img"></svg><p></p></figure>
        <figure class="answers"><figcaption></figcaption><div class="images"></div></figure>
        <figure class="map"><figcaption></figcaption><svg role="img"></svg><p></p></figure>
      </div>`);
    this.root.className = "lane";
    const charts = ["drift", "accuracy", "map"];
    this.saving = Object.fromEntries(charts.map((name) => [name, saveButtons(this.find(`.${name}`))]));
    parent.appendChild(this.root);
  }

  find(selector) {
    return this.root.querySelector(selector);
  }

  draw(lane, at, { words, language, drift_top, together }) {
    this.data = { ...lane, words, language, drift_top };
    const frame = lane.frames.findLast((one) => one.epoch <= at) ?? lane.frames[0];
    this.root.style.setProperty("--lane", lane.colour || "transparent");
    if (lane.colour) this.root.style.setProperty("--line", lane.colour);
    this.root.dataset.epoch = frame ? frame.epoch : "";
    text(this.find(".title"), lane.title);
    this.find("header").hidden = !lane.title;
    this.find(".panels").hidden = !frame;
    this.find(".empty").hidden = Boolean(frame);
    text(this.find(".empty"), words.empty);
    text(this.find(".now"), frame ? fill(words.epoch, { n: frame.epoch, total: lane.n_epochs }) : "");
    if (!frame) return;
    this.drawDrift(frame);
    this.drawAccuracy(frame);
    this.find(".answers").hidden = Boolean(together);
    if (!together) this.drawAnswers(frame);
    this.drawMap(frame);
  }

  // The buttons below a chart; what they save is asked for when one is pressed.
  offer(chart, layers, csv) {
    const { title, save } = this.data;
    this.saving[chart].show({ words: save[chart], name: ["film", chart, title].filter(Boolean).join("_"), layers, csv });
  }

  drawDrift(frame) {
    const { data } = this;
    const { words } = data;
    caption(this.root, ".drift", words.drift);
    const rows = Object.entries(frame.drift).map(([layer, moved]) => {
      const frozen = frame.frozen.includes(layer);
      const share = moved === null ? 1 : moved / (data.drift_top || 1);
      const value = moved === null ? words.no_number : moved === 0 ? "0" : percent(moved, data.language);
      return { layer, frozen, share, value, moved };
    });
    const bars = this.find(".bars");
    while (bars.children.length > rows.length) bars.lastChild.remove();
    rows.forEach((row, i) => {
      const line = bars.children[i] ?? bars.appendChild(node("div", `<span></span><em></em><i><u></u></i><b></b>`));
      line.className = row.moved === 0 ? "still" : row.frozen ? "frozen" : "trainable";
      text(line.children[0], row.layer);
      line.children[0].title = row.layer;
      text(line.children[1], row.frozen ? words.frozen : words.trainable);
      line.children[1].className = row.frozen ? "frozen" : "trainable";
      line.children[2].firstChild.style.width = `${100 * Math.min(1, row.share)}%`;
      text(line.children[3], row.value);
    });
    text(this.find(".drift p"), data.drift_note);
    const kind = ({ frozen }) => (frozen ? words.frozen : words.trainable);
    const csv = () => [[words.layer, "", words.drift], ...rows.map((row) => [row.layer, kind(row), row.moved])];
    this.offer("drift", () => [this.driftPicture(rows.map((row) => ({ ...row, kind: kind(row) })))], csv);
  }

  driftPicture(rows) { // on the page the bars are a list: a picture of them is drawn when it is saved
    const { color, fontFamily } = getComputedStyle(this.root);
    const lines = rows.map(({ layer, kind, share, value }, i) => {
      const fill = getComputedStyle(this.find(".bars").children[i].querySelector("u")).backgroundColor;
      const y = 24 * i + 16;
      return `<text x="0" y="${y}">${escape(layer)}</text><text x="110" y="${y}">${escape(kind)}</text>`
        + `<rect x="200" y="${y - 10}" width="${140 * Math.min(1, share)}" height="12" style="fill:${fill}"/>`
        + `<text x="400" y="${y}" text-anchor="end">${escape(value)}</text>`;
    });
    const style = `fill:${color};font-family:${fontFamily.replaceAll('"', "'")};font-size:13px`;
    return node("div", `<svg viewBox="0 0 410 ${24 * rows.length + 6}"><g style="${style}">${lines.join("")}</g></svg>`).firstChild;
  }

  drawAccuracy(frame) {
    const { data } = this;
    const { words, frames } = data;
    caption(this.root, ".accuracy", words.accuracy);
    const { width, height, left, right, top, bottom } = CHART;
    const x = (epoch) => left + ((width - left - right) * epoch) / Math.max(1, data.n_epochs);
    const y = (share) => top + (height - top - bottom) * (1 - share);
    const grid = [0, 0.5, 1].map((share) => (
      `<line class="grid" x1="${left}" x2="${width - right}" y1="${y(share)}" y2="${y(share)}"/>`
      + `<text class="tick" x="${left - 6}" y="${y(share) + 4}" text-anchor="end">${percent(share, data.language)}</text>`
    ));
    const ticks = [0, data.n_epochs].map((epoch) => (
      `<text class="tick" x="${x(epoch)}" y="${height - 8}" text-anchor="middle">${epoch}</text>`
    ));
    const lines = ["source", "target"].flatMap((name) => {
      const known = frames.filter((one) => one[name] !== null);
      if (!known.length) return [];
      const path = known.map((one) => `${x(one.epoch)},${y(one[name])}`).join(" ");
      const marks = known.map((one) => (
        `<circle class="${name}" cx="${x(one.epoch)}" cy="${y(one[name])}" r="${one.epoch === frame.epoch ? 5 : 2}"/>`
      ));
      const last = known[known.length - 1];
      return [{ name, y: y(last[name]), x: x(last.epoch), svg: `<polyline class="${name}" points="${path}"/>${marks.join("")}` }];
    });
    if (lines.length === 2 && Math.abs(lines[0].y - lines[1].y) < 13) { // labels must not lie on one another
      const [upper, lower] = lines[0].y <= lines[1].y ? lines : [lines[1], lines[0]];
      const middle = (upper.y + lower.y) / 2;
      [upper.label, lower.label] = [Math.max(top + 6, middle - 7), Math.max(top + 20, middle + 7)];
    }
    const labels = lines.map((line) => (
      `<text class="label ${line.name}" x="${line.x + 8}" y="${(line.label ?? line.y) + 4}">${escape(words[line.name])}</text>`
    ));
    const rule = `<line class="rule" x1="${x(frame.epoch)}" x2="${x(frame.epoch)}" y1="${top}" y2="${height - bottom}"/>`;
    const svg = this.find(".accuracy svg");
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.innerHTML = [...grid, ...ticks, rule, ...lines.map((line) => line.svg), ...labels].join("");
    const said = (value) => (value === null ? "–" : percent(value, data.language, 1));
    const sentence = frame.source === null
      ? fill(data.no_source, { target: said(frame.target) })
      : fill(words.both, { task: data.source_task, n: data.n_source, source: said(frame.source), target: said(frame.target) });
    text(this.find(".accuracy p"), sentence);
    svg.setAttribute("aria-label", sentence);
    const csv = () => [[words.slider, words.source, words.target], ...frames.map((one) => [one.epoch, one.source, one.target])];
    this.offer("accuracy", () => [svg], csv);
  }

  drawAnswers(frame) {
    const { data } = this;
    caption(this.root, ".answers", data.words.answers);
    const grid = this.find(".images");
    while (grid.children.length > frame.answers.length) grid.lastChild.remove();
    frame.answers.forEach((answer, i) => {
      const cell = grid.children[i] ?? grid.appendChild(node("div", `<img alt=""><span></span>`));
      const right = answer.label === data.labels[i];
      const [said, truth] = [data.class_names[answer.label], data.class_names[data.labels[i]]];
      if (cell.firstChild.src !== data.images[i]) cell.firstChild.src = data.images[i];
      cell.className = right ? "right" : "wrong";
      cell.firstChild.style.opacity = 0.45 + 0.55 * answer.sure;
      text(cell.lastChild, `${right ? "✓" : "✗"} ${said} ${percent(answer.sure, data.language)}`);
      cell.title = fill(right ? data.words.is_right : data.words.is_wrong, { said, truth });
      cell.firstChild.alt = cell.title;
    });
  }

  drawMap(frame) {
    const { data } = this;
    const figure = this.find(".map");
    const places = data.maps?.[frame.epoch];
    figure.hidden = !places;
    if (!places) return;
    caption(this.root, ".map", data.words.map);
    const svg = figure.querySelector("svg");
    svg.setAttribute("viewBox", `0 0 ${MAP} ${MAP}`);
    svg.setAttribute("aria-label", data.words.map);
    while (svg.children.length > places.length) svg.lastChild.remove();
    const [x0, x1, y0, y1] = data.map_range;
    const scale = (value, low, high) => 10 + ((MAP - 20) * (value - low)) / (high - low || 1);
    places.forEach(([px, py], i) => {
      let mark = svg.children[i];
      if (!mark) {
        mark = svg.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "text"));
        mark.textContent = data.marks[data.labels[i]];
        const colour = PALETTE[data.labels[i] % PALETTE.length];
        mark.style.fill = `light-dark(${colour}, color-mix(in srgb, ${colour} 62%, white))`;
      }
      const [x, y] = [scale(px, x0, x1), MAP - scale(py, y0, y1)];
      mark.style.transform = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px)`;
    });
    text(figure.querySelector("p"), data.words.map_note);
    const rows = () => places.map(([px, py], i) => [data.marks[data.labels[i]], px, py]);
    this.offer("map", () => [svg], () => [[data.words.class, "x", "y"], ...rows()]);
  }
}

function newest(byEpoch, epoch) { // what stands under an epoch, or under the last one before it
  const known = Object.keys(byEpoch).map(Number).filter((one) => one <= epoch);
  return known.length ? byEpoch[Math.max(...known)] : null;
}

function caption(root, figure, words) {
  text(root.querySelector(`${figure} figcaption`), words);
}

function text(element, value) {
  if (element.textContent !== value) element.textContent = value;
}

function node(tag, html) {
  const element = document.createElement(tag);
  element.innerHTML = html;
  return element;
}

function escape(value) {
  return node("i", "").appendChild(document.createTextNode(value)).parentNode.innerHTML;
}

function fill(template, values) {
  return template.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

function percent(share, language, digits) {
  const places = digits ?? (share > 0 && share < 0.1 ? 1 : 0);
  return `${new Intl.NumberFormat(language, { minimumFractionDigits: places, maximumFractionDigits: places }).format(100 * share)}\u00a0%`;
}
