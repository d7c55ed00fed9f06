// All runs of the project: state, progress, what to do with each; two of them side by side.

import { compareSection } from "./compare.js";
import { el, empty } from "./dom.js";
import { elapsedText, numberText, timeText } from "./format.js";
import { isActive, isCancelling, jobs, reasonText, stateText } from "./jobs.js";
import { notice, told } from "./notices.js";
import { isShown } from "./run.js";
import { store } from "./store.js";

class Runs {
  constructor(root) {
    Object.assign(this, { root, picked: [] });
    this.list = el("div", {});
    this.compared = el("div", { class: "stack" });
    const lead = el("p", { class: "lead" }, "Searches and other jobs of this project, newest first. They go on when the page is closed, and when the server is started again.");
    root.append(el("h2", {}, "Runs"), lead, this.list, this.compared);
    this.badge = document.getElementById("n-active");
    jobs.addEventListener("list", () => this.render());
    jobs.addEventListener("end", (event) => this.ended(event.detail));
    jobs.addEventListener("cancel", (event) => this.cancelling(event.detail));
    this.render();
  }

  /** Show at once that a job was asked to end; the next list says so, too. */
  cancelling({ id, cancelling }) {
    const job = jobs.list.find((one) => one.id === id);
    if (job) job.progress = { ...job.progress, cancelling };
    this.render();
  }

  ended(job) {
    if (isShown(job.id)) return;
    const bad = job.state === "failed";
    const best = Number.isFinite(job.progress?.best ?? NaN) ? `: best ${numberText(job.progress.best)}` : "";
    notice(`${job.title || job.kind} ${stateText(job)}${bad ? `: ${job.reason}` : best}`, { bad, action: ["Show", () => store.show(job.id)] });
  }

  render() {
    const active = jobs.list.filter(isActive).length;
    this.badge.hidden = !active;
    this.badge.textContent = active;
    if (!jobs.list.length) {
      const button = el("button", { type: "button", class: "primary", onclick: () => store.go("map") }, "To the map");
      return this.list.replaceChildren(empty("No run yet", "Look at a molecule, then choose Neighbours, Interpolate, Edit or Optimize on its card.", button));
    }
    const focused = document.activeElement?.closest?.("[data-key]")?.dataset.key;
    const newest = [...jobs.list].sort((a, b) => String(b.made).localeCompare(String(a.made), "en", { numeric: true }));
    const head = ["Compare", "Run", "State", "Progress", "Best", "Started", "Time", ""].map((words, at) => el("th", { scope: "col", class: at === 4 ? "number" : null }, at === 7 ? el("span", { class: "hidden" }, "Actions") : words));
    const table = el("table", { class: "runs" }, el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...newest.map((job) => this.row(job))));
    this.list.replaceChildren(el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "List of runs" }, table));
    if (focused) this.list.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  }

  row(job) {
    const { done = 0, total = 0, best } = job.progress ?? {};
    const title = el("button", { type: "button", class: "plain strong", "data-key": `show ${job.id}`, onclick: () => store.show(job.id) }, job.title || job.kind);
    const bar = total ? el("progress", { max: total, value: done, "aria-label": `${done} of ${total}` }) : null;
    const cells = [
      this.tick(job),
      el("span", {}, title, reasonText(job) && job.state !== "done" ? el("small", { class: "why" }, reasonText(job)) : null),
      el("span", { class: `tag state ${job.state}` }, stateText(job)),
      total ? el("span", { class: "with-bar" }, isActive(job) ? bar : null, el("small", {}, `${done.toLocaleString("en")} of ${total.toLocaleString("en")}`)) : "",
      Number.isFinite(best ?? NaN) ? numberText(best) : "",
      timeText(job.started ?? job.made),
      elapsedText(job.started, job.ended),
      this.action(job),
    ];
    return el("tr", {}, ...cells.map((cell, at) => el("td", { class: at === 4 ? "number" : null }, cell)));
  }

  tick(job) {
    if (job.kind !== "optimize") return "";
    const change = () => this.pick(job.id);
    return el("input", { type: "checkbox", "data-key": `pick ${job.id}`, checked: this.picked.includes(job.id), "aria-label": `Compare ${job.title || job.kind}`, onchange: change });
  }

  action(job) {
    const button = (words, act) => el("button", { type: "button", "data-key": `${words} ${job.id}`, "aria-label": `${words}: ${job.title || job.kind}`, onclick: () => told(act) }, words);
    if (isActive(job)) {
      const cancel = button("Cancel", () => jobs.cancel(job.id));
      cancel.disabled = isCancelling(job);
      return cancel;
    }
    const goOn = ["failed", "cancelled"].includes(job.state) ? button("Go on", () => jobs.resume(job.id)) : null;
    const sure = this.doomed === job.id;
    const away = button(sure ? "Delete its files" : "Delete", () => (sure ? this.forget(job.id) : this.askWhether(job.id)));
    away.classList.toggle("bad", sure);
    return el("span", { class: "row tight" }, goOn, away);
  }

  /** The first click asks, the second deletes: nothing brings the files back. */
  askWhether(id) {
    this.doomed = id;
    this.render();
    this.list.querySelector(`[data-key="${CSS.escape(`Delete its files ${id}`)}"]`)?.focus();
  }

  async forget(id) {
    if (isShown(id)) store.show(null);
    this.picked = this.picked.filter((one) => one !== id);
    await jobs.forget(id);
    store.go("runs");
  }

  /** The last two ticked are compared. */
  async pick(id) {
    this.picked = this.picked.includes(id) ? this.picked.filter((one) => one !== id) : [...this.picked, id].slice(-2);
    this.render();
    if (this.picked.length === 1) return this.compared.replaceChildren(el("p", { class: "note" }, "Tick a second run to compare the two."));
    if (!this.picked.length) return this.compared.replaceChildren();
    const [a, b] = this.picked;
    const section = await told(() => compareSection(a, b));
    if (section && this.picked[0] === a && this.picked[1] === b) this.compared.replaceChildren(section);
    section?.scrollIntoView({ block: "nearest", behavior: "smooth" });
  }
}

export const startRuns = () => new Runs(document.getElementById("view-runs"));
