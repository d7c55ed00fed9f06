// The laboratory: campaigns, the batch that waits to be measured, its results, the next batch.

import { address, get, post, send } from "./api.js";
import { choice, el, empty, field, trouble, waiting } from "./dom.js";
import { countText, headingText, numberText } from "./format.js";
import { jobs } from "./jobs.js";
import { notice, told } from "./notices.js";
import { HOW, moleculeCell, readFields, resultField, toldSection } from "./results.js";
import { store } from "./store.js";

const NOT_SHOWN = new Set(["id", "smiles", "value", "x", "y", "row"]);
/** Of the columns of a batch, those that matter to whoever measures; the others are shown on demand. */
const MATTERS = /(_expected|_low|_high)$|^(why|qed|logP|MW|similarity_to_scored)$/;
const HEADINGS = { similarity_to_scored: "similarity to measured", nearest_scored: "most similar measured" };

class Laboratory {
  constructor(root) {
    Object.assign(this, { root, open: null });
    this.list = el("div", { class: "campaigns" });
    this.sheet = el("div", { class: "stack" });
    this.names = [];
    this.shows = { all: false, results: false };
    const lead = el("p", { class: "lead" }, "A campaign proposes a batch, you measure it and enter the results, and the next batch is chosen from what was learned.");
    root.append(el("h2", {}, "Laboratory"), lead, this.list, this.sheet, this.newForm());
    jobs.addEventListener("end", () => !root.hidden && this.refresh());
  }

  /** Called when the view is opened. */
  async refresh() {
    if (!this.list.childElementCount) this.list.replaceChildren(waiting("Reading the campaigns \u2026"));
    try {
      const { campaigns } = await get("/api/campaigns");
      this.showList(campaigns);
      if (!campaigns.some((one) => one.name === this.open)) this.open = campaigns[0]?.name ?? null;
      this.names = campaigns.find((one) => one.name === this.open)?.names ?? [];
      if (this.open) await this.showBatch(this.open);
    } catch (error) {
      this.list.replaceChildren(trouble(error.message));
    }
  }

  showList(campaigns) {
    this.form.open = !campaigns.length;
    this.offerUploads();
    if (!campaigns.length) return this.list.replaceChildren(empty("No campaign yet", "Begin one below. The command line can go on with it."));
    const button = (one) =>
      el(
        "button",
        { type: "button", class: "tile campaign", "aria-pressed": String(one.name === this.open), onclick: () => this.choose(one.name) },
        el("b", {}, one.name),
        el("small", {}, one.job ? "looks for a batch \u2026" : `round ${numberText(one.round)} \u00b7 ${numberText(one.waiting)} waiting \u00b7 ${numberText(one.measured)} measured${one.failed ? `, ${numberText(one.failed)} of them failed` : ""}`),
      );
    this.list.replaceChildren(...campaigns.map(button));
  }

  choose(name) {
    this.open = name;
    this.refresh();
  }

  path(rest) {
    return `/api/campaigns/${encodeURIComponent(this.open)}/${rest}`;
  }

  async showBatch(name) {
    if (!this.sheet.childElementCount) this.sheet.replaceChildren(waiting("Reading the batch \u2026"));
    const [{ rows, job }, results] = await Promise.all([get(this.path("batch")), get(this.path("results"))]);
    if (this.open !== name) return;
    if (job && !rows.length) return this.showSearch(name, job);
    const heading = el("h3", {}, rows.length ? `${name}: ${countText(rows.length, "molecule waits", "molecules wait")} for a measurement` : `${name}: nothing waits`);
    this.said = el("div", { "aria-live": "polite" });
    const parts = rows.length ? [this.batchTable(rows), this.batchActions(rows)] : [];
    const section = el("section", { class: "sheet stack", "aria-label": "Batch" }, heading, ...parts, this.said, this.nextRow(rows.length));
    this.sheet.replaceChildren(...[section, this.resultsSo(results)].filter(Boolean));
  }

  /** What was measured so far stays open while it is worked in. */
  resultsSo(results) {
    const section = toldSection(results, (table) => this.enter(table, "Change a value before you save it."));
    section?.addEventListener("toggle", () => (this.shows.results = section.open));
    if (section) section.open = this.shows.results;
    return section;
  }

  /** The first batch, or the next, is being looked for. */
  showSearch(name, job) {
    const show = el("button", { type: "button", onclick: () => store.show(job) }, "Show the run");
    this.sheet.replaceChildren(el("section", { class: "sheet" }, el("h3", {}, name), waiting("The next batch is being looked for \u2026"), el("div", { class: "row" }, show)));
  }

  batchTable(rows) {
    const says = (value) => value !== null && value !== undefined && value !== "" && typeof value !== "object";
    const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter((key) => !NOT_SHOWN.has(key) && !this.names.includes(key) && rows.some((row) => says(row[key])));
    const few = columns.filter((key) => MATTERS.test(key));
    const shown = this.shows.all || !few.length ? columns : few;
    const inputHeads = this.names.length > 1 ? this.names : ["Measured"];
    const head = ["Id", "Molecule", ...inputHeads, ...shown.map((key) => HEADINGS[key] ?? headingText(key))].map((words) => el("th", { scope: "col" }, words));
    const words = (row, name) => (this.names.length > 1 ? `${name} of ${row.id}` : `Measured value of ${row.id}`);
    const lines = rows.map((row) => {
      const fields = this.names.map((name) => resultField(row, name, words(row, name)));
      return el("tr", {}, el("td", {}, String(row.id)), moleculeCell(row), ...fields, ...shown.map((key) => el("td", {}, numberText(row[key]))));
    });
    const all = el("input", { type: "checkbox", checked: this.shows.all, onchange: () => ((this.shows.all = all.checked), this.refresh()) });
    const rest = columns.length > few.length && few.length ? el("label", { class: "check" }, all, `All ${columns.length} columns`) : null;
    this.batch = el("table", { class: "molecules batch" }, el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...lines));
    return el("div", { class: "stack" }, el("div", { class: "row" }, el("span", { class: "note" }, HOW), el("span", { class: "gap" }), rest), el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "The batch" }, this.batch));
  }

  batchActions() {
    const file = el("input", { type: "file", class: "hidden", id: "results", accept: ".csv,.xlsx,.tsv", onchange: () => this.told(() => send(this.path("results"), file.files[0])) });
    return el(
      "div",
      { class: "row" },
      el("button", { type: "button", class: "primary", onclick: () => this.enter(this.batch, "Enter at least one measured value.") }, "Save the results"),
      el("a", { class: "button", href: address(this.path("batch.xlsx")), download: "" }, "Download the sheet"),
      file,
      el("label", { class: "button", for: "results" }, "Upload a filled sheet"),
    );
  }

  /** Send what was entered in a table; what cannot be a result is said beside its field, and nothing is sent. */
  enter(table, nothing) {
    const rows = readFields(table);
    if (!rows) return;
    if (!rows.length) return this.said.replaceChildren(trouble(nothing));
    this.told(() => post(this.path("results"), { rows }), rows.map((row) => row.id ?? row.smiles));
  }

  /** Send results and say what was read, what counts as failed and what was refused, row by row. */
  async told(work, named = []) {
    try {
      const { read, open, refused = [], failed = [] } = await work();
      const item = (one) => el("li", {}, `${named[one.row - 1] ?? `Row ${one.row}`}: ${one.reason}.`);
      const measured = read - failed.length;
      notice(`${countText(measured, "result")} read${failed.length ? `, ${numberText(failed.length)} failed` : ""}, ${numberText(open)} open.`);
      await this.refresh();
      const of = (list, classes, lead) => (list.length ? [lead, el("ul", { class: classes }, ...list.map(item))] : []);
      this.said.replaceChildren(
        ...of(refused, "refused", trouble(`${countText(refused.length, "row was", "rows were")} refused:`)),
        ...of(failed, "failures", el("p", { class: "note" }, `${countText(failed.length, "row counts", "rows count")} as failed:`)),
      );
    } catch (error) {
      this.said.replaceChildren(trouble(error.message));
    }
  }

  nextRow(nWaiting) {
    const n = el("input", { type: "number", min: "1", max: "200", value: "5", "aria-label": "Size of the next batch" });
    const next = async () => {
      const answer = await told(() => post(this.path("next"), { n: Number(n.value) }));
      if (!answer) return;
      notice("The next batch is being chosen.", { action: ["Show", () => store.show(answer.job)] });
      jobs.refresh();
    };
    const words = nWaiting ? "You may ask for the next batch before all results are there; what is open stays open." : "All results are in.";
    return el("div", { class: "row" }, el("span", { class: "note" }, words), el("span", { class: "gap" }), n, el("button", { type: "button", class: nWaiting ? "" : "primary", onclick: next }, "Ask for the next batch"));
  }

  newForm() {
    const name = el("input", { type: "text", required: true, maxlength: "60", placeholder: "solubility 2026", oninput: () => name.setCustomValidity(badName(name.value)), onchange: () => name.reportValidity() });
    const measured = el("input", { type: "text", required: true, placeholder: "solubility", maxlength: "60" });
    const direction = choice(["max", "min"], "max", { labels: { max: "as high as can be", min: "as low as can be" } });
    const batch = el("input", { type: "number", min: "1", max: "200", value: "5", required: true });
    const start = el("textarea", { rows: "3", spellcheck: "false", placeholder: "one SMILES per line" });
    const known = el("select", { onchange: () => (measured.value ||= known.selectedOptions[0].dataset.column ?? "") }, el("option", { value: "" }, "nothing yet"));
    this.offerUploads = () => offer(known);
    const take = () => store.molecule && (start.value = [start.value.trim(), store.molecule.smiles].filter(Boolean).join("\n"));
    const submit = async (event) => {
      event.preventDefault();
      const smiles = start.value.split(/\s*\n\s*/).filter(Boolean);
      const goals = [{ name: measured.value.trim(), direction: direction.value, weight: 1 }];
      const settings = { measured: [goals[0].name], goals, batch: Number(batch.value), ...(smiles.length ? { start: smiles } : {}) };
      said.replaceChildren(waiting("Beginning the campaign \u2026"));
      try {
        const answer = await post("/api/campaigns", { name: name.value.trim(), settings, ...(known.value ? { upload: known.value } : {}) });
        this.open = name.value.trim();
        if (answer.job) jobs.refresh();
        said.replaceChildren();
        if (answer.read !== undefined) notice(`${countText(answer.read, "measured molecule is", "measured molecules are")} taken from the upload, ${numberText(answer.refused.length)} rows are not.`);
        await this.refresh();
      } catch (error) {
        said.replaceChildren(trouble(error.message));
      }
    };
    const said = el("div", { "aria-live": "polite" });
    const fields = [field("Name", name), field("What is measured", measured), field("Wanted", direction), field("Molecules per batch", batch), field("Measured already", known, "an upload with a column of that name; the first batch learns from it")];
    const from = el("div", { class: "field" }, el("label", {}, el("span", {}, "Start from (optional)"), start), el("button", { type: "button", class: "plain", onclick: take }, "Add the molecule of the map"));
    const form = el("form", { class: "stack", onsubmit: submit }, el("div", { class: "halves" }, ...fields), from, el("button", { type: "submit", class: "primary" }, "Begin the campaign"), said);
    this.form = el("details", { class: "sheet" }, el("summary", {}, "A new campaign"), form);
    return this.form;
  }
}

/** Why a campaign cannot be called so, as the server would say it; "" where it can. */
function badName(text) {
  return /^[A-Za-z0-9]([A-Za-z0-9 ._()+-]*[A-Za-z0-9_()+-])?$/.test(text.trim()) ? "" : "Use letters, digits, blanks and ._()+-, first a letter or a digit.";
}

/** The uploads that a campaign can begin with, each with its first column of numbers. */
async function offer(select) {
  const { uploads } = await get("/api/uploads").catch(() => ({ uploads: [] }));
  const chosen = select.value;
  const options = uploads.filter((one) => one.usable && one.columns.some(({ numeric }) => numeric)).map((one) => el("option", { value: one.id, "data-column": one.columns.find(({ numeric }) => numeric)?.name }, one.name));
  select.replaceChildren(select.firstElementChild, ...options);
  select.value = chosen;
}

export const startLaboratory = () => new Laboratory(document.getElementById("view-laboratory"));
