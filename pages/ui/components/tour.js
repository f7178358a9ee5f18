// One card that goes from stop to stop of a page. Nothing on the page is blocked meanwhile: what a stop is about can be
// tried at once. The browser keeps, page by page, how far somebody came and whether they have seen it.

const KEPT = "transfer-lab-tours";
const GAP = 12; // px between a place and the card
const views = new WeakMap(); // parentElement -> Tour

export default function ({ parentElement, data }) {
  let view = views.get(parentElement);
  if (!view) {
    view = new Tour(parentElement);
    views.set(parentElement, view);
  }
  const call = view.update(data);
  return () => {
    if (view.calls !== call) return; // Streamlit may clean up an overtaken call
    view.close();
    views.delete(parentElement);
  };
}

function kept() {
  try {
    return JSON.parse(localStorage.getItem(KEPT)) ?? {};
  } catch {
    return {}; // it is damaged, or this browser keeps nothing
  }
}

function keep(page, state) {
  try {
    localStorage.setItem(KEPT, JSON.stringify({ ...kept(), [page]: state }));
  } catch {
    // then it is offered again next time
  }
}

class Tour {
  constructor(parent) {
    this.calls = 0;
    this.at = -1; // of the stops that are on the page; no tour while it is below 0
    this.stops = [];
    this.root = parent.appendChild(document.createElement("div"));
    this.root.className = "tl-tour";
    this.root.innerHTML = `
      <button type="button" class="open"></button>
      <section class="offer" hidden><p></p><div><button type="button" class="main yes"></button><button type="button" class="no"></button></div></section>
      <div class="ring" aria-hidden="true" hidden></div>
      <section class="card" role="dialog" aria-labelledby="tl-tour-title" aria-describedby="tl-tour-text" hidden>
        <small></small><h2 id="tl-tour-title" tabindex="-1"></h2><p id="tl-tour-text"></p>
        <div><button type="button" class="back"></button><button type="button" class="main on"></button>
        <button type="button" class="leave"></button></div>
      </section>`;
    const acts = {
      ".open": () => this.begin(0),
      ".yes": () => this.begin(kept()[this.data.page]?.at ?? 0),
      ".no": () => this.end(true),
      ".back": () => this.go(this.at - 1),
      ".on": () => this.go(this.at + 1),
      ".leave": () => this.end(false),
    };
    for (const [selector, act] of Object.entries(acts)) this.find(selector).addEventListener("click", act);
    this.find(".card").addEventListener("keydown", (event) => this.press(event));
    this.placed = () => this.at >= 0 && !this.frame && (this.frame = requestAnimationFrame(() => this.place()));
    addEventListener("scroll", this.placed, { capture: true, passive: true });
    addEventListener("resize", this.placed);
  }

  find(selector) {
    return this.root.querySelector(selector);
  }

  update(data) {
    if (data.page !== this.data?.page) this.hide();
    this.data = data;
    const { words } = data;
    this.root.hidden = !data.stops.length;
    text(this.find(".open"), words.tour);
    text(this.find(".no"), words.no);
    text(this.find(".back"), words.back);
    text(this.find(".leave"), words.leave);
    this.offer();
    if (this.at >= 0) this.show();
    return ++this.calls;
  }

  offer() {
    const { page, offered, stops, words } = this.data;
    const { at, done } = kept()[page] ?? {};
    const asked = offered && !done && this.at < 0 && kept().off !== true && stops.length > 0;
    const left = asked && at > 0 && at < stops.length;
    this.find(".offer").hidden = !asked;
    text(this.find(".offer p"), fill(left ? words.resume : words.offer, { n: left ? at + 1 : stops.length, total: stops.length }));
    text(this.find(".yes"), left ? words.go_on : words.start);
    this.find(".offer").setAttribute("aria-label", words.tour);
  }

  begin(at) {
    this.stops = this.data.stops.filter((stop) => target(stop));
    if (!this.stops.length) return this.end(true);
    this.go(Math.min(at, this.stops.length - 1));
  }

  go(at) {
    if (at >= this.stops.length) return this.end(true);
    this.at = Math.max(0, at);
    keep(this.data.page, { at: this.at, done: false });
    this.offer();
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    target(this.stops[this.at])?.scrollIntoView({ block: "center", behavior: calm ? "auto" : "smooth" });
    this.show();
    this.find("h2").focus({ preventScroll: true });
  }

  show() {
    const { words } = this.data;
    const stop = this.data.stops.find(({ at }) => at === this.stops[this.at].at) ?? this.stops[this.at];
    const last = this.at === this.stops.length - 1;
    text(this.find(".card small"), fill(words.place, { n: this.at + 1, total: this.stops.length }));
    text(this.find(".card h2"), stop.title);
    text(this.find(".card p"), stop.text);
    text(this.find(".on"), last ? words.done : words.next);
    this.find(".back").hidden = this.at === 0;
    this.find(".leave").hidden = last;
    this.find(".card").hidden = false;
    this.place();
  }

  place() { // the card stands below what it is about, above it, or in the middle of a place that fills the screen
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    const card = this.find(".card");
    const ring = this.find(".ring");
    const place = this.at >= 0 && target(this.stops[this.at])?.getBoundingClientRect();
    ring.hidden = !place;
    if (!place) return;
    Object.assign(ring.style, { left: `${place.left - 4}px`, top: `${place.top - 4}px`, width: `${place.width + 8}px`, height: `${place.height + 8}px` });
    const { offsetWidth: width, offsetHeight: height } = card;
    const fits = (top) => top >= GAP && top + height <= innerHeight - GAP;
    const top = [place.bottom + GAP, place.top - height - GAP].find(fits) ?? innerHeight - height - GAP;
    const left = Math.min(Math.max(place.left, GAP), document.documentElement.clientWidth - width - GAP);
    Object.assign(card.style, { left: `${Math.max(left, GAP)}px`, top: `${top}px` });
  }

  press(event) {
    const acts = { Escape: () => this.end(false), ArrowRight: () => this.go(this.at + 1), ArrowLeft: () => this.go(this.at - 1) };
    if (!acts[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    acts[event.key]();
  }

  end(seen) {
    keep(this.data.page, { at: seen ? 0 : Math.max(0, this.at), done: seen });
    this.hide();
    this.find(".offer").hidden = true;
    this.find(".open").focus({ preventScroll: true });
  }

  hide() {
    this.at = -1;
    this.find(".card").hidden = this.find(".ring").hidden = true;
  }

  close() {
    cancelAnimationFrame(this.frame);
    removeEventListener("scroll", this.placed, { capture: true });
    removeEventListener("resize", this.placed);
    this.root.remove();
  }
}

function target({ at }) { // a place that is on the page and can be seen
  return [...document.querySelectorAll(`.st-key-${CSS.escape(at)}`)].find((place) => place.getClientRects().length);
}

function text(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

function fill(template, values) {
  return template.replace(/\{(\w+)\}/g, (field, name) => values[name] ?? field);
}
