// The wall of a room. It asks `url?since=rev&round=n` for what is new, and tells the host's clicks to the same route.

const POLL_MS = 1000;
const SLOWEST_MS = 8000;
const SPOKEN_MS = 15000; // from one count to the next that a screen reader hears: in a full room something comes each second

const walls = new WeakMap(); // parentElement -> Wall

export default function ({ parentElement, data }) {
  let wall = walls.get(parentElement);
  if (!wall) {
    wall = new Wall(parentElement);
    walls.set(parentElement, wall);
  }
  const call = wall.update(data);
  return () => {
    if (wall.calls !== call) return; // Streamlit may clean up an overtaken call: the wall lives on
    wall.close();
    walls.delete(parentElement);
  };
}

class Wall {
  constructor(parent) {
    this.calls = 0;
    this.rev = 0;
    this.round = 0;
    this.tiles = new Map(); // number -> its element
    this.points = []; // of the room's own curve, by how many examples there were
    this.pause = POLL_MS;
    this.build(parent);
  }

  update(data) {
    const moved = this.data && this.data.url !== data.url;
    const first = !this.data;
    this.data = data;
    this.write();
    if (moved) this.begin();
    if (first || moved) this.poll();
    else this.soon(200); // a click on the page has just changed the room
    return ++this.calls;
  }

  begin() {
    this.rev = this.round = 0;
    this.points = [];
    this.tiles.clear();
    this.grid.replaceChildren();
  }

  soon(ms) {
    clearTimeout(this.timer);
    if (!this.closed) this.timer = setTimeout(() => this.poll(), ms);
  }

  async poll() {
    clearTimeout(this.timer);
    const turn = (this.turn = (this.turn || 0) + 1);
    try {
      const answer = await fetch(this.address({ since: this.rev, round: this.round }), { cache: "no-store" });
      const content = await answer.json();
      if (turn !== this.turn || this.closed) return;
      if (!answer.ok) throw new Error(content.error);
      this.take(content);
      this.pause = POLL_MS;
    } catch (error) {
      if (turn !== this.turn || this.closed) return;
      this.pause = Math.min(SLOWEST_MS, 2 * this.pause);
      setText(this.find(".state"), this.data.words.lost);
    }
    this.soon(document.hidden ? SLOWEST_MS : this.pause);
  }

  address(parameters) {
    const query = new URLSearchParams({ language: this.data.language, ...parameters });
    return `${this.data.url}${this.data.url.includes("?") ? "&" : "?"}${query}`;
  }

  async tell(what, number) {
    this.menu.close();
    try {
      await fetch(this.address({}), { method: "POST", body: JSON.stringify({ do: what, number }) });
    } finally {
      this.poll();
    }
  }

  // -- what the room says ------------------------------------------------------------------------------------

  take(room) {
    const words = this.data.words;
    if (room.fresh) this.begin();
    Object.assign(this, { rev: room.rev, round: room.round });
    room.tiles.forEach((tile) => this.place(tile));
    this.drop(room.first);
    const { kind, label, classes, begun, over } = room.activity;
    this.kind = kind;
    setText(this.find(".task"), fill(words.tasks[over ? "over" : begun ? "begun" : kind], { label, classes: classes.join(words.comma) }));
    setText(this.find(".here"), fill(words.here, { n: room.here }));
    setText(this.find(".state"), room.closed ? words.closed : room.paused ? words.paused : "");
    const counted = kind === "draw" || kind === "hands";
    this.find(".counts").hidden = !counted;
    this.find(".grid").hidden = kind === "free" || kind === "bet";
    this.find(".empty").hidden = this.find(".grid").hidden || room.closed; // nothing comes any more
    if (counted) this.count(room.count);
    this.byClass(counted ? room.scores : {});
    room.points.forEach((point) => this.learned(point));
    this.curve();
    this.bet(room);
    const n = this.tiles.size;
    this.grid.dataset.n = n;
    this.grid.style.setProperty("--side", `${n <= 10 ? 150 : n <= 28 ? 116 : n <= 60 ? 92 : 72}px`);
    if (n > 0) this.find(".empty").hidden = true;
    const total = room.count.n;
    setText(this.find(".older"), n && total > n ? fill(words.newest, { n, total: total.toLocaleString("en") }) : "");
    if (n !== this.said && performance.now() - (this.saidAt ?? -SPOKEN_MS) >= SPOKEN_MS) {
      this.say(n ? fill(words.new, { n }) : "");
      this.said = n;
    }
  }

  say(text) {
    setText(this.find(".new"), text);
    this.saidAt = performance.now();
  }

  place(tile) {
    this.tiles.get(tile.number)?.remove();
    this.tiles.delete(tile.number);
    if (tile.removed) return;
    const words = this.data.words;
    const place = document.createElement("div");
    place.className = "tile";
    place.dataset.number = tile.number;
    const button = place.appendChild(document.createElement("button"));
    button.type = "button";
    const read = (way) => tile.answers[way]?.[0] ?? words.silent;
    button.setAttribute("aria-label", fill(words.tiles[this.kind] ?? "", {
      label: tile.label, name: tile.name || words.somebody, before: read("before"), after: read("after"),
      guess: read("guess"),
    }));
    button.append(picture(tile), this.answers(tile));
    const name = place.appendChild(document.createElement("button")); // one click takes a rude one off the wall
    name.type = "button";
    name.className = "name";
    name.textContent = tile.name;
    name.hidden = !tile.name;
    name.title = words.hide_name;
    name.setAttribute("aria-label", `${words.hide_name}: ${tile.name}`);
    name.addEventListener("click", () => this.tell("hide_name", tile.member));
    place.tile = tile;
    button.addEventListener("click", () => this.open(tile));
    this.tiles.set(tile.number, place);
    const later = [...this.grid.children].find((other) => Number(other.dataset.number) < tile.number);
    this.grid.insertBefore(place, later ?? null); // the newest first
  }

  drop(first) { // only the newest stand on the wall
    for (const [number, place] of this.tiles) {
      if (number >= first) continue;
      place.remove();
      this.tiles.delete(number);
    }
  }

  answers(tile) {
    const line = document.createElement("span");
    line.className = "reads";
    const taught = tile.answers.guess !== undefined;
    if (taught) line.append(Object.assign(document.createElement("b"), { textContent: tile.label }));
    for (const way of taught ? ["guess"] : ["before", "after"]) {
      if (way === "after") line.append(icon("M5 12h14M13 6l6 6-6 6"));
      if (taught && !tile.answers.guess) continue; // nobody could guess yet
      const answer = line.appendChild(document.createElement("span"));
      const right = tile.answers[way]?.[0] === tile.label;
      answer.className = `read ${way} ${right ? "right" : "wrong"}`;
      answer.textContent = taught && right ? "" : tile.answers[way]?.[0] ?? "–";
      if (right) answer.append(icon("M5 13l4 4L19 7"));
    }
    return line;
  }

  bet({ bet, activity }) {
    const words = this.data.words;
    this.find(".tl-bet").hidden = !bet;
    if (!bet) return;
    const called = (lane) => words.lanes[lane === "nothing" && activity.at_rest ? "at_rest" : lane] ?? lane;
    const best = activity.winners.map(called).join(words.comma);
    const sentence = !activity.begun ? words.voted : !activity.over ? words.racing
      : !best ? words.no_winner : activity.winners.length > 1 ? words.tie : words.won;
    const values = {
      n: activity.over ? bet.n_won : bet.voted, total: bet.voted, lanes: best, names: (bet.won ?? []).join(words.comma),
    };
    const said = fill(sentence, values).trim();
    setText(this.find(".tl-bet h2"), said);
    if (this.phase && this.phase !== sentence) this.say(said); // not each bet: that the race is on, and how it ended
    this.phase = sentence;
    const text = JSON.stringify(bet.lanes) + activity.winners;
    if (text === this.lanes) return;
    this.lanes = text;
    this.find(".tl-bet .lanes").replaceChildren(...activity.lanes.map((name) => {
      const lane = bet.lanes[name];
      const values = [called(name)];
      if (activity.begun) {
        values.push(fill(words.bets, { n: lane.votes }), words.states[lane.state] ?? "");
        if (lane.accuracy != null) values.push(fill(words.on_test, { share: `${(100 * lane.accuracy).toFixed(1)} %` }));
      }
      return laneRow(values, activity.begun ? lane.done : null, activity.winners.includes(name));
    }));
  }

  learned(point) { // of as many examples or more there may have been a count before one was removed
    this.points = [...this.points.filter((other) => other.n < point.n), point];
  }

  curve() {
    const words = this.data.words;
    const shown = this.kind === "teach" && this.points.length > 0 && this.tiles.size > 0;
    this.find(".tl-curve").hidden = !shown;
    const text = JSON.stringify(this.points);
    if (!shown || text === this.drawn) return;
    this.drawn = text;
    const last = this.points.at(-1);
    const percent = (share) => `${(100 * share).toFixed(0)} %`;
    const values = {
      n: last.right, total: last.of, share: percent(last.right / last.of), low: percent(last.low),
      high: percent(last.high), guess: percent(last.guess),
    };
    setText(this.find(".tl-curve h2"), fill(words.right_of, values));
    setText(this.find(".tl-curve .often"), fill(words.interval, values));
    this.find(".plot").replaceChildren(savings(this.points, { ...words, label: fill(words.right_of, values) }));
    this.find(".tl-curve tbody").replaceChildren(...this.points.map((point) => row([
      point.n, percent(point.right / point.of), `${percent(point.low)} – ${percent(point.high)}`,
    ])));
  }

  count(counts) {
    for (const way of ["before", "after"]) {
      const place = this.find(`.count.${way}`);
      setText(place.querySelector("span"), this.data.words.ways[this.kind][way]);
      setText(place.querySelector("b"), counts.n ? `${counts[way]} / ${counts.n}` : "–");
      const said = counts.n ? fill(this.data.words.right, { n: counts[way], total: counts.n }) : this.data.words.none;
      setText(place.querySelector(".said"), said);
      place.querySelector(".bar i").style.width = counts.n ? `${(100 * counts[way]) / counts.n}%` : "0";
    }
  }

  byClass(scores) {
    const rows = Object.entries(scores);
    const text = JSON.stringify(rows);
    if (text === this.classes) return;
    this.classes = text;
    this.find(".classes").hidden = rows.length < 2;
    for (const way of ["before", "after"]) setText(this.find(`th.${way}`), this.data.words.ways[this.kind]?.[way] ?? "");
    const share = (row, way) => `${row[way]} (${((100 * row[way]) / row.n).toFixed(0)} %)`;
    this.find(".classes tbody").replaceChildren(...rows.map(([label, counts]) => row([
      label, counts.n, share(counts, "before"), share(counts, "after"),
    ])));
  }

  // -- the host's menu ---------------------------------------------------------------------------------------

  open(tile) {
    this.chosen = tile;
    this.menu.querySelector("[data-do=hide_name]").hidden = !tile.name;
    this.menu.querySelector("[data-do=show_name]").hidden = !tile.hidden;
    this.menu.querySelector(".picture").replaceChildren(picture(tile));
    setText(this.menu.querySelector(".whose"), tile.name || this.data.words.somebody);
    this.menu.showModal();
  }

  // -- the parts ---------------------------------------------------------------------------------------------

  find(selector) {
    return this.root.querySelector(selector);
  }

  write() {
    const { words, code, place, qr } = this.data;
    this.root.setAttribute("aria-label", words.label);
    this.root.querySelectorAll("[data-word]").forEach((element) => setText(element, words[element.dataset.word]));
    setText(this.find(".code b"), code);
    setText(this.find(".place"), place ? fill(words.type, { place: place.replace(/^https?:\/\//, "") }) : "");
    if (this.qr !== qr) {
      this.find(".qr").innerHTML = qr; // made by this server
      this.find(".qr svg")?.setAttribute("role", "img");
      this.find(".qr svg")?.setAttribute("aria-label", words.qr);
      this.qr = qr;
    }
    this.find(".join").hidden = !qr;
  }

  build(parent) {
    const count = (way) => `<div class="count ${way}"><span></span><b></b>
      <span class="bar"><i></i></span><span class="said"></span></div>`;
    this.root = parent.appendChild(document.createElement("section"));
    this.root.className = "tl-wall";
    this.root.innerHTML = `
      <div class="head">
        <div class="join"><div class="qr"></div></div>
        <div class="told">
          <p class="task"></p>
          <p class="code"><span data-word="code"></span> <b></b></p>
          <p class="place"></p>
          <p><span class="here"></span> <span class="state" role="status"></span></p>
        </div>
        <div class="counts">${count("before")}${count("after")}</div>
        <button type="button" class="full" data-word="full"></button>
      </div>
      <div class="tl-curve" hidden><h2></h2><p class="often"></p><div class="plot"></div>
        <details><summary data-word="table"></summary><table><thead><tr><th data-word="drawings"></th>
          <th data-word="accuracy"></th><th data-word="interval_of"></th></tr></thead><tbody></tbody></table></details></div>
      <div class="tl-bet" hidden><h2></h2><div class="lanes"></div></div>
      <p class="empty" data-word="empty"></p>
      <p class="older"></p>
      <div class="grid"></div>
      <p class="new" role="status" aria-live="polite"></p>
      <details class="classes" hidden><summary data-word="by_class"></summary>
        <table><thead><tr><th data-word="digit"></th><th data-word="drawings"></th><th class="before"></th>
          <th class="after"></th></tr></thead><tbody></tbody></table></details>
      <dialog><div class="picture"></div><p class="whose"></p>
        <button type="button" data-do="remove" data-word="remove"></button>
        <button type="button" data-do="hide_name" data-word="hide_name"></button>
        <button type="button" data-do="show_name" data-word="show_name"></button>
        <button type="button" data-do="remove_person" data-word="remove_person"></button>
        <button type="button" data-do="" data-word="cancel"></button></dialog>`;
    this.grid = this.find(".grid");
    this.menu = this.find("dialog");
    this.menu.querySelectorAll("button").forEach((button) => button.addEventListener("click", () => {
      const what = button.dataset.do;
      if (!what) this.menu.close();
      else this.tell(what, what === "remove" ? this.chosen.number : this.chosen.member);
    }));
    this.find(".full").addEventListener("click", () => {
      if (document.fullscreenElement) document.exitFullscreen();
      else this.root.requestFullscreen?.();
    });
    this.seen = () => !document.hidden && this.poll();
    document.addEventListener("visibilitychange", this.seen);
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    document.removeEventListener("visibilitychange", this.seen);
    this.root.remove();
  }
}
