// What the wall is made of: pictures, rows and the room's own curve. Part of wall.js, which follows.

const SVG = "http://www.w3.org/2000/svg";

function picture({ strokes, photo }) { // each stroke is [width, x, y, x, y, ...] on a grid of 200
  if (photo) return Object.assign(document.createElement("img"), { src: photo, alt: "" });
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 200 200");
  svg.setAttribute("aria-hidden", "true");
  for (const [width, ...at] of strokes) {
    const line = svg.appendChild(document.createElementNS(SVG, "polyline"));
    const points = at.length === 2 ? [...at, ...at] : at; // a dot
    line.setAttribute("points", points.join(" "));
    line.setAttribute("stroke-width", width);
  }
  return svg;
}

function icon(path) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  svg.appendChild(document.createElementNS(SVG, "path")).setAttribute("d", path);
  return svg;
}

function fill(template, values) {
  return Object.entries(values).reduce((text, [name, value]) => text.replace(`{${name}}`, value), template);
}

function setText(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

function row(values) {
  const line = document.createElement("tr");
  values.forEach((value) => {
    line.appendChild(document.createElement("td")).textContent = value;
  });
  return line;
}

function laneRow([name, ...rest], done, best) {
  const line = document.createElement("div");
  line.className = best ? "lane best" : "lane";
  line.appendChild(document.createElement("b")).textContent = name;
  if (best) line.firstChild.append(icon("M5 13l4 4L19 7"));
  line.appendChild(document.createElement("span")).textContent = rest.filter(Boolean).join(" · ");
  if (done !== null) {
    const bar = line.appendChild(document.createElement("span"));
    bar.className = "bar";
    bar.appendChild(document.createElement("i")).style.width = `${100 * done}%`;
  }
  return line;
}

function drawn(parent, tag, attributes, text = "") {
  const element = parent.appendChild(document.createElementNS(SVG, tag));
  Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));
  element.textContent = text;
  return element;
}

// Accuracy against the number of drawings, with its 95 % interval and what always answering the largest class reaches.
function savings(points, words) {
  const [width, height, left, bottom, top] = [640, 240, 52, 40, 12];
  const most = Math.max(10, points.at(-1).n);
  const x = (n) => left + ((width - left - 16) * n) / most;
  const y = (share) => top + (height - top - bottom) * (1 - share);
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", words.label);
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    drawn(svg, "line", { x1: left, x2: width - 16, y1: y(share), y2: y(share), class: "rule" });
    drawn(svg, "text", { x: left - 8, y: y(share) + 5, "text-anchor": "end" }, `${100 * share} %`);
  }
  const step = Math.max(1, Math.ceil(most / 8));
  for (let n = 0; n <= most; n += step) {
    drawn(svg, "text", { x: x(n), y: height - bottom + 18, "text-anchor": "middle" }, n);
  }
  drawn(svg, "text", { x: (left + width) / 2, y: height - 4, "text-anchor": "middle" }, words.x);
  const along = (name) => points.map((point) => `${x(point.n)},${y(name(point))}`);
  const band = [...along((point) => point.low), ...along((point) => point.high).reverse()];
  drawn(svg, "polygon", { points: band.join(" "), class: "band" });
  drawn(svg, "polyline", { points: along((point) => point.guess).join(" "), class: "guess" });
  drawn(svg, "polyline", { points: along((point) => point.right / point.of).join(" "), class: "share" });
  const last = points.at(-1);
  drawn(svg, "circle", { cx: x(last.n), cy: y(last.right / last.of), r: 5, class: "last" });
  return svg;
}
