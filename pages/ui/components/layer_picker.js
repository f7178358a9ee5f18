// The network as a diagram. One set of frozen names is the truth; the switches and the boundary are drawn from it.
// A click on a layer asks to look inside it; under every cut stands what it reaches.
// Python's choice is taken only when its revision number, or the network itself, has changed.

const pickers = new WeakMap(); // parentElement -> Picker
const MOST_DOWN = 12; // more blocks one below the other would be a long way to scroll: they scroll sideways

export default function ({ parentElement, data, setStateValue, setTriggerValue }) {
  let picker = pickers.get(parentElement);
  if (!picker) {
    picker = new Picker(parentElement);
    pickers.set(parentElement, picker);
  }
  const call = picker.update(data, (value) => setStateValue("choice", value), (name) => setTriggerValue("look", name));
  return () => {
    if (picker.calls !== call) return; // Streamlit may clean up an overtaken call: the picker lives on
    picker.close();
    pickers.delete(parentElement);
  };
}

class Picker {
  constructor(parent) {
    this.calls = 0;
    this.frozen = new Set();
    this.preview = null; // the boundary under the pointer, before it is let go
    this.anchor = null; // where a Shift-click's range begins
    this.build(parent);
  }

  update(data, emit, look) {
    this.emit = emit;
    this.look = look;
    this.data = data;
    const network = JSON.stringify([data.blocks, data.words, data.label]);
    if (network !== this.network) {
      this.network = network;
      this.rev = undefined;
      this.laid = "";
      this.draw();
    }
    if (data.rev !== this.rev) {
      if (this.rev !== undefined) this.move();
      this.rev = data.rev;
      this.unseen = true; // a wide network is scrolled to where its boundary stands, once
      this.preview = this.anchor = null;
      this.frozen = new Set(data.frozen);
    }
    this.root.classList.toggle("dark", isDark(this.root));
    this.open(data.opened);
    this.writeCuts();
    this.show();
    return ++this.calls;
  }

  // -- what is frozen ----------------------------------------------------------------------------------------

  get layers() {
    return this.data.blocks.flatMap((block) => block.members); // [name, n_weights]
  }

  // Same rule as boundary() in layer_picker.py: layers without weights never end the frozen start.
  boundaryOf(frozen) {
    let end = 0;
    for (const [index, [name, weights]] of this.layers.entries()) {
      if (frozen.has(name)) end = index + 1;
      else if (weights) break;
    }
    return end;
  }

  upTo(end) {
    return new Set(this.layers.slice(0, end).map(([name]) => name));
  }

  normalise(frozen) {
    const end = this.boundaryOf(frozen);
    const kept = this.layers.filter(([name, weights], index) => index < end || (weights && frozen.has(name)));
    return new Set(kept.map(([name]) => name));
  }

  move() { // from now on the boundary slides to its place; at first it just stands there
    this.root.classList.add("moves");
  }

  choose(frozen) {
    this.move();
    const next = this.normalise(frozen);
    const changed = next.size !== this.frozen.size || [...next].some((name) => !this.frozen.has(name));
    this.frozen = next;
    this.show();
    if (changed) this.emit({ rev: this.rev, frozen: [...next] });
  }

  toggle(index, range) {
    const freeze = this.stateOf(this.data.blocks[index], this.frozen) !== "frozen";
    const from = range && this.anchor !== null ? this.anchor : index;
    const [low, high] = [Math.min(from, index), Math.max(from, index)];
    const frozen = new Set(this.frozen);
    for (const block of this.data.blocks.slice(low, high + 1)) {
      for (const [name] of block.members) freeze ? frozen.add(name) : frozen.delete(name);
    }
    this.anchor = index;
    this.choose(frozen);
  }

  stateOf(block, frozen) {
    const weighted = block.members.filter(([, weights]) => weights);
    const n = weighted.filter(([name]) => frozen.has(name)).length;
    if (!weighted.length) return "nothing";
    return n === weighted.length ? "frozen" : n ? "partly" : "trainable";
  }

  // -- the boundary ------------------------------------------------------------------------------------------

  stops() { // the layer counts at which the boundary may stand: before the first block and after each
    return this.data.blocks.reduce((ends, block) => [...ends, ends[ends.length - 1] + block.members.length], [0]);
  }

  keyDown(event) {
    const stops = this.stops();
    const now = this.boundaryOf(this.frozen);
    const up = stops.find((stop) => stop > now) ?? now;
    const down = [...stops].reverse().find((stop) => stop < now) ?? now;
    const forward = { ArrowRight: up, ArrowLeft: down, Home: 0, End: stops[stops.length - 1] };
    const vertical = this.isVertical(); // there the key moves the boundary the way it points
    forward.ArrowDown = vertical ? up : down;
    forward.ArrowUp = vertical ? down : up;
    if (!(event.key in forward)) return;
    event.preventDefault();
    event.stopPropagation();
    this.choose(this.upTo(forward[event.key]));
    this.knob.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  grab(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    this.rail.setPointerCapture(event.pointerId);
    this.knob.focus({ preventScroll: true });
    this.drag(event);
  }

  drag(event) {
    if (!this.rail.hasPointerCapture(event.pointerId)) return;
    const box = this.rail.getBoundingClientRect();
    const at = this.isVertical() ? event.clientY - box.top : event.clientX - box.left;
    const gaps = this.gaps();
    const distance = gaps.map((gap) => Math.abs(gap - at));
    this.preview = this.stops()[distance.indexOf(Math.min(...distance))];
    this.move();
    this.show();
  }

  drop() {
    if (this.preview === null) return;
    const end = this.preview;
    this.preview = null;
    this.choose(this.upTo(end));
  }

  isVertical() {
    return getComputedStyle(this.row).flexDirection === "column";
  }

  gaps() { // where each stop lies along the rail, in pixels
    const [start, length] = this.isVertical() ? ["offsetTop", "offsetHeight"] : ["offsetLeft", "offsetWidth"];
    const ends = this.cells.map((cell) => cell[start] + cell[length]);
    const starts = this.cells.map((cell) => cell[start]);
    const between = ends.slice(0, -1).map((end, i) => (end + starts[i + 1]) / 2);
    return [starts[0] - 6, ...between, ends[ends.length - 1] + 6];
  }

  // -- drawing -----------------------------------------------------------------------------------------------

  draw() {
    const { blocks, words, label } = this.data;
    this.root.setAttribute("aria-label", label);
    this.row.querySelectorAll(".tl-net-cell, .tl-net-end").forEach((old) => old.remove());
    this.cells = blocks.map((block, index) => this.cell(block, index));
    this.row.append(end(words.input, "in"), ...this.cells, end(words.output, "out"), this.curve, this.list);
    this.list.setAttribute("aria-label", words.reached);
    this.knob.setAttribute("aria-label", words.boundary);
    this.knob.setAttribute("aria-valuemin", 0);
    this.knob.setAttribute("aria-valuemax", this.layers.length);
    this.help.textContent = matchMedia("(pointer: coarse)").matches ? words.help_touch : words.help;
    this.legend.innerHTML = ["frozen", "trainable"]
      .map((state) => `<span class="tl-net-state ${state}">${icon(state)}<b></b></span>`)
      .join("");
    this.legend.querySelectorAll("b").forEach((b, i) => { b.textContent = words[["frozen", "trainable"][i]]; });
  }

  cell(block, index) {
    const weighted = block.members.some(([, weights]) => weights);
    const cell = document.createElement("div");
    cell.className = "tl-net-cell";
    cell.dataset.layer = block.name;
    cell.style.setProperty("--size", block.size.toFixed(3));
    cell.innerHTML = `
      <button type="button" class="tl-net-look" aria-expanded="false">
        <span class="tl-net-lane"><span class="tl-net-bar"></span></span>
        <span class="tl-net-text">
          <span class="tl-net-verb"></span>
          <span class="tl-net-name"></span>
          <span class="tl-net-facts">
            <span class="tl-net-type"></span><span class="tl-net-shape"></span><span class="tl-net-weights"></span>
          </span>
        </span>
      </button>
      ${weighted ? '<button type="button" role="switch" class="tl-net-state"></button>' : '<span class="tl-net-state"></span>'}`;
    const write = (part, text) => { cell.querySelector(`.tl-net-${part}`).textContent = text; };
    write("verb", this.data.words.look);
    write("name", block.name);
    write("type", block.type);
    write("shape", block.shape);
    write("weights", weighted ? block.weights : "");
    cell.querySelector(".tl-net-look").addEventListener("click", () => {
      this.open(this.opened === block.name ? "" : block.name);
      this.look(block.name);
      if (this.opened) reveal(".st-key-inside");
    });
    const toggle = (event) => this.toggle(index, event.shiftKey);
    cell.querySelector('[role="switch"]')?.addEventListener("click", toggle);
    return cell;
  }

  open(name) {
    this.opened = name;
    for (const cell of this.cells) {
      cell.querySelector(".tl-net-look").setAttribute("aria-expanded", cell.dataset.layer === name);
    }
  }

  // -- what each cut reaches ---------------------------------------------------------------------------------

  writeCuts() {
    const { cuts } = this.data;
    this.root.classList.toggle("scored", cuts.length > 0);
    this.list.replaceChildren(...cuts.map((cut, index) => {
      const item = document.createElement("span");
      item.className = "tl-net-cut";
      item.setAttribute("role", "listitem");
      item.dataset.cut = cut.name;
      item.hidden = !cut.text;
      item.classList.toggle("best", cut.best);
      item.style.setProperty("--stop", index);
      item.innerHTML = '<span class="tl-net-verb"></span><b></b>';
      item.firstChild.textContent = `${cut.where}: `;
      item.lastChild.textContent = cut.text;
      return item;
    }));
  }

  placeCuts(gaps, stop) {
    [...this.list.children].forEach((item, index) => {
      item.style.setProperty("--place", `${gaps[index]}px`);
      item.classList.toggle("here", index === stop);
    });
    const known = this.data.cuts.map((cut, index) => [gaps[index], cut.value]).filter(([, value]) => value !== null);
    const [low, high] = [Math.min(...known.map(([, y]) => y)), Math.max(...known.map(([, y]) => y))];
    const points = known.map(([x, y]) => [x, 35 - (high > low ? (30 * (y - low)) / (high - low) : 15)]);
    this.curve.innerHTML = points.length
      ? `<polyline points="${points.map((point) => point.join(",")).join(" ")}"/>` +
        points.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="4"/>`).join("")
      : "";
  }

  show() {
    const frozen = this.preview === null ? this.frozen : this.upTo(this.preview);
    this.cells.forEach((cell, index) => this.showCell(cell, this.stateOf(this.data.blocks[index], frozen)));
    this.showBoundary(frozen);
  }

  showCell(cell, state) {
    if (cell.dataset.state === state) return;
    cell.dataset.state = state;
    const pill = cell.querySelector(".tl-net-state");
    pill.className = `tl-net-state ${state}`;
    pill.innerHTML = `<span class="tl-net-verb"></span>${icon(state)}<b></b>`;
    pill.querySelector("b").textContent = this.data.words[state];
    if (pill.type !== "button") return;
    pill.setAttribute("aria-checked", state === "frozen");
    pill.firstChild.textContent = fill(this.data.words.freeze, { layer: cell.dataset.layer });
  }

  showBoundary(frozen) {
    const { words } = this.data;
    const total = this.layers.length;
    const now = this.preview ?? this.boundaryOf(frozen);
    const names = this.layers.slice(0, now).map(([name]) => name);
    const listed = names.length > 6 ? [...names.slice(0, 6), "…"] : names;
    const position = fill(words.position, { n: now, total });
    this.knob.setAttribute("aria-valuenow", now);
    this.knob.setAttribute("aria-valuetext", listed.length ? `${position}: ${listed.join(", ")}` : position);
    this.knob.setAttribute("aria-orientation", this.isVertical() ? "vertical" : "horizontal");
    this.frozenShown = frozen;
    this.place();
  }

  layOut() { // side by side where the blocks have room, else one below the other
    const { length } = this.data.blocks;
    const width = this.root.clientWidth;
    const laid = `${width} ${length}`;
    if (laid === this.laid || !width) return;
    this.laid = laid;
    this.root.classList.remove("down");
    this.list.style.display = "none"; // not placed yet: it would count as too wide
    const fits = this.scroll.scrollWidth <= this.scroll.clientWidth;
    this.list.style.display = "";
    this.root.classList.toggle("down", !fits && (length <= MOST_DOWN || width < 600));
  }

  place() {
    if (!this.cells.length) return;
    this.layOut();
    const now = Number(this.knob.getAttribute("aria-valuenow"));
    const stop = this.stops().filter((count) => count <= now).length - 1; // inside a group: at its start
    const gaps = this.gaps();
    this.row.style.setProperty("--at", `${gaps[stop]}px`);
    this.row.style.setProperty("--track", this.track(gaps));
    if (this.unseen && this.scroll.clientWidth && !this.isVertical()) {
      this.unseen = false;
      this.scroll.scrollLeft = gaps[stop] - this.scroll.clientWidth / 2;
    }
    this.placeCuts(gaps, stop);
  }

  // The rail's colours: of every block its own, also where frozen layers lie after ones that train. What has no weights
  // goes with the block after it, unless it lies before the boundary; the ends of the rail go with the first and the last.
  track(gaps) {
    const frozen = this.frozenShown;
    const states = this.data.blocks.map((block) => this.stateOf(block, frozen));
    states.forEach((state, i) => {
      if (state !== "nothing") return;
      const before = this.data.blocks[i].members.every(([name]) => frozen.has(name));
      const next = states.slice(i + 1).find((one) => one !== "nothing");
      states[i] = before ? "frozen" : next ?? states[i - 1] ?? "trainable";
    });
    const stops = states.flatMap((state, i) => {
      const [from, to] = [i ? gaps[i] : 0, i + 1 < states.length ? gaps[i + 1] : null];
      const until = to === null ? "100%" : `${to}px`;
      if (state !== "partly") return [`var(--${state}) ${from}px ${until}`];
      const middle = (from + (to ?? gaps[i + 1])) / 2;
      return [`var(--frozen) ${from}px ${middle}px`, `var(--trainable) ${middle}px ${until}`];
    });
    return stops.join(", ");
  }

  // -- the parts ---------------------------------------------------------------------------------------------

  build(parent) {
    this.root = parent.appendChild(document.createElement("div"));
    this.root.className = "tl-net";
    this.root.setAttribute("role", "group");
    this.root.innerHTML = `
      <div class="tl-net-head"><span class="tl-net-help"></span><span class="tl-net-legend"></span></div>
      <div class="tl-net-scroll">
        <div class="tl-net-row">
          <div class="tl-net-rail">
            <div class="tl-net-track"></div>
            <div class="tl-net-knob" role="slider" tabindex="0">${icon("grip")}</div>
          </div>
          <div class="tl-net-line"></div>
          <svg class="tl-net-curve" aria-hidden="true"></svg>
          <span class="tl-net-cuts" role="list"></span>
        </div>
      </div>`;
    const find = (name) => this.root.querySelector(`.tl-net-${name}`);
    this.scroll = find("scroll");
    [this.row, this.rail, this.knob] = [find("row"), find("rail"), find("knob")];
    [this.legend, this.help, this.curve, this.list] = [find("legend"), find("help"), find("curve"), find("cuts")];
    this.cells = [];
    this.rail.addEventListener("pointerdown", (event) => this.grab(event));
    this.rail.addEventListener("pointermove", (event) => this.drag(event));
    this.rail.addEventListener("pointerup", () => this.drop());
    this.rail.addEventListener("pointercancel", () => this.drop());
    this.knob.addEventListener("keydown", (event) => this.keyDown(event));
    this.watcher = new ResizeObserver(() => this.data && this.showBoundary(this.frozen));
    this.watcher.observe(this.row);
  }

  close() {
    this.watcher.disconnect();
    this.root.remove();
  }
}

// What the click opens comes with the page's next run: it is brought into view when it is there.
function reveal(selector, tries = 40) {
  const panel = document.querySelector(selector);
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (panel) panel.scrollIntoView({ block: "nearest", behavior: calm ? "auto" : "smooth" });
  else if (tries) setTimeout(() => reveal(selector, tries - 1), 100);
}

function end(word, side) {
  const element = document.createElement("span");
  element.className = `tl-net-end ${side}`;
  element.textContent = word;
  return element;
}

function fill(template, values) {
  return template.replace(/\{(\w+)\}/g, (field, name) => values[name] ?? field);
}

function isDark(element) {
  const pen = document.createElement("canvas").getContext("2d");
  pen.fillStyle = getComputedStyle(element).getPropertyValue("--st-background-color").trim() || "#fff";
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(pen.fillStyle.slice(at, at + 2), 16));
  return 0.299 * r + 0.587 * g + 0.114 * b < 128;
}

function icon(state) {
  const paths = {
    frozen: "M12 2v20M3.3 7l17.4 10M20.7 7 3.3 17M9 3.5l3 3 3-3M9 20.5l3-3 3 3" +
      "M3 10.5l4-1.2-1-4M21 13.5l-4 1.2 1 4M3 13.5l4 1.2-1 4M21 10.5l-4-1.2 1-4",
    trainable: "M12 2.5c.6 3.6 5.8 6 5.8 11.3a5.8 5.8 0 0 1-11.6 0c0-2.3 1.1-3.9 2.3-5.2" +
      ".3 1.9 1.2 2.9 2 3.2-.5-3.3.2-6.6 1.5-9.3z",
    grip: "M9 7l-4 5 4 5M15 7l4 5-4 5",
  };
  paths.partly = paths.frozen;
  const path = paths[state];
  return path ? `<svg viewBox="0 0 24 24" aria-hidden="true" class="${state}"><path d="${path}"/></svg>` : "";
}
