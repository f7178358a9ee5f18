// Pictures that are their own buttons: a radio group, one stop of the Tab key, arrows choose.

const groups = new WeakMap(); // parentElement -> { root, rev, at }

export default function ({ parentElement, data, setStateValue }) {
  let group = groups.get(parentElement);
  if (!group) {
    group = { root: parentElement.appendChild(document.createElement("div")), rev: null, at: 0 };
    group.root.className = "tl-pick";
    group.root.setAttribute("role", "radiogroup");
    group.root.addEventListener("keydown", (event) => keyDown(group, event));
    groups.set(parentElement, group);
  }
  group.choose = (at) => {
    group.at = at;
    mark(group);
    setStateValue("picked", { rev: group.rev, at });
  };
  group.root.setAttribute("aria-label", data.label);
  if (group.rev !== data.rev) fill(group, data);
}

function fill(group, data) {
  Object.assign(group, { rev: data.rev, at: 0 });
  group.root.replaceChildren(...data.pictures.map(({ src, name }, at) => {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("role", "radio");
    button.setAttribute("aria-label", name);
    button.title = name;
    const picture = button.appendChild(document.createElement("img"));
    Object.assign(picture, { src, alt: "" });
    button.addEventListener("click", () => group.choose(at));
    return button;
  }));
  mark(group);
}

function mark(group) {
  [...group.root.children].forEach((button, at) => {
    button.setAttribute("aria-checked", at === group.at);
    button.tabIndex = at === group.at ? 0 : -1;
  });
}

function keyDown(group, event) {
  const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (!by) return;
  const n = group.root.children.length;
  group.choose((group.at + by + n) % n);
  group.root.children[group.at].focus();
  event.preventDefault();
}
