// The library's map in the middle: what is clicked becomes the molecule, what runs find is laid over it.

import { get, post } from "./api.js";
import { component } from "./component.js";
import { el, empty, waiting } from "./dom.js";
import { meritOf } from "./goals.js";
import { jobs } from "./jobs.js";
import { store } from "./store.js";

const AGAIN_MS = 1500;
const NARROW = "(max-width: 820px)"; // where the parts of the page stand one under another

class LibraryMap {
  constructor(box) {
    this.box = box;
    this.laid = { run: [], here: [] };
    store.addEventListener("molecule", () => this.placeMolecule());
    this.box.addEventListener("click", () => this.box.classList.add("touched"));
    addEventListener("pointerdown", (event) => !this.box.contains(event.target) && this.box.classList.remove("touched"));
    addEventListener("chemvae-theme", () => this.map?.setTheme(globalThis.chemvaeTheme.current));
  }

  /** Open the library's map, or the one of another library that a job makes. */
  open() {
    this.map = null;
    this.box.replaceChildren(waiting(`Opening the map of ${store.info.library?.name ?? "the library"} \u2026`));
    return this.ask();
  }

  async ask() {
    try {
      const [data] = await Promise.all([get("/api/map"), component()]);
      if (data.job) return this.follow(data.job);
      store.learn(await get("/api/info"));
      await this.mount(data);
    } catch (error) {
      if (error.status === 404) return this.showNothing(error.message);
      if (error.status === 0) return setTimeout(() => this.ask(), AGAIN_MS);
      this.box.replaceChildren(empty("The map cannot be shown", error.message, el("button", { type: "button", onclick: () => this.open() }, "Try again")));
    }
  }

  /** The map is being made: say how far it is, then open it. */
  follow(id) {
    const job = jobs.list.find((one) => one.id === id);
    const { done = 0, total = 0 } = job?.progress ?? {};
    const what = { library: "The library is being read", sample: "The model draws a first library" }[job?.kind] ?? "The map of the library is being made";
    const bar = total ? el("progress", { max: total, value: done, "aria-label": what }) : null;
    const words = total ? `${what} \u2026 ${Math.round((100 * done) / total)} %` : `${what} \u2026`;
    this.box.replaceChildren(el("div", { class: "empty" }, waiting(words), bar, el("p", {}, "This is done once. You can look at molecules and start runs meanwhile.")));
    setTimeout(() => this.ask(), AGAIN_MS);
  }

  showNothing(why) {
    const toData = el("button", { type: "button", class: "primary", onclick: () => store.go("data") }, "Upload a table");
    const how = "Cards and runs work without one: draw or paste a molecule.";
    this.box.replaceChildren(empty("No library is open", `${why} ${how}`, toData));
  }

  async mount(data) {
    const root = el("div", { class: "chemvae-map", id: "map" });
    this.box.replaceChildren(root);
    root.addEventListener("chemvae-map:pin", (event) => this.pinned(event.detail));
    root.addEventListener("chemvae-map:visit", (event) => store.look(event.detail.smiles));
    const scrolls = matchMedia(NARROW).matches; // past a map in the middle of a page: it is moved once it was tapped
    this.map = await globalThis.chemvaeMaps.mount(root, { ...data, title: "", theme: "auto", fills_page: !scrolls });
    root.querySelector(".cm-help").open = false;
    this.map.setTheme(globalThis.chemvaeTheme.current);
    this.lay();
    const [first] = this.map.pins.list;
    if (first !== undefined && !store.molecule) store.look(this.map.smiles[first]);
    else if (store.molecule) this.placeMolecule();
    dispatchEvent(new Event("chemvae-map-ready"));
  }

  /** A click pins: the newest pin is the molecule, and the only one. */
  pinned({ rows, smilesOf }) {
    if (!rows.length) return;
    if (rows.length > 1) {
      this.map.pins.list = [rows[0]];
      this.map.pins.render();
      return;
    }
    this.clicked = smilesOf(rows[0]);
    if (matchMedia(NARROW).matches) document.getElementById("panel").scrollIntoView({ behavior: "smooth" });
    store.look(this.clicked, this.nameOf(rows[0]));
  }

  /** The text column that names molecules, if there is one. */
  nameOf(row) {
    const column = this.map.columns.find((one) => one.kind === "text" && /^(id|name)$/i.test(one.name));
    return column?.lines[row] ?? "";
  }

  /** Rows of the map that are selected, as SMILES; none where no filter is on. */
  selected() {
    if (!this.map?.on) return [];
    return this.map.chosenRows().map((row) => this.map.smiles[row]);
  }

  async placeMolecule() {
    const smiles = store.molecule?.smiles;
    if (!this.map) return;
    if (!smiles || smiles === this.clicked) return this.layHere([]);
    this.clicked = null;
    if (this.map.pins.list.length) this.map.pins.clear();
    const known = this.laid.run.find((path) => path.smiles.includes(smiles));
    const place = known ? known.xy[known.smiles.indexOf(smiles)] : await this.placeOf(smiles);
    if (store.molecule?.smiles !== smiles) return;
    this.layHere(place ? [{ name: "this molecule", xy: [place], smiles: [smiles], labels: [] }] : []);
    if (place) this.map.bringIntoView(place);
  }

  async placeOf(smiles) {
    try {
      const { points } = await post("/api/place", { smiles: [smiles] });
      return points[0] && Number.isFinite(points[0].x ?? NaN) ? [points[0].x, points[0].y] : null;
    } catch {
      return null;
    }
  }

  layHere(paths) {
    this.laid.here = paths;
    this.lay();
  }

  /** Lay the paths of a run over the map; [] takes them away. */
  layRun(paths) {
    this.laid.run = paths;
    this.lay();
  }

  lay() {
    this.map?.setPaths([...this.laid.here, ...this.laid.run]);
  }
}

export const libraryMap = new LibraryMap(document.getElementById("mapbox"));

/** What a job's rows look like on the map: all as points, and the way that leads somewhere as a line. */
export function pathsOf(job, rows) {
  const placed = rows.filter((row) => Number.isFinite(row.x ?? NaN) && Number.isFinite(row.y ?? NaN));
  const path = (name, some, line) => ({
    name,
    xy: some.map((row) => [row.x, row.y]),
    smiles: some.map((row) => row.smiles),
    labels: [],
    line,
  });
  if (!placed.length) return [];
  if (job.kind === "interpolate" || job.kind === "edit") return [path(job.title || job.kind, placed, true)];
  const all = path(job.title || job.kind, placed, false);
  return job.kind === "optimize" ? [path("best so far", bestSoFar(placed, meritOf(job.settings)), true), all] : [all];
}

/** Rows that were the best when they came, in the order of their calls. */
function bestSoFar(rows, merit) {
  const inOrder = rows.filter((row) => Number.isFinite(row.score ?? NaN) && !row.reason).sort((a, b) => (a.call ?? 0) - (b.call ?? 0));
  let best = -Infinity;
  return inOrder.filter((row) => merit(row.score) > best && ((best = merit(row.score)), true));
}
