// What can be taken along: the chosen molecules as CSV or SDF, the map as PNG or SVG, a grid of structures as SVG.

const MOST_CIRCLES = 30000; // points drawn one by one in an SVG; with more of them they are a picture within it
const MOST_DRAWN_IN_GRID = 200;
const SVG_NAMES = "http://www.w3.org/2000/svg";

function saveFile(name, parts, type) {
  const link = el("a", { href: URL.createObjectURL(new Blob(parts, { type })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

const saveCsv = (map, rows) => saveFile("selection.csv", [csvOf(rows, map.smiles, map.columns)], "text/csv");

/** A name or value that may stand in a data field of an SDF: one line, no mark that ends the record. */
const sdfLine = (text) => String(text).replace(/[\r\n]+/g, " ").replace(/^\$\$\$\$/, "'$$$$$$$$");
const sdfName = (text) => sdfLine(text).replace(/[<>]/g, "_");

/** SDF of some rows with every column; resolves to how many could not be written. */
async function saveSdf(map, rows, say) {
  if (!(await structures.load())) return say("needs RDKit.js, which did not start");
  const parts = [];
  let [missed, pause] = [0, performance.now() + SLICE_MS];
  for (const [done, i] of rows.entries()) {
    const block = structures.molBlock(map.smiles[i]);
    if (block) parts.push(sdfRecord(block, map.smiles[i], map.columns, i));
    else missed++;
    if (performance.now() > pause) {
      say(`${Math.floor((100 * done) / rows.length)} %`);
      await new Promise((resolve) => setTimeout(resolve));
      pause = performance.now() + SLICE_MS;
    }
  }
  saveFile("selection.sdf", parts, "chemical/x-mdl-sdfile");
  return say(missed ? `${countText(missed)} could not be written` : "");
}

function sdfRecord(block, smiles, columns, i) {
  const facts = [["smiles", smiles], ...columns.map((column) => [column.name, exactTextOf(column, i)])];
  const fields = facts.filter(([, text]) => text !== "").map(([name, text]) => `>  <${sdfName(name)}>\n${sdfLine(text)}\n\n`);
  return `${block.replace(/\n*$/, "\n")}${fields.join("")}$$$$\n`;
}

/** The map as it is seen, with its heading and what the colours mean. */
function savePng(map) {
  const [width, height] = [map.pointCanvas.width, map.pointCanvas.height];
  const ratio = map.ratio;
  const canvas = el("canvas", { width, height: height + LEGEND_HEIGHT * ratio });
  const context = canvas.getContext("2d");
  context.drawImage(map.pointCanvas, 0, 0);
  context.drawImage(map.marks.canvas, 0, 0);
  context.drawImage(map.overlayCanvas, 0, 0);
  context.setTransform(ratio, 0, 0, ratio, 0, height);
  paintLegend(context, map);
  canvas.toBlob((blob) => saveFile("map.png", [blob], "image/png"), "image/png");
}

const LEGEND_HEIGHT = 54;

/** A strip below the map: colours on the left, sets on the right. */
function paintLegend(context, map) {
  const style = getComputedStyle(map.root);
  context.fillStyle = style.getPropertyValue("--cm-panel");
  context.fillRect(0, 0, map.view.width, LEGEND_HEIGHT);
  context.fillStyle = style.getPropertyValue("--cm-ink");
  context.font = "12px system-ui, sans-serif";
  let x = 14;
  for (const item of legendItems(map)) {
    if (item.ramp) {
      item.ramp.forEach((colour, k) => {
        context.fillStyle = colour;
        context.fillRect(x + k * 2, 20, 2.5, 10);
      });
      context.fillStyle = style.getPropertyValue("--cm-ink");
      item.ends.forEach((text, end) => {
        context.textAlign = end ? "right" : "left";
        context.fillText(text, x + end * item.ramp.length * 2, 45);
      });
      context.textAlign = "left";
      x += item.ramp.length * 2 + 14;
    } else if (item.corners) {
      context.beginPath();
      item.corners.forEach(([cx, cy], k) => context[k ? "lineTo" : "moveTo"](x + 6 + 6 * cx, 25 + 6 * cy));
      context.fillStyle = item.colour;
      context.fill();
      x += 18;
    }
    context.fillStyle = style.getPropertyValue("--cm-ink");
    context.fillText(item.text, x, item.ramp ? 29 : 29);
    x += context.measureText(item.text).width + 18;
  }
}

/** What a legend says, in order. */
function legendItems(map) {
  const items = [];
  const { column, theme } = map;
  const circle = ring(12, 0, 0.9);
  if (column?.kind === "number") {
    const ramp = PALETTE[theme].ramp.filter((_, k) => k % 4 === 0);
    items.push({ ramp, ends: column.limits.map((limit) => valueText(column, limit)), text: withUnit(column) });
  } else if (column) {
    const shown = PALETTE[theme].categories.length;
    items.push({ text: column.name });
    column.names.slice(0, shown).forEach((text, k) => items.push({ corners: circle, colour: PALETTE[theme].categories[k], text }));
  }
  for (const set of map.marks.sets.filter((one) => one.shown)) {
    items.push({ corners: CORNERS[SHAPES[set.at]], colour: map.marks.colour(set.at), text: set.name });
  }
  return items;
}

/** An SVG element; text goes in as text. */
function svgNode(tag, attributes = {}, text = "") {
  const node = document.createElementNS(SVG_NAMES, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.textContent = text;
  return node;
}

/** The map as SVG: points as circles where they are few enough, else as a picture; marks, paths and names as shapes. */
function saveSvg(map) {
  const { width, height } = map.view;
  const style = getComputedStyle(map.root);
  const root = svgNode("svg", { xmlns: SVG_NAMES, viewBox: `0 0 ${width} ${height}`, width, height, "font-family": "sans-serif" });
  root.append(svgNode("title", {}, map.data.title || "Map of molecules"));
  root.append(svgNode("rect", { width, height, fill: style.getPropertyValue("--cm-canvas") }));
  root.append(map.n <= MOST_CIRCLES ? pointShapes(map) : pointPicture(map));
  for (const path of map.paths.filter((one) => one.shown)) root.append(pathShape(map, path));
  for (const set of map.marks.sets.filter((one) => one.shown)) root.append(markShapes(map, set));
  if (map.labels.shown) root.append(labelTexts(map));
  saveFile("map.svg", [new XMLSerializer().serializeToString(root)], "image/svg+xml");
}

function pointShapes(map) {
  const { diameter, alpha } = map.look();
  const palette = paletteOf(map.column, map.theme);
  const codes = codesOf(map.column, map.n);
  const group = svgNode("g", { "fill-opacity": alpha.toFixed(2) });
  for (const i of map.order) {
    const [x, y] = map.screenOf(i);
    if (x < 0 || y < 0 || x > map.view.width || y > map.view.height) continue;
    const fill = map.on && !map.on[i] ? PALETTE[map.theme].missing : `rgb(${palette[codes[i]].join(",")})`;
    group.append(svgNode("circle", { cx: x.toFixed(1), cy: y.toFixed(1), r: (diameter / 2).toFixed(2), fill }));
  }
  return group;
}

function pointPicture(map) {
  return svgNode("image", { href: map.pointCanvas.toDataURL("image/png"), width: map.view.width, height: map.view.height });
}

function pathShape(map, path) {
  const points = path.places.map((place) => map.view.toScreen(...place).map((value) => value.toFixed(1)).join(",")).join(" ");
  return svgNode("polyline", { points, fill: "none", stroke: path.colour[map.theme], "stroke-width": 2.2, "stroke-linejoin": "round" });
}

function markShapes(map, set) {
  const group = svgNode("g", { fill: map.marks.colour(set.at), stroke: map.overlay.colours().halo });
  const radius = map.marks.radius(set);
  for (const i of set.rows) {
    if (map.on && !map.on[i]) continue;
    const [px, py] = map.screenOf(i);
    const points = CORNERS[SHAPES[set.at]].map(([x, y]) => `${(px + radius * x).toFixed(1)},${(py + radius * y).toFixed(1)}`).join(" ");
    group.append(svgNode("polygon", { points }));
  }
  return group;
}

function labelTexts(map) {
  const { ink, halo } = map.overlay.colours();
  const group = svgNode("g", { fill: ink, stroke: halo, "stroke-width": 3, "paint-order": "stroke", "text-anchor": "middle", "font-weight": 600 });
  for (const { text, x, y, size } of map.labels.placed((words, size) => words.length * size * 0.56)) {
    group.append(svgNode("text", { x: x.toFixed(1), y: y.toFixed(1), "font-size": size }, text));
  }
  return group;
}

/** Structures of some rows with the value that colours the map, as one SVG. */
async function saveGrid(map, rows) {
  if (!(await structures.load())) return;
  const chosen = rows.slice(0, MOST_DRAWN_IN_GRID);
  const [columns, w, h] = [Math.min(5, Math.max(chosen.length, 1)), 200, 160];
  const root = svgNode("svg", { xmlns: SVG_NAMES, width: columns * w, height: Math.ceil(chosen.length / columns) * h, "font-family": "sans-serif" });
  root.append(svgNode("rect", { width: "100%", height: "100%", fill: "#ffffff" }));
  chosen.forEach((i, at) => {
    const [x, y] = [(at % columns) * w, Math.floor(at / columns) * h];
    const svg = structures.draw(map.smiles[i], w, h - 24);
    if (svg) {
      svg.setAttribute("x", x);
      svg.setAttribute("y", y);
      root.append(svg);
    }
    const words = map.column ? map.factText(map.column, i) : map.smiles[i].slice(0, 28);
    root.append(svgNode("text", { x: x + w / 2, y: y + h - 8, "text-anchor": "middle", "font-size": 11 }, words));
  });
  saveFile("molecules.svg", [new XMLSerializer().serializeToString(root)], "image/svg+xml");
}
