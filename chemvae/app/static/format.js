// Numbers, times and names for a reader.

const MINUS = "\u2212";

/** A number with `digits` significant digits; a dash where there is none; words as they are. */
export function numberText(value, digits = 3) {
  if (value === null || value === undefined || value === "") return "\u2013";
  if (typeof value === "boolean") return value ? "yes" : "no";
  const number = Number(value);
  if (typeof value === "string" && Number.isNaN(number)) return value;
  if (Number.isNaN(number)) return "\u2013";
  if (Number.isInteger(number) && Math.abs(number) < 1e7) return signed(number.toLocaleString("en"));
  const rounded = Math.abs(number) >= 10 ** digits ? number.toFixed(0) : String(parseFloat(number.toPrecision(digits)));
  return signed(rounded);
}

const signed = (text) => text.replace("-", MINUS);

/** A unit as it is printed; "" for a bare number. */
export const unitText = (unit) => (!unit || unit === "1" ? "" : unit.replace(/^A\b/, "\u00c5").replace("^2", "\u00b2").replace("^3", "\u00b3"));

export const countText = (count, one, many = `${one}s`) => `${Number(count).toLocaleString("en")} ${count === 1 ? one : many}`;

/** Seconds since the epoch, or an ISO time, as milliseconds. */
const millis = (time) => (typeof time === "number" ? time * 1000 : Date.parse(time));

/** How long something took or takes, from its times. */
export function elapsedText(started, ended) {
  if (!started) return "";
  const seconds = Math.max(0, ((ended ? millis(ended) : Date.now()) - millis(started)) / 1000);
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.floor(seconds)} s`;
  return seconds < 3600 ? `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s` : `${(seconds / 3600).toFixed(1)} h`;
}

/** A time of today as the hour, another with its day. */
export function timeText(time) {
  if (!time) return "";
  const date = new Date(millis(time));
  const today = date.toDateString() === new Date().toDateString();
  return date.toLocaleString("en-GB", { ...(today ? {} : { day: "numeric", month: "short" }), hour: "2-digit", minute: "2-digit" });
}

const WORDS = { similarity_to_start: "similarity", log_prob: "log p", similarity: "similarity", known: "library" };

/** The heading of a column. */
export const headingText = (name) => WORDS[name] ?? name.replaceAll("_", " ");

/** A property's name as it stands beside its unit: dEst_eV in eV is "dEst". */
export function nameText(name, unit) {
  const words = headingText(name);
  const last = { "%": "percent" }[unit] ?? unit;
  return last && words.toLowerCase().endsWith(` ${last.toLowerCase()}`) ? words.slice(0, -last.length - 1) : words;
}

export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
