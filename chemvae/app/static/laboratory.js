// The laboratory: campaigns, the batch that waits to be measured, its results, the next batch.

import { address, get, post, send } from "./api.js";
import { drawing } from "./component.js";
import { choice, el, empty, field, trouble, waiting } from "./dom.js";
import { countText, headingText, numberText } from "./format.js";
import { jobs } from "./jobs.js";
import { notice, told } from "./notices.js";
import { store } from "./store.js";

const NOT_SHOWN = new Set(["id", "smiles", "value", "x", "y", "row"]);

class Laboratory {
  constructor(root) {
    Object.assign(this, { root, open: null });
    this.list = el("div", { class: "campaigns" });
    this.sheet = el("div", { class: "stack" });
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
        el("small", {}, one.job ? "looks for a batch \u2026" : `round ${numberText(one.round)} \u00b7 ${numberText(one.waiting)} waiting \u00b7 ${numberText(one.measured)} measured`),
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
    const { rows, job } = await get(this.path("batch"));
    if (this.open !== name) return;
    if (job && !rows.length) return this.showSearch(name, job);
    const heading = el("h3", {}, rows.length ? `${name}: ${countText(rows.length, "molecule waits", "molecules wait")} for a measurement` : `${name}: nothing waits`);
    this.said = el("div", { "aria-live": "polite" });
    const parts = rows.length ? [this.batchTable(rows), this.batchActions(rows)] : [];
    this.sheet.replaceChildren(el("section", { class: "sheet stack", "aria-label": "Batch" }, heading, ...parts, this.said, this.nextRow(rows.length)));
  }

  /** The first batch, or the next, is being looked for. */
  showSearch(name, job) {
    const show = el("button", { type: "button", onclick: () => store.show(job) }, "Show the run");
    this.sheet.replaceChildren(el("section", { class: "sheet" }, el("h3", {}, name), waiting("The next batch is being looked for \u2026"), el("div", { class: "row" }, show)));
  }

  batchTable(rows) {
    const says = (value) => value !== null && value !== undefined && value !== "" && typeof value !== "object";
    const more = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter((key) => !NOT_SHOWN.has(key) && rows.some((row) => says(row[key])));
    const head = ["Id", "Molecule", "Measured", ...more.map(headingText)].map((words) => el("th", { scope: "col" }, words));
    const lines = rows.map((row) => {
      const input = el("input", { type: "text", inputmode: "decimal", "data-id": row.id, "aria-label": `Measured value of ${row.id}`, autocomplete: "off" });
      const open = el("button", { type: "button", class: "open", title: row.smiles, "aria-label": `Look at ${row.smiles}`, onclick: () => (store.look(row.smiles), store.go("map")) }, drawing(row.smiles, 132, 84));
      return el("tr", {}, el("td", {}, String(row.id)), el("td", { class: "what" }, open), el("td", {}, input), ...more.map((key) => el("td", {}, numberText(row[key]))));
    });
    return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "The batch" }, el("table", { class: "molecules batch" }, el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...lines)));
  }

  batchActions() {
    const file = el("input", { type: "file", class: "hidden", id: "results", accept: ".csv,.xlsx,.tsv", onchange: () => this.told(() => send(this.path("results"), file.files[0])) });
    return el(
      "div",
      { class: "row" },
      el("button", { type: "button", class: "primary", onclick: () => this.enter() }, "Save the results"),
      el("a", { class: "button", href: address(this.path("batch.xlsx")), download: "" }, "Download the sheet"),
      file,
      el("label", { class: "button", for: "results" }, "Upload a filled sheet"),
    );
  }

  enter() {
    const inputs = [...this.sheet.querySelectorAll("input[data-id]")].filter((input) => input.value.trim());
    if (!inputs.length) return this.said.replaceChildren(trouble("Enter at least one measured value."));
    const rows = inputs.map((input) => ({ id: idOf(input.dataset.id), value: valueOf(input.value) }));
    this.told(() => post(this.path("results"), { rows }));
  }

  /** Send results and say what was read and what was refused, row by row. */
  async told(work) {
    try {
      const { read, open, refused = [] } = await work();
      const items = refused.map((one) => el("li", {}, `Row ${one.row}: ${one.reason}`));
      notice(`${countText(read, "result")} read, ${numberText(open)} open.`);
      await this.refresh();
      if (items.length) this.said.replaceChildren(trouble(`${countText(items.length, "row was", "rows were")} refused:`), el("ul", { class: "refused" }, ...items));
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
    const name = el("input", { type: "text", required: true, pattern: "[A-Za-z0-9][A-Za-z0-9_.\\-]*", maxlength: "60", placeholder: "solubility-2026", title: "letters, digits, - _ ." });
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

/** The uploads that a campaign can begin with, each with its first column of numbers. */
async function offer(select) {
  const { uploads } = await get("/api/uploads").catch(() => ({ uploads: [] }));
  const chosen = select.value;
  const options = uploads.map((one) => el("option", { value: one.id, "data-column": one.columns.find(({ numeric }) => numeric)?.name }, one.name));
  select.replaceChildren(select.firstElementChild, ...options);
  select.value = chosen;
}

const idOf = (text) => (/^\d+$/.test(text) ? Number(text) : text);

/** A decimal comma is a decimal point; what is no number goes to the server as it is, which says so. */
function valueOf(text) {
  const number = Number(text.trim().replace(",", "."));
  return Number.isNaN(number) ? text.trim() : number;
}

export const startLaboratory = () => new Laboratory(document.getElementById("view-laboratory"));
