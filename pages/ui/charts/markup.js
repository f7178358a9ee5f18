// The buttons of a chart that is made of HTML: `of` finds it in the page. Its picture is drawn as it is on the screen, box
// by box and line by line. The numbers come with it, or are read of its elements: `data-row`, a row in JSON.

const buttonsOf = new WeakMap(); // parentElement -> its buttons
const SPACE = "http://www.w3.org/2000/svg";
const pixel = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", {
  willReadFrequently: true,
});

export default function ({ parentElement, data }) {
  if (!buttonsOf.has(parentElement)) buttonsOf.set(parentElement, saveButtons(parentElement));
  const shown = () => document.querySelector(data.of);
  buttonsOf.get(parentElement).show({ ...data, layers: () => [pictureOf(shown())], csv: () => rowsOf(shown(), data) });
}

function rowsOf(root, { head, rows }) {
  const found = rows ?? [...root.querySelectorAll("[data-row]")].map((element) => JSON.parse(element.dataset.row));
  if (!found.length) throw new Error("there are no numbers yet");
  return [head, ...found];
}

function pictureOf(root) {
  const box = root.getBoundingClientRect();
  const [width, height] = [Math.ceil(box.width), Math.ceil(box.height)];
  const svg = made(null, "svg", { width, height, viewBox: `0 0 ${width} ${height}` });
  draw(made(svg, "g", { transform: `translate(${-box.left} ${-box.top})` }), root);
  return svg;
}

function made(parent, name, attributes) {
  const element = document.createElementNS(SPACE, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  parent?.append(element);
  return element;
}

function draw(at, element) {
  const style = getComputedStyle(element);
  if (style.display === "none" || style.visibility === "hidden" || +style.opacity === 0) return;
  const group = +style.opacity === 1 ? at : made(at, "g", { opacity: style.opacity });
  box(group, style, placeOf(element, style), style.transform);
  for (const which of ["::before", "::after"]) {
    const pseudo = getComputedStyle(element, which);
    if (pseudo.content !== "none" && pseudo.position === "absolute") box(group, pseudo, within(element, pseudo), "none");
  }
  if (element.localName === "img" && element.src.startsWith("data:")) {
    const { x, y, width, height } = element.getBoundingClientRect();
    const rendering = style.imageRendering;
    made(group, "image", { x, y, width, height, href: element.src, style: `image-rendering:${rendering}` });
  }
  for (const node of element.childNodes) {
    if (node.nodeType === Node.TEXT_NODE) lines(group, node, style);
    else if (node.nodeType === Node.ELEMENT_NODE) draw(group, node);
  }
}

// Where a box is, before it is turned.
function placeOf(element, style) {
  const { x, y, width, height } = element.getBoundingClientRect();
  if (style.transform === "none" || !element.offsetWidth) return { x, y, width, height };
  const [w, h] = [element.offsetWidth, element.offsetHeight];
  return { x: x + (width - w) / 2, y: y + (height - h) / 2, width: w, height: h };
}

function within(element, style) {
  const { x, y } = element.getBoundingClientRect();
  const sides = ["left", "top", "width", "height", "borderLeftWidth"].map((side) => parseFloat(style[side]) || 0);
  return { x: x + sides[0], y: y + sides[1], width: sides[2] + sides[4], height: sides[3] };
}

function box(at, style, { x, y, width, height }, turned) {
  const round = style.borderTopLeftRadius;
  const rx = Math.min(round.endsWith("%") ? (parseFloat(round) / 100) * width : parseFloat(round) || 0, width / 2, height / 2);
  const middle = `${x + width / 2} ${y + height / 2}`;
  const transform = turned === "none" ? {} : { transform: `translate(${middle}) ${turned} translate(${-(x + width / 2)} ${-(y + height / 2)})` };
  if (seen(style.backgroundColor)) made(at, "rect", { x, y, width, height, rx, ...colour("fill", style.backgroundColor), ...transform });
  const stripe = style.backgroundImage.match(/^linear-gradient\(([^()]*\([^()]*\))/)?.[1];
  if (stripe) made(at, "rect", { x, y: y + height / 2 - 0.5, width, height: 1, ...colour("fill", stripe) });
  const sides = Object.fromEntries(["Top", "Right", "Bottom", "Left"].map((side) => [side, {
    wide: style[`border${side}Style`] === "none" ? 0 : parseFloat(style[`border${side}Width`]),
    colour: style[`border${side}Color`],
    dashed: style[`border${side}Style`] === "dashed",
  }]));
  const drawn = Object.entries(sides).filter(([, side]) => side.wide && seen(side.colour));
  if (drawn.length === 4 && new Set(drawn.map(([, side]) => side.wide + side.colour)).size === 1) {
    const { wide, colour: ink } = sides.Top;
    const inner = { x: x + wide / 2, y: y + wide / 2, width: width - wide, height: height - wide, rx: Math.max(0, rx - wide / 2) };
    made(at, "rect", { ...inner, fill: "none", "stroke-width": wide, ...colour("stroke", ink), ...transform });
    return;
  }
  if (drawn.length === 1 && sides.Left.wide && sides.Top.wide && !seen(sides.Top.colour)) { // an arrow's head
    const points = `${x},${y} ${x + width},${y + height / 2} ${x},${y + height}`;
    made(at, "polygon", { points, ...colour("fill", sides.Left.colour) });
    return;
  }
  for (const [name, side] of drawn) {
    const half = side.wide / 2;
    const ends = {
      Top: [x, y + half, x + width, y + half],
      Bottom: [x, y + height - half, x + width, y + height - half],
      Left: [x + half, y, x + half, y + height],
      Right: [x + width - half, y, x + width - half, y + height],
    }[name];
    const [x1, y1, x2, y2] = ends;
    const dashes = side.dashed ? { "stroke-dasharray": `${2 * side.wide} ${2 * side.wide}` } : {};
    made(at, "line", { x1, y1, x2, y2, "stroke-width": side.wide, ...colour("stroke", side.colour), ...dashes });
  }
}

// A text as the browser broke it into lines.
function lines(at, node, style) {
  let line = null;
  for (const word of node.data.matchAll(/\S+/g)) {
    const range = document.createRange();
    range.setStart(node, word.index);
    range.setEnd(node, word.index + word[0].length);
    for (const rect of range.getClientRects()) {
      if (!rect.width) continue;
      if (line && Math.abs(line.top - rect.top) < rect.height / 2) {
        line.right = rect.right;
        if (line.last !== word) line.text += ` ${word[0]}`;
      } else {
        if (line) write(at, line, style);
        line = { ...rect.toJSON(), text: line?.last === word ? "" : word[0] };
      }
      line.last = word;
    }
  }
  if (line) write(at, line, style);
}

function write(at, { left, right, top, height, text }, style) {
  if (!text) return;
  const canvas = pixel;
  canvas.font = `${style.fontStyle} ${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  const { fontBoundingBoxAscent: up, fontBoundingBoxDescent: down } = canvas.measureText(text);
  const attributes = {
    x: left, y: top + (height - up - down) / 2 + up, textLength: right - left, lengthAdjust: "spacingAndGlyphs",
    "font-family": style.fontFamily, "font-size": style.fontSize, "font-weight": style.fontWeight,
  };
  made(at, "text", { ...attributes, ...colour("fill", style.color) }).textContent = text;
}

function rgba(css) {
  pixel.clearRect(0, 0, 1, 1);
  pixel.fillStyle = css;
  pixel.fillRect(0, 0, 1, 1);
  return [...pixel.getImageData(0, 0, 1, 1).data];
}

function seen(css) {
  return rgba(css)[3] > 0;
}

// As attributes that every program for drawings reads.
function colour(name, css) {
  const [red, green, blue, alpha] = rgba(css);
  return { [name]: `rgb(${red},${green},${blue})`, ...(alpha < 255 ? { [`${name}-opacity`]: (alpha / 255).toFixed(3) } : {}) };
}
