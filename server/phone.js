// A phone in a room: joins, shows what the host asks for, and sends what was drawn. Whoever it is, the cookie tells.

import pad from "./pad.js";
import { canStream, ofFile, ofVideo, stream } from "./phone_camera.js";

const POLL_MS = 2000;
const SLOWEST_MS = 10000;

const start = JSON.parse(document.getElementById("start").textContent);
const words = start.words;
const main = document.getElementById("room");

const asked = document.body.appendChild(told("", "unseen")); // stays, so that what the host asks next is heard

let code = start.code;
let me = start.me;
let view = null; // what stands on the page: "join", or the task's kind, and its round
let strokes = [];
let rev = 0; // of the pad
let sending = false;
let chosen = ""; // the class that the next drawing is of
let pause = POLL_MS;
let timer = 0;

// -- the server ----------------------------------------------------------------------------------------------------

async function ask(path, body, query = {}) {
  const parameters = new URLSearchParams({ language: start.language, ...query });
  const sent = body instanceof Blob ? body : JSON.stringify(body);
  const options = body === undefined ? {} : { method: "POST", body: sent };
  const url = `${start.base}/api/rooms/${encodeURIComponent(code || "-")}/${path}?${parameters}`;
  const answer = await fetch(url, { ...options, cache: "no-store", credentials: "same-origin" });
  const content = await answer.json().catch(() => ({}));
  if (answer.ok) return content;
  throw Object.assign(new Error(content.error || words.lost), { status: answer.status });
}

async function poll() {
  clearTimeout(timer);
  if (!me) return;
  try {
    take(await ask("me"));
    pause = POLL_MS;
    if (lost) tell("");
    lost = false;
  } catch (error) {
    if (error.status === 404 || error.status === 403) return leave(error.message);
    pause = Math.min(SLOWEST_MS, 2 * pause);
    if (error.status !== 429) lose();
  }
  if (!document.hidden) timer = setTimeout(poll, pause * (0.9 + 0.2 * Math.random()));
}

let stopCamera = () => {};
let lost = false;
function lose() {
  lost = true;
  tell(words.lost);
}

function again() { // a screen that is unlocked, a lift that is left
  if (me && !document.hidden) poll();
}
document.addEventListener("visibilitychange", again);
addEventListener("online", again);
addEventListener("pageshow", again);

function take(fresh) {
  me = fresh;
  show();
}

function leave(sentence) {
  me = null;
  view = null;
  show();
  tell(sentence);
}

// -- the page ------------------------------------------------------------------------------------------------------

function show() {
  if (!me) return showJoin();
  const wanted = me.closed ? "closed" : `${me.activity.kind} ${me.round}`;
  if (view === wanted && me.activity.kind === "bet") placed();
  if (view !== wanted) {
    const before = view;
    view = wanted;
    stopCamera();
    if (me.closed) write(element("h1", words.room.replace("{code}", me.code)), told(words.closed), toLab());
    else if (me.activity.kind === "free") showFree();
    else if (me.activity.kind === "bet") showBet();
    else if (me.activity.kind === "hands") showHands();
    else showDraw();
    if (before) setText(asked, me.closed ? words.closed : main.querySelector("h1").textContent);
  }
  main.querySelectorAll(":is(button, input).send").forEach((send) => {
    send.disabled = me.paused || sending;
  });
  const paused = main.querySelector(".paused");
  if (paused && me.paused) setText(asked, ""); // so that the task is said again when the room goes on
  else if (paused?.textContent) setText(asked, main.querySelector("h1").textContent);
  if (paused) setText(paused, me.paused ? words.paused : "");
  const name = main.querySelector(".who");
  if (name) setText(name, me.name ? words.you.replace("{name}", me.name) : words.nobody);
}

function showJoin() {
  if (view === "join") return;
  view = "join";
  const form = element("form");
  const parts = [element("h1", words.title)];
  const codeField = field("code", words.code, { maxLength: 9, autocomplete: "off", required: true });
  codeField.input.value = code;
  codeField.input.autocapitalize = "characters";
  codeField.input.spellcheck = false;
  if (!(code && start.key)) parts.push(...codeField.parts);
  const nameField = field("name", words.name, { maxLength: 24, autocomplete: "nickname" });
  form.append(...nameField.parts, button(words.join, "main"));
  parts.push(form, told(), element("p", words.consent, "small"));
  if (!(code && start.key)) form.prepend(...codeField.parts);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    code = codeField.input.value.trim().toUpperCase();
    await join(nameField.input.value, form.querySelector("button"));
  });
  write(...parts);
}

async function join(name, pressed) {
  pressed.disabled = true;
  try {
    take(await ask("join", { name }, code === start.code && start.key ? { key: start.key } : {}));
    history.replaceState(null, "", `${start.base}/join/${encodeURIComponent(code)}`);
    poll();
  } catch (error) {
    tell(error.message);
  }
  pressed.disabled = false;
}

function showDraw() {
  strokes = [];
  rev += 1;
  chosen = me.activity.classes[me.turn % me.activity.classes.length] ?? me.activity.label;
  const send = button(words.send, "main send");
  send.type = "button";
  send.addEventListener("click", sendDrawing);
  const place = element("div");
  write(top(), element("h1"), ...choices(), place, send, told(), told("", "paused"));
  askFor(chosen, place);
}

function askFor(label, place) {
  chosen = label;
  const sentence = me.activity.kind === "teach" ? words.teach : words.draw;
  setText(main.querySelector("h1"), sentence.replace("{label}", label));
  check(label);
  updatePad(place);
}

function choices() { // which class the drawing will be an example of
  const { classes } = me.activity;
  if (!classes.length) return [];
  return [radios("choices", words.which, classes, String, (name) => askFor(name, main.querySelector(".tl-pad").parentElement))];
}

function showBet() {
  const group = radios("bets", words.bet, me.activity.lanes, called, bet);
  write(top(), element("h1", words.bet), group, told(), told("", "paused"), element("p", words.secret, "small secret"));
  placed();
}

function called(lane) { // a network with BatchNormalization keeps it frozen
  return start.lanes[lane === "nothing" && me.activity.at_rest ? "at_rest" : lane] ?? lane;
}

async function bet(lane) {
  try {
    take(await ask("votes", { lane, round: me.round }));
  } catch (error) {
    tell(error.message);
  }
}

function placed() { // what the bet is, and how it ended
  const { begun, over, winners } = me.activity;
  check(me.vote);
  main.querySelectorAll(".choice").forEach((one) => {
    one.disabled = begun || me.paused;
    setText(one, called(one.dataset.value)); // the host may have taken another network
  });
  main.querySelector(".secret").hidden = begun;
  const mine = me.vote ? called(me.vote) : "";
  const best = winners.map(called).join(words.comma);
  const [right, wrong, none] = winners.length > 1
    ? [words.tie_won, words.tie_not_won, words.tie] : [words.won, words.not_won, words.best];
  setText(main.querySelector("h1"), over ? words.over : words.bet);
  const sentence = over
    ? !best ? words.no_winner : winners.includes(me.vote) ? right : me.vote ? wrong : none
    : begun ? words.begun : me.vote ? words.placed : "";
  tell(sentence.replace("{lane}", mine).replace("{best}", best));
}

function showHands() {
  const { label } = me.activity;
  const example = Object.assign(element("img", "", "sign"), {
    src: `${start.base}/api/signs/${label}.jpg`, alt: words.sign.replace("{label}", label), width: 96, height: 96,
  });
  const file = Object.assign(element("input", "", "send file"), {
    type: "file", accept: "image/*", id: "file", capture: "environment",
  });
  const take = Object.assign(element("label", words.take, "main"), { htmlFor: "file" });
  file.addEventListener("change", async () => {
    const [chosenFile] = file.files;
    if (chosenFile) await sendPicture(() => ofFile(chosenFile));
    file.value = ""; // the same file again is a change
  });
  const heading = element("div", "", "heading");
  heading.append(element("h1", words.show.replace("{label}", label)), example);
  write(top(), heading, ...(canStream() ? camera() : []), file, take, told(), told("", "paused"));
}

function camera() {
  const video = Object.assign(element("video", "", "camera"), { muted: true, playsInline: true, hidden: true });
  const turn = button(words.camera, "main camera");
  turn.addEventListener("click", async () => {
    if (!video.hidden) return sendPicture(() => ofVideo(video));
    try {
      stopCamera = await stream(video);
      video.hidden = false;
      turn.classList.add("send");
      setText(turn, words.snap);
    } catch {
      tell(words.no_camera);
      turn.hidden = true;
    }
  });
  return [video, turn];
}

async function sendPicture(make) {
  if (sending || me.paused) return;
  sending = true;
  show();
  tell(words.sending);
  try {
    const picture = await make().catch(() => { throw new Error(words.unreadable); });
    const { answers } = await ask("pictures", picture);
    tell(answers.before && answers.after
      ? words.shown.replace("{before}", answers.before[0]).replace("{after}", answers.after[0]) : words.sent_silent);
  } catch (error) {
    tell(error.message);
  }
  sending = false;
  show();
}

function showFree() {
  write(top(), element("h1", words.free), element("p", words.free_more), toLab(), told());
}

function toLab() {
  return Object.assign(element("a", words.lab, "main"), { href: `${start.base}/` });
}

function updatePad(place) {
  const data = {
    key: "phone", rev, strokes: [], label: words.pad.replace("{label}", chosen), result: "", answers: "",
    brushes: start.brushes, language: start.language,
    words: { ...start.pad_words, hint: words.hint.replace("{label}", chosen) },
  };
  const setStateValue = (_, value) => {
    if (value.rev === rev && value.final) strokes = value.strokes;
    if (strokes.length) tell("");
  };
  pad({ parentElement: place, data, setStateValue });
}

async function sendDrawing() {
  if (sending) return;
  if (!strokes.length) return tell(words.blank);
  sending = true;
  show();
  tell(words.sending);
  try {
    const { answers, label } = await ask("drawings", { strokes, label: chosen });
    strokes = [];
    rev += 1;
    const { classes } = me.activity;
    const next = classes.length ? classes[(classes.indexOf(label) + 1) % classes.length] : chosen;
    askFor(next, main.querySelector(".tl-pad").parentElement);
    tell(said(answers, label));
  } catch (error) {
    tell(error.message);
  }
  sending = false;
  show();
}

function said({ before, after, guess }, label) {
  if (before && after) return words.sent.replace("{before}", before[0]).replace("{after}", after[0]);
  if (!guess) return words.sent_silent;
  return words.taught.replace("{guess}", guess[0]).replace("{label}", label);
}

function top() {
  const line = element("div", "", "top");
  const change = button(words.rename, "plain");
  change.type = "button";
  change.addEventListener("click", () => rename(line));
  line.append(element("span", "", "who"), change, element("span", words.room.replace("{code}", me.code)));
  return line;
}

function rename(line) {
  const form = element("form");
  const { parts, input } = field("name", words.name, { maxLength: 24, autocomplete: "nickname" });
  input.value = me.name;
  form.append(...parts, button(words.keep, "main"));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      take(await ask("join", { name: input.value }, start.key && code === start.code ? { key: start.key } : {}));
      form.replaceWith(top());
      show();
    } catch (error) {
      tell(error.message);
    }
  });
  line.replaceWith(form);
  input.focus();
}

// -- the parts -----------------------------------------------------------------------------------------------------

function element(tag, text = "", name = "") {
  const made = document.createElement(tag);
  if (text) made.textContent = text;
  if (name) made.className = name;
  return made;
}

function button(text, name) {
  return element("button", text, name);
}

const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

function radios(name, title, values, called, choose) { // one stop of the Tab key, arrows choose
  const group = element("div", "", name);
  group.setAttribute("role", "radiogroup");
  group.setAttribute("aria-label", title);
  for (const value of values) {
    const one = Object.assign(button(called(value), "choice"), { type: "button" });
    one.dataset.value = value;
    one.setAttribute("role", "radio");
    one.addEventListener("click", () => choose(value));
    group.append(one);
  }
  group.addEventListener("keydown", (event) => {
    if (!STEPS[event.key]) return;
    event.preventDefault();
    const all = [...group.children];
    const next = all.at((all.indexOf(event.target) + STEPS[event.key]) % all.length);
    next.focus();
    next.click();
  });
  return group;
}

function check(value) {
  const all = [...main.querySelectorAll(".choice")];
  const on = all.findIndex((one) => one.dataset.value === value);
  all.forEach((one, n) => {
    one.setAttribute("aria-checked", n === on);
    one.tabIndex = n === Math.max(on, 0) ? 0 : -1;
  });
}

function field(id, title, settings) {
  const label = element("label", title);
  label.htmlFor = id;
  const input = Object.assign(element("input", "", id), settings, { id, name: id });
  return { parts: [label, input], input };
}

function told(text = "", name = "told") {
  const place = element("p", text, name);
  place.setAttribute("role", "status");
  return place;
}

function tell(text) {
  const place = main.querySelector(".told");
  if (place) setText(place, text);
}

function setText(place, text) {
  if (place.textContent !== text) place.textContent = text; // an equal text must not be announced again
}

function write(...parts) {
  main.replaceChildren(...parts);
}

show();
if (me) poll();
