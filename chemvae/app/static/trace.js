// Best so far against calls, for one run or for two, as a small chart.

import { el, svg } from "./dom.js";
import { clamp, numberText } from "./format.js";

const [HEIGHT, LEFT, BOTTOM, TOP, RIGHT] = [170, 46, 26, 10, 10];

/** `lines` are { name, points: [[call, best], ...], at }, the last the place of its colour; between points the best stays. */
export function traceChart(lines, total = 0, width = 560, isNamed = lines.length > 1) {
  const drawn = lines.filter((line) => line.points.length);
  if (!drawn.length) return el("p", { class: "note" }, "The trace begins with the first score.");
  const calls = Math.max(total, ...drawn.map((line) => line.points.at(-1)[0]), 1);
  const values = drawn.flatMap((line) => line.points.map(([, best]) => best)).filter(Number.isFinite);
  const [low, high] = rounded(Math.min(...values), Math.max(...values));
  const x = (call) => LEFT + ((width - LEFT - RIGHT) * call) / calls;
  const y = (best) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - (best - low) / (high - low));
  const ticks = [low, (low + high) / 2, high];
  const grid = ticks.map((value) => svg("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value) }));
  const sideText = ticks.map((value) => svg("text", { x: LEFT - 7, y: y(value) + 4, "text-anchor": "end" }, numberText(value)));
  const bottomText = [0, calls].map((call, at) => svg("text", { x: x(call), y: HEIGHT - 8, "text-anchor": at ? "end" : "start" }, numberText(call)));
  const middle = svg("text", { x: (LEFT + width - RIGHT) / 2, y: HEIGHT - 8, "text-anchor": "middle" }, "molecules scored");
  const paths = drawn.flatMap((line) => linePath(line.points, x, y, line.at ?? 0));
  const words = drawn.map((line) => `${line.name}: best ${numberText(line.points.at(-1)[1])} after ${line.points.at(-1)[0]} molecules`).join("; ");
  const chart = svg("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, class: "trace", role: "img", "aria-label": words }, ...grid, ...sideText, ...bottomText, middle, ...paths);
  return isNamed ? el("figure", {}, chart, legend(lines)) : chart;
}

function linePath(points, x, y, at) {
  let path = "";
  let last = null;
  for (const [call, best] of points) {
    if (!Number.isFinite(best)) continue;
    path += last === null ? `M${x(call)} ${y(best)}` : `H${x(call)}${best === last ? "" : `V${y(best)}`}`;
    last = best;
  }
  const [call, best] = points.at(-1);
  return [svg("path", { d: path, class: `line line-${at}` }), svg("circle", { cx: x(call), cy: y(best), r: 3.5, class: `dot line-${at}` })];
}

/** Ends of the axis, a little beyond the values. */
function rounded(low, high) {
  const span = high - low || Math.max(Math.abs(high), 1) * 0.1;
  const step = 10 ** Math.floor(Math.log10(span));
  const ends = [Math.floor((low - 0.02 * span) / step) * step, Math.ceil((high + 0.02 * span) / step) * step];
  return ends.map((end) => clamp(Number(end.toPrecision(6)), -1e12, 1e12));
}

function legend(lines) {
  return el("figcaption", { class: "legend" }, ...lines.map((line) => el("span", {}, el("i", { class: `swatch line-${line.at ?? 0}` }), line.name)));
}
