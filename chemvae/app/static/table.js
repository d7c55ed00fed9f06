// Molecules as a table: drawn, sorted by a click on a heading, chosen by a tick.

import { drawing } from "./component.js";
import { el, icon } from "./dom.js";
import { headingText, numberText } from "./format.js";
import { store } from "./store.js";

const HIDDEN = new Set(["smiles", "x", "y", "z", "reason", "row", "index", "id", "seconds", "svg", "valid", "method", "source", "is_valid", "usable", "novel", "similarity_start"]);
const FIRST = ["score", "step", "similarity"];
const PAGE = 60;

/** The columns worth showing: those in which any row says something; the score first. */
export function columnsOf(rows) {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter((name) => !HIDDEN.has(name));
  const says = names.filter((name) => rows.some((row) => row[name] !== null && row[name] !== undefined && typeof row[name] !== "object"));
  const rank = (name) => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);
  return says.sort((a, b) => rank(a) - rank(b));
}

export class MoleculeTable {
  /** `chosen` is a set of positions in `rows`, or null for a table without ticks; `onChoose()` follows each tick. */
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

  /** Positions of the rows in the order asked for; what has no value comes last. */
  sorted() {
    const at = this.rows.map((_, position) => position);
    if (!this.order) return at;
    const { name, down } = this.order;
    const rank = (position) => {
      const value = this.rows[position][name];
      return value === null || value === undefined || Number.isNaN(Number(value)) ? Infinity : (down ? -1 : 1) * Number(value);
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
    this.more.hidden = positions.length <= this.shown;
    this.more.textContent = `Show more (${(positions.length - this.shown).toLocaleString("en")})`;
    this.markHere();
  }

  headRow() {
    const cells = this.columns.map((name) => {
      const mine = this.order?.name === name;
      const sort = () => {
        this.order = { name, down: mine ? !this.order.down : true };
        this.render();
      };
      const arrow = mine ? icon(this.order.down ? "down" : "up") : null;
      const state = mine ? (this.order.down ? "descending" : "ascending") : null;
      return el("th", { scope: "col", class: "number", "aria-sort": state }, el("button", { type: "button", class: "plain", onclick: sort }, headingText(name), arrow));
    });
    const tick = this.chosen ? el("th", { scope: "col" }, el("span", { class: "hidden" }, "Shortlist")) : null;
    return el("tr", {}, tick, el("th", { scope: "col" }, "Molecule"), ...cells);
  }

  line(position) {
    const row = this.rows[position];
    const look = () => store.look(row.smiles, row.name ?? "");
    const open = el("button", { type: "button", class: "open", title: row.smiles, "aria-label": `Look at ${row.smiles}`, onclick: look }, drawing(row.smiles, 132, 84));
    const why = row.reason ? el("small", { class: "why" }, row.reason) : null;
    const cells = this.columns.map((name) => el("td", { class: "number" }, cellOf(name, row[name])));
    const line = el("tr", { "data-smiles": row.smiles }, this.chosen ? el("td", {}, this.tick(position, row)) : null, el("td", { class: "what" }, open, why), ...cells);
    return line;
  }

  tick(position, row) {
    const change = (event) => {
      if (event.target.checked) this.chosen.add(position);
      else this.chosen.delete(position);
      this.onChoose();
    };
    return el("input", { type: "checkbox", "data-at": position, checked: this.chosen.has(position), "aria-label": `Shortlist ${row.smiles}`, onchange: change });
  }

  /** Show which rows are chosen, after they were chosen by something else than their ticks. */
  showTicks() {
    for (const tick of this.body.querySelectorAll("input[data-at]")) tick.checked = this.chosen.has(Number(tick.dataset.at));
  }

  /** Mark the row of the molecule that is looked at. */
  markHere() {
    for (const line of this.body.children) line.classList.toggle("here", line.dataset.smiles === store.molecule?.smiles);
  }
}

function cellOf(name, value) {
  if (name === "known") return el("span", { class: value ? "tag" : "tag fresh" }, value ? "known" : "new");
  return numberText(value);
}
