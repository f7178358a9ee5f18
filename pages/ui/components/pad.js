// The drawing pad. It keeps its own strokes and takes Python's only when Python's revision number changes,
// so a rerun that arrives in the middle of a stroke disturbs nothing.
// Coordinates and widths are in units of the pad's side; only strokes leave the component, never pixels.

const EMIT_MS = 120; // while the pen is down, 8 drawings a second are enough
const PAUSES = 3; // a busy server gets fewer: the next comes after so many times as long as the last answer took
const LOST_MS = 1000; // an answer that changes nothing on screen is not seen to come
const LOOK_MS = 15;
const STEP = 0.004; // points nearer than this (1 px of 280) add nothing to the shape
const PALM_MS = 1000; // a touch so soon after the pen is the hand that holds it
const MAX_STROKES = 200;
const MAX_POINTS = 5000;
const MAX_HISTORY = 100;

const pads = new WeakMap(); // parentElement -> Pad
const drawings = new Map(); // key -> what was drawn in this tab, for the way back from another page

export default function ({ parentElement, data, setStateValue }) {
  let pad = pads.get(parentElement);
  if (!pad) {
    pad = new Pad(parentElement, data);
    pads.set(parentElement, pad);
  }
  const call = pad.update(data, (value) => setStateValue("drawing", value));
  return () => {
    if (pad.calls !== call) return; // Streamlit may clean up an overtaken call: the pad lives on
    pad.close();
    pads.delete(parentElement);
  };
}

class Pad {
  constructor(parent, data) {
    this.calls = 0;
    this.history = [[]]; // lists of strokes; a list in here is never changed again
    this.at = 0;
    this.stroke = null; // the one under the pen
    this.pointer = null; // which one draws, and its kind: mouse, pen or touch
    this.kind = "";
    this.lastPen = -PALM_MS; // when a pen was seen last
    this.sent = null; // the unfinished one that Python has been told of
    this.brush = "medium";
    this.lastEmit = 0;
    this.pause = EMIT_MS;
    this.before = null; // which answer was shown when the last drawing was sent, until that is answered
    this.timer = 0;
    this.frame = 0;
    this.build(parent, data);
  }

  get strokes() {
    return this.history[this.at];
  }

  // -- what Python says ---------------------------------------------------------------------------------------

  update(data, emit) {
    const first = this.calls === 0;
    this.emit = emit;
    this.data = data;
    this.write(data);
    if (first) this.resume(data);
    else if (data.rev !== this.rev) this.take(data);
    this.readTheme();
    this.paint();
    return ++this.calls;
  }

  resume(data) {
    const kept = drawings.get(data.key);
    if (!kept || kept.rev !== data.rev) {
      this.take(data);
      return;
    }
    Object.assign(this, { rev: kept.rev, history: kept.history, at: kept.at, brush: kept.brush });
    this.showBrush();
    // Streamlit forgets a widget's value when its page is left: say it again.
    if (this.strokes.length) this.send(true);
  }

  take(data) {
    this.dropStroke();
    clearTimeout(this.timer); // a pending answer would belong to the old revision
    this.timer = 0;
    this.rev = data.rev;
    const strokes = data.strokes.map((s) => ({ width: s.width, points: s.points.map(([x, y]) => [x, y]) }));
    if (this.calls === 0) this.history = [strokes]; // what a pad opens with is nothing to undo
    else if (strokes.length || this.strokes.length) this.push(strokes);
    this.keep();
  }

  // -- drawing -----------------------------------------------------------------------------------------------

  push(strokes) {
    this.history = [...this.history.slice(0, this.at + 1), strokes].slice(-MAX_HISTORY);
    this.at = this.history.length - 1;
  }

  penDown(event) {
    if (event.button !== 0) return;
    const pen = event.pointerType === "pen";
    if (pen) this.penSeen(event);
    else if (event.pointerType === "touch" && this.isPalm(event)) return;
    if (this.pointer !== null) {
      if (!pen || this.kind === "pen") return; // a second finger does not draw
      this.cancelStroke(); // what rested here was the hand that holds the pen
    }
    event.preventDefault(); // no text selection, no emulated mouse events
    this.canvas.focus({ preventScroll: true });
    this.canvas.setPointerCapture(event.pointerId);
    this.pointer = event.pointerId;
    this.kind = event.pointerType;
    if (this.isFull()) return;
    this.stroke = { width: this.data.brushes[this.brush], points: [] };
    this.addPoints([event]);
  }

  penMove(event) {
    this.penSeen(event);
    if (event.pointerId !== this.pointer || !this.stroke) return;
    const events = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
    this.addPoints(events.length ? events : [event]); // Chromium coalesces a frame's moves: keep them all
    this.sendSoon();
  }

  penUp(event) {
    this.penSeen(event);
    if (event.pointerId !== this.pointer) return;
    this.pointer = null;
    if (!this.stroke) return;
    const stroke = this.stroke;
    this.stroke = null;
    this.commit([...this.strokes, stroke]);
  }

  penLost(event) { // the system takes a touch back when it turns out to be a palm, a scroll or a call
    if (event.pointerId !== this.pointer) return;
    this.cancelStroke();
  }

  penSeen(event) {
    if (event.pointerType === "pen") this.lastPen = event.timeStamp;
  }

  isPalm(event) { // a pen that hovers or has just been lifted leaves no hand free to draw with a finger
    return event.timeStamp - this.lastPen < PALM_MS;
  }

  dropStroke() { // returns whether Python knows a part of it
    const known = this.stroke !== null && this.sent === this.stroke;
    if (this.pointer !== null && this.canvas.hasPointerCapture(this.pointer)) {
      this.canvas.releasePointerCapture(this.pointer);
    }
    this.pointer = null;
    this.stroke = null;
    return known;
  }

  cancelStroke() {
    if (this.dropStroke()) this.send(true); // what Python knows it answers: say that it is gone
    this.paint();
  }

  addPoints(events) {
    const box = this.canvas.getBoundingClientRect();
    const points = this.stroke.points;
    for (const event of events) {
      const x = place((event.clientX - box.left) / box.width);
      const y = place((event.clientY - box.top) / box.height);
      const last = points[points.length - 1];
      const far = !last || Math.hypot(x - last[0], y - last[1]) >= STEP;
      if (far && this.countPoints() < MAX_POINTS) points.push([x, y]);
    }
    this.paint();
  }

  commit(strokes) {
    this.push(strokes);
    this.send(true);
    this.paint();
  }

  clear() {
    if (this.strokes.length) {
      this.dropStroke();
      this.commit([]);
    } else this.cancelStroke();
  }

  step(by) {
    const at = this.at + by;
    if (this.stroke || at < 0 || at >= this.history.length) return;
    this.at = at;
    this.send(true);
    this.paint();
  }

  countPoints() {
    const all = this.stroke ? [...this.strokes, this.stroke] : this.strokes;
    return all.reduce((n, stroke) => n + stroke.points.length, 0);
  }

  isFull() {
    return this.strokes.length >= MAX_STROKES || this.countPoints() >= MAX_POINTS;
  }

  // -- telling Python ----------------------------------------------------------------------------------------

  sendSoon() {
    if (this.timer) return;
    const waited = performance.now() - this.lastEmit;
    if (this.before !== null && (this.shown() !== this.before || waited > LOST_MS)) {
      this.before = null; // the last drawing is answered
      this.pause = Math.min(LOST_MS, Math.max(EMIT_MS, PAUSES * waited));
    }
    if (this.before === null && waited >= this.pause) {
      this.send(false);
      return;
    }
    this.timer = setTimeout(() => {
      this.timer = 0;
      if (this.stroke) this.sendSoon();
    }, LOOK_MS);
  }

  shown() {
    return document.querySelector(this.data.answers)?.dataset.image ?? "";
  }

  send(final) {
    clearTimeout(this.timer);
    this.timer = 0;
    this.lastEmit = performance.now();
    this.before = this.data.answers ? this.shown() : null;
    this.sent = this.stroke;
    const strokes = this.stroke ? [...this.strokes, this.stroke] : this.strokes;
    this.emit({ rev: this.rev, strokes: strokes.map((s) => ({ width: s.width, points: [...s.points] })), final });
    this.keep();
  }

  keep() {
    drawings.set(this.data.key, { rev: this.rev, history: this.history, at: this.at, brush: this.brush });
  }

  // -- painting ----------------------------------------------------------------------------------------------

  paint() {
    if (!this.frame) this.frame = requestAnimationFrame(() => this.paintNow());
  }

  paintNow() {
    this.frame = 0;
    const side = this.canvas.width;
    const pen = this.canvas.getContext("2d");
    const strokes = this.stroke ? [...this.strokes, this.stroke] : this.strokes;
    pen.clearRect(0, 0, side, side);
    pen.lineCap = pen.lineJoin = "round";
    pen.strokeStyle = pen.fillStyle = this.ink;
    strokes.forEach((stroke) => drawStroke(pen, stroke, side));
    this.showState(strokes);
  }

  showState(strokes) {
    const blank = strokes.length === 0;
    this.hint.hidden = !blank;
    this.undo.disabled = this.at === 0 || Boolean(this.stroke);
    this.redo.disabled = this.at === this.history.length - 1 || Boolean(this.stroke);
    this.erase.disabled = blank;
    const words = this.data.words;
    setText(this.result, this.isFull() ? words.full : blank ? "" : this.data.result);
    this.canvas.dataset.strokes = strokes.length;
    this.canvas.setAttribute("aria-label", blank ? `${this.data.label}. ${words.blank}` : this.data.label);
  }

  readTheme() {
    this.ink = getComputedStyle(this.canvas).color;
  }

  resize() {
    const side = Math.round(this.canvas.clientWidth * (window.devicePixelRatio || 1));
    if (!side || side === this.canvas.width) return;
    this.canvas.width = this.canvas.height = side;
    this.paintNow(); // at once: setting the size has wiped the canvas
  }

  // -- the parts ---------------------------------------------------------------------------------------------

  build(parent, data) {
    this.root = parent.appendChild(document.createElement("div"));
    this.root.className = "tl-pad";
    this.root.innerHTML = `
      <div class="tl-pad-paper">
        <canvas class="tl-pad-canvas" tabindex="0" role="application" aria-describedby="tl-pad-keys"></canvas>
        <div class="tl-pad-hint" aria-hidden="true">${icon("squiggle")}<span data-word="hint"></span></div>
      </div>
      <div class="tl-pad-tools">
        <div class="tl-pad-group" role="radiogroup">
          ${Object.keys(data.brushes).map((name) => button("brush", name, dot(data.brushes[name]), "radio")).join("")}
        </div>
        <div class="tl-pad-group">
          ${["undo", "redo", "clear"].map((name) => button("act", name, icon(name))).join("")}
        </div>
      </div>
      <p class="tl-pad-result" role="status" aria-live="polite"></p>
      <p class="tl-pad-keys" id="tl-pad-keys" data-word="keys"></p>`;
    const find = (selector) => this.root.querySelector(selector);
    this.canvas = find("canvas");
    this.hint = find(".tl-pad-hint");
    this.result = find(".tl-pad-result");
    this.brushes = [...this.root.querySelectorAll("[data-brush]")];
    [this.undo, this.redo, this.erase] = ["undo", "redo", "clear"].map((name) => find(`[data-act=${name}]`));
    this.listen();
    this.showBrush();
    this.watcher = new ResizeObserver(() => this.resize());
    this.watcher.observe(this.canvas);
  }

  listen() {
    const on = (element, type, act) => element.addEventListener(type, act);
    on(this.canvas, "pointerdown", (event) => this.penDown(event));
    on(this.canvas, "pointermove", (event) => this.penMove(event));
    on(this.canvas, "pointerup", (event) => this.penUp(event));
    on(this.canvas, "pointercancel", (event) => this.penLost(event));
    on(this.canvas, "lostpointercapture", (event) => this.penUp(event));
    on(this.canvas, "contextmenu", (event) => event.preventDefault());
    on(this.root, "keydown", (event) => this.keyDown(event));
    on(this.undo, "click", () => this.step(-1));
    on(this.redo, "click", () => this.step(1));
    on(this.erase, "click", () => this.clear());
    this.brushes.forEach((choice) => on(choice, "click", () => this.pickBrush(choice.dataset.brush)));
  }

  keyDown(event) {
    const command = event.ctrlKey || event.metaKey;
    const key = event.key.toLowerCase();
    const arrow = { arrowright: 1, arrowdown: 1, arrowleft: -1, arrowup: -1 }[key];
    if (key === "delete" || key === "backspace" || key === "escape") this.clear();
    else if (command && key === "z") this.step(event.shiftKey ? 1 : -1);
    else if (command && key === "y") this.step(1);
    else if (arrow && event.target.dataset.brush) this.nextBrush(arrow);
    else return;
    event.preventDefault();
    event.stopPropagation(); // not also a shortcut of the page
  }

  nextBrush(by) {
    const names = this.brushes.map((choice) => choice.dataset.brush);
    const at = (names.indexOf(this.brush) + by + names.length) % names.length;
    this.pickBrush(names[at]);
    this.brushes[at].focus();
  }

  pickBrush(name) {
    this.brush = name;
    this.showBrush();
    this.keep();
  }

  showBrush() {
    this.brushes.forEach((choice) => {
      const chosen = choice.dataset.brush === this.brush;
      choice.setAttribute("aria-checked", chosen);
      choice.tabIndex = chosen ? 0 : -1; // a radio group is one stop of the Tab key
    });
  }

  write({ words }) {
    this.root.querySelectorAll("[data-word]").forEach((element) => setText(element, words[element.dataset.word]));
    this.root.querySelector("[role=radiogroup]").setAttribute("aria-label", words.brush);
  }

  close() {
    clearTimeout(this.timer);
    cancelAnimationFrame(this.frame);
    this.watcher.disconnect();
    this.root.remove();
  }
}

function place(value) { // a captured pen may leave the pad: held at the edge it would draw along it
  return Math.round(Math.min(2, Math.max(-1, value)) * 1000) / 1000;
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text; // an equal text must not be announced again
}

function drawStroke(pen, { width, points }, side) {
  const at = points.map(([x, y]) => [x * side, y * side]);
  pen.lineWidth = width * side;
  pen.beginPath();
  if (at.length === 1) {
    pen.arc(at[0][0], at[0][1], pen.lineWidth / 2, 0, 2 * Math.PI);
    pen.fill();
    return;
  }
  pen.moveTo(...at[0]);
  for (let i = 1; i < at.length - 1; i += 1) {
    const middle = [(at[i][0] + at[i + 1][0]) / 2, (at[i][1] + at[i + 1][1]) / 2];
    // Through the middles where a fast mouse left corners; corners far apart are meant.
    const near = Math.max(apart(at[i - 1], at[i]), apart(at[i], at[i + 1])) < side / 12;
    if (near) pen.quadraticCurveTo(...at[i], ...middle);
    else pen.lineTo(...at[i]);
  }
  if (at.length) pen.lineTo(...at[at.length - 1]);
  pen.stroke();
}

function apart([x, y], [u, v]) {
  return Math.hypot(x - u, y - v);
}

function button(kind, name, picture, role) {
  const extra = role ? `role="${role}"` : "";
  return `<button type="button" ${extra} data-${kind}="${name}">${picture}<span data-word="${name}"></span></button>`;
}

function dot(width) {
  return `<svg viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="${70 * width}" class="dot"/></svg>`;
}

function icon(name) {
  const paths = {
    undo: "M9 14 4 9l5-5M4 9h10a6 6 0 0 1 0 12h-3",
    redo: "M15 14l5-5-5-5M20 9H10a6 6 0 0 0 0 12h3",
    clear: "M4 7h16M9 7V4h6v3M6.5 7l1 13h9l1-13M10 11v5M14 11v5",
    squiggle: "M3 16c3-9 6-9 6-4s3 5 5 0 4-5 7-1",
  };
  return `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${paths[name]}"/></svg>`;
}
