// Measured values: looked at as they are typed, and those that were taken before, each of which can be corrected.

import { drawing } from "./component.js";
import { el } from "./dom.js";
import { countText } from "./format.js";
import { store } from "./store.js";

const NUMBER = /^[+-]?(\d+[.,]?\d*|[.,]\d+)(e[+-]?\d+)?$/i;
const BOUND = /^([<>]=?|[\u2264\u2265])\s*/;
const UNCLEAR = /^[+-]?\d{1,3},\d{3}$/;
const SHOWN = 10;
const COUNTS_AS = { bound: "a bound", failed: "failed" };
export const HOW = "A number, a bound such as >7 where it is only known on which side of it the value lies, or failed with the reason. What is empty stays open.";

/** Signs of word processors become those of a keyboard. */
const tidy = (text) => text.trim().replace(/[\u2212\u2012\u2013]/g, "-");

/** What is wrong with a value, as a sentence; "" for one that can be sent. */
export function problemOf(text) {
  const written = tidy(text);
  const number = written.replace(BOUND, "");
  if (!written || /^failed\b/i.test(written)) return "";
  if (UNCLEAR.test(number)) return `'${text.trim()}' is ${number.replace(",", "")} or ${number.replace(",", ".")}: write it without a comma.`;
  return NUMBER.test(number) ? "" : `'${text.trim()}' is no number: write 6.5, a bound such as >7, or failed: why.`;
}

/** As it is sent: a decimal comma is a decimal point. */
export const valueOf = (text) => (NUMBER.test(tidy(text).replace(BOUND, "")) ? tidy(text).replace(",", ".") : text.trim());

/** A field for one measured value, with what is wrong with it below. */
export function resultField(row, name, words) {
  const said = el("small", { class: "why", id: `why-${row.id || row.smiles}-${name}` });
  const check = () => {
    said.textContent = problemOf(input.value);
    input.setAttribute("aria-invalid", String(Boolean(said.textContent)));
  };
  const about = { "data-id": row.id, "data-smiles": row.smiles, "data-name": name, "data-before": row[name] ?? "" };
  const input = el("input", { type: "text", inputmode: "text", autocomplete: "off", "aria-label": words, "aria-describedby": said.id, value: row[name] ?? "", ...about, onchange: check });
  input.addEventListener("input", () => input.getAttribute("aria-invalid") === "true" && check());
  return el("td", {}, input, said);
}

/** The values that are new in a table, a row for each molecule; null where one of them cannot be sent: it is shown which. */
export function readFields(root) {
  const lines = [...root.querySelectorAll("tbody tr")].map((line) => [...line.querySelectorAll("input[data-id]")]);
  const wrong = lines.flat().find((input) => input.value !== input.dataset.before && problemOf(input.value));
  if (wrong) {
    wrong.dispatchEvent(new Event("change"));
    wrong.focus();
    return null;
  }
  return lines.filter((line) => line.some((input) => input.value.trim() && input.value !== input.dataset.before)).map((line) => {
    const [{ dataset }] = line;
    const which = dataset.id ? { id: dataset.id } : { smiles: dataset.smiles };
    return { ...which, ...Object.fromEntries(line.map((input) => [input.dataset.name, valueOf(input.value)])) };
  });
}

/** The cell with a molecule's structure, which leads to its card. */
export function moleculeCell(row) {
  const look = () => (store.look(row.smiles), store.go("map"));
  return el("td", { class: "what" }, el("button", { type: "button", class: "open", title: row.smiles, "aria-label": `Look at ${row.smiles}`, onclick: look }, drawing(row.smiles, 132, 84)));
}

/** All results that were taken, the newest first; `save(rows)` sends those that were corrected. */
export function toldSection({ names, rows }, save) {
  if (!rows.length) return null;
  const newest = [...rows].reverse();
  const body = el("tbody");
  const line = (row) => {
    const fields = names.map((name) => resultField(row, name, `Result of ${row.id || row.smiles}`));
    const kind = COUNTS_AS[row.kind] ? el("span", { class: `tag ${row.kind === "failed" ? "bad" : ""}` }, COUNTS_AS[row.kind]) : null;
    return el("tr", {}, el("td", {}, row.id || "\u2013"), moleculeCell(row), ...fields, el("td", {}, kind));
  };
  const more = el("button", { type: "button", class: "plain", hidden: newest.length <= SHOWN, onclick: () => (body.append(...newest.slice(SHOWN).map(line)), (more.hidden = true)) }, `Show all ${newest.length.toLocaleString("en")}`);
  body.append(...newest.slice(0, SHOWN).map(line));
  const head = ["Id", "Molecule", ...names, "Counts as"].map((words) => el("th", { scope: "col" }, words));
  const table = el("table", { class: "molecules told" }, el("thead", {}, el("tr", {}, ...head)), body);
  const correct = el("button", { type: "button", onclick: () => save(table) }, "Save the corrections");
  const words = el("p", { class: "note" }, "Correct a value here and save it; the next batch learns from what stands here.");
  const box = el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Results so far" }, table, more);
  return el("details", { class: "sheet results" }, el("summary", {}, `${countText(rows.length, "result")} so far`), el("div", { class: "stack" }, words, box, el("div", { class: "row" }, correct)));
}
