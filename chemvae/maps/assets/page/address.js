// The part of the page's address that keeps a map: #key=x,y,zoom;c=colour;p=pinned rows;f=filters;s=search;l=lasso;o=sets off;n=0.
// Several maps share it with &. Names are encoded, so that ; , ~ and & only part them.

const LASSO_CORNERS = 60; // as many are kept
const MOST_KEPT = 1500; // characters of a lasso, beyond which it is left out

function addressParts() {
  return location.hash.slice(1).split("&").filter(Boolean);
}

/** What the address says for the map `key`, or "". */
function readAddress(key) {
  return addressParts().find((part) => part.startsWith(`${key}=`))?.slice(key.length + 1) ?? "";
}

function writeAddress(key, text) {
  const others = addressParts().filter((part) => !part.startsWith(`${key}=`));
  try {
    history.replaceState(null, "", `#${[...others, `${key}=${text}`].join("&")}`);
  } catch {
    // inside a frame without an address of its own: nothing to keep
  }
}

const encoded = (text) => encodeURIComponent(text).replace(/~/g, "%7E");

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

/** What a map shows, as text. */
function addressOf(map) {
  const parts = [map.view.state.join(",")];
  if (map.column) parts.push(`c=${encoded(map.column.name)}`);
  if (map.pins.list.length) parts.push(`p=${map.pins.list.join(",")}`);
  const picked = map.columns.filter((column) => column.picked).map(pickedText);
  if (picked.length) parts.push(`f=${picked.join(",")}`);
  if (map.search.text) parts.push(`s=${map.search.mode}~${encoded(map.search.text)}`);
  const lasso = map.lasso?.map((place) => place.map((value) => value.toFixed(4)).join("~")).join(",") ?? "";
  if (lasso && lasso.length < MOST_KEPT) parts.push(`l=${lasso}`);
  const off = map.marks.sets.filter((set) => !set.shown).map((set) => set.at);
  if (off.length) parts.push(`o=${off.join(",")}`);
  if (!map.labels.shown && map.labels.items.length) parts.push("n=0");
  return parts.join(";");
}

/** A range as name~low~high, switched off categories as name~!1.4. */
function pickedText({ name, picked }) {
  const { range, hidden } = picked;
  return `${encoded(name)}~${range ? range.map((end) => (Number.isFinite(end) ? end : "")).join("~") : `!${[...hidden].join(".")}`}`;
}

/** Anyone can write an address: numbers are checked, the rest is only compared. */
function parseAddress(text) {
  const [place, ...rest] = text.split(";");
  const numbers = place.split(",").map(Number);
  const settings = Object.fromEntries(rest.map((part) => [part[0], part.slice(2)]));
  const list = (key) => (settings[key] ?? "").split(",").filter(Boolean);
  const whole = (key) => [...new Set(list(key).map(Number))].filter((i) => Number.isInteger(i) && i >= 0);
  const corners = list("l").map((corner) => corner.split("~").map(Number));
  const [mode, words] = (settings.s ?? "").split("~");
  return {
    view: numbers.length === 3 && numbers.every(Number.isFinite) ? numbers : null,
    colour: decoded(settings.c ?? ""),
    pins: whole("p"),
    off: whole("o"),
    filters: list("f").map((part) => part.split("~")),
    search: words ? { mode: mode === "smarts" ? "smarts" : "text", text: decoded(words) } : null,
    lasso: corners.length > 2 && corners.flat().every(Number.isFinite) && corners.every((corner) => corner.length === 2) ? corners : null,
    labels: settings.n !== "0",
  };
}

/** Show what an address says. */
function recallAddress(map, text) {
  const found = parseAddress(text);
  if (found.view) map.view.state = found.view;
  const byName = (name) => map.columns.find((candidate) => candidate.name === name && candidate.kind !== "text");
  for (const [name, ...ends] of found.filters) {
    const column = byName(decoded(name));
    if (column) map.legend.pick(column, pickedOf(column, ends));
  }
  const column = byName(found.colour);
  if (column) map.setColumn(column);
  for (const set of map.marks.sets) set.shown = !found.off.includes(set.at);
  map.marks.renderSection();
  if (map.marks.sets.length) map.setFilter("sets", map.marks.mask());
  if (map.labels.shown !== (found.labels && map.labels.items.length > 0)) map.labels.toggle();
  map.pins.list = found.pins.filter((i) => i < map.n).slice(0, MOST_PINS);
  map.pins.render();
  if (found.lasso) map.setLasso(found.lasso.slice(0, 4 * LASSO_CORNERS));
  if (found.search) map.controls.askFor(found.search.text, found.search.mode);
}

/** A range or a set of switched off categories, or null where the address says neither. */
function pickedOf(column, [low = "", high = ""]) {
  if (column.kind === "category") {
    const codes = low.startsWith("!") ? low.slice(1).split(".").map(Number) : [];
    const hidden = new Set(codes.filter((code) => code === 255 || code < column.names.length));
    return hidden.size ? { hidden } : null;
  }
  const range = [low === "" ? -Infinity : Number(low), high === "" ? Infinity : Number(high)];
  return range.some(Number.isNaN) || range.every((end) => !Number.isFinite(end)) ? null : { range };
}
