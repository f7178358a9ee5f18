// Page Down and Page Up press the buttons that turn the pages; B (or a full stop, which some remotes send) makes the screen
// black and brings it back. Streamlit takes a component away and puts it back with every page, so the keys are listened to
// once for all, and the bar on the page says whether somebody presents.

let data = null;
let black = null;
let before = null; // what had the focus

export default function (component) {
  if (!data) document.addEventListener("keydown", press, true);
  ({ data } = component);
  component.parentElement.dataset.listens = "";
  black?.setAttribute("aria-label", data.words.black);
}

function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (!document.querySelector(".st-key-presenting")) return light(); // it has ended
  if (isTyping(event.composedPath()[0])) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const button = data[key] && document.querySelector(`.st-key-${data[key]} button`);
  if (key === "b" || key === ".") black ? light() : darken();
  else if (key === "Escape" && black) light();
  else if (key === "PageUp" || key === "PageDown") button && !button.disabled && !event.repeat && button.click();
  else return;
  event.preventDefault();
  event.stopPropagation();
}

function isTyping(target) {
  if (!(target instanceof Element)) return false;
  if (target.closest("textarea, select, [contenteditable=true], [role=slider], [role=combobox]")) return true;
  const field = target.closest("input");
  return Boolean(field) && !["button", "checkbox", "radio", "submit", "range"].includes(field.type);
}

function darken() {
  before = document.activeElement;
  black = document.createElement("div");
  black.className = "tl-black";
  for (const [name, value] of Object.entries({ role: "dialog", "aria-modal": "true", "aria-label": data.words.black, tabindex: "-1" })) {
    black.setAttribute(name, value);
  }
  black.addEventListener("click", light);
  document.body.appendChild(black);
  black.focus();
}

function light() {
  if (!black) return;
  black.remove();
  black = null;
  if (before?.isConnected) before.focus();
}
