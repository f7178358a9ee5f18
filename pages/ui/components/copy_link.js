// Copies an address; server/page.js sees to it that this works on plain http and in a frame too.

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".tl-copy") ?? build(parentElement);
  if (root.link !== data.link) root.querySelector("p").hidden = true; // what was copied is another run's
  Object.assign(root, { link: data.link, words: data.words });
  root.querySelector("span").textContent = data.words.copy;
}

function build(parent) {
  const root = parent.appendChild(document.createElement("div"));
  root.className = "tl-copy";
  root.innerHTML = `
    <button type="button"><svg viewBox="0 0 24 24" aria-hidden="true"><path
      d="M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1"/></svg><span></span></button>
    <p role="status" hidden></p>`;
  root.querySelector("button").addEventListener("click", () => press(root));
  return root;
}

async function press(root) {
  const copied = await navigator.clipboard.writeText(root.link).then(() => true, () => false);
  const address = document.createElement("code");
  address.textContent = root.link;
  const { words } = root;
  root.querySelector("p").replaceChildren(...(copied ? [words.copied, address, words.about] : [words.failed, address]));
  root.querySelector("p").hidden = false;
}
