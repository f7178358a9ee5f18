// What somebody meets who reads large or spaced text, or goes by keyboard: read from the page as it is laid out.
window.everybody ??= (() => {
  const inside = (root) => [...root.querySelectorAll("*")].flatMap((element) => (
    element.shadowRoot ? [element, ...inside(element.shadowRoot)] : [element]
  ));
  const above = (element) => element.parentElement ?? element.getRootNode().host;

  function* chain(element) {
    for (let one = element; one; one = above(one)) yield one;
  }

  function named(element) {
    const key = [...chain(element)].map((one) => one.className?.match?.(/st-key-\S+/)?.[0]).find(Boolean);
    const words = (element.getAttribute("aria-label") ?? element.textContent).trim().replace(/\s+/g, " ");
    return `${key ?? ""} ${element.tagName.toLowerCase()} "${words.slice(0, 50)}"`;
  }

  const isHidden = (element) => { // for eyes: what only a screen reader is told
    const style = getComputedStyle(element);
    return style.position === "absolute" && (element.clientWidth <= 1 || style.clipPath !== "none");
  };

  function* texts() { // each line of text that is seen, with its place
    for (const element of inside(document)) {
      if (element.closest("svg, .katex, [data-testid=stDataFrame], [translate=no], noscript, style, script")) continue;
      const nodes = [...element.childNodes].filter((node) => node.nodeType === 3 && node.textContent.trim());
      if (!nodes.length || !element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true })) continue;
      if ([...chain(element)].some(isHidden)) continue;
      for (const node of nodes) {
        const range = document.createRange();
        range.selectNodeContents(node);
        const line = parseFloat(getComputedStyle(element).lineHeight) || Infinity; // a font's box may be higher than its line
        const places = [...range.getClientRects()].filter(({ width, height }) => width > 2 && height > 4)
          .map(({ left, right, top, bottom, height }) => {
            const more = Math.max(0, (height - line) / 2);
            return { left, right, top: top + more, bottom: bottom - more, height: height - 2 * more };
          });
        if (places.length) yield { element, words: node.textContent.trim().slice(0, 40), places };
      }
    }
  }

  function cutOff() {
    const found = new Set();
    for (const { element, words, places } of texts()) {
      const left = Math.min(...places.map((place) => place.left)), right = Math.max(...places.map((place) => place.right));
      const top = Math.min(...places.map((place) => place.top)), bottom = Math.max(...places.map((place) => place.bottom));
      for (const one of chain(element)) {
        const { overflowX, overflowY } = getComputedStyle(one);
        if (/auto|scroll/.test(overflowX + overflowY)) break; // it can be scrolled to
        const box = one.getBoundingClientRect();
        const across = overflowX !== "visible" && (right > box.right + 2 || left < box.left - 2);
        const down = overflowY !== "visible" && (bottom > box.bottom + 4 || top < box.top - 4);
        if (across || down) found.add(`"${words}" is cut off by ${named(one)}`);
      }
    }
    return [...found];
  }

  function overlapping() {
    const lines = [...texts()].filter(({ element }) => (
      ![...chain(element)].some((one) => ["fixed", "sticky"].includes(getComputedStyle(one).position))
    )).flatMap(({ places, ...text }) => places.map((place) => ({ ...text, place })));
    lines.sort((one, other) => one.place.top - other.place.top);
    const found = new Set();
    lines.forEach((one, i) => {
      for (let j = i + 1; j < lines.length && lines[j].place.top < one.place.bottom; j++) {
        const other = lines[j];
        if (one.element.contains(other.element) || other.element.contains(one.element)) continue;
        const across = Math.min(one.place.right, other.place.right) - Math.max(one.place.left, other.place.left);
        const down = one.place.bottom - other.place.top;
        if (across > 3 && down > 0.35 * Math.min(one.place.height, other.place.height)) {
          found.add(`"${one.words}" and "${other.words}" in ${named(one.element)}`);
        }
      }
    });
    return [...found];
  }

  function dress(css) { // in shadow roots too; "" takes it off
    for (const root of [document.head, ...inside(document).map((element) => element.shadowRoot).filter(Boolean)]) {
      root.querySelector("style.everybody")?.remove();
      if (css) root.append(Object.assign(document.createElement("style"), { className: "everybody", textContent: css }));
    }
  }

  function moving() { // where less motion is asked for
    const lasts = (times) => Math.max(...times.split(",").map(parseFloat)) > 0.05;
    return inside(document).filter((element) => {
      const { transitionDuration, animationName, animationDuration } = getComputedStyle(element);
      return lasts(transitionDuration) || (animationName !== "none" && lasts(animationDuration));
    }).map(named);
  }

  function sideways() {
    return ["html", "[data-testid=stMain]"].map((name) => document.querySelector(name))
      .filter((element) => element && element.scrollWidth > element.clientWidth + 1).map(named);
  }

  // Each stop of Tab: whether it stands on the screen, over all else, and whether it is marked as the one that has the focus.
  function under(x, y, root = document) {
    const found = root.elementFromPoint(x, y);
    return found?.shadowRoot && found.shadowRoot !== root ? under(x, y, found.shadowRoot) ?? found : found;
  }

  const look = (element) => {
    const { outlineStyle, outlineWidth, boxShadow, borderColor } = getComputedStyle(element);
    return `${outlineStyle === "none" ? "" : outlineWidth} ${boxShadow} ${borderColor}`;
  };

  const near = (element) => { // where the mark of the focus may stand: on it, around it, or beside a hidden field
    const around = [...chain(element)].slice(0, 4);
    return [...new Set([...around, ...around.slice(0, 2).map((one) => one.nextElementSibling).filter(Boolean)])];
  };

  async function stop({ element, around, off }) {
    const marked = () => around.map(look).some((on, i) => on !== off[i]);
    element.focus();
    const isMarked = marked() || (await new Promise((end) => setTimeout(end, 50)), marked()); // some mark it by script
    const big = around.find((one) => one.getBoundingClientRect().width > 8) ?? element;
    const { left, top, width, height, bottom } = big.getBoundingClientRect();
    const points = [[0.5, 0.5], [0.1, 0.5], [0.9, 0.5], [0.5, 0.15], [0.5, 0.85]];
    const met = points.map(([x, y]) => under(left + x * width, top + y * height));
    const holds = (one, other) => [...chain(other)].includes(one); // across shadow roots too
    const n = met.filter((one) => one && around.some((each) => holds(each, one) || holds(one, each))).length;
    const isSeen = n >= 3 && (height > innerHeight || (top > -2 && bottom < innerHeight + 2));
    const wrong = [isMarked ? "" : "not marked", isSeen ? "" : "not seen", element.tabIndex > 0 ? "out of order" : ""];
    return wrong.some(Boolean) ? `${wrong.filter(Boolean).join(", ")}: ${named(element)}` : "";
  }

  async function stops() { // after a press of Tab: from then on a browser marks the focus
    document.activeElement?.blur();
    dress("* {transition: none !important}");
    const reached = inside(document).filter((element) => (
      element.tabIndex >= 0 && !element.disabled && element.checkVisibility({ checkVisibilityCSS: true })
      && element.matches("a[href], button, input, select, textarea, summary, canvas, [tabindex]") && !element.closest("[inert]")
    ));
    const all = reached.map((element) => ({ element, around: near(element), off: near(element).map(look) }));
    const found = [];
    for (const each of all) found.push(await stop(each));
    document.activeElement?.blur();
    dress("");
    document.querySelector("[data-testid=stMain]")?.scrollTo(0, 0);
    return found.filter(Boolean);
  }

  return { cutOff, overlapping, dress, moving, sideways, stops };
})();
