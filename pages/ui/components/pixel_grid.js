// A grid of squares to ink by keyboard: arrows move, space inks, Shift and an arrow draw. A pointer inks too.

const grids = new WeakMap(); // parentElement -> Grid
const kept = new Map(); // key -> cells, for the way back from another page

export default function ({ parentElement, data, setStateValue }) {
  let grid = grids.get(parentElement);
  if (!grid) {
    grid = new Grid(parentElement, data);
    grids.set(parentElement, grid);
  }
  grid.emit = (rows) => setStateValue("cells", rows);
  grid.write(data.words);
  if (grid.isBack) {
    grid.isBack = false;
    grid.send(); // Streamlit forgets a widget's value when its page is left
  }
}

class Grid {
  constructor(parent, { key, side }) {
    Object.assign(this, { key, side, at: [side / 2, side / 2], inks: null });
    this.isBack = kept.has(key);
    this.cells = kept.get(key) ?? new Uint8Array(side * side);
    this.root = parent.appendChild(document.createElement("div"));
    this.root.className = "tl-grid";
    this.root.innerHTML = `<p id="tl-grid-keys"></p><div role="grid" aria-describedby="tl-grid-keys"></div>
      <button type="button"></button>`;
    this.grid = this.root.querySelector("[role=grid]");
    this.squares = [];
    for (let y = 0; y < side; y += 1) {
      const row = this.grid.appendChild(document.createElement("div"));
      row.setAttribute("role", "row");
      for (let x = 0; x < side; x += 1) {
        const square = row.appendChild(document.createElement("span"));
        square.setAttribute("role", "gridcell");
        square.tabIndex = -1;
        this.squares.push(square);
      }
    }
    this.squares[this.index()].tabIndex = 0;
    this.root.addEventListener("keydown", (event) => this.keyDown(event));
    this.grid.addEventListener("pointerdown", (event) => this.inkAt(event, true));
    this.grid.addEventListener("pointermove", (event) => event.buttons && this.inkAt(event, false));
    this.root.querySelector("button").addEventListener("click", () => this.clear());
  }

  index([x, y] = this.at) {
    return y * this.side + x;
  }

  write(words) {
    this.words = words;
    this.root.querySelector("p").textContent = words.keys;
    this.root.querySelector("button").textContent = words.clear;
    this.grid.setAttribute("aria-label", words.label);
    this.squares.forEach((_, i) => this.paint(i));
  }

  paint(i) {
    const place = this.words.place.replace("{row}", Math.floor(i / this.side) + 1).replace("{column}", (i % this.side) + 1);
    this.squares[i].setAttribute("aria-label", this.cells[i] ? `${place}, ${this.words.inked}` : place);
    this.squares[i].setAttribute("aria-selected", Boolean(this.cells[i]));
  }

  keyDown(event) {
    const step = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[event.key];
    if (step && this.grid.contains(event.target)) {
      if (event.shiftKey) this.ink(this.index(), 1);
      this.move(step);
      if (event.shiftKey) this.ink(this.index(), 1);
    } else if (event.key === " " && this.grid.contains(event.target)) this.ink(this.index(), 1 - this.cells[this.index()]);
    else if (event.key === "Delete" || event.key === "Backspace") this.clear();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  move([dx, dy]) {
    this.squares[this.index()].tabIndex = -1;
    const within = (value) => Math.min(this.side - 1, Math.max(0, value));
    this.at = [within(this.at[0] + dx), within(this.at[1] + dy)];
    this.squares[this.index()].tabIndex = 0;
    this.squares[this.index()].focus({ preventScroll: true });
  }

  inkAt(event, first) {
    const box = this.grid.getBoundingClientRect();
    const x = Math.floor(((event.clientX - box.left) / box.width) * this.side);
    const y = Math.floor(((event.clientY - box.top) / box.height) * this.side);
    if (x < 0 || y < 0 || x >= this.side || y >= this.side) return;
    event.preventDefault();
    this.move([x - this.at[0], y - this.at[1]]);
    if (first) this.inks = 1 - this.cells[this.index()]; // a press on ink takes it away, and so do the moves after it
    this.ink(this.index(), this.inks ?? 1);
  }

  ink(i, value) {
    if (this.cells[i] === value) return;
    this.cells[i] = value;
    this.paint(i);
    this.send();
  }

  clear() {
    this.cells.fill(0);
    this.squares.forEach((_, i) => this.paint(i));
    this.send();
  }

  send() {
    kept.set(this.key, this.cells);
    const rows = [];
    for (let y = 0; y < this.side; y += 1) rows.push(this.cells.slice(y * this.side, (y + 1) * this.side).join(""));
    this.emit(rows);
  }
}
