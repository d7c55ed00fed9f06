// One run beside the map: how far it is, the best so far, the trace, its molecules, exports.

import { address } from "./api.js";
import { keep } from "./address.js";
import { drawing } from "./component.js";
import { el, icon, trouble, waiting } from "./dom.js";
import { countText, elapsedText, numberText } from "./format.js";
import { bestFirst, meritOf } from "./goals.js";
import { Watched, isActive, isCancelling, jobs, reasonText, stateText } from "./jobs.js";
import { libraryMap, pathsOf } from "./map.js";
import { told } from "./notices.js";
import { Shortlist, bestOf, parametersOf } from "./shortlist.js";
import { store } from "./store.js";
import { MoleculeTable } from "./table.js";
import { traceChart } from "./trace.js";

const BEST = 10;
const CLOCK_MS = 1000;
const NARROW = "(max-width: 820px)"; // where the parts of the page stand one under another
const FORMATS = ["csv", "sdf", "xlsx"];
/** Whether this run is before the reader's eyes. */
export const isShown = (id) => document.getElementById("dock").dataset.run === id && !document.getElementById("view-map").hidden;
/** How a table is sorted until its reader sorts it, the best first; the others keep the order of their steps. */
const ORDERS = {
  optimize: (job) => bestFirst(job.settings),
  neighbors: () => ({ name: "similarity", down: true }),
};
/** Kinds whose result is a table of molecules. */
const WITH_TABLE = new Set(["neighbors", "interpolate", "edit", "optimize", "place", "fit"]);

class Run {
  constructor(root) {
    this.root = root;
    store.addEventListener("run", (event) => this.show(event.detail));
    store.addEventListener("molecule", () => this.table?.markHere());
    addEventListener("chemvae-map-ready", () => this.layOnMap());
  }

  show(id) {
    this.watched?.close();
    clearTimeout(this.clock);
    keep("run", id ?? "");
    this.root.hidden = !id;
    this.root.dataset.run = id ?? "";
    if (!id) return libraryMap.layRun([]);
    store.go("map");
    this.chosen = new Shortlist();
    this.build();
    this.watched = new Watched(id);
    this.watched.addEventListener("change", () => this.update());
    this.watched.addEventListener("gone", () => this.show(null));
    if (matchMedia(NARROW).matches) this.root.scrollIntoView(); // at once: what comes into it must not stop it half-way
  }

  /** Empty parts for a run; what was shown of another, or of this one before, counts no more. */
  build() {
    this.shownActions = this.shownBest = this.ordered = null;
    this.title = el("h2", { tabindex: "-1" }, "\u2026");
    this.state = el("span", { class: "tag" });
    this.facts = el("span", { class: "facts-line" });
    this.bar = el("progress", { "aria-label": "Progress of the run" });
    this.actions = el("div", { class: "row tight" });
    this.said = el("div", { "aria-live": "polite" });
    this.best = el("div", { class: "best" });
    this.trace = el("div", { class: "trace-box" });
    this.side = el("div", { class: "side" }, this.best, this.trace);
    this.exports = el("div", { class: "exports" });
    this.table = new MoleculeTable({ chosen: this.chosen, onChoose: () => this.choose(), label: "Molecules of the run" });
    const taller = el("button", { type: "button", class: "icon", title: "Taller or lower", "aria-label": "Make the results taller or lower", onclick: () => this.root.classList.toggle("tall") }, icon("up"));
    const close = el("button", { type: "button", class: "icon", title: "Close", "aria-label": "Close the run", onclick: () => store.show(null) }, icon("close"));
    this.pencil = el("button", { type: "button", class: "icon small", title: "Rename", "aria-label": "Rename the run", onclick: () => this.editTitle() }, icon("pencil"));
    this.naming = el("form", { class: "naming", hidden: true });
    const head = el("header", { class: "dock-head" }, this.title, this.naming, this.pencil, this.state, this.facts, el("span", { class: "gap" }), this.actions, taller, close);
    this.main = el("div", { class: "dock-main" }, this.exports, this.table.root);
    this.root.replaceChildren(head, this.bar, this.said, el("div", { class: "dock-body" }, this.side, this.main));
  }

  update() {
    const { job, rows } = this.watched;
    const { done = 0, total = 0 } = job.progress ?? {};
    const active = isActive(job);
    this.title.textContent = this.title.title = job.title || job.kind;
    this.state.textContent = stateText(job);
    this.state.className = `tag state ${job.state}`;
    this.showFacts();
    this.bar.hidden = !active;
    if (total && job.state === "running") Object.assign(this.bar, { max: total, value: done });
    else this.bar.removeAttribute("value");
    this.said.replaceChildren(...this.sentences(job));
    this.showActions(job, active);
    this.showBest(job);
    this.showTrace(job, total);
    this.showRows(job, rows);
    this.root.dataset.state = job.state;
  }

  /** The title as a field: Enter keeps what is written there, Escape leaves it as it was. */
  editTitle() {
    const input = el("input", { type: "text", maxlength: "200", required: true, "aria-label": "Title of the run" });
    input.value = this.watched.job.title;
    const done = () => {
      this.naming.hidden = true;
      this.title.hidden = this.pencil.hidden = false;
      this.pencil.focus();
    };
    this.naming.onkeydown = (event) => {
      if (event.key === "Escape") done();
    };
    this.naming.onsubmit = async (event) => {
      event.preventDefault();
      await told(() => jobs.rename(this.watched.id, input.value));
      done();
    };
    this.naming.replaceChildren(input, el("button", { type: "submit" }, "Rename"));
    this.naming.hidden = false;
    this.title.hidden = this.pencil.hidden = true;
    input.select();
  }

  /** How far it is, and how long it has taken: also while nothing is heard of it. */
  showFacts() {
    const { job } = this.watched;
    const { done = 0, total = 0 } = job.progress ?? {};
    const count = total ? `${done.toLocaleString("en")} of ${total.toLocaleString("en")}` : "";
    this.facts.textContent = [count, elapsedText(job.started, job.ended)].filter(Boolean).join(" \u00b7 ");
    clearTimeout(this.clock);
    if (isActive(job) && job.started) this.clock = setTimeout(() => this.showFacts(), CLOCK_MS);
  }

  sentences(job) {
    if (job.state === "failed") return [trouble(job.reason || "The run failed, and left no reason.")];
    if (job.state === "queued") return [el("p", { class: "note" }, "It waits for its turn; it starts by itself.")];
    return reasonText(job) ? [el("p", { class: "note" }, reasonText(job))] : [];
  }

  showActions(job, active) {
    const key = `${job.id} ${stateText(job)}`;
    if (this.shownActions === key) return;
    this.shownActions = key;
    const cancel = el("button", { type: "button", disabled: isCancelling(job), onclick: () => told(() => jobs.cancel(job.id)) }, "Cancel");
    const goOn = el("button", { type: "button", onclick: () => told(() => this.goOn(job.id)) }, "Go on");
    const ended = ["failed", "cancelled"].includes(job.state);
    const aim = job.kind === "fit" && job.state === "done" ? [el("button", { type: "button", class: "primary", onclick: () => this.aim() }, "Optimize it")] : [];
    this.actions.replaceChildren(...(active ? [cancel] : ended ? [goOn] : aim));
  }

  /** Search for more of what was learned: from the molecule at hand, or from the best one that is known. */
  async aim() {
    const { upload, column } = this.watched.job.progress?.fitted ?? this.watched.job.settings;
    store.fitted = await jobs.fitted();
    if (!store.molecule && this.watched.rows.length) store.look(this.watched.rows[0].smiles);
    store.aim(`fit:${upload}#${column}`);
  }

  async goOn(id) {
    await jobs.resume(id);
    this.show(id);
  }

  showBest(job) {
    const { best, smiles } = job.progress ?? {};
    this.best.hidden = this.trace.hidden = this.side.hidden = job.kind !== "optimize";
    const key = `${smiles} ${best}`;
    if (job.kind !== "optimize" || this.shownBest === `${job.id} ${key}`) return;
    this.shownBest = `${job.id} ${key}`;
    if (!smiles) return this.best.replaceChildren(waiting(isActive(job) ? "Looking for the first better molecule \u2026" : "No molecule was scored."));
    const open = el("button", { type: "button", class: "open", title: smiles, "aria-label": `Look at the best so far, ${smiles}`, onclick: () => store.look(smiles) }, drawing(smiles, 260, 108));
    this.best.replaceChildren(open, el("p", {}, el("span", {}, "best so far "), el("b", {}, numberText(best))));
  }

  showTrace(job, total) {
    if (job.kind !== "optimize") return;
    const points = [...this.watched.trace].sort(([a], [b]) => a - b);
    this.trace.replaceChildren(traceChart([{ name: job.title || "run", points }], total, 300));
  }

  showRows(job, rows) {
    this.main.hidden = !WITH_TABLE.has(job.kind);
    if (this.main.hidden) return this.showFindings(job);
    if (this.table.rows === rows) return;
    if (this.ordered !== job.id) this.table.order = ORDERS[job.kind]?.(job) ?? null;
    this.ordered = job.id;
    this.chosen.recall(job);
    this.table.show(rows);
    this.showExports();
    this.layOnMap();
  }

  /** A job without molecules says what came of it in its own words. */
  showFindings(job) {
    const found = Object.entries(job.result ?? {}).filter(([, value]) => typeof value !== "object");
    if (!found.length) return;
    const items = found.flatMap(([name, value]) => [el("dt", {}, name.replaceAll("_", " ")), el("dd", {}, numberText(value))]);
    this.said.replaceChildren(...this.sentences(job), el("dl", { class: "findings" }, ...items));
  }

  layOnMap() {
    if (this.watched?.job) libraryMap.layRun(pathsOf(this.watched.job, this.watched.rows));
  }

  /** Links that save the shortlist, or everything where nothing is chosen. */
  showExports() {
    const { job, rows } = this.watched;
    const some = this.chosen.among(rows);
    const pairs = parametersOf(some);
    const link = (ending) => el("a", { class: "button", title: some.length ? "Export the shortlist" : "Export all molecules", href: address(`/api/jobs/${job.id}/table.${ending}`, pairs), download: "" }, ending.toUpperCase());
    const report = job.kind === "optimize" && !isActive(job) ? el("a", { class: "button", href: address(`/api/jobs/${job.id}/report.html`), target: "_blank", rel: "noopener" }, "Report") : null;
    const tooMany = el("span", { class: "note" }, "These are too many to export as a shortlist: choose fewer, or export all.");
    const links = rows.length ? [...(pairs ? FORMATS.map(link) : [tooMany]), report] : [];
    this.exports.replaceChildren(...[el("span", { class: "words" }, this.countWords(some)), this.bestButton(), el("span", { class: "gap" }), ...links].filter(Boolean));
  }

  /** How many are chosen, or how many there are. */
  countWords(some) {
    if (!this.chosen.size) return countText(this.watched.rows.length, "molecule");
    const { size } = this.chosen;
    return size === some.length ? `${size} chosen` : `${some.length} of ${size} chosen are in the table`;
  }

  /** The button that chooses the best, as many as there are, or none again. */
  bestButton() {
    const { job, rows } = this.watched;
    const best = bestOf(rows, BEST, meritOf(job.settings));
    if (!best.length && !this.chosen.size) return null;
    const words = this.chosen.size ? "Choose none" : best.length === 1 ? "Choose the best one" : `Choose the best ${best.length}`;
    return el("button", { type: "button", class: "plain", onclick: () => this.chooseBest(best) }, words);
  }

  chooseBest(best) {
    const had = this.chosen.size;
    this.chosen.clear();
    if (!had) best.forEach((smiles) => this.chosen.add(smiles));
    this.table.showTicks();
    this.choose();
  }

  /** The choice has changed. */
  choose() {
    this.chosen.keep();
    this.showExports();
  }
}

export const startRun = () => new Run(document.getElementById("dock"));
