// A point on a loss curve that takes gradient steps. Python computed every step; here they are shown.

const STEP_MS = 900;
const SIZE = { width: 720, height: 300, left: 34, right: 14, top: 14, bottom: 40 }; // the width is the most it takes
const SETTLED = 0.05; // of the first slope: nothing moves any more
const TANGENT = 46; // px, half of the line that shows the slope

const views = new WeakMap(); // parentElement -> Descent

export default function ({ parentElement, data }) {
  let view = views.get(parentElement);
  if (!view) {
    view = new Descent(parentElement);
    views.set(parentElement, view);
  }
  const call = view.update(data);
  return () => {
    if (view.calls !== call) return; // Streamlit may clean up an overtaken call
    view.pause();
    view.watcher.disconnect();
    views.delete(parentElement);
  };
}

class Descent {
  constructor(parent) {
    this.calls = this.at = 0;
    this.root = document.createElement("section");
    this.root.className = "tl-descent";
    this.root.innerHTML = `
      <svg role="img">
        <g class="axes"></g><path class="curve"/><g class="trail"></g><line class="tangent"/><circle class="point" r="9"/>
      </svg>
      <div class="buttons">
        <button type="button" data-act="step"></button><button type="button" data-act="play"></button>
        <button type="button" data-act="restart"></button>
      </div>
      <p role="status"></p>`;
    this.saving = saveButtons(this.root);
    parent.querySelector(".tl-descent")?.remove();
    parent.appendChild(this.root);
    this.watcher = new ResizeObserver(() => this.data && this.width() !== this.drawn && this.draw());
    this.watcher.observe(this.root);
    for (const button of this.root.querySelectorAll("[data-act]")) {
      button.addEventListener("click", () => this[button.dataset.act]());
    }
  }

  find(selector) {
    return this.root.querySelector(selector);
  }

  update(data) {
    const named = JSON.stringify([data.rate, data.steps]);
    this.data = data;
    if (named !== this.named) {
      this.pause();
      this.at = 0;
      this.named = named;
    }
    this.draw();
    return ++this.calls;
  }

  step() {
    this.pause();
    this.go(this.at + 1);
  }

  restart() {
    this.pause();
    this.go(0);
  }

  play() {
    if (this.timer) return this.pause();
    if (this.at >= this.last()) this.go(0);
    this.timer = setInterval(() => {
      this.go(this.at + 1);
      if (this.at >= this.last()) this.pause();
    }, STEP_MS);
    this.draw();
  }

  pause() {
    clearInterval(this.timer);
    this.timer = 0;
    if (this.data) this.draw();
  }

  last() {
    return this.data.steps.length - 1;
  }

  go(step) {
    this.at = Math.max(0, Math.min(step, this.last()));
    this.draw();
  }

  width() {
    return Math.max(200, Math.min(SIZE.width, this.root.clientWidth || SIZE.width));
  }

  draw() {
    const { data } = this;
    const width = this.drawn = this.width();
    this.find("svg").setAttribute("viewBox", `0 0 ${width} ${SIZE.height}`);
    this.find("svg").style.maxWidth = `${width}px`;
    const { places, losses, steps, words } = data;
    const [low, high] = [places[0], places[places.length - 1]];
    const top = 1.06 * Math.max(...losses);
    const bottom = Math.min(0, ...losses);
    const inside = (value, a, b) => Math.min(Math.max(value, Math.min(a, b)), Math.max(a, b));
    const x = (place) => SIZE.left + ((width - SIZE.left - SIZE.right) * (inside(place, low, high) - low)) / (high - low);
    const y = (loss) => SIZE.height - SIZE.bottom - ((SIZE.height - SIZE.top - SIZE.bottom) * (inside(loss, bottom, top) - bottom)) / (top - bottom);
    this.drawAxes(x, y, low, high, top);
    this.find(".curve").setAttribute("d", places.map((place, i) => `${i ? "L" : "M"}${x(place).toFixed(1)},${y(losses[i]).toFixed(1)}`).join(""));
    const now = steps[this.at];
    this.drawTrail(steps.slice(0, this.at + 1), x, y);
    const point = this.find(".point");
    point.style.transform = `translate(${x(now.at).toFixed(1)}px, ${y(now.loss).toFixed(1)}px)`;
    this.drawTangent(now, x, y, low, high, this.isOut());
    this.root.dataset.step = this.at;
    const told = this.find("p");
    if (!this.timer && told.getAttribute("aria-live") === "off") text(told, ""); // so that where a play ends is told
    told.setAttribute("aria-live", this.timer ? "off" : "polite"); // a step a second is no speech
    text(told, this.tell());
    this.find("svg").setAttribute("aria-label", `${words.label}. ${this.tell()}`);
    this.saving.show({ words: data.save, name: "descent", layers: () => [this.find("svg")], csv: () => this.csv() });
    const names = { step: words.step, play: this.timer ? words.pause : words.play, restart: words.restart };
    for (const button of this.root.querySelectorAll("[data-act]")) text(button, names[button.dataset.act]);
    this.find("[data-act=step]").disabled = this.at >= this.last();
  }

  csv() { // the curve, then the steps taken so far
    const { places, losses, steps, words } = this.data;
    const curve = places.map((place, i) => ["", place, losses[i]]);
    const walked = steps.slice(0, this.at + 1).map((step, i) => [i, step.at, step.loss]);
    return [[words.step, words.place, words.loss], ...curve, ...walked];
  }

  drawAxes(x, y, low, high, top) {
    const { words } = this.data;
    const ticks = [...Array(Math.floor(top) + 1).keys()].filter((loss) => top < 8 || loss % 2 === 0);
    const lines = ticks.map((loss) => (
      `<line class="grid" x1="${SIZE.left}" x2="${this.drawn - SIZE.right}" y1="${y(loss)}" y2="${y(loss)}"/>`
      + `<text x="${SIZE.left - 8}" y="${y(loss) + 4}" text-anchor="end">${loss}</text>`
    ));
    const start = `<line class="start" x1="${x(0)}" x2="${x(0)}" y1="${SIZE.top + 12}" y2="${SIZE.height - SIZE.bottom}"/>`;
    const marks = [0, 0.5, 1, 2, 5, 10].filter((place) => place >= low && place <= high).map((place) => (
      `<text x="${x(place)}" y="${SIZE.height - SIZE.bottom + 16}" text-anchor="middle">${number(place, this.data.language)}</text>`
    ));
    this.find(".axes").innerHTML = [...lines, start, ...marks].join("")
      + `<text x="${this.drawn - SIZE.right}" y="${SIZE.height - 6}" text-anchor="end"></text><text class="title" x="${SIZE.left + 6}" y="${SIZE.top + 6}"></text>`;
    const titles = [...this.find(".axes").querySelectorAll("text")].slice(-2);
    text(titles[0], words.place);
    text(titles[1], words.loss);
  }

  drawTrail(walked, x, y) {
    const jumps = walked.slice(1).map((step, i) => (
      `<line x1="${x(walked[i].at)}" y1="${y(walked[i].loss)}" x2="${x(step.at)}" y2="${y(step.loss)}"/>`
    ));
    const dots = walked.map((step) => `<circle r="4" cx="${x(step.at)}" cy="${y(step.loss)}"/>`);
    this.find(".trail").innerHTML = [...jumps, ...dots].join("");
  }

  drawTangent(now, x, y, low, high, isOut) {
    const line = this.find(".tangent");
    line.style.display = isOut ? "none" : "";
    const run = (high - low) / 100;
    const [dx, dy] = [x(now.at + run) - x(now.at) || x(now.at) - x(now.at - run), y(now.loss + run * now.slope) - y(now.loss)];
    const scale = TANGENT / Math.hypot(dx, dy);
    const [px, py] = [x(now.at), y(now.loss)];
    Object.entries({ x1: px - scale * dx, y1: py - scale * dy, x2: px + scale * dx, y2: py + scale * dy })
      .forEach(([name, value]) => line.setAttribute(name, value.toFixed(1)));
  }

  isOut() {
    const { at } = this.data.steps[this.at];
    return at < this.data.places[0] || at > this.data.places[this.data.places.length - 1];
  }

  tell() {
    const { steps, words, rate, language } = this.data;
    const [first, now, before] = [steps[0], steps[this.at], steps[this.at - 1]];
    const show = (value, digits = 2) => number(value, language, digits);
    const values = { n: this.at, loss: show(now.loss), slope: show(now.slope), rate: show(rate, 3), move: show(-rate * now.slope, 3) };
    if (!before) return fill(words.start, values);
    if (this.isOut()) return fill(words.out, values);
    const ended = this.at === this.last();
    const sentences = [fill(ended ? words.end : words.at, values)];
    if (Math.abs(now.slope) < SETTLED * Math.abs(first.slope)) sentences.push(words.settled);
    else if (ended) sentences.push(now.slope * (steps[this.at - 2]?.slope ?? 0) < 0 || now.slope * before.slope < 0 ? words.bounces : words.creeps);
    else if (now.loss > before.loss) sentences.push(words.rose);
    return sentences.join(" ");
  }
}

function text(element, value) {
  if (element.textContent !== value) element.textContent = value;
}

function fill(template, values) {
  return template.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

function number(value, language, digits = 2) {
  return new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value);
}
