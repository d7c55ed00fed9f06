// Elements without markup: strings become text nodes, so nothing from the data is ever parsed.

const SVG = "http://www.w3.org/2000/svg";

/** Build an element. `on...` listens, true sets an empty attribute; false, null and undefined leave one out. */
export function el(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** The same for an element of a picture. */
export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

const ICONS = {
  sun: "M8 5a3 3 0 1 0 0 6a3 3 0 0 0 0-6zM8 1v1.500M8 13.500V15M1 8h1.500M13.500 8H15M3 3l1.100 1.100M11.900 11.900L13 13M3 13l1.100-1.100M11.900 4.100L13 3",
  moon: "M13.500 9.800A6 6 0 0 1 6.200 2.500a6 6 0 1 0 7.300 7.300z",
  close: "M4 4l8 8M12 4l-8 8",
  pencil: "M2.500 13.500l.8-3L10.500 3.300a1 1 0 0 1 1.400 0l.8.8a1 1 0 0 1 0 1.400L5.500 12.700zM9.500 4.300l2.200 2.200",
  copy: "M5.500 5.500h7v8h-7zM3.500 10.500v-8h7",
  up: "M3.500 10L8 5.500l4.500 4.500",
  down: "M3.500 6L8 10.500L12.500 6",
  warn: "M8 2.500l6 11H2zM8 6.500v3.500M8 11.500v.5",
  upload: "M8 10.500V2.500M4.800 5.500L8 2.500l3.200 3M2.500 10.500v3h11v-3",
  arrow: "M3 8h10M9 4l4 4l-4 4",
};

/** A small picture of one colour, that of the text around it. */
export function icon(name) {
  return svg("svg", { viewBox: "0 0 16 16", class: "glyph", "aria-hidden": "true" }, svg("path", { d: ICONS[name] }));
}

/** A labelled field: the words above, the control below. */
export function field(words, control, hint = "") {
  return el("label", { class: "field" }, el("span", {}, words), control, hint ? el("small", {}, hint) : null);
}

/** A choice among values; `labels` says how they read. */
export function choice(values, chosen, { labels = {}, ...attributes } = {}) {
  const options = values.map((value) => el("option", { value, selected: value === chosen }, labels[value] ?? value));
  return el("select", attributes, ...options);
}

/** A slider with its value beside it. Its value is set last: before its ends it would be brought between others. */
export function slider(value, min, max, step, say = (at) => at) {
  const shown = el("output", {}, say(value));
  const input = el("input", { type: "range", min, max, step, value, oninput: () => (shown.textContent = say(Number(input.value))) });
  return { input, root: el("span", { class: "slider" }, input, shown) };
}

/** Where something is on its way. */
export const waiting = (words) => el("p", { class: "waiting" }, words);

/** Where something went wrong, in the server's sentence. */
export const trouble = (words) => el("p", { class: "trouble", role: "alert" }, icon("warn"), el("span", {}, words));

/** Where there is nothing yet, and what to do about it. */
export function empty(title, words, ...actions) {
  return el("div", { class: "empty" }, el("p", { class: "big" }, title), el("p", {}, words), actions.length ? el("div", { class: "row" }, ...actions) : null);
}
