// The list of runs. It keeps what a person is just doing (ticks, an open name field, half a search word) and takes
// everything else from Python, row by row, so that a rerun moves nothing under a finger. Texts are never markup.

const SEARCH_MS = 350; // after the last key
const POLL_MS = 2000; // how often a running row asks how far it is
const MOST_POLLED = 6;

const tables = new WeakMap(); // parentElement -> Table
const kept = new Map(); // key -> the ticked runs, for the way back from a run

export default function ({ parentElement, data, setTriggerValue }) {
  let table = tables.get(parentElement);
  if (!table) {
    table = new Table(parentElement, data);
    tables.set(parentElement, table);
  }
  const call = table.update(data, (deed) => setTriggerValue("deed", deed));
  return () => {
    if (table.calls !== call) return; // Streamlit may clean up an overtaken call: the table lives on
    table.close();
    tables.delete(parentElement);
  };
}

class Table {
  constructor(parent, data) {
    this.calls = 0;
    this.rows = new Map(); // place -> tr
    this.editing = "";
    if (!kept.has(data.key)) kept.set(data.key, new Map()); // id -> title
    this.ticked = kept.get(data.key);
    this.build(parent);
    this.timer = setInterval(() => this.poll(), POLL_MS);
  }

  update(data, tell) {
    this.data = data;
    this.tell = tell;
    this.writeTools();
    this.writeHead();
    this.writeRows();
    this.writeFoot();
    this.writeCompare();
    this.root.dataset.settled = ++this.calls;
    return this.calls;
  }

  // -- what stands above ---------------------------------------------------------------------------------------

  writeTools() {
    const { data, search } = this;
    search.placeholder = data.words.search;
    search.setAttribute("aria-label", data.words.search);
    if (this.root.getRootNode().activeElement !== search) search.value = data.text;
    data.facets.forEach((facet, at) => {
      const choice = this.choices.children[at] ?? this.choices.appendChild(this.choice());
      const any = data.words.any.replace("{label}", facet.label);
      fillChoice(choice, [["", any], ...facet.options], facet.value);
      choice.setAttribute("aria-label", facet.label);
      choice.dataset.field = facet.field;
      choice.classList.toggle("set", facet.value !== "");
    });
    while (this.choices.children.length > data.facets.length) this.choices.lastChild.remove();
    setText(this.more, data.words.more);
    setText(this.clear, data.words.clear);
    this.clear.hidden = !data.asked;
    const orders = data.columns.flatMap(({ by, label, falling, rising }) =>
      [[`${by} 1`, `${label}: ${falling}`], [`${by} 0`, `${label}: ${rising}`]]);
    fillChoice(this.order, orders, `${data.by} ${Number(data.descending)}`);
    this.order.setAttribute("aria-label", data.words.sort);
  }

  choice() {
    const choice = document.createElement("select");
    choice.addEventListener("change", () => this.ask());
    return choice;
  }

  ask() {
    clearTimeout(this.waiting);
    const filter = { text: this.search.value };
    for (const choice of this.choices.children) filter[choice.dataset.field] = choice.value;
    this.tell({ do: "filter", filter });
  }

  // -- the table -----------------------------------------------------------------------------------------------

  writeHead() {
    const { data } = this;
    setText(this.caption, data.words.caption);
    data.columns.forEach(({ by, label, field }, at) => {
      const cell = this.head.children[at + 1] ?? this.head.appendChild(this.headCell());
      cell.dataset.field = field;
      setText(cell.querySelector("span"), label);
      cell.firstChild.dataset.by = by;
      const way = data.descending ? "descending" : "ascending";
      cell.setAttribute("aria-sort", by === data.by ? way : "none");
    });
    if (!this.head.querySelector(".edit")) {
      this.head.append(Object.assign(document.createElement("td"), { className: "edit" }));
    }
  }

  headCell() {
    const cell = document.createElement("th");
    cell.setAttribute("role", "columnheader");
    cell.scope = "col";
    cell.innerHTML = `<button type="button"><span></span><i aria-hidden="true"></i></button>`;
    cell.firstChild.addEventListener("click", () => this.tell({ do: "sort", by: cell.firstChild.dataset.by }));
    return cell;
  }

  writeRows() {
    const { rows } = this.data;
    const places = new Set();
    rows.forEach((row, at) => {
      const place = `${row.id} ${row.single} ${row.part}`;
      places.add(place);
      let line = this.rows.get(place);
      if (!line) {
        line = this.makeRow();
        this.rows.set(place, line);
      }
      if (this.body.children[at] !== line) this.body.insertBefore(line, this.body.children[at] ?? null);
      this.writeRow(line, row);
    });
    for (const [place, line] of this.rows) {
      if (places.has(place)) continue;
      line.remove();
      this.rows.delete(place);
    }
    this.none.hidden = rows.length > 0;
    setText(this.none, this.data.words.none);
  }

  makeRow() {
    const line = document.createElement("tr");
    line.setAttribute("role", "row");
    line.innerHTML = `
      <td role="cell" class="tick"><label><input type="checkbox"></label></td>
      <td role="cell" class="state"><span class="tl-runs-state"></span></td>
      <td role="cell" class="title">
        <div class="tl-runs-what"><a></a> <span class="tl-runs-mark"></span><button type="button" class="tl-runs-fold"></button><p class="tl-runs-note"></p></div>
      </td>
      ${["labels", "seed", "accuracy", "took", "created"].map((name) => `<td role="cell" class="${name}"></td>`).join("")}
      <td role="cell" class="edit"><button type="button" class="tl-runs-edit">${PENCIL}</button></td>`;
    line.querySelector(".accuracy").innerHTML = "<b></b> <small></small>";
    line.addEventListener("click", (event) => this.rowClicked(event, line));
    line.querySelector("input").addEventListener("change", (event) => this.tick(line, event.target.checked));
    line.querySelector(".tl-runs-fold").addEventListener("click", () => this.tell({ do: "unfold", id: line.run.id }));
    line.querySelector(".tl-runs-edit").addEventListener("click", () => this.edit(line));
    return line;
  }

  rowClicked(event, line) {
    if (event.target.closest("button, input, label, form")) return;
    const link = event.target.closest("a");
    if (link && (event.ctrlKey || event.metaKey || event.shiftKey)) return; // in a tab of its own
    event.preventDefault();
    if (!link && String(getSelection())) return; // somebody marks a text
    this.tell({ do: line.run.single ? "open" : "unfold", id: line.run.id });
  }

  writeRow(line, row) {
    const { words, states, base } = this.data;
    line.run = row;
    line.dataset.run = row.id;
    line.dataset.part = row.part;
    line.dataset.single = row.single;
    const cell = (name) => line.querySelector(`.${name}`);
    const link = line.querySelector("a");
    setText(link, row.title);
    if (row.single) link.href = `${base}/runs?run=${row.id}`;
    else link.removeAttribute("href");
    setText(cell("tl-runs-mark"), row.mark);
    const state = cell("tl-runs-state");
    if (state.dataset.state !== row.state) setText(state, states[row.state] ?? row.state);
    state.dataset.state = row.state;
    const fold = cell("tl-runs-fold");
    fold.hidden = !row.fold;
    setText(fold, row.fold);
    fold.setAttribute("aria-expanded", row.unfolded);
    fold.setAttribute("aria-label", `${row.fold}. ${(row.unfolded ? words.fold : words.unfold).replace("{what}", row.title)}`);
    const note = cell("tl-runs-note");
    note.hidden = !row.note;
    setText(note, row.note);
    for (const name of ["labels", "seed", "took", "created"]) setText(cell(name), row[name]);
    setText(line.querySelector("b"), row.accuracy);
    setText(line.querySelector("small"), row.interval);
    for (const { field, label } of this.data.columns) cell(field).dataset.label = label;
    const box = line.querySelector("input");
    box.checked = this.ticked.has(row.id);
    box.setAttribute("aria-label", words.tick.replace("{title}", row.title));
    const pencil = cell("tl-runs-edit");
    pencil.hidden = !row.mine || !row.single;
    pencil.setAttribute("aria-label", words.edit.replace("{title}", row.title));
    pencil.title = pencil.getAttribute("aria-label");
  }

  // -- a name and a note, in place -----------------------------------------------------------------------------

  edit(line) {
    if (line.querySelector("form")) return;
    const { words, longest } = this.data;
    const form = document.createElement("form");
    form.className = "tl-runs-form";
    form.innerHTML = `
      <label><span></span><input maxlength="${longest.name}"></label>
      <label><span></span><textarea rows="2" maxlength="${longest.note}"></textarea></label>
      <div><button type="submit"></button><button type="button"></button></div>`;
    const [name, note] = form.querySelectorAll("input, textarea");
    form.querySelectorAll("span").forEach((span, at) => setText(span, [words.name, words.note][at]));
    form.querySelectorAll("button").forEach((button, at) => setText(button, [words.save, words.cancel][at]));
    Object.assign(name, { value: line.run.name, placeholder: line.run.title });
    note.value = line.run.note;
    const end = () => {
      form.remove();
      line.querySelector(".tl-runs-edit").focus();
    };
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.tell({ do: "annotate", id: line.run.id, name: name.value, note: note.value });
      end();
    });
    form.querySelector("[type=button]").addEventListener("click", end);
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") end();
      event.stopPropagation(); // not also a shortcut of the page
    });
    line.querySelector(".title").append(form);
    name.focus();
  }

  // -- what is ticked ------------------------------------------------------------------------------------------

  tick(line, on) {
    if (on && this.ticked.size < this.data.most) this.ticked.set(line.run.id, line.run.title);
    else this.ticked.delete(line.run.id);
    this.writeTicks();
  }

  writeTicks() {
    for (const line of this.body.children) line.querySelector("input").checked = this.ticked.has(line.run.id);
    this.writeCompare();
  }

  writeCompare() {
    const { words, most } = this.data;
    const n = this.ticked.size;
    this.compare.disabled = n < 2;
    setText(this.compare, n < 2 ? words.compare : words.compare_n.replace("{n}", n));
    const hints = [words.compare_hint, words.compare_one];
    setText(this.hint, hints[n] ?? (n < most ? "" : words.compare_most.replace("{n}", most)));
    this.untick.hidden = n === 0;
    setText(this.untick, words.untick);
  }

  // -- what stands below ---------------------------------------------------------------------------------------

  writeFoot() {
    const { words, page, n_pages: total, counted } = this.data;
    setText(this.counted, counted);
    this.pages.hidden = total < 2;
    const [back, where, on] = this.pages.children;
    setText(where, words.page.replace("{n}", page).replace("{total}", total));
    setText(back, words.previous);
    setText(on, words.next);
    back.disabled = page <= 1;
    on.disabled = page >= total;
  }

  // How far the running ones are; that one has ended the page sees by itself.
  async poll() {
    if (document.hidden) return;
    const going = [...this.body.children].filter((line) => line.run.state === "running" && line.run.single);
    await Promise.all(going.slice(0, MOST_POLLED).map(async (line) => {
      const { id } = line.run;
      try {
        const answer = await fetch(`${this.data.base}/api/runs/${id}/metrics?since=9007199254740991`);
        const { state, progress } = await answer.json();
        if (line.run.id !== id || state !== "running" || line.run.state !== "running" || !progress?.n_steps) return;
        const share = Math.floor((100 * progress.step) / progress.n_steps);
        const number = new Intl.NumberFormat(this.data.language).format(Math.min(99, share));
        setText(line.querySelector(".tl-runs-state"), `${this.data.states.running} ${number}\u00a0%`);
      } catch { /* the next look may find it */ }
    }));
  }

  // -- the parts -----------------------------------------------------------------------------------------------

  build(parent) {
    this.root = parent.appendChild(document.createElement("div"));
    this.root.className = "tl-runs";
    this.root.innerHTML = `
      <div class="tl-runs-tools"><input type="search" maxlength="200" autocomplete="off" spellcheck="false">
        <button type="button" class="tl-runs-more" aria-expanded="false"></button>
        <div class="tl-runs-choices"></div><select class="tl-runs-order"></select>
        <button type="button" class="tl-runs-clear"></button></div>
      <div class="tl-runs-bar"><button type="button" class="tl-runs-compare"></button>
        <button type="button" class="tl-runs-untick"></button><span role="status"></span></div>
      <table role="table"><caption></caption><thead role="rowgroup"><tr role="row"><td class="tick"></td></tr></thead>
        <tbody role="rowgroup"></tbody></table>
      <p class="tl-runs-none"></p>
      <div class="tl-runs-foot"><span role="status"></span>
        <div class="tl-runs-pages"><button type="button"></button><span></span><button type="button"></button></div></div>`;
    const find = (selector) => this.root.querySelector(selector);
    this.search = find("[type=search]");
    this.choices = find(".tl-runs-choices");
    this.order = find(".tl-runs-order");
    this.more = find(".tl-runs-more");
    this.clear = find(".tl-runs-clear");
    this.compare = find(".tl-runs-compare");
    this.untick = find(".tl-runs-untick");
    this.hint = find(".tl-runs-bar [role=status]");
    this.caption = find("caption");
    this.head = find("thead tr");
    this.body = find("tbody");
    this.none = find(".tl-runs-none");
    this.counted = find(".tl-runs-foot [role=status]");
    this.pages = find(".tl-runs-pages");
    this.listen();
  }

  listen() {
    const on = (element, type, act) => element.addEventListener(type, act);
    on(this.search, "input", () => {
      clearTimeout(this.waiting);
      this.waiting = setTimeout(() => this.ask(), SEARCH_MS);
    });
    on(this.search, "keydown", (event) => {
      if (event.key === "Enter") this.ask();
      event.stopPropagation();
    });
    on(this.order, "change", () => {
      const [by, falling] = this.order.value.split(" ");
      this.tell({ do: "sort", by, descending: falling === "1" });
    });
    on(this.more, "click", () => {
      const open = this.more.parentElement.classList.toggle("open");
      this.more.setAttribute("aria-expanded", open);
    });
    on(this.clear, "click", () => {
      this.search.value = "";
      this.tell({ do: "filter", filter: {} });
    });
    on(this.compare, "click", () => this.tell({ do: "compare", ids: [...this.ticked.keys()] }));
    on(this.untick, "click", () => {
      this.ticked.clear();
      this.writeTicks();
      this.compare.focus();
    });
    const [back, , forth] = this.pages.children;
    on(back, "click", () => this.tell({ do: "page", number: this.data.page - 1 }));
    on(forth, "click", () => this.tell({ do: "page", number: this.data.page + 1 }));
  }

  close() {
    clearInterval(this.timer);
    clearTimeout(this.waiting);
    this.root.remove();
  }
}

const PENCIL = `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M4 20l1-4L16 5l3 3L8 19l-4 1zM14 7l3 3"/></svg>`;

function fillChoice(choice, options, value) {
  const named = JSON.stringify(options);
  if (choice.named !== named) {
    choice.replaceChildren(...options.map(([key, text]) => new Option(text, key)));
    choice.named = named;
  }
  choice.value = value;
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text; // an equal text must not be announced again
}
