// Where files go. They are one stream of bytes, cut into pieces that are sent one after the other; how large a piece is
// follows the connection, so that the bar moves every second. An upload lives on while another page is shown.

const FIRST = 2 ** 20; // bytes of the first piece
const PIECE_MS = 1000; // how long one should take
const PAUSES = [1, 2, 4, 8, 16]; // seconds between two tries
const IS_BUSY = 409; // the piece is not the next one, or another is on its way
const BUSY_MS = 500;

const drops = new WeakMap(); // parentElement -> Drop
const uploads = new Map(); // key -> Upload

export default function ({ parentElement, data, setTriggerValue }) {
  let drop = drops.get(parentElement);
  if (!drop) {
    drop = new Drop(parentElement);
    drops.set(parentElement, drop);
  }
  const call = drop.update(data, (id) => setTriggerValue("arrived", id));
  return () => {
    if (drop.calls !== call) return; // Streamlit may clean up an overtaken call: the field lives on
    drop.close();
    drops.delete(parentElement);
  };
}

// -- the upload -----------------------------------------------------------------------------------------------------

class Upload {
  constructor(files, data) {
    this.files = files.filter(({ file }) => file.size);
    this.stream = new Blob(this.files.map(({ file }) => file)); // reads nothing yet
    this.data = data;
    this.arrived = 0;
    this.id = "";
    this.state = "sending"; // then "failed" or "done"; "lost" between two tries
    this.error = "";
    this.speed = 0; // bytes per millisecond
    this.stuck = 0; // pieces in a row of which nothing came through
    this.stop = new AbortController();
    this.changed = () => {};
    this.run();
  }

  get size() {
    return this.stream.size;
  }

  async run() {
    this.set("sending");
    try {
      await this.begin();
      while (this.arrived < this.size) await this.next();
      this.set("done");
    } catch (error) {
      if (this.stop.signal.aborted) return;
      this.error = error.sentence ?? this.data.words.failed;
      this.set("failed");
    }
  }

  async begin() {
    const list = JSON.stringify(this.files.map(({ name, file }) => [name, file.size, file.lastModified]));
    this.take(await this.insist(() => this.ask("POST", "", list)));
  }

  async next() {
    const n = Math.min(this.data.piece, Math.max(2 ** 16, Math.round(this.speed * PIECE_MS) || FIRST));
    const at = this.arrived;
    const began = performance.now();
    this.take(await this.insist(async () => {
      try {
        return await this.ask("POST", `/${this.id}`, this.stream.slice(at, Math.min(at + n, this.size)), { at });
      } catch (error) {
        if (error.status !== IS_BUSY && error.status !== undefined) throw error;
        return this.ask("GET", `/${this.id}`); // how much of it came through
      }
    }));
    this.stuck = this.arrived > at ? 0 : this.stuck + 1;
    if (this.stuck > PAUSES.length) throw new Error(); // a file that was changed meanwhile cannot be read
    if (this.stuck) await pause(BUSY_MS);
    const speed = (this.arrived - at) / (performance.now() - began + 1);
    this.speed = this.speed ? (this.speed + speed) / 2 : speed;
    this.set("sending");
  }

  take({ id, arrived }) {
    this.id = id;
    this.arrived = arrived;
  }

  // Try again where no answer came, or one that says nothing of the files.
  async insist(act) {
    for (const seconds of [...PAUSES, 0]) {
      try {
        return await act();
      } catch (error) {
        if (this.stop.signal.aborted || error.sentence || !seconds) throw error;
        this.set("lost");
        await pause(seconds * 1000);
        if (this.stop.signal.aborted) throw error;
      }
    }
  }

  async ask(method, path, body, parameters = {}) {
    const query = new URLSearchParams({ language: this.data.language, ...parameters });
    if (this.data.stand_in) query.set("as", this.data.stand_in);
    const signal = method === "DELETE" ? null : this.stop.signal;
    const answer = await fetch(`${this.data.url}${path}?${query}`, { method, body, signal });
    if (answer.ok) return answer.status === 204 ? {} : answer.json();
    const said = await answer.json().catch(() => ({}));
    throw Object.assign(new Error(), { status: answer.status, sentence: said.error });
  }

  set(state) {
    this.state = state;
    this.changed();
  }

  cancel() {
    this.stop.abort();
    if (this.id) this.ask("DELETE", `/${this.id}`).catch(() => {}); // what stays is swept
  }
}

// -- the field ------------------------------------------------------------------------------------------------------

class Drop {
  constructor(parent) {
    this.calls = 0;
    this.asked = null; // loose pictures whose class is asked for
    this.classes = new Map(); // name -> its loose pictures
    this.said = "";
    this.root = parent.appendChild(document.createElement("div"));
    this.root.className = "tl-drop";
    this.root.innerHTML = `
      <div class="tl-drop-zone"><p class="tl-drop-hint"></p><div class="tl-drop-buttons">
        <button type="button" class="tl-drop-files"></button><button type="button" class="tl-drop-folder"></button></div>
        <input type="file" multiple hidden><input type="file" webkitdirectory hidden></div>
      <form class="tl-drop-class" hidden><label><span></span><input type="text" maxlength="40" autocomplete="off" required></label>
        <div class="tl-drop-buttons"><button type="submit" class="tl-drop-main"></button><button type="button"></button></div></form>
      <ul class="tl-drop-classes" hidden></ul>
      <div class="tl-drop-sending" hidden><progress max="1" value="0"></progress><div class="tl-drop-buttons"><span></span>
        <button type="button"></button></div></div>
      <div class="tl-drop-failed" hidden><p role="alert"></p><div class="tl-drop-buttons">
        <button type="button"></button><button type="button"></button></div></div>
      <p class="tl-drop-said" role="status"></p>`;
    const find = (selector) => this.root.querySelector(selector);
    this.zone = find(".tl-drop-zone");
    this.form = find(".tl-drop-class");
    this.list = find(".tl-drop-classes");
    this.bar = find(".tl-drop-sending");
    this.failed = find(".tl-drop-failed");
    this.status = find(".tl-drop-said");
    [this.input, this.folder] = this.zone.querySelectorAll("input");
    find(".tl-drop-files").addEventListener("click", () => this.input.click());
    find(".tl-drop-folder").addEventListener("click", () => this.folder.click());
    for (const input of [this.input, this.folder]) {
      input.addEventListener("change", () => {
        this.chosen([...input.files].map((file) => ({ name: file.webkitRelativePath || file.name, file })));
        input.value = "";
      });
    }
    this.listenToDrops();
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.named(this.form.querySelector("input").value);
    });
    this.form.querySelector("button[type=button]").addEventListener("click", () => this.ask(null));
    this.bar.querySelector("button").addEventListener("click", () => this.cancel());
    const [again, other] = this.failed.querySelectorAll("button");
    again.addEventListener("click", () => this.upload.run());
    other.addEventListener("click", () => this.cancel());
  }

  get upload() {
    return uploads.get(this.data.key);
  }

  listenToDrops() {
    let inside = 0;
    const mark = (by) => this.zone.classList.toggle("over", (inside = by ? inside + by : 0) > 0);
    this.zone.addEventListener("dragenter", () => mark(1));
    this.zone.addEventListener("dragleave", () => mark(-1));
    this.zone.addEventListener("dragover", (event) => event.preventDefault());
    this.zone.addEventListener("drop", async (event) => {
      event.preventDefault();
      mark(0);
      const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
      this.say(this.data.words.gathering);
      const lists = await Promise.all(entries.map((entry) => within(entry, "")));
      this.chosen(lists.flat());
    });
  }

  update(data, arrived) {
    const { words } = (this.data = data);
    this.tell = arrived;
    this.root.setAttribute("role", "group");
    this.root.setAttribute("aria-label", data.label);
    text(this.zone.querySelector("p"), words.drop);
    text(this.zone.querySelector(".tl-drop-files"), words.files);
    text(this.zone.querySelector(".tl-drop-folder"), words.folder);
    text(this.form.querySelector("button"), words.add_class);
    text(this.form.querySelector("button[type=button]"), words.cancel);
    text(this.bar.querySelector("button"), words.cancel);
    this.bar.querySelector("progress").setAttribute("aria-label", words.progress);
    const [again, other] = this.failed.querySelectorAll("button");
    text(again, words.again);
    text(other, words.other);
    this.follow();
    return ++this.calls;
  }

  // -- what was chosen -------------------------------------------------------------------------------------------

  chosen(files) {
    const wanted = files.filter(({ name }) => !name.split("/").some((part) => part.startsWith(".") || part === "__MACOSX"));
    if (!wanted.length) {
      this.say(this.data.words.nothing);
    } else if (this.data.classes !== false && wanted.every(({ name }) => !name.includes("/") && this.isPicture(name))) {
      this.say("");
      this.ask(wanted);
    } else {
      this.send(wanted);
    }
  }

  isPicture(name) {
    return this.data.pictures.some((ending) => name.toLowerCase().endsWith(ending));
  }

  ask(pictures) {
    this.asked = pictures;
    this.show();
    if (pictures) this.form.querySelector("input").focus();
    else this.zone.querySelector("button").focus();
  }

  named(typed) {
    const name = typed.replaceAll("/", " ").trim();
    if (!name) return;
    const before = this.classes.get(name) ?? [];
    const taken = new Set(before.map((each) => each.name));
    this.classes.set(name, [...before, ...this.asked.filter((each) => !taken.has(each.name))]);
    this.form.querySelector("input").value = "";
    this.ask(null);
  }

  send(files) {
    this.classes.clear();
    uploads.set(this.data.key, new Upload(files, this.data));
    this.say("");
    this.follow();
    this.bar.querySelector("button").focus();
  }

  // -- what is shown ---------------------------------------------------------------------------------------------

  follow() {
    if (this.upload) this.upload.changed = () => this.show();
    this.show();
  }

  show() {
    const { upload, data: { words } } = this;
    const isSending = upload?.state === "sending" || upload?.state === "lost";
    this.zone.hidden = Boolean(upload || this.asked);
    this.form.hidden = !this.asked || Boolean(upload);
    this.list.hidden = !this.classes.size || Boolean(upload);
    this.bar.hidden = !isSending;
    this.failed.hidden = upload?.state !== "failed";
    if (this.asked) {
      const n = this.asked.length;
      text(this.form.querySelector("span"), n === 1 ? words.of_class_one : words.of_class.replace("{n}", n));
    }
    if (!this.list.hidden) this.showClasses();
    if (isSending) this.showBar();
    if (upload?.state === "failed") text(this.failed.querySelector("p"), upload.error);
    if (upload?.state === "done") {
      uploads.delete(this.data.key);
      this.say(words.arrived);
      this.tell(upload.id);
    }
  }

  showClasses() {
    const { words } = this.data;
    const lines = [...this.classes].map(([name, pictures]) => {
      const line = document.createElement("li");
      line.append(words.class_line.replace("{name}", name).replace("{n}", pictures.length), " ");
      const remove = line.appendChild(document.createElement("button"));
      Object.assign(remove, { type: "button", textContent: "×" });
      remove.setAttribute("aria-label", words.remove.replace("{name}", name));
      remove.addEventListener("click", () => {
        this.classes.delete(name);
        this.show();
      });
      return line;
    });
    const all = [...this.classes].flatMap(([name, pictures]) =>
      pictures.map((each) => ({ name: `${name}/${each.name}`, file: each.file })));
    const foot = document.createElement("li");
    foot.append(this.classes.size > 1 ? words.more : words.one_class);
    if (this.classes.size > 1) {
      const send = foot.appendChild(document.createElement("button"));
      Object.assign(send, { type: "button", className: "tl-drop-main", textContent: words.send.replace("{n}", all.length) });
      send.addEventListener("click", () => this.send(all));
    }
    this.list.replaceChildren(...lines, foot);
  }

  showBar() {
    const { upload, data: { words } } = this;
    const mb = (n) => (n / 2 ** 20).toLocaleString(this.data.language, { maximumFractionDigits: 1 });
    const parts = [words.sending.replace("{done}", mb(upload.arrived)).replace("{total}", mb(upload.size))];
    if (upload.state === "lost") parts.push(words.lost);
    else if (upload.speed) parts.push(words.left.replace("{time}", this.time((upload.size - upload.arrived) / upload.speed)));
    this.bar.querySelector("progress").value = upload.arrived / upload.size;
    text(this.bar.querySelector("span"), parts.join(" · "));
  }

  time(ms) {
    const { words } = this.data;
    const s = Math.ceil(ms / 1000);
    if (s < 60) return words.seconds.replace("{n}", s);
    return words.minutes.replace("{m}", Math.floor(s / 60)).replace("{s}", s % 60);
  }

  say(words) {
    text(this.status, words);
  }

  cancel() {
    this.upload?.cancel();
    uploads.delete(this.data.key);
    this.say(this.data.words.cancelled);
    this.show();
    this.zone.querySelector("button").focus();
  }

  close() {
    if (this.upload) this.upload.changed = () => {};
  }
}

// Return the files below a dropped entry with their paths; a browser hands out a hundred at a time.
async function within(entry, path) {
  const name = path + entry.name;
  if (entry.isFile) return [{ name, file: await new Promise((resolve, reject) => entry.file(resolve, reject)) }];
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return found.flat();
    found.push(...(await Promise.all(some.map((each) => within(each, `${name}/`)))));
  }
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function text(element, words) {
  if (element.textContent !== words) element.textContent = words;
}
