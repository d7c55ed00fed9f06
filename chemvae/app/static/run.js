// One run beside the map: how far it is, the best so far, the trace, its molecules, exports.

import { address } from "./api.js";
import { keep } from "./address.js";
import { drawing } from "./component.js";
import { el, icon, trouble, waiting } from "./dom.js";
import { countText, elapsedText, numberText } from "./format.js";
import { Watched, isActive, jobs } from "./jobs.js";
import { libraryMap, pathsOf } from "./map.js";
import { told } from "./notices.js";
import { store } from "./store.js";
import { MoleculeTable } from "./table.js";
import { traceChart } from "./trace.js";

const BEST = 10;
const NARROW = "(max-width: 820px)"; // where the parts of the page stand one under another
const FORMATS = ["csv", "sdf", "xlsx"];
/** Whether this run is before the reader's eyes. */
export const isShown = (id) => document.getElementById("dock").dataset.run === id && !document.getElementById("view-map").hidden;

export const STATES = { queued: "waits", running: "runs", done: "done", failed: "failed", cancelled: "cancelled" };
/** How a table is sorted until its reader sorts it; the others keep the order of their steps. */
const ORDERS = { optimize: { name: "score", down: true }, neighbors: { name: "similarity", down: true } };
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
    keep("run", id ?? "");
    this.root.hidden = !id;
    this.root.dataset.run = id ?? "";
    if (!id) return libraryMap.layRun([]);
    store.go("map");
    this.chosen = new Set();
    this.build();
    this.watched = new Watched(id);
    this.watched.addEventListener("change", () => this.update());
    this.watched.addEventListener("gone", () => this.show(null));
    if (matchMedia(NARROW).matches) this.root.scrollIntoView({ behavior: "smooth" });
  }

  build() {
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
    this.table = new MoleculeTable({ chosen: this.chosen, onChoose: () => this.showExports(), label: "Molecules of the run" });
    const taller = el("button", { type: "button", class: "icon", title: "Taller or lower", "aria-label": "Make the results taller or lower", onclick: () => this.root.classList.toggle("tall") }, icon("up"));
    const close = el("button", { type: "button", class: "icon", title: "Close", "aria-label": "Close the run", onclick: () => store.show(null) }, icon("close"));
    const head = el("header", { class: "dock-head" }, this.title, this.state, this.facts, el("span", { class: "gap" }), this.actions, taller, close);
    this.main = el("div", { class: "dock-main" }, this.exports, this.table.root);
    this.root.replaceChildren(head, this.bar, this.said, el("div", { class: "dock-body" }, this.side, this.main));
  }

  update() {
    const { job, rows } = this.watched;
    const { done = 0, total = 0 } = job.progress ?? {};
    const active = isActive(job);
    this.title.textContent = this.title.title = job.title || job.kind;
    this.state.textContent = STATES[job.state] ?? job.state;
    this.state.className = `tag state ${job.state}`;
    const count = total ? `${done.toLocaleString("en")} of ${total.toLocaleString("en")}` : "";
    this.facts.textContent = [count, elapsedText(job.started, job.ended)].filter(Boolean).join(" \u00b7 ");
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

  sentences(job) {
    if (job.state === "failed") return [trouble(job.reason || "The run failed, and left no reason.")];
    if (job.state === "queued") return [el("p", { class: "note" }, "It waits for its turn; it starts by itself.")];
    return job.reason ? [el("p", { class: "note" }, job.reason)] : [];
  }

  showActions(job, active) {
    const key = `${job.id} ${job.state}`;
    if (this.shownActions === key) return;
    this.shownActions = key;
    const cancel = el("button", { type: "button", onclick: () => told(() => jobs.cancel(job.id)) }, "Cancel");
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
    if (this.ordered !== job.id) this.table.order = ORDERS[job.kind] ?? null;
    this.ordered = job.id;
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
    const some = [...this.chosen].sort((a, b) => a - b);
    const words = some.length ? `${some.length} chosen` : countText(rows.length, "molecule");
    const parameters = some.length ? { rows: some.join(",") } : {};
    const link = (ending) => el("a", { class: "button", title: some.length ? "Export the shortlist" : "Export all molecules", href: address(`/api/jobs/${job.id}/table.${ending}`, parameters), download: "" }, ending.toUpperCase());
    const report = job.kind === "optimize" && !isActive(job) ? el("a", { class: "button", href: address(`/api/jobs/${job.id}/report.html`), target: "_blank", rel: "noopener" }, "Report") : null;
    const best = rows.some((row) => Number.isFinite(row.score ?? NaN)) ? el("button", { type: "button", class: "plain", onclick: () => this.chooseBest() }, some.length ? "Choose none" : `Choose the best ${BEST}`) : null;
    const links = rows.length ? [...FORMATS.map(link), report] : [];
    this.exports.replaceChildren(...[el("span", { class: "words" }, words), best, el("span", { class: "gap" }), ...links].filter(Boolean));
  }

  chooseBest() {
    const had = this.chosen.size;
    this.chosen.clear();
    const scored = this.table.rows.map((row, at) => [row.score, at]).filter(([score]) => Number.isFinite(score ?? NaN));
    if (!had) scored.sort(([a], [b]) => b - a).slice(0, BEST).forEach(([, at]) => this.chosen.add(at));
    this.table.showTicks();
    this.showExports();
  }
}

export const startRun = () => new Run(document.getElementById("dock"));
