// Molecules as a table: drawn, sorted by a click on a heading, chosen by a tick.

import { drawing } from "./component.js";
import { el, icon } from "./dom.js";
import { headingText, numberText } from "./format.js";
import { store } from "./store.js";

const HIDDEN = new Set(["smiles", "x", "y", "z", "reason", "row", "index", "id", "seconds", "svg", "valid", "method", "source", "is_valid", "usable", "novel", "similarity_start"]);
const FIRST = ["score", "step", "similarity"];
/** What is least asked for in a table with scores. */
const LAST = ["similarity", "call", "stream", "parent"];
const PAGE = 60;

/** What belongs to the column of a property, and is shown in it: the ends of its interval, and what is to be said against it. */
const ENDS = ["_low", "_high", "_warning"];
const CAUTIOUS = "what is predicted is scored by the end of its 90 % interval that the goal likes less, so that a mere hope does not win";

/** The columns worth showing: those in which any row says something; the score first. */
export function columnsOf(rows) {
  const all = new Set(rows.flatMap((row) => Object.keys(row)));
  const belongs = (name) => ENDS.some((end) => name.endsWith(end) && all.has(name.slice(0, -end.length)));
  const names = [...all].filter((name) => !HIDDEN.has(name) && !belongs(name));
  const says = names.filter((name) => rows.some((row) => row[name] !== null && row[name] !== undefined && typeof row[name] !== "object"));
  const isScored = names.some((name) => name.startsWith("score"));
  const rank = (name) => {
    if (isScored && LAST.includes(name)) return FIRST.length + 1 + LAST.indexOf(name);
    if (name.startsWith("score in")) return 0.5; // of two runs that are compared
    return FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length;
  };
  return says.sort((a, b) => rank(a) - rank(b));
}

export class MoleculeTable {
  /** `chosen` is a set of SMILES, or null for a table without ticks; `onChoose()` follows each tick. */
  constructor({ chosen = null, onChoose = () => {}, order = null, label = "Molecules" } = {}) {
    Object.assign(this, { chosen, onChoose, order, shown: PAGE, rows: [] });
    this.head = el("thead");
    this.body = el("tbody");
    this.more = el("button", { type: "button", class: "plain", hidden: true, onclick: () => this.showMore() });
    this.root = el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, el("table", { class: "molecules" }, this.head, this.body), this.more);
  }

  /** Show these rows. Rows that stay where they were keep their elements, so that nothing flickers while a run goes on. */
  show(rows) {
    this.rows = rows;
    this.columns = columnsOf(rows);
    this.render();
  }

  showMore() {
    this.shown += PAGE;
    this.render();
  }

  /** Positions of the rows in the order asked for, by the value or by a merit of it; what has no value comes last. */
  sorted() {
    const at = this.rows.map((_, position) => position);
    if (!this.order) return at;
    const { name, down, merit = Number } = this.order;
    const rank = (position) => {
      const value = this.rows[position][name];
      return value === null || value === undefined || Number.isNaN(Number(value)) ? Infinity : (down ? -1 : 1) * merit(Number(value));
    };
    return at.sort((a, b) => rank(a) - rank(b) || a - b);
  }

  render() {
    const positions = this.sorted();
    this.head.replaceChildren(this.headRow());
    this.kept ??= new Map();
    const made = new Map();
    const lines = positions.slice(0, this.shown).map((position) => {
      const key = `${position} ${this.rows[position].smiles} ${this.columns.join()}`;
      made.set(key, this.kept.get(key) ?? this.line(position));
      return made.get(key);
    });
    this.kept = made;
    this.body.replaceChildren(...lines);
    this.showTicks();
    this.more.hidden = positions.length <= this.shown;
    this.more.textContent = `Show more (${(positions.length - this.shown).toLocaleString("en")})`;
    this.markHere();
  }

  headRow() {
    const cells = this.columns.map((name) => {
      const mine = this.order?.name === name && !this.order.merit; // nearest to a target first is neither up nor down
      const sort = () => {
        this.order = { name, down: mine ? !this.order.down : true };
        this.render();
      };
      const arrow = mine ? icon(this.order.down ? "down" : "up") : null;
      const state = mine ? (this.order.down ? "descending" : "ascending") : null;
      return el("th", { scope: "col", class: "number", "aria-sort": state }, el("button", { type: "button", class: "plain", title: this.meaning(name), onclick: sort }, headingText(name), arrow));
    });
    const tick = this.chosen ? el("th", { scope: "col" }, el("span", { class: "hidden" }, "Shortlist")) : null;
    return el("tr", {}, tick, el("th", { scope: "col" }, "Molecule"), ...cells);
  }

  /** What a heading leaves open. */
  meaning(name) {
    const predicted = this.rows.some((row) => `${name}_low` in row);
    if (predicted) return `${name}: predicted, with its 90 % interval`;
    if (name.endsWith("_scored")) return `What counted of ${name.slice(0, -7)}: ${CAUTIOUS}`;
    return name === "score" && this.rows.some((row) => Object.keys(row).some((key) => key.endsWith("_low"))) ? `The score: ${CAUTIOUS}` : null;
  }

  line(position) {
    const row = this.rows[position];
    const look = () => store.look(row.smiles, row.name ?? "");
    const open = el("button", { type: "button", class: "open", title: row.smiles, "aria-label": `Look at ${row.smiles}`, onclick: look }, drawing(row.smiles, 132, 84));
    const why = row.reason ? el("small", { class: "why" }, row.reason) : null;
    const cells = this.columns.map((name) => el("td", { class: "number" }, cellOf(name, row)));
    const line = el("tr", { "data-smiles": row.smiles }, this.chosen ? el("td", {}, this.tick(row)) : null, el("td", { class: "what" }, open, why), ...cells);
    return line;
  }

  /** A molecule is chosen, wherever it stands and however often: rows come, go and change places while a run goes on. */
  tick({ smiles }) {
    const change = (event) => {
      if (event.target.checked) this.chosen.add(smiles);
      else this.chosen.delete(smiles);
      this.showTicks();
      this.onChoose();
    };
    return el("input", { type: "checkbox", "data-of": smiles, checked: this.chosen.has(smiles), "aria-label": `Shortlist ${smiles}`, onchange: change });
  }

  /** Show which molecules are chosen, after one was chosen by something else than the tick of its row. */
  showTicks() {
    for (const tick of this.body.querySelectorAll("input[data-of]")) tick.checked = this.chosen.has(tick.dataset.of);
  }

  /** Mark the row of the molecule that is looked at. */
  markHere() {
    for (const line of this.body.children) line.classList.toggle("here", line.dataset.smiles === store.molecule?.smiles);
  }
}

function cellOf(name, row) {
  const value = row[name];
  if (name === "known") return el("span", { class: value ? "tag" : "tag fresh" }, value ? "known" : "new");
  const [low, high, warning] = ENDS.map((end) => row[`${name}${end}`]);
  if (!Number.isFinite(low ?? NaN) || !Number.isFinite(high ?? NaN)) return numberText(value);
  return el("span", {}, numberText(value), el("small", { class: "interval" }, ` [${numberText(low)}, ${numberText(high)}]`), warning ? el("small", { class: "why" }, warning) : null);
}
