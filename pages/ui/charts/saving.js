// The buttons below a chart: one shows its numbers as a table, where the chart has none of its own, the others save its
// picture as PNG and SVG and its numbers as CSV. It stands before the script of every component that draws a chart. The picture is what is on the screen, zoomed and chosen as it is there.

const saveButtons = (() => {
  const SCALE = 2; // pixels of a PNG for each of the page's
  const KEPT_MS = 60_000; // how long a browser may take to fetch what it saves
  const PASSING = ".hoverlayer, .draglayer, .zoomlayer"; // what only shows where the pointer is
  const INHERITED = [
    "fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linecap",
    "stroke-linejoin", "font-family", "font-size", "font-style", "font-weight", "text-anchor", "white-space",
    "visibility", "shape-rendering", "image-rendering", "paint-order",
  ];
  const OWN = { opacity: "1", "dominant-baseline": "auto", "vector-effect": "none" }; // with what they are unless set
  const MOST_ROWS = 2000; // of a table; the file has all
  const FORMULA = /^[=+\-@\t\r]/; // a spreadsheet would compute it
  const SVG = "http://www.w3.org/2000/svg";

  // Show the buttons at the end of `parent`; `show` says what they save:
  //   words: of the buttons; name: of the files; layers(): SVG elements, the lowest first; csv(): the numbers
  return function (parent) {
    const root = parent.appendChild(document.createElement("div"));
    root.className = "tl-save";
    root.setAttribute("role", "group");
    root.innerHTML = `<button type="button" class="numbers" aria-expanded="false" hidden></button>
      <span aria-hidden="true"></span>
      <button type="button" data-save="png">PNG</button><button type="button" data-save="svg">SVG</button>
      <button type="button" data-save="csv">CSV</button><p role="alert" hidden></p>
      <div class="table" role="region" tabindex="0" hidden></div>`;
    let chart;
    const [numbers, table] = [".numbers", ".table"].map((name) => root.querySelector(name));
    const write = () => {
      if (!table.hidden) table.replaceChildren(tableOf(chart.csv()));
    };
    numbers.addEventListener("click", () => {
      table.hidden = !table.hidden;
      numbers.setAttribute("aria-expanded", !table.hidden);
      write();
    });
    for (const button of root.querySelectorAll("[data-save]")) {
      button.addEventListener("click", () => save(root, chart, button.dataset.save));
    }
    return {
      show(shown) {
        chart = shown;
        numbers.hidden = !chart.words.table;
        numbers.textContent = chart.words.table ?? "";
        root.querySelector("span").textContent = chart.words.save;
        root.setAttribute("aria-label", chart.words.group);
        table.setAttribute("aria-label", chart.words.numbers);
        write();
        for (const button of root.querySelectorAll("[data-save]")) {
          button.setAttribute("aria-label", chart.words[button.dataset.save]);
        }
      },
    };
  };

  async function save(root, chart, kind) {
    const told = root.querySelector("p");
    told.hidden = true;
    try {
      const content = kind === "csv" ? csvFile(chart.csv()) : await picture(chart.layers(), groundOf(root), kind);
      const link = Object.assign(document.createElement("a"), {
        href: URL.createObjectURL(content),
        download: `${chart.name.replace(/[^\w-]+/g, "_")}.${kind}`,
      });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), KEPT_MS);
    } catch (error) {
      console.warn("a chart could not be saved", error);
      told.textContent = chart.words.failed;
      told.hidden = false;
    }
  }

  function tableOf(csv) {
    const [heads, ...rows] = typeof csv === "string" ? parsed(csv) : csv;
    const table = document.createElement("table");
    const line = (cells, tag, parent) => {
      const row = parent.appendChild(document.createElement("tr"));
      cells.forEach((words) => { row.appendChild(document.createElement(tag)).textContent = words ?? ""; });
    };
    line(heads, "th", table.createTHead());
    const body = table.createTBody();
    rows.slice(0, MOST_ROWS).forEach((row) => line(row, "td", body));
    return table;
  }

  function parsed(text) { // as Python writes it
    const rows = [[]];
    for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^,\n]*))(,|\n|$)/g)) {
      rows.at(-1).push((quoted?.replaceAll('""', '"') ?? plain).replace(/^'(?=[=+\-@])/, ""));
      if (end === "\n") rows.push([]);
      if (!end) break;
    }
    return rows.filter((row) => row.length > 1 || row[0]);
  }

  function csvFile(rows) {
    const text = typeof rows === "string" ? rows : rows.map((row) => row.map(cell).join(",")).join("\n") + "\n";
    return new Blob(["\ufeff", text], { type: "text/csv" }); // the mark by which Excel knows UTF-8
  }

  function cell(value) {
    if (value === null || value === undefined) return "";
    if (typeof value === "number") return String(value);
    const text = FORMULA.test(value) ? `'${value}` : value;
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  }

  function groundOf(root) {
    return getComputedStyle(root).getPropertyValue("--st-background-color").trim() || "#ffffff";
  }

  async function picture(layers, ground, kind) {
    const drawn = [...layers];
    if (!drawn.length) throw new Error("nothing is drawn yet");
    const box = drawn[0].isConnected ? drawn[0].getBoundingClientRect() : drawn[0].viewBox.baseVal;
    const [width, height] = [Math.round(box.width), Math.round(box.height)];
    const svg = new Blob([standalone(drawn, width, height, ground)], { type: "image/svg+xml" });
    if (kind === "svg") return svg;
    const image = new Image();
    image.src = URL.createObjectURL(svg);
    try {
      await image.decode();
      const canvas = Object.assign(document.createElement("canvas"), { width: SCALE * width, height: SCALE * height });
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      return await new Promise((resolve, reject) => {
        canvas.toBlob((png) => (png ? resolve(png) : reject(new Error("no PNG"))), "image/png");
      });
    } finally {
      URL.revokeObjectURL(image.src);
    }
  }

  // One SVG that needs no style sheet, on the page's own ground.
  function standalone(layers, width, height, ground) {
    const svg = document.createElementNS(SVG, "svg");
    const view = layers[0].getAttribute("viewBox") ?? `0 0 ${width} ${height}`;
    const [x, y, w, h] = view.split(/[\s,]+/);
    const attributes = { width, height, viewBox: view };
    for (const [name, value] of Object.entries(attributes)) svg.setAttribute(name, value);
    const paper = svg.appendChild(document.createElementNS(SVG, "rect"));
    for (const [name, value] of Object.entries({ x, y, width: w, height: h, fill: ground })) paper.setAttribute(name, value);
    for (const layer of layers) {
      const group = svg.appendChild(document.createElementNS(SVG, "g"));
      if (layer.isConnected) dress(group, getComputedStyle(layer), null);
      group.append(...copies(layer));
    }
    const text = new XMLSerializer().serializeToString(svg);
    return text.replace(/url\((?:&quot;|["'])?[^()#]*#([^()"'&]+)(?:&quot;|["'])?\)/g, "url(#$1)"); // in this file
  }

  function copies(element) {
    return [...element.childNodes].map((child) => copy(child, element)).filter(Boolean);
  }

  function copy(node, above) {
    if (node.nodeType === Node.TEXT_NODE) return node.cloneNode();
    if (!(node instanceof SVGElement) || node.matches(PASSING)) return null;
    if (!node.isConnected || node.localName === "defs") return node.cloneNode(true);
    const style = getComputedStyle(node);
    if (style.display === "none") return null;
    const twin = node.cloneNode(false);
    twin.removeAttribute("class");
    twin.removeAttribute("style");
    if (node.style.transform) twin.setAttribute("transform", style.transform);
    dress(twin, style, getComputedStyle(above));
    twin.append(...copies(node));
    return twin;
  }

  // Write into the element how it is seen, so far as that is not as what it stands in.
  function dress(element, style, above) {
    const names = INHERITED.filter((name) => style.getPropertyValue(name) !== above?.getPropertyValue(name));
    const own = Object.keys(OWN).filter((name) => style.getPropertyValue(name) !== OWN[name]);
    const written = [...names, ...own].map((name) => `${name}:${style.getPropertyValue(name)}`);
    if (written.length) element.setAttribute("style", written.join(";"));
  }
})();
