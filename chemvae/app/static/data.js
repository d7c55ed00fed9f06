// A table of one's own: uploaded, checked line by line, then placed on the map, fitted or trained on.

import { get, post, send } from "./api.js";
import { choice, el, field, icon, trouble, waiting } from "./dom.js";
import { countText, numberText } from "./format.js";
import { jobs } from "./jobs.js";
import { libraryMap } from "./map.js";
import { told } from "./notices.js";
import { store } from "./store.js";

const SHOWN_PROBLEMS = 200;
const ENDINGS = ".csv,.tsv,.smi,.sdf,.xlsx,.parquet,.gz";

class Data {
  constructor(root) {
    this.report = el("div", { class: "stack", "aria-live": "polite" });
    this.earlier = el("div", {});
    const lead = el("p", { class: "lead" }, "Upload a table of molecules. Every line is checked; then place it on the map, fit a property from it, or train a model on it.");
    root.append(el("h2", {}, "Data"), lead, this.dropZone(), this.earlier, this.report, this.projectNote());
    this.list();
  }

  dropZone() {
    const input = el("input", { type: "file", accept: ENDINGS, class: "hidden", id: "file", onchange: () => this.send(input.files[0]) });
    const zone = el("label", { class: "drop", for: "file" }, icon("upload"), el("span", {}, el("b", {}, "Choose a file"), " or drop one here"), el("small", {}, `CSV, SMI, SDF, XLSX or Parquet${this.limitText()}`));
    zone.addEventListener("dragover", (event) => (event.preventDefault(), zone.classList.add("over")));
    zone.addEventListener("dragleave", () => zone.classList.remove("over"));
    zone.addEventListener("drop", (event) => {
      event.preventDefault();
      zone.classList.remove("over");
      this.send(event.dataTransfer.files[0]);
    });
    return el("div", { class: "drop-box" }, input, zone);
  }

  /** What was uploaded before; a click shows its report again. */
  async list() {
    const { uploads } = await get("/api/uploads").catch(() => ({ uploads: [] }));
    const again = ({ id }) => told(async () => this.show(await get(`/api/uploads/${encodeURIComponent(id)}`)));
    const button = (one) => el("button", { type: "button", class: "chip", onclick: () => again(one) }, one.name, el("small", {}, ` ${countText(one.distinct ?? one.usable, "molecule")}`));
    const head = el("h3", {}, "Uploaded before");
    this.earlier.replaceChildren(...(uploads.length ? [head, el("div", { class: "tags" }, ...uploads.map(button))] : []));
  }

  limitText() {
    const bytes = store.info.limits?.upload_bytes;
    return bytes ? `, up to ${Math.round(bytes / 1e6).toLocaleString("en")} MB` : "";
  }

  projectNote() {
    const name = store.info.project?.path_name;
    if (!name) return null;
    return el("p", { class: "note" }, "Uploads, runs and campaigns are ordinary files in the project's folder ", el("code", {}, name), ". The command line opens the same folder: ", el("code", {}, `chemvae optimize -o ${name}/jobs/ID --resume`), " goes on with a search.");
  }

  async send(file) {
    if (!file) return;
    const most = store.info.limits?.upload_bytes ?? Infinity;
    if (file.size > most) return this.report.replaceChildren(trouble(`'${file.name}' has ${Math.round(file.size / 1e6)} MB; the server takes ${Math.round(most / 1e6)} MB. Give a part of it, or use the command line.`));
    this.report.replaceChildren(waiting(`Reading and checking '${file.name}' \u2026`));
    try {
      this.show(await send("/api/uploads", file));
      this.list();
    } catch (error) {
      this.report.replaceChildren(trouble(error.message));
    }
  }

  show(upload) {
    const figures = [
      [upload.rows, "rows"],
      [upload.distinct ?? upload.usable, "different molecules"],
      [upload.duplicates, "rows of them again"],
      [upload.rows - upload.usable, "rows without a molecule"],
    ].map(([value, words]) => el("div", { class: "figure" }, el("b", {}, numberText(value ?? 0)), el("span", {}, words)));
    const columns = upload.columns.map((one) => el("span", { class: "tag" }, one.name, one.name === upload.smiles_column ? " \u00b7 SMILES" : one.numeric ? " \u00b7 numbers" : ""));
    this.report.replaceChildren(
      el("section", { class: "sheet" }, el("h3", {}, upload.name), el("div", { class: "figures" }, ...figures), el("div", { class: "tags" }, ...columns), this.toldOf(upload), this.problems(upload)),
      upload.usable ? this.uses(upload) : trouble(`No molecule of '${upload.name}' can be used. Mend the lines above and upload it again.`),
    );
  }

  /** The map opens by itself when the library is made. */
  async makeLibrary(upload) {
    const asked = await told(() => post("/api/jobs", { kind: "library", settings: { upload: upload.id } }));
    if (!asked) return;
    jobs.refresh();
    store.go("map");
    libraryMap.open();
  }

  /** How the file was read, what stands in its columns of numbers, and which molecules have several. */
  toldOf({ notes = [], cells = {}, columns, disagreements = [] }) {
    const numeric = new Set(columns.filter((one) => one.numeric).map((one) => one.name));
    const lines = [...notes, ...Object.entries(cells).map(([name, counts]) => cellsText(name, counts, numeric.has(name))), ...disagreements.map((one) => `${one}: a fit learns their mean, a campaign their median.`)];
    return lines.length ? el("ul", { class: "told-of" }, ...lines.map((words) => el("li", {}, words))) : null;
  }

  problems({ problems }) {
    if (!problems.length) return el("p", { class: "note" }, "Every line was read.");
    const why = ({ reason, detail }) => el("td", {}, reason, detail && detail !== reason ? el("small", { class: "why" }, detail) : null);
    const rows = problems.slice(0, SHOWN_PROBLEMS).map((one) => el("tr", {}, el("td", { class: "number" }, numberText(one.line)), why(one), el("td", {}, el("code", { class: "smiles" }, one.smiles ?? ""))));
    const more = problems.length > SHOWN_PROBLEMS ? el("p", { class: "note" }, `and ${(problems.length - SHOWN_PROBLEMS).toLocaleString("en")} more`) : null;
    const head = el("tr", {}, el("th", { scope: "col", class: "number" }, "Line"), el("th", { scope: "col" }, "What is wrong"), el("th", { scope: "col" }, "What it holds"));
    const table = el("table", { class: "problems" }, el("thead", {}, head), el("tbody", {}, ...rows));
    return el("section", {}, el("h4", {}, countText(problems.length, "line", "lines"), " to look at"), el("p", { class: "note" }, "What is no molecule is left out, what stands in several rows is learned from once, and a label that is no number, such as >9, counts as missing."), el("div", { class: "scroll low", tabindex: "0", role: "region", "aria-label": "Problems" }, table), more);
  }

  uses(upload) {
    const numeric = upload.columns.filter((one) => one.numeric).map((one) => one.name);
    const start = (kind, settings) => told(async () => store.show(await jobs.start(kind, { upload: upload.id, ...settings })));
    const place = use("Place on the map", "Where the model puts these molecules among those of the library.", [], () => start("place", {}));
    const library = use("Make it the library", "A map of its own, with these molecules to click, search and compare with.", [], () => this.makeLibrary(upload));
    const column = choice(numeric, numeric[0]);
    const fit = use("Fit a property", "A model of one column of numbers; afterwards it can be predicted and searched for.", [field("Column", column)], () => start("fit", { column: column.value }));
    const boxes = numeric.map((name) => el("label", {}, el("input", { type: "checkbox", value: name, checked: true }), name));
    const minutes = el("input", { type: "number", min: "1", max: "600", value: "30" });
    const chosen = () => boxes.map((box) => box.firstChild).filter((input) => input.checked).map((input) => input.value);
    const fields = [boxes.length ? el("fieldset", { class: "field" }, el("legend", {}, "Properties"), el("div", { class: "checks" }, ...boxes)) : null, field("Minutes", minutes)];
    const train = use("Train on it", "A new model of these molecules. It takes its time and goes on in the background.", fields, () => start("train", { columns: chosen(), minutes: Number(minutes.value) }));
    return el("div", { class: "uses" }, library, place, numeric.length ? fit : null, train);
  }
}

function use(words, about, fields, act) {
  return el("section", { class: "sheet stack" }, el("h3", {}, words), el("p", { class: "note" }, about), ...fields, el("span", { class: "gap" }), el("button", { type: "button", onclick: act }, words));
}

/** A column's cells in a sentence. */
function cellsText(name, { numbers, empty, bounds, words, such_as: suchAs = [] }, isNumeric) {
  const parts = [empty ? `${numberText(empty)} without a value` : "", bounds ? `${countText(bounds, "bound")} such as >9` : "", words ? countText(words, "word") : ""].filter(Boolean);
  const shown = suchAs.length ? ` (${suchAs.map((one) => `'${one}'`).join(", ")})` : "";
  const refused = isNumeric ? "" : " It is not offered as a column of numbers until its words are gone.";
  return `${name}: ${countText(numbers, "cell is a number", "cells are numbers")}${parts.length ? `, ${parts.join(", ")}${shown}` : ""}.${refused}`;
}

export const startData = () => new Data(document.getElementById("view-data"));
