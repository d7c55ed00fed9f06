// From the page's base64 texts back to arrays. Mirrors payload.py.

/** Build an element; strings become text nodes, so nothing from the data is ever parsed as markup. */
function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

function bytesOf(base64) {
  const binary = atob(base64.trim());
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** Gunzip a base64 text with the browser's own decompressor. */
async function inflate(base64) {
  const stream = new Blob([bytesOf(base64)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

/** Bytes of an array of `size`-byte numbers whose bytes lie plane by plane, as packing.py packs them. */
function fromPlanes(buffer, size) {
  const planes = new Uint8Array(buffer);
  const n = planes.length / size;
  const bytes = new Uint8Array(planes.length);
  for (let byte = 0; byte < size; byte++) for (let i = 0; i < n; i++) bytes[i * size + byte] = planes[byte * n + i];
  return bytes.buffer;
}

/** The numbers of a packed axis or column, as `Type`. */
async function inflateArray(spec, Type) {
  const buffer = await inflate(spec.data);
  return new Type(spec.planes ? fromPlanes(buffer, Type.BYTES_PER_ELEMENT) : buffer);
}

async function inflateLines(base64) {
  return new TextDecoder().decode(await inflate(base64)).split("\n");
}

const NUMBER_TYPES = { uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array, float32: Float32Array, float64: Float64Array };

/** A column of numbers as Float64Array [n], NaN where missing. */
async function inflateNumbers(column) {
  const codes = await inflateArray(column, NUMBER_TYPES[column.dtype]);
  if (column.decimals === null) return Float64Array.from(codes);
  const missing = 2 ** (8 * codes.BYTES_PER_ELEMENT) - 1;
  const factor = 10 ** column.decimals;
  return Float64Array.from(codes, (code) => (code === missing ? NaN : (code + column.offset) / factor));
}

/** Add `values` (numbers), `codes` (categories) or `lines` (text) to a column. */
async function inflateColumn(column) {
  if (column.kind === "number") column.values = await inflateNumbers(column);
  else if (column.kind === "category") column.codes = new Uint8Array(await inflate(column.data));
  else column.lines = await inflateLines(column.data);
  column.data = null;
  return column;
}

/** Numbers on the scale of a column's colours: their logarithms where it is logarithmic. */
const scaled = (column, value) => (column.log ? Math.log10(value) : value);
const unscaled = (column, value) => (column.log ? 10 ** value : value);
const scaledLimits = (column) => column.limits.map((limit) => scaled(column, limit));

/** A number of a column as text: a day where it means one. */
function valueText(column, value) {
  return column.date && Number.isFinite(value) ? dayText(value) : numberText(value);
}

function dayText(days) {
  const date = new Date(days * 864e5);
  return Number.isNaN(date.getTime()) ? "" : date.toISOString().slice(0, 10);
}

/** What a column says of one point, as text without the unit; "" where missing. */
function textOf(column, i) {
  if (column.kind === "number") return Number.isNaN(column.values[i]) ? "" : valueText(column, column.values[i]);
  if (column.kind === "category") return column.names[column.codes[i]] ?? "";
  return column.lines[i];
}

/** The same for a file: all digits that are known. */
function exactTextOf(column, i) {
  if (column.kind !== "number") return textOf(column, i);
  const value = column.values[i];
  if (Number.isNaN(value)) return "";
  if (column.date) return dayText(value);
  return String(column.dtype === "float32" ? parseFloat(value.toPrecision(7)) : value);
}

function numberText(value) {
  if (Number.isInteger(value) && Math.abs(value) < 1e7) return String(value).replace("-", "\u2212");
  return String(parseFloat(value.toPrecision(4))).replace("-", "\u2212");
}

const withUnit = (column) => (column.unit ? `${column.name} (${column.unit})` : column.name);
const countText = (count) => count.toLocaleString("en");

/** CSV of some rows. A text that a spreadsheet would run as a formula gets a leading apostrophe. */
function csvOf(rows, smiles, columns) {
  const quote = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const safe = (text) => (/^[=+\-@\t]/.test(text) && !Number.isFinite(Number(text)) ? `'${text}` : text);
  const others = columns.filter((column) => column.name !== "smiles");
  const lines = [["smiles", ...others.map((column) => safe(column.name))].map(quote).join(",")];
  for (const i of rows) lines.push([smiles[i], ...others.map((column) => exactTextOf(column, i))].map(safe).map(quote).join(","));
  return lines.join("\n") + "\n";
}
