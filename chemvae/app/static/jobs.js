// The runs: a list that is kept up to date, and the events of the one that is watched.

import { address, change, get, post, remove } from "./api.js";

const ACTIVE = new Set(["queued", "running"]);
const SOON_MS = 1500; // between two looks while something runs
const LATER_MS = 15000;
const ROWS_MS = 1200; // between two fetches of a running job's table

export const isActive = (job) => ACTIVE.has(job.state);
/** Whether it was asked to end, and still does what it cannot leave off. */
export const isCancelling = (job) => isActive(job) && Boolean(job.progress?.cancelling);

const STATES = { queued: "waits", running: "runs", done: "done", failed: "failed", cancelled: "cancelled" };
/** What a job does, in a word. */
export const stateText = (job) => (isCancelling(job) ? "cancelling \u2026" : STATES[job.state] ?? job.state);
/** Why it ended as it did; nothing where its state says it already. */
export const reasonText = (job) => (job.reason === stateText(job) ? "" : job.reason ?? "");

class Jobs extends EventTarget {
  list = [];

  /** Look now, and again for as long as the page is open. */
  async refresh() {
    clearTimeout(this.timer);
    try {
      const before = new Map(this.list.map((job) => [job.id, job.state]));
      this.list = (await get("/api/jobs")).jobs;
      this.dispatchEvent(new Event("list"));
      for (const job of this.list) if (isActive({ state: before.get(job.id) }) && !isActive(job)) this.tellEnd(job);
    } catch {
      // the banner says so; the next look may find it again
    }
    const soon = this.list.some(isActive) || !document.getElementById("banner").hidden;
    this.timer = setTimeout(() => this.refresh(), soon ? SOON_MS : LATER_MS);
  }

  tellEnd(job) {
    this.dispatchEvent(new CustomEvent("end", { detail: job }));
  }

  /** Queue a job; resolves to its id. */
  async start(kind, settings) {
    const { id } = await post("/api/jobs", { kind, settings });
    await this.refresh();
    return id;
  }

  /** Properties learned from uploads, the newest of each column: what a dial needs to know of one. */
  async fitted() {
    const done = this.list.filter((job) => job.kind === "fit" && job.state === "done");
    const asked = async ({ id }) => get(`/api/jobs/${encodeURIComponent(id)}`).then(({ settings }) => settings, () => null);
    const found = await Promise.all(done.map(async (job) => job.progress?.fitted ?? asked(job)));
    return [...new Map(found.filter(Boolean).reverse().map((one) => [`fit:${one.upload}#${one.column}`, one])).entries()].map(asProperty);
  }

  /** Ask a job to end: those who show it are told at once, for it may take a while. */
  async cancel(id) {
    this.dispatchEvent(new CustomEvent("cancel", { detail: { id, cancelling: true } }));
    try {
      await remove(`/api/jobs/${encodeURIComponent(id)}`);
    } catch (error) {
      this.dispatchEvent(new CustomEvent("cancel", { detail: { id, cancelling: false } }));
      throw error;
    }
    await this.refresh();
  }

  /** Call a run something else; those who show it are told. */
  async rename(id, title) {
    const job = await change(`/api/jobs/${encodeURIComponent(id)}`, { title });
    this.dispatchEvent(new CustomEvent("title", { detail: job }));
    await this.refresh();
  }

  /** Delete a run that has ended, with its files. */
  async forget(id) {
    await remove(`/api/jobs/${encodeURIComponent(id)}/files`);
    await this.refresh();
  }

  async resume(id) {
    await post(`/api/jobs/${encodeURIComponent(id)}/resume`, {});
    await this.refresh();
  }
}

/** A property learned from an upload, as those of the model are described. */
function asProperty([name, { column, low = null, high = null, unit = "1" }]) {
  return { name, label: `${column} (learned)`, column, unit, low, high, fitted: true };
}

export const jobs = new Jobs();

/** One job, watched: events "change" (job, rows, trace are new) and "gone" (there is no such job). */
export class Watched extends EventTarget {
  job = null;
  rows = [];
  trace = new Map(); // call -> best so far

  constructor(id) {
    super();
    this.id = id;
    this.path = `/api/jobs/${encodeURIComponent(id)}`;
    jobs.addEventListener("cancel", this.cancelled);
    jobs.addEventListener("title", this.renamed);
    this.begin();
  }

  renamed = ({ detail: { id, title } }) => {
    if (id !== this.id || !this.job) return;
    this.job = { ...this.job, title };
    this.changed();
  };

  cancelled = ({ detail: { id, cancelling } }) => {
    if (id !== this.id || !this.job) return;
    this.job = { ...this.job, progress: { ...this.job.progress, cancelling } };
    this.changed();
  };

  async begin() {
    await this.fetchRows();
    if (!this.job || this.closed) return;
    if (isActive(this.job)) this.listen();
  }

  listen() {
    this.source = new EventSource(address(`${this.path}/events`));
    this.source.addEventListener("progress", (event) => this.progress(JSON.parse(event.data)));
    this.source.addEventListener("molecule", () => this.fetchSoon());
    this.source.addEventListener("end", (event) => this.end(JSON.parse(event.data)));
    this.source.addEventListener("error", () => this.lost());
  }

  progress(data) {
    this.addTrace(data.trace);
    const progress = { ...this.job.progress, ...data };
    delete progress.trace;
    this.job = { ...this.job, progress, state: data.state ?? (this.job.state === "queued" ? "running" : this.job.state) };
    this.changed();
    this.fetchSoon();
  }

  addTrace(points) {
    for (const [call, best] of points ?? []) this.trace.set(call, best);
  }

  /** The stream ended with the server: the browser tries again by itself, and gives up where the answer is no stream. */
  lost() {
    if (this.source?.readyState !== EventSource.CLOSED || this.closed) return;
    this.again = setTimeout(() => this.begin(), SOON_MS);
  }

  async end(data) {
    this.source.close();
    this.job = { ...this.job, ...data };
    clearTimeout(this.fetching);
    this.fetching = null;
    await this.fetchRows();
    jobs.refresh();
  }

  fetchSoon() {
    this.fetching ??= setTimeout(() => {
      this.fetching = null;
      this.fetchRows();
    }, ROWS_MS);
  }

  async fetchRows() {
    try {
      const { rows, trace, ...job } = await get(this.path);
      if (this.closed) return;
      Object.assign(this, { job, rows: rows ?? [] });
      this.addTrace(trace);
      this.changed();
    } catch (error) {
      if (this.closed) return;
      if (error.status === 404) this.dispatchEvent(new Event("gone"));
      else this.again = setTimeout(() => this.begin(), SOON_MS);
    }
  }

  changed() {
    if (!this.closed) this.dispatchEvent(new Event("change"));
  }

  close() {
    this.closed = true;
    jobs.removeEventListener("cancel", this.cancelled);
    jobs.removeEventListener("title", this.renamed);
    this.source?.close();
    clearTimeout(this.fetching);
    clearTimeout(this.again);
  }
}
