// Two runs side by side: both traces, and the molecules that only one of them or both found.

import { get } from "./api.js";
import { el } from "./dom.js";
import { countText } from "./format.js";
import { bestFirst, scoresAlike } from "./goals.js";
import { isActive } from "./jobs.js";
import { MoleculeTable } from "./table.js";
import { traceChart } from "./trace.js";

const WIDEST = 560;

/** Resolves to the section that compares two runs. */
export async function compareSection(a, b) {
  const found = await get(`/api/compare?a=${encodeURIComponent(a)}&b=${encodeURIComponent(b)}`);
  const [first, second] = named(found.a, found.b);
  const isAlike = scoresAlike(found.a.settings, found.b.settings);
  const [ofA, ofB] = [bestFirst(found.a.settings), bestFirst(found.b.settings)];
  const both = isAlike ? { a: "score", b: "score in the second run" } : { a: "score in the first run", b: "score in the second run" };
  const groups = [
    group(`Only in ${first}`, found.only_a, ofA),
    group("In both", found.both.map((row) => sideBySide(row, both)), { ...ofA, name: both.a }),
    group(`Only in ${second}`, found.only_b, ofB),
  ];
  const notes = [found.a, found.b].map((job, at) => stillRuns(job, [first, second][at])).filter(Boolean);
  const heading = el("h3", {}, `${first} and ${second}`);
  return el("section", { class: "sheet compare", "aria-label": "Two runs compared" }, heading, ...notes, ...traces(found, first, second, isAlike), el("div", { class: "thirds" }, ...groups));
}

/** Both traces on one axis; one each where the scores measure different things. */
function traces({ a, b }, first, second, isAlike) {
  const lines = [
    { name: first, points: a.trace ?? [] },
    { name: second, points: b.trace ?? [], at: 1 },
  ];
  const width = Math.min(WIDEST, innerWidth - 70);
  if (isAlike) return [traceChart(lines, 0, width)];
  const note = el("p", { class: "note" }, "They search for different things: their scores cannot be compared, and each has an axis of its own.");
  return [note, el("div", { class: "halves" }, ...lines.map((line) => traceChart([line], 0, Math.min(width, 440), true)))];
}

/** What is told of a run before its end is not all that it has scored. */
function stillRuns(job, name) {
  if (!isActive(job)) return null;
  const { done = 0, total = 0 } = job.progress ?? {};
  const scored = `${countText(done, "molecule")}${total ? ` of ${total.toLocaleString("en")}` : ""}`;
  return el("p", { class: "note" }, `${name} still runs, and has scored ${scored}. Until it ends, those stand here that were the best when they came.`);
}

/** The runs' titles, told apart where they are the same. */
function named(a, b) {
  const [first, second] = [a.title || a.kind, b.title || b.kind];
  return first === second ? [`${first} (first)`, `${second} (second)`] : [first, second];
}

/** A row of both runs; the second score only where it is another one. */
function sideBySide({ a, b, ...row }, words) {
  const isSame = words.a === "score" && a !== null && b !== null && Math.abs(a - b) <= 1e-6 * Math.abs(a);
  return { ...row, [words.a]: a, ...(isSame ? {} : { [words.b]: b }) };
}

function group(words, rows, order) {
  const table = new MoleculeTable({ order, label: words });
  table.show(rows.map(({ parent, stream, call, ...row }) => row)); // how each was found is told where one run is shown
  return el("section", {}, el("h4", {}, words), el("p", { class: "note" }, countText(rows.length, "molecule")), rows.length ? table.root : null);
}
