// Two runs side by side: both traces, and the molecules that only one of them or both found.

import { get } from "./api.js";
import { el } from "./dom.js";
import { countText } from "./format.js";
import { MoleculeTable } from "./table.js";
import { traceChart } from "./trace.js";

/** Resolves to the section that compares two runs. */
export async function compareSection(a, b) {
  const found = await get(`/api/compare?a=${encodeURIComponent(a)}&b=${encodeURIComponent(b)}`);
  const [first, second] = named(found.a, found.b);
  const chart = traceChart([
    { name: first, points: found.a.trace ?? [] },
    { name: second, points: found.b.trace ?? [] },
  ], 0, Math.min(560, innerWidth - 70));
  const groups = [
    [`Only in ${first}`, found.only_a],
    ["In both", found.both],
    [`Only in ${second}`, found.only_b],
  ];
  return el("section", { class: "sheet compare", "aria-label": "Two runs compared" }, el("h3", {}, `${first} and ${second}`), chart, el("div", { class: "thirds" }, ...groups.map(([words, rows]) => group(words, rows))));
}

/** The runs' titles, told apart where they are the same. */
function named(a, b) {
  const [first, second] = [a.title || a.kind, b.title || b.kind];
  return first === second ? [`${first} (first)`, `${second} (second)`] : [first, second];
}

function group(words, rows) {
  const table = new MoleculeTable({ order: { name: "score", down: true }, label: words });
  table.show(rows.map(({ smiles, score, a }) => ({ smiles, score: score ?? a })));
  return el("section", {}, el("h4", {}, words), el("p", { class: "note" }, countText(rows.length, "molecule")), rows.length ? table.root : null);
}
