// Live loss and accuracy. One Plotly graph lives as long as the component: Plotly.react with a constant uirevision
// keeps zoom and hover, where a graph made anew at every update loses both. Points come by polling, `url?since=n`.

const SAY_MS = 600; // runs that end at once are asked within POLL_MS
const POLL_MS = 500;
const EAGER_MS = 250; // before the first point: someone has just pressed Start
const STILL_MS = 1000; // nobody is about to click
const REPLAY_MS = 6000; // of a recorded run
const REPLAY_TICK_MS = 150;
const HOLD_MS = 3000; // that a lane waits at the start for the others
const HIDDEN_MS = 5000; // nobody looks at a hidden tab
const SLOWEST_MS = 10000;
const DRAWN = 1000; // points drawn of each curve; all are kept and come out on zooming in
const WIDE = 760; // px: from here on the plots stand side by side
const NARROW = 480; // px: below, more than two labels at line ends would take half the plot
const TABLE_ROWS = 200;

const charts = new WeakMap(); // parentElement -> Chart
const spoken = new Map(); // id of a run -> {state, tenth} as last told: a chart that comes anew goes on from there

export default function ({ parentElement, data, setStateValue, setTriggerValue }) {
  if (!data.runs) { // nothing to draw yet
    loadWhenStill(data.plotly);
    return;
  }
  let chart = charts.get(parentElement);
  if (!chart) {
    chart = new Chart(parentElement);
    charts.set(parentElement, chart);
  }
  chart.tell = (view) => setStateValue("view", view);
  const call = chart.update(data, (state) => setTriggerValue("finished", state));
  return () => {
    if (chart.calls !== call) return; // Streamlit may clean up an overtaken call: the graph lives on
    chart.close();
    charts.delete(parentElement);
  };
}

class Chart {
  constructor(parent) {
    this.calls = 0;
    this.runs = [];
    this.unsaid = new Map(); // run -> its newest sentence that is still to be said
    this.saying = 0;
    this.fit = false;
    this.view = { x: "", log: false, smooth: 0, hidden: [] }; // as a person last set it; Python keeps it in the address
    this.touch = matchMedia("(pointer: coarse)").matches;
    this.shifts = {}; // of the labels at line ends, so that they do not lie on one another
    this.build(parent);
  }

  update(data, fire) {
    if (!this.data) Object.assign(this.view, data.view);
    this.data = data;
    this.fire = fire;
    const named = JSON.stringify(data.runs.map(({ id, url }) => [id, url]));
    if (named !== this.named) this.start(named);
    this.runs.forEach((run, index) => Object.assign(run, data.runs[index], { state: run.state }));
    this.readTheme();
    this.write();
    if (data.reveal) this.wanted = data.reveal;
    this.draw();
    return ++this.calls;
  }

  reveal() { // what was just started comes into view, once, when its plot has its height
    if (!this.wanted || this.wanted === this.revealed) return;
    this.revealed = this.wanted;
    const smooth = matchMedia("(prefers-reduced-motion: no-preference)").matches;
    const block = this.root.offsetHeight > window.innerHeight ? "start" : "nearest";
    this.root.scrollIntoView({ block, behavior: smooth ? "smooth" : "auto" });
  }

  start(named) {
    this.runs.forEach((run) => run.stop());
    this.named = named;
    this.fired = this.data.runs.every((run) => isFinal(run.state)); // Python knows of the end already
    this.runs = this.data.runs.map((run) => new Run(run, this));
    this.runs.forEach((run) => run.poll());
  }

  // -- what the runs report ----------------------------------------------------------------------------------

  runChanged(run, before) {
    if (this.closed || !this.runs.includes(run)) return;
    if (this.data.together) this.startLine();
    this.write();
    this.drawNews();
    this.speak(run, before);
    this.end();
  }

  end() {
    const states = this.runs.map((one) => one.state);
    if (this.fired || !this.runs.every((one) => one.over && !one.pending.length)) return;
    this.fired = true;
    this.fire(["failed", "stopped", "done"].find((state) => states.includes(state)) ?? "failed");
  }

  // -- a common start: lanes that begin within HOLD_MS of each other are drawn from one moment on, each at its pace ---

  startLine() {
    const ready = this.runs.filter((run) => run.kept.length);
    if (!ready.length) return;
    const now = performance.now();
    this.firstAt ??= now;
    const enough = ready.length >= Math.min(this.runs.length, this.data.at_a_time || Infinity);
    if (enough || now - this.firstAt >= HOLD_MS || this.runs.every((run) => run.over || run.kept.length)) {
      for (const run of ready.filter((one) => one.from === null)) {
        const late = 1000 * run.timeOf(run.kept.at(-1));
        run.from = late > HOLD_MS ? now - late : now; // what had begun before anybody looked is not held back
      }
    }
    this.play();
  }

  replay() { // all from one moment, the slowest within some seconds, the others as much quicker as they were
    const timed = this.runs.every((run) => run.learn_s > 0);
    const took = this.runs.map((run) => (timed ? run.learn_s : run.length()));
    this.runs.forEach((run, i) => {
      run.again(performance.now(), (1000 * run.length() * Math.max(...took)) / (REPLAY_MS * took[i]) || 1);
    });
    this.play();
  }

  play() { // what is due by now
    clearTimeout(this.player);
    const now = performance.now();
    this.runs.forEach((run) => run.release(now));
    if (this.closed) return;
    if (this.runs.some((run) => run.pending.length)) {
      this.player = setTimeout(() => (this.data.together && !this.fired ? this.startLine() : this.play()), REPLAY_TICK_MS);
    }
    this.write();
    this.drawNews();
    this.end();
  }

  speak(run, before) { // few sentences: a polite region that talks twice a second is no help to anyone
    const { words } = this.data;
    const label = run.label || words.run;
    const tenth = Math.floor(run.share() * 10);
    const said = spoken.get(run.id) ?? { state: run.known, tenth: 0 };
    if (run.lost !== before.lost) this.say(run, run.lost ? words.lost : words.back, said);
    else if (run.state !== said.state && (run.over || !isFinal(run.state))) {
      const ended = fill(words.ended, { label, state: words.states[run.state] ?? run.state });
      const last = isFinal(run.state) ? run.lastAccuracy() : null;
      const reached = last === null ? ended : `${ended}. ${words.accuracy} ${percent(last, this.data.language, 1)}`;
      this.say(run, reached, { state: run.state, tenth });
    } else if (tenth > said.tenth && tenth < 10 && !isFinal(run.state)) {
      this.say(run, fill(words.percent_done, { label, share: percent(tenth / 10, this.data.language) }), { ...said, tenth });
    }
  }

  say(run, text, told) { // two may end at once: the newest of each is one text, or the first would never be heard
    this.unsaid.set(run, { text, told });
    this.saying ||= setTimeout(() => {
      this.saying = 0;
      if (!this.spoken.isConnected) return; // the chart that came in its place tells it
      this.spoken.textContent = [...new Set([...this.unsaid.values()].map((one) => one.text))].join(". ");
      this.unsaid.forEach((one, { id }) => spoken.set(id, one.told));
      this.unsaid.clear();
    }, SAY_MS);
  }

  // -- words around the plot ---------------------------------------------------------------------------------

  write() {
    const { words } = this.data;
    const points = this.runs.reduce((sum, run) => sum + run.stored, 0);
    this.root.dataset.state = this.runs.map((run) => run.state).join(" ");
    this.root.dataset.points = points;
    this.root.toggleAttribute("data-together", this.data.together);
    this.root.toggleAttribute("data-recorded", this.runs.some((run) => run.recorded.length > 0));
    this.root.dataset.lost = this.runs.some((run) => run.lost);
    while (this.status.children.length > this.runs.length) this.status.lastChild.remove();
    this.runs.forEach((run, index) => this.writeRun(run, this.status.children[index] ?? this.addRun()));
    setText(this.buttons.log, words.log);
    setText(this.buttons.fit, words.fit);
    setText(this.buttons.replay, words.replay);
    const over = this.data.together && this.runs.every((run) => run.over && run.kept.length);
    this.buttons.replay.hidden = !over && !this.runs.some((run) => run.recorded.length);
    this.buttons.log.setAttribute("aria-pressed", this.view.log);
    this.buttons.fit.hidden = this.isError();
    this.writeControls();
    this.saving.show({
      words: this.data.save,
      name: this.data.name,
      layers: () => this.plot.querySelectorAll("svg.main-svg"),
      csv: () => this.csv(),
    });
    setText(this.table.querySelector("summary"), words.table);
    this.empty.hidden = points > 0;
    setText(this.empty.firstChild, this.runs.every((run) => run.over) ? words.none : words.waiting);
    this.writeNote();
    this.writeKey();
    if (this.table.open) this.writeTable();
  }

  writeControls() {
    const { words } = this.data;
    const units = this.units();
    const text = JSON.stringify(units);
    if (text !== this.unitsText) {
      this.unitsText = text;
      this.controls.x.replaceChildren(...units.map(({ name, title }) => new Option(title, name)));
    }
    this.controls.x.value = this.unit().name;
    this.controls.x.parentElement.hidden = units.length < 2;
    this.controls.smooth.value = this.view.smooth;
    this.controls.x.setAttribute("aria-label", words.x_axis);
    setText(this.controls.smooth.previousElementSibling, words.smoothing);
    setText(this.controls.smooth.nextElementSibling, this.view.smooth ? this.number(this.view.smooth) : words.off);
  }

  number(value) {
    return new Intl.NumberFormat(this.data.language, { maximumFractionDigits: 2 }).format(value);
  }

  writeNote() {
    const { words } = this.data;
    const lost = this.runs.find((run) => run.lost);
    const gone = this.runs.find((run) => run.gone);
    const text = lost ? words.lost : gone ? words.gone : this.noPlotly ? words.no_plotly : "";
    this.note.hidden = !text;
    setText(this.note, text);
  }

  addRun() {
    const row = document.createElement("div");
    row.className = "tl-live-run";
    row.innerHTML = `<span class="tl-live-pill"></span><span class="tl-live-facts"></span>
      <div class="tl-live-bar" role="progressbar" aria-valuemin="0" aria-valuemax="100"><i></i></div>
      <p class="tl-live-error" hidden></p>`;
    return this.status.appendChild(row);
  }

  writeRun(run, row) {
    const { words } = this.data;
    const state = run.recorded.length ? words.recorded : words.states[run.state] ?? run.state;
    row.dataset.state = run.state;
    row.hidden = run.told && run.recorded.length > 0;
    row.style.setProperty("--run", this.runs.length > 1 ? this.visible(run.colour) : "var(--st-primary-color)");
    const [pill, facts, bar, error] = row.children;
    setText(pill, run.label ? `${run.label}: ${state}` : state);
    const wanted = this.facts(run);
    while (facts.children.length > wanted.length) facts.lastChild.remove();
    wanted.forEach((text, i) => setText(facts.children[i] ?? facts.appendChild(document.createElement("span")), text));
    const share = run.share();
    bar.hidden = isFinal(run.state);
    bar.setAttribute("aria-label", run.label || words.run);
    bar.setAttribute("aria-valuenow", Math.round(100 * share));
    bar.setAttribute("aria-valuetext", wanted.join(", ") || state);
    bar.firstChild.style.transform = `scaleX(${share})`; // a width that grows lays the whole page out at each frame
    error.hidden = !run.error;
    setText(error, run.error);
  }

  facts(run) {
    const { words } = this.data;
    const number = new Intl.NumberFormat(this.data.language, { maximumFractionDigits: 0 });
    const { step, n_steps, message, left_s, images_per_s, first_step_s } = run.progress;
    const going = !isFinal(run.state);
    const facts = [];
    if (run.state === "queued" && run.ahead) facts.push(fill(words.ahead, { n: number.format(run.ahead) }));
    if (run.state === "queued" && run.ahead && words.at_a_time) facts.push(words.at_a_time);
    if (run.state === "queued" && run.ahead && isNumber(run.wait)) facts.push(fill(words.wait, { time: this.time(run.wait) }));
    if (going && message) facts.push(message);
    if (n_steps) facts.push(fill(words.step, { n: number.format(step), total: number.format(n_steps) }));
    if (going && isNumber(left_s)) facts.push(fill(words.left, { time: this.time(left_s) }));
    if (isNumber(images_per_s)) facts.push(fill(words.speed, { n: number.format(images_per_s) }));
    if (isNumber(run.elapsed)) facts.push(fill(words.elapsed, { time: this.time(run.elapsed) }));
    if (isNumber(first_step_s)) facts.push(fill(words.first, { time: this.time(first_step_s, 1) }));
    return facts;
  }

  time(seconds, digits = 0) {
    const { words, language } = this.data;
    if (seconds < 99.5) {
      const number = new Intl.NumberFormat(language, { maximumFractionDigits: digits });
      return fill(words.seconds, { n: number.format(seconds) });
    }
    const whole = Math.round(seconds);
    return fill(words.minutes, { m: Math.floor(whole / 60), s: whole % 60 });
  }

  writeKey() {
    const { words } = this.data;
    const parts = this.curves().map(([, curve]) => curve.part);
    const items = [];
    const plain = !this.isError(); // else the title says it
    if (plain && parts.includes("validation")) items.push(["", "", words.solid]);
    if (plain && parts.includes("train")) items.push(["dash", "", words.dashed]);
    if (plain && parts.includes("test")) items.push(["diamond", "", words.diamond]);
    for (const [label, colour, lane] of this.colours()) items.push(["dot", colour, label, lane]);
    const text = JSON.stringify(items);
    if (text !== this.keyText) {
      this.keyText = text;
      this.key.replaceChildren(...items.map((item) => this.keyItem(...item)));
    }
    for (const button of this.key.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", !this.view.hidden.includes(button.dataset.lane));
    }
  }

  keyItem(kind, colour, label, lane) { // a lane's name hides its curves and shows them again
    const item = document.createElement(lane === undefined ? "span" : "button");
    const sample = item.appendChild(document.createElement("i"));
    sample.className = kind;
    sample.style.setProperty("--run", colour);
    item.append(label);
    if (lane === undefined) return item;
    Object.assign(item, { type: "button", title: this.data.words.hide });
    item.dataset.lane = lane;
    item.addEventListener("click", () => {
      const { hidden } = this.view;
      this.set({ hidden: hidden.includes(lane) ? hidden.filter((other) => other !== lane) : [...hidden, lane] });
    });
    return item;
  }

  writeTable() {
    const { words, language } = this.data;
    const rows = this.rows().sort((a, b) => b[1] - a[1]);
    const share = (value) => (value === null ? null : percent(value, language, 1));
    const shown = rows.slice(0, TABLE_ROWS).map((row) => [...row.slice(0, -1), share(row.at(-1))]);
    const number = new Intl.NumberFormat(language, { maximumSignificantDigits: 5 });
    const cell = (value, tag) => {
      const element = document.createElement(tag);
      element.textContent = typeof value === "number" ? number.format(value) : value ?? "";
      return element;
    };
    const line = (values, tag) => {
      const tr = document.createElement("tr");
      tr.append(...values.map((value) => cell(value, tag)));
      return tr;
    };
    const table = document.createElement("table");
    table.createCaption().textContent = fill(words.latest, { n: shown.length, total: rows.length });
    const measures = this.isError() ? [words.error] : [words.loss, words.accuracy];
    table.createTHead().append(line(["", this.unit().title, ...measures], "th"));
    table.createTBody().append(...shown.map((row) => line(row, "td")));
    this.table.querySelector("div").replaceChildren(table);
  }

  rows() { // every point of the curves that are shown: curve, x, loss, and last a share: the accuracy, or the error
    return this.shownCurves().flatMap(([run, curve]) => {
      const [label, error] = [this.labelOf(run, curve), this.isError()];
      const measures = (i) => (error ? [curve.error[i]] : [curve.loss[i], curve.accuracy[i]]);
      return this.xOf(run, curve).map((at, i) => [label, at, ...measures(i)]);
    });
  }

  csv() {
    const { words } = this.data;
    const measures = this.isError() ? [words.error] : [words.loss, words.accuracy];
    return [[words.curve, this.unit().title, ...measures], ...this.rows()];
  }

  // -- the plot ----------------------------------------------------------------------------------------------

  draw() {
    if (this.frame || this.closed) return;
    this.stage.style.minHeight = `${this.height()}px`; // its place, until Plotly has come
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.drawNow();
    });
  }

  drawNews() { // most polls bring words alone, and to draw anew what is drawn takes a phone longer than all the rest
    const news = JSON.stringify(this.runs.map(({ attempt, stored, state, steps }) => [attempt, stored, state, steps]));
    if (news === this.news) return;
    this.news = news;
    this.draw();
  }

  async drawNow() {
    const graph = this.plot;
    if (graph._dragging) { // a redraw would tear the zoom box out of the hand
      setTimeout(() => this.draw(), 200);
      return;
    }
    try {
      const Plotly = await loadPlotly(this.data.plotly);
      if (this.closed) return;
      this.noPlotly = false;
      await this.react(Plotly);
      if (this.settle()) await this.react(Plotly); // what depends on the axes is known only once they are drawn
      this.reveal();
    } catch (error) {
      console.error("live chart", error);
      this.noPlotly = true;
      setTimeout(() => this.draw(), 3000);
    }
    this.writeNote();
  }

  async react(Plotly) {
    const fresh = !this.plot._fullLayout;
    const { traces, ends } = this.traces();
    this.ends = ends;
    this.root.dataset.drawn = Math.max(0, ...traces.map((trace) => trace.x.length));
    this.plot.setAttribute("aria-label", this.describe());
    await Plotly.react(this.plot, traces, this.layout(ends), {
      displaylogo: false,
      locale: this.data.language,
      locales: { [this.data.language]: { dictionary: this.data.words.plotly } },
      showSendToCloud: false, // Plotly's default offers to send the data to a server of theirs
      displayModeBar: this.touch ? false : "hover", // no zooming by finger, so nothing to reset
      responsive: false,
      modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d", "toImage"], // buttons below save it
    });
    if (fresh) this.plot.on("plotly_relayout", () => this.draw());
  }

  // Which plots there are, one for each measure: axis, measure, and what its values are multiplied by to be read.
  panels() {
    return this.isError() ? [["", "error", 100]] : [["", "loss", 1], ["2", "accuracy", 100]];
  }

  isError() { // accuracies near the top are told apart as errors; losses of different methods do not compare
    return this.data.measure === "error";
  }

  traces() {
    const [low, high] = this.xRange();
    const traces = [];
    const ends = [];
    for (const [run, curve] of this.shownCurves()) {
      const training = curve.part === "train";
      const tested = curve.part === "test";
      const color = this.visible(this.colourOf(run, curve));
      const across = this.isAcross(run, curve);
      for (const [axis, measure, scale] of this.panels()) {
        const y = across ? [...curve[measure], ...curve[measure]] : smoothed(curve[measure], this.view.smooth);
        const x = across ? [0, ...this.xOf(run, curve)] : this.xOf(run, curve);
        const kept = decimate(x, y, low, high, DRAWN);
        if (!kept.x.length) continue;
        const named = [run.id, curve.head, curve.input, curve.part, measure].filter(Boolean).join("_");
        const id = named.replace(/[^\w-]/g, "_"); // Plotly makes a CSS class of it
        const diamonds = tested ? kept.x.map((_, i) => (across && i === 0 ? 0 : 11)) : 6;
        traces.push({
          x: kept.x,
          y: kept.y.map((value) => scale * value),
          uid: id,
          name: letters(this.labelOf(run, curve)),
          xaxis: `x${axis}`,
          yaxis: `y${axis}`,
          mode: kept.x.length > 30 ? "lines" : "lines+markers",
          line: { color, width: training ? 1.8 : 2.6, dash: across ? "dot" : training ? "5px,4px" : "solid" },
          marker: { color, size: diamonds, symbol: tested ? "diamond" : training ? "circle-open" : "circle" },
          hovertemplate: measure === "loss" ? "%{y:.4f}" : "%{y:.1f} %",
        });
        const label = this.endLabel(run, curve);
        const last = lastKnown(x, y);
        if (label) ends.push({ id, axis, measure, label, x: last[0], y: scale * last[1], colour: this.readable(color) });
      }
    }
    // Plotly draws no axes without a curve: a blank one keeps every plot in its place from the start.
    const blank = ([axis]) => ({ x: [null], y: [null], xaxis: `x${axis}`, yaxis: `y${axis}`, hoverinfo: "skip" });
    return { traces: [...traces, ...this.panels().map(blank)], ends };
  }

  // What has a test and no curve beside those that have one learned in no epochs: a line across.
  isAcross(run, curve) {
    return this.isError() && curve.part === "test" && !run.isDrawn(curve, "validation") && this.unit().name !== "seconds";
  }

  // -- what a person sets: the x axis, the scale, smoothing, which lanes are shown ------------------------------

  units() { // of the x axis; the first is the points' own
    const { words, x_unit } = this.data;
    const units = [{ name: x_unit, title: words.x }];
    if (this.runs.every((run) => run.steps > 0)) units.push({ name: "step", title: words.unit_step });
    if (this.runs.some((run) => run.recorded.length)) return units; // its seconds were another machine's
    return [...units, { name: "seconds", title: words.unit_seconds }];
  }

  unit() {
    const units = this.units();
    return units.find(({ name }) => name === this.view.x) ?? units[0];
  }

  xOf(run, curve) {
    const { name } = this.unit();
    if (name === "step") return curve.x.map((x) => run.steps * x);
    if (name !== "seconds") return curve.x;
    const known = run.curves.get(JSON.stringify([curve.head, curve.input, "validation"]));
    const ended = known?.seconds.at(-1) ?? 0; // the test comes after the last of it, whatever else was counted
    return curve.part === "test" ? curve.seconds.map((at) => Math.max(at, ended)) : curve.seconds;
  }

  xMax() {
    const { name } = this.unit();
    if (name === "seconds" || !isNumber(this.data.x_max)) return null;
    return this.data.x_max * (name === "step" ? this.runs[0].steps : 1);
  }

  rules() {
    const { name } = this.unit();
    if (name === "seconds") return []; // when a phase begins is known in epochs alone
    return this.data.rules.map(({ x, label }) => ({ label, x: name === "step" ? this.runs[0].steps * x : x }));
  }

  laneOf(run, curve) {
    return this.runs.length > 1 ? run.label : [curve.head, curve.input].filter(Boolean).join("/");
  }

  shownCurves() {
    return this.curves().filter(([run, curve]) => !this.view.hidden.includes(this.laneOf(run, curve)));
  }

  set(changes, tell = true) {
    Object.assign(this.view, changes);
    this.write();
    this.draw();
    if (tell) this.tell({ ...this.view });
  }

  curves() {
    return this.runs.flatMap((run) => [...run.curves.values()].map((curve) => [run, curve]));
  }

  colours() { // what the colours mean, where there is more than one
    if (this.runs.length > 1) return this.runs.map((run) => [run.label, this.visible(run.colour), run.label]);
    const [run] = this.runs;
    const heads = run.heads();
    if (heads.length < 2) return [];
    return heads.map((curve) => [this.headOf(curve), this.visible(this.colourOf(run, curve)), this.laneOf(run, curve)]);
  }

  // One colour per run; a run of several heads gives each head its own.
  colourOf(run, curve) {
    const own = this.data.colours[curve.head];
    if (own) return own;
    const heads = run.heads();
    const index = heads.findIndex(({ head, input }) => head === curve.head && input === curve.input);
    const { palette } = this.data;
    return heads.length < 2 ? run.colour : palette[index % palette.length];
  }

  headOf({ head, input }) { // a curve's head with what it was fitted on; "" of a run with one
    const { words } = this.data;
    return [words.heads[head] ?? head, words.inputs[input] ?? input].filter(Boolean).join(" · ");
  }

  labelOf(run, curve) { // in full, for whoever points at the curve
    const { words } = this.data;
    const label = this.runs.length > 1 ? run.label : "";
    return [label, this.headOf(curve), words[curve.part]].filter(Boolean).join(" · ");
  }

  endLabel(run, curve) { // as short as tells the curves apart; the dashes are explained above the plot
    const heads = run.heads().length > 1;
    if (this.runs.length === 1 && !heads) return this.data.words[curve.part];
    if (curve.part === "train" || (curve.part === "test" && run.isDrawn(curve, "validation"))) return "";
    return [...(this.runs.length > 1 ? [run.label] : []), ...(heads ? [this.headOf(curve)] : [])].join(" · ");
  }

  xRange() { // what is in view
    const axis = this.plot._fullLayout?.xaxis;
    if (!axis?.range || axis.autorange) return [-Infinity, Infinity];
    return axis.range.map(Number);
  }

  isWide() { // both plots beside one another
    return this.stage.clientWidth >= WIDE && !this.isError();
  }

  height() {
    return this.isWide() ? Math.round(this.data.height * 0.7) : this.data.height;
  }

  layout(ends) {
    const [x_max, rules, title_x] = [this.xMax(), this.rules(), this.unit().title];
    const { text, quiet, grid, page, font } = this.theme;
    const width = this.stage.clientWidth;
    const single = this.isError();
    const wide = this.isWide();
    const unnamed = width < NARROW && this.colours().length > 2; // the names above the plot must do
    if (unnamed) ends = [];
    // A free x axis leaves room for the labels at the line ends by itself; a fixed one needs it beside the plot.
    const room = (wide ? 0.2 : 0.3) * width - 18; // a long name would take the plot's place: the legend has it whole
    for (const end of ends) end.shown = isNumber(x_max) ? shortened(end.label, room, font) : end.label;
    const label = Math.max(60, ...ends.map((end) => measureText(end.shown, font)));
    const right = isNumber(x_max) && !unnamed ? 18 + label : 18;
    const margin = { l: 52, r: right, t: 34, b: 46, pad: 0 };
    const inner = Math.max(100, width - margin.l - margin.r);
    const total = this.height();
    const gap = (wide ? (right + margin.l) / inner : 50 / (total - margin.t - margin.b)) / 2;
    const near = [0, 0.5 - gap];
    const far = [0.5 + gap, 1];
    const stacked = single ? [[[0, 1], [0, 1]]] : [[[0, 1], far], [[0, 1], near]];
    const boxes = wide ? [[near, [0, 1]], [far, [0, 1]]] : stacked; // [x domain, y domain]
    const axis = { gridcolor: grid, linecolor: quiet, tickcolor: quiet, zeroline: false, automargin: false };
    const title = { text: title_x, standoff: 8, font: { size: 13 } };
    const xaxis = { ...axis, showline: true, ticks: "outside", nticks: 8 };
    if (isNumber(x_max)) Object.assign(xaxis, { range: [0, 1.01 * x_max], autorange: false });
    else xaxis.rangemode = "tozero";
    this.boxes = boxes;
    this.empty.style.inset = single ? "" : wide ? "0 50% 0 0" : "0 0 50% 0"; // over the first plot, on no title
    return {
      uirevision: `${this.named} ${this.unit().name}`, // the same as long as the same is shown: zoom stays
      width,
      height: total,
      margin,
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: font, size: 13, color: text },
      showlegend: false,
      dragmode: this.touch ? false : "zoom", // a finger on the plot scrolls the page
      hovermode: "x unified",
      hoverlabel: { bgcolor: page, bordercolor: quiet, font: { color: text, family: font, size: 13 } },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: quiet, activecolor: text, orientation: "h" },
      // One above the other, the lower plot's numbers and title serve both.
      xaxis: { ...xaxis, domain: boxes[0][0], anchor: "y", showticklabels: wide || single, ...(wide || single ? { title } : {}) },
      yaxis: { ...axis, domain: boxes[0][1], anchor: "x", ...this.firstScale() },
      ...(single ? {} : {
        xaxis2: { ...xaxis, domain: boxes[1][0], anchor: "y2", matches: "x", title },
        yaxis2: {
          ...axis,
          domain: boxes[1][1],
          anchor: "x2",
          ...(this.fit ? { autorange: true } : { range: [0, 103], autorange: false }),
          uirevision: `accuracy ${this.fit}`,
          ticksuffix: " %",
          nticks: 6,
        },
      }),
      shapes: rules.flatMap(({ x }) => this.panels().map(([n]) => ({
        type: "line", xref: `x${n}`, yref: `y${n} domain`, x0: x, x1: x, y0: 0, y1: 1,
        line: { color: quiet, width: 1.5, dash: "dot" },
      }))),
      annotations: [...this.titles(), ...this.ruleLabels(rules, x_max, inner * boxes[0][0][1]), ...this.endLabels(ends)],
    };
  }

  firstScale() { // of loss, or of the error
    const { log } = this.view;
    return {
      type: log ? "log" : "linear",
      rangemode: log ? "normal" : "tozero",
      uirevision: `${this.data.measure} ${log}`, // a zoomed range of one scale means nothing on the other
      nticks: 6,
      ...(this.isError() ? { ticksuffix: " %" } : {}),
      ...(log ? { tickformat: "~g", ...(this.decades > 0.5 ? { dtick: "D2" } : {}) } : {}), // 0.1, 0.2, 0.5, 1
    };
  }

  titles() {
    const { words } = this.data;
    const smooth = this.view.smooth ? [fill(words.smoothed, { n: this.number(this.view.smooth) })] : [];
    const log = this.view.log ? [words.log_axis] : [];
    const range = fill(words.axis, this.accuracyRange());
    const texts = this.isError() ? [[this.stage.clientWidth < NARROW ? words.error_short : words.error_title, range, ...log]] : [[words.loss, ...log], [words.accuracy, range]];
    return texts.map((parts) => [...parts, ...smooth].join(", ")).map((text, i) => ({
      text, showarrow: false, xref: "paper", yref: "paper", xanchor: "left", yanchor: "bottom", yshift: 6,
      x: this.boxes[i][0][0], y: this.boxes[i][1][1], font: { size: 14, weight: 600 },
    }));
  }

  accuracyRange() { // as the axis stood when it was last drawn: fitted or zoomed in, the title says so
    const [low, high] = this.seen ?? [0, 1];
    const coarse = this.isError() ? high - low > 0.2 : low <= 0 && high >= 1;
    const digits = coarse ? 0 : 1;
    const show = (value) => percent(Math.min(1, Math.max(0, value)), this.data.language, digits);
    return { low: show(low), high: show(high) };
  }

  ruleLabels(rules, x_max, width) { // at the side of its line that has room, and no longer than that
    const { font, quiet, page } = this.theme;
    return rules.map(({ x, label }) => {
      const at = isNumber(x_max) ? (x / x_max) * width : 0;
      const left = at > width / 2 && measureText(label, font) > width - at - 8;
      const shown = isNumber(x_max) ? shortened(label, (left ? at : width - at) - 8, font) : label;
      return {
        text: letters(shown), showarrow: false, xref: "x", yref: "y domain", x, y: 1, yanchor: "top",
        xanchor: left ? "right" : "left", xshift: left ? -4 : 4, font: { size: 12, color: quiet }, bgcolor: page,
      };
    });
  }

  endLabels(ends) {
    return ends.map((end) => ({
      text: letters(end.shown), showarrow: false, xref: `x${end.axis}`, yref: `y${end.axis}`, xanchor: "left", yanchor: "middle",
      x: end.x, y: end.axis === "" && this.view.log ? Math.log10(end.y) : end.y, // Plotly wants log10 there
      xshift: 8, yshift: this.shifts[end.id] ?? 0, font: { color: end.colour, size: 13 },
    }));
  }

  // Read the drawn axes: their range goes into the title, labels that lie on one another are pushed apart.
  // True when the picture has to follow.
  settle() {
    const before = JSON.stringify([this.shifts, this.accuracyRange()]);
    const { yaxis, yaxis2 } = this.plot._fullLayout;
    const shares = (yaxis2 ?? yaxis).range.map(Number);
    this.seen = shares.map((end) => (!yaxis2 && yaxis.type === "log" ? 10 ** end : end) / 100);
    this.decades = yaxis.type === "log" ? yaxis.range[1] - yaxis.range[0] : Infinity;
    this.shifts = {};
    for (const [axis] of this.panels()) {
      const scale = this.plot._fullLayout[`yaxis${axis}`];
      const labels = this.ends
        .filter((end) => end.axis === axis)
        .map((end) => ({ id: end.id, at: scale.d2p(end.y), wanted: scale.d2p(end.y) }))
        .filter((label) => Number.isFinite(label.at))
        .sort((a, b) => a.at - b.at);
      for (let i = 1; i < labels.length; i += 1) labels[i].at = Math.max(labels[i].at, labels[i - 1].at + 16);
      const lowest = labels[labels.length - 1]; // what hangs out below lifts all
      const over = lowest ? Math.max(0, lowest.at - Math.max(scale._length - 9, lowest.wanted)) : 0;
      for (const label of labels) this.shifts[label.id] = Math.round(label.wanted - label.at + over);
    }
    return JSON.stringify([this.shifts, this.accuracyRange()]) !== before;
  }

  describe() {
    const { words, language } = this.data;
    const said = this.ends.map((end) => {
      const value = end.measure === "loss" ? end.y.toPrecision(3) : percent(end.y / 100, language, 1);
      return `${end.label} ${words[end.measure]} ${value}`;
    });
    return [words.label, ...said].join(". ");
  }

  // -- theme -------------------------------------------------------------------------------------------------

  readTheme() {
    const style = getComputedStyle(this.root);
    const of = (name) => style.getPropertyValue(`--st-${name}`).trim();
    const page = rgb(of("background-color") || "#fff");
    const text = rgb(of("text-color") || "#111");
    const mix = (share) => hex(text.map((v, i) => share * v + (1 - share) * page[i]));
    this.page = page;
    this.theme = { page: hex(page), text: hex(text), quiet: mix(0.7), grid: mix(0.13), font: style.fontFamily };
    this.root.classList.toggle("dark", luminance(page) < 0.2);
  }

  visible(colour) { // 3:1 is what WCAG asks of lines; thin ones on a dark page need more to be seen
    return contrastTo(this.page, rgb(colour), luminance(this.page) < 0.2 ? 5 : 3);
  }

  readable(colour) { // 4.5:1, what it asks of words
    return contrastTo(this.page, rgb(colour), 4.5);
  }

  // -- the parts ---------------------------------------------------------------------------------------------

  build(parent) {
    this.root = parent.appendChild(document.createElement("div"));
    this.root.className = "tl-live";
    this.root.innerHTML = `
      <div class="tl-live-status"></div>
      <p class="tl-live-note" hidden></p>
      <div class="tl-live-tools">
        <div class="tl-live-key"></div>
        <div class="tl-live-buttons">
          <label><select data-set="x"></select></label>
          <label><span></span><input type="range" min="0" max="0.99" step="0.01" data-set="smooth"><output></output></label>
          <button type="button" data-act="replay" hidden></button>
          <button type="button" data-act="log" aria-pressed="false"></button>
          <button type="button" data-act="fit" aria-pressed="false"></button>
        </div>
      </div>
      <div class="tl-live-stage">
        <div class="tl-live-plot" role="figure"></div>
        <p class="tl-live-empty"><span></span></p>
      </div>
      <div class="tl-live-save"></div>
      <details class="tl-live-table"><summary></summary><div tabindex="0"></div></details>
      <p class="tl-live-spoken" role="status" aria-live="polite"></p>`;
    const find = (name) => this.root.querySelector(`.tl-live-${name}`);
    for (const name of ["status", "note", "key", "stage", "plot", "empty", "table", "spoken"]) this[name] = find(name);
    this.buttons = Object.fromEntries([...this.root.querySelectorAll("button")].map((b) => [b.dataset.act, b]));
    for (const [name, button] of Object.entries(this.buttons)) button.addEventListener("click", () => this.press(name));
    this.controls = Object.fromEntries([...this.root.querySelectorAll("[data-set]")].map((c) => [c.dataset.set, c]));
    this.saving = saveButtons(find("save"));
    this.controls.x.addEventListener("change", (event) => this.set({ x: event.target.value }));
    this.controls.smooth.addEventListener("input", (event) => this.set({ smooth: Number(event.target.value) }, false));
    this.controls.smooth.addEventListener("change", () => this.set({}));
    this.table.addEventListener("toggle", () => this.table.open && this.writeTable());
    this.watcher = new ResizeObserver(() => this.data && this.draw());
    this.watcher.observe(this.stage);
    this.wake = () => !document.hidden && this.runs.forEach((run) => run.poll());
    document.addEventListener("visibilitychange", this.wake);
    window.addEventListener("online", this.wake);
  }

  press(name) {
    if (name === "replay") {
      this.replay();
      return;
    }
    if (name === "log") {
      this.set({ log: !this.view.log });
      return;
    }
    this.fit = !this.fit;
    this.buttons.fit.setAttribute("aria-pressed", this.fit);
    this.draw();
  }

  close() {
    this.closed = true;
    clearTimeout(this.player);
    clearTimeout(this.saying);
    this.runs.forEach((run) => run.stop());
    cancelAnimationFrame(this.frame);
    this.watcher.disconnect();
    document.removeEventListener("visibilitychange", this.wake);
    window.removeEventListener("online", this.wake);
    if (this.plot._fullLayout) window.Plotly.purge(this.plot);
    this.root.remove();
  }
}

// One run: its points so far, and the polling that brings more.
class Run {
  constructor({ id, url, label, colour, state, steps, recorded, learn_s, told }, chart) {
    Object.assign(this, { id, url, label, colour, state, steps, recorded, learn_s, told, chart });
    this.misses = this.ahead = 0;
    this.known = state; // as Python knew it
    this.lost = this.gone = this.over = this.busy = this.stopped = false;
    this.progress = {};
    this.error = "";
    this.elapsed = null;
    this.reset(undefined);
    if (recorded.length) this.over = true;
    recorded.forEach((point) => this.hear(point));
    this.release(performance.now());
  }

  again(now, speed) { // its points once more, in their order
    this.clear();
    Object.assign(this, { pending: [...this.kept].sort((a, b) => this.timeOf(a) - this.timeOf(b)), from: now, speed });
  }

  length() {
    return this.kept.reduce((longest, point) => Math.max(longest, this.timeOf(point)), 0);
  }

  timeOf({ elapsed_s, x }) { // of a point, in seconds since this run's first; where no seconds are known, x serves
    return isNumber(elapsed_s) ? Math.max(0, elapsed_s - this.first) : x;
  }

  hear(point) {
    if (!this.kept.length) this.first = point.elapsed_s ?? 0;
    this.kept.push(point);
    this.pending.push(point);
  }

  release(now) { // what is due: of a race by its own clock, else at once
    const due = this.from === null ? -1 : (this.speed * (now - this.from)) / 1000;
    const waits = this.pending.findIndex((point) => this.timeOf(point) > due);
    this.pending.splice(0, waits < 0 ? this.pending.length : waits).forEach((point) => this.add(point));
  }

  reset(attempt) {
    this.attempt = attempt;
    this.since = this.first = 0;
    this.speed = 1;
    // When it left the start; null: not yet. Of what had ended before, nobody waits to see the start.
    this.from = this.chart.data.together && !isFinal(this.state) ? null : -Infinity;
    this.kept = []; // every point there is
    this.pending = []; // of these, what is not drawn yet
    this.clear();
  }

  clear() {
    this.stored = 0;
    this.curves = new Map(); // key -> {head, input, part, and of each point x, seconds, loss, accuracy, error}
  }

  async poll() {
    clearTimeout(this.timer);
    if (this.busy || this.over || this.stopped) return;
    this.busy = true;
    const before = { state: this.state, lost: this.lost };
    let more = false;
    try {
      more = this.take(await this.fetch());
      this.misses = 0;
      this.lost = false;
    } catch {
      this.misses += 1;
      this.lost = !this.gone;
    }
    this.busy = false;
    if (this.stopped) return;
    this.chart.runChanged(this, before);
    if (this.over) return;
    const pause = document.hidden ? HIDDEN_MS : this.since ? POLL_MS : EAGER_MS;
    this.timer = setTimeout(() => this.poll(), more ? 0 : Math.min(SLOWEST_MS, pause * 2 ** this.misses));
  }

  async fetch() {
    const query = new URLSearchParams({ since: this.since, language: this.chart.data.language });
    const url = `${this.url}${this.url.includes("?") ? "&" : "?"}${query}`;
    this.abort = new AbortController();
    const alarm = setTimeout(() => this.abort.abort(), SLOWEST_MS);
    try {
      const answer = await fetch(url, { signal: this.abort.signal, cache: "no-store" });
      if (answer.status === 404 || answer.status === 410) this.gone = this.over = true;
      if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
      return await answer.json();
    } finally {
      clearTimeout(alarm);
    }
  }

  // Take one answer in; true when more may be waiting.
  take(answer) {
    if (answer.attempt !== this.attempt) {
      const again = this.attempt !== undefined && this.since > 0;
      this.reset(answer.attempt); // a run that began again counts its points from 1 again
      if (again) return true;
    }
    const fresh = answer.points.filter((point) => point.seq > this.since && isNumber(point.x));
    fresh.forEach((point) => this.hear(point));
    if (this.from === -Infinity) this.release(performance.now());
    this.since = answer.points.reduce((most, point) => Math.max(most, point.seq), this.since);
    this.state = answer.state;
    this.progress = answer.progress ?? {};
    this.ahead = answer.ahead ?? 0;
    this.wait = answer.wait_s;
    this.error = answer.error ?? "";
    this.elapsed = answer.elapsed_s ?? this.elapsed;
    const more = answer.final && answer.points.length > 0;
    this.over = Boolean(answer.final) && !more; // only an empty answer proves that no point is left
    return more;
  }

  add({ head, input, part, x, loss, accuracy, elapsed_s }) {
    const key = JSON.stringify([head, input, part]);
    if (!this.curves.has(key)) this.curves.set(key, { head, input, part, x: [], seconds: [], loss: [], accuracy: [], error: [] });
    const curve = this.curves.get(key);
    curve.x.push(x);
    const began = this.chart.data.together ? this.first : 0; // lanes share the moment of their first points
    curve.seconds.push(isNumber(elapsed_s) ? elapsed_s - began : 0);
    curve.error.push(isNumber(accuracy) ? 1 - accuracy : null);
    curve.loss.push(isNumber(loss) ? loss : null);
    curve.accuracy.push(isNumber(accuracy) ? accuracy : null);
    this.stored += 1;
  }

  isDrawn({ head, input }, part) { // whether that head has a curve of that part
    return this.curves.has(JSON.stringify([head, input, part]));
  }

  heads() {
    const firsts = new Map(); // the first curve of each head on each input
    for (const curve of this.curves.values()) {
      const key = JSON.stringify([curve.head, curve.input]);
      if (!firsts.has(key)) firsts.set(key, curve);
    }
    return [...firsts.values()];
  }

  share() {
    const { step, n_steps } = this.progress;
    if (this.state === "done") return 1;
    return n_steps ? Math.min(1, step / n_steps) : 0;
  }

  lastAccuracy() {
    const lasts = (part) => [...this.curves.values()].filter((curve) => curve.part === part)
      .map(({ x, accuracy }) => lastKnown(x, accuracy)[1]).filter((y) => y !== null);
    return [...lasts("validation"), ...lasts("train")][0] ?? null;
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.timer);
    this.abort?.abort();
  }
}

// -- numbers ---------------------------------------------------------------------------------------------------

// At most `most` of the points in view: the first, the last, and of every bucket between the lowest and the highest,
// so that a spike stays visible.
function decimate(x, y, low, high, most) {
  const known = [];
  for (let i = 0; i < x.length; i += 1) if (y[i] !== null) known.push(i);
  let from = known.findIndex((i) => x[i] >= low);
  let to = known.length - 1;
  while (to >= 0 && x[known[to]] > high) to -= 1;
  from = Math.max(0, from - 1); // one beyond each edge: the line must leave the picture, not end in it
  to = Math.min(known.length - 1, to + 1);
  const seen = known.slice(from, to + 1);
  const kept = seen.length <= most ? seen : thin(seen, y, most);
  return { x: kept.map((i) => x[i]), y: kept.map((i) => y[i]) };
}

function thin(seen, y, most) {
  const inner = seen.slice(1, -1);
  const buckets = Math.floor((most - 2) / 2);
  const kept = [seen[0]];
  for (let b = 0; b < buckets; b += 1) {
    const edge = (n) => Math.floor((n * inner.length) / buckets);
    const bucket = inner.slice(edge(b), edge(b + 1));
    const lowest = bucket.reduce((best, i) => (y[i] < y[best] ? i : best));
    const highest = bucket.reduce((best, i) => (y[i] > y[best] ? i : best));
    kept.push(...(lowest === highest ? [lowest] : [lowest, highest].sort((i, j) => i - j)));
  }
  return [...kept, seen[seen.length - 1]];
}

// The exponential moving average, without the pull of its beginning at 0 (as TensorBoard smooths).
function smoothed(y, weight) {
  if (!weight) return y;
  let [sum, n] = [0, 0];
  return y.map((value) => {
    if (value === null) return null;
    n += 1;
    sum = weight * sum + (1 - weight) * value;
    return sum / (1 - weight ** n);
  });
}

function lastKnown(x, y) {
  for (let i = y.length - 1; i >= 0; i -= 1) if (y[i] !== null) return [x[i], y[i]];
  return [null, null];
}

function isNumber(value) {
  return typeof value === "number" && Number.isFinite(value);
}

function isFinal(state) {
  return ["done", "stopped", "failed"].includes(state);
}

function percent(share, language, digits = 0) { // as tlcore/sentences.py writes it
  return `${new Intl.NumberFormat(language, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(100 * share)}\u00a0%`;
}

// -- words and colours -----------------------------------------------------------------------------------------


function fill(template, values) {
  return template.replace(/\{(\w+)\}/g, (field, name) => values[name] ?? field);
}

function letters(text) { // for Plotly, which reads tags: a run's own name has none
  return text.replace(/[&<>]/g, (letter) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[letter]);
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const pen = document.createElement("canvas").getContext("2d");

function measureText(text, family) {
  pen.font = `13px ${family}`;
  return Math.ceil(pen.measureText(text).width);
}

function shortened(text, room, family) {
  let shown = text;
  for (let n = text.length - 1; n > 0 && measureText(shown, family) > room; n -= 1) shown = `${text.slice(0, n).trimEnd()}…`;
  return shown;
}

function rgb(colour) {
  pen.fillStyle = "#000";
  pen.fillStyle = colour; // the browser's own parser; what it cannot read leaves black
  return [1, 3, 5].map((at) => parseInt(pen.fillStyle.slice(at, at + 2), 16));
}

function hex(parts) {
  return `#${parts.map((part) => Math.round(part).toString(16).padStart(2, "0")).join("")}`;
}

function luminance(parts) { // WCAG 2, relative luminance
  const [r, g, b] = parts.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

// The colour itself, or as much darker (lighter on a dark page) as it takes to reach the contrast.
function contrastTo(page, colour, wanted) {
  const goal = luminance(page) > 0.2 ? 0 : 255;
  for (let share = 0; share <= 1; share += 0.05) {
    const mixed = colour.map((part) => part + share * (goal - part));
    const [light, dark] = [luminance(page), luminance(mixed)].sort((a, b) => b - a);
    if ((light + 0.05) / (dark + 0.05) >= wanted) return hex(mixed);
  }
  return hex([goal, goal, goal]);
}

// -- Plotly ----------------------------------------------------------------------------------------------------

let loading = null;
let waiting = false; // for a person to be still

// Fetch Plotly's script now and run it once nobody has moved or typed for a second: that holds the page up for most of
// another.
function loadWhenStill(url) {
  if (window.Plotly || loading || waiting) return;
  waiting = true;
  document.head.append(Object.assign(document.createElement("link"), { rel: "prefetch", href: url }));
  const signs = ["pointermove", "pointerdown", "keydown", "wheel"];
  let timer;
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      signs.forEach((sign) => removeEventListener(sign, wait, true));
      waiting = false;
      loadPlotly(url).catch(() => {});
    }, STILL_MS);
  };
  signs.forEach((sign) => addEventListener(sign, wait, { capture: true, passive: true }));
  wait();
}

function loadPlotly(url) {
  if (window.Plotly) return Promise.resolve(window.Plotly);
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => {
      loading = null; // the next try asks again
      script.remove();
      reject(new Error(`cannot load ${url}`));
    };
    document.head.append(script);
  });
  return loading;
}
