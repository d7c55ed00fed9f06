// The component: puts the parts together. One instance per element of class chemvae-map.

const MOVING_POINTS = 100000; // drawn while the map moves; all of them when it rests
const SETTLE_MS = 140;

class ChemMap {
  /** `data` is the payload of build_payload; without it the element holds it as JSON. */
  constructor(root, data = null) {
    this.root = root;
    this.ready = this.start(data ?? JSON.parse(root.querySelector(".cm-data").textContent)).catch((error) => {
      root.replaceChildren(el("p", { class: "cm-error" }, `This map cannot be shown here: ${error.message}`));
      throw error;
    });
  }

  async start(data) {
    if (!globalThis.DecompressionStream) throw new Error("the browser is too old (it lacks DecompressionStream)");
    const [x, y, smiles] = await Promise.all([inflateArray(data.x, Uint16Array), inflateArray(data.y, Uint16Array), inflateLines(data.smiles)]);
    this.columns = await Promise.all(data.columns.map(inflateColumn));
    const codes = data.marks ? new Uint8Array(await inflate(data.marks.data)) : null;
    Object.assign(this, { data, smiles, n: data.n, x, y, on: null });
    this.filters = new Filters(data.n);
    this.view = new View(data.x, data.y);
    this.order = shuffledOrder(this.n);
    this.paths = data.trajectories.map((path, at) => this.pathOf(path, at));
    this.column = null;
    this.sizeFactor = 1;
    this.marks = new Marks(this, data.marks, codes);
    this.labels = new Labels(this, data.labels ?? []);
    this.search = new Search(this);
    this.build();
    this.grid = new Grid(this.x, this.y);
    this.followTheme();
    this.setColumn(this.columns[data.color] ?? null);
    this.recall();
    new ResizeObserver(() => this.resize()).observe(this.stage.root);
    addEventListener("hashchange", () => this.recall());
    this.resize();
    this.root.dataset.ready = String(Math.round(performance.now()));
    setTimeout(() => structures.load().then(() => (this.root.dataset.structures = String(Math.round(performance.now())))));
  }

  pathOf(path, at) {
    const colour = Object.fromEntries(["light", "dark"].map((theme) => [theme, PALETTE[theme].trajectories[at % 6]]));
    return { ...path, colour, shown: true, places: path.xy.map((xy) => this.view.fromData(xy)) };
  }

  /** Lay paths over the map in place of those that came with it or before: { name, xy, smiles, labels, line } each; `line: false`
   *  draws points alone. */
  setPaths(paths) {
    this.paths = paths.map((path, at) => this.pathOf(path, at));
    const section = this.controls.pathList();
    this.pathSection.replaceWith(section);
    this.pathSection = section;
    this.colourPaths();
    this.point(-1);
    this.overlay.draw();
  }

  colourPaths() {
    this.paths.forEach((path) => (path.swatch.style.background = path.colour[this.theme]));
  }

  /** Bring a place of the user's coordinates into the middle where it is out of sight. */
  bringIntoView(xy) {
    const [px, py] = this.view.toScreen(...this.view.fromData(xy));
    const { width, height } = this.view;
    if (px > 30 && py > 30 && px < width - 30 && py < height - 30) return;
    this.view.pan(width / 2 - px, height / 2 - py);
    this.moving();
  }

  // ---- elements

  build() {
    const label = `Map of ${countText(this.n)} molecules. Arrow keys move, plus and minus zoom, Enter pins the molecule in the middle, G shows a grid of those selected.`;
    const stage = el("div", { class: "cm-stage", tabindex: "0", role: "application", "aria-label": label });
    this.overlayCanvas = el("canvas", { class: "cm-layer", "aria-hidden": "true" });
    this.points = this.pickRenderer(stage);
    this.tip = new Tip();
    this.overlay = new Overlay(this, this.overlayCanvas);
    this.legend = new Legend((column, mask, words) => this.filterColumn(column, mask, words), (column) => this.setColumn(column));
    this.selection = new Selection(this);
    this.pins = new Pins(this);
    this.gallery = new Gallery(this);
    this.controls = new Controls(this);
    stage.append(this.marks.canvas, this.overlayCanvas, ...this.controls.axisLabels(), this.controls.zoomButtons(), this.tip.root);
    this.pathSection = this.controls.pathList();
    const sections = [this.legend.root, this.marks.section(), this.pathSection, this.selection.root, this.pins.root, this.controls.exports(), this.controls.help()];
    const middle = el("div", { class: "cm-middle" }, stage, this.gallery.root);
    this.root.append(this.controls.toolbar(), el("div", { class: "cm-body" }, middle, el("aside", { class: "cm-side" }, ...sections)));
    this.stage = new Stage(this, stage);
  }

  pickRenderer(stage) {
    const wanted = new URLSearchParams(location.search).get("renderer");
    for (const Points of wanted === "raster" ? [RasterPoints] : [WebGLPoints, RasterPoints]) {
      const canvas = el("canvas", { class: "cm-layer", "aria-hidden": "true" });
      try {
        const points = new Points(canvas, this.x, this.y, this.order, wanted === "webgl");
        canvas.addEventListener("webglcontextlost", () => this.replaceRenderer(stage, canvas));
        stage.prepend(canvas);
        this.pointCanvas = canvas;
        return points;
      } catch (error) {
        console.info(`chemvae map: ${error.message}, drawing without it`);
      }
    }
    throw new Error("the browser offers no canvas");
  }

  /** A graphics card that goes away (sleep, driver) leaves the rasteriser. */
  replaceRenderer(stage, lost) {
    lost.remove();
    this.pointCanvas = el("canvas", { class: "cm-layer", "aria-hidden": "true" });
    stage.prepend(this.pointCanvas);
    this.points = new RasterPoints(this.pointCanvas, this.x, this.y, this.order);
    this.points.setOn(this.on);
    this.setColumn(this.column);
    this.resize();
  }

  // ---- theme and colour

  followTheme() {
    const query = matchMedia("(prefers-color-scheme: dark)");
    const asked = this.data.theme;
    const follow = () => this.setTheme(asked === "auto" ? (query.matches ? "dark" : "light") : asked);
    query.addEventListener("change", follow);
    follow();
  }

  setTheme(theme) {
    this.theme = this.root.dataset.theme = theme;
    this.colourPaths();
    this.marks.renderSection();
    this.paint();
    if (this.legend.column !== undefined) this.legend.show(this.column, theme);
    this.redraw();
  }

  /** Give the renderer the colours of this column and theme. */
  paint() {
    const background = getComputedStyle(this.stage.root).backgroundColor.match(/\d+/g).slice(0, 3).map(Number);
    this.points.setColours(paletteOf(this.column, this.theme), rgbOf(PALETTE[this.theme].missing), background);
  }

  setColumn(column) {
    this.column = column;
    this.controls.menu.value = String(this.columns.indexOf(column));
    this.points.setCodes(codesOf(column, this.n));
    this.paint();
    this.legend.show(column, this.theme);
    this.selection.render();
    if (this.gallery.open) this.gallery.refresh();
    this.redraw();
    this.remember();
  }

  // ---- filters

  /** Keep the points of `mask` only (null: all) as far as `name` is concerned; `words` say what it is, `undo` takes it away. */
  setFilter(name, mask, words = "", undo = null) {
    this.filters.set(name, mask, words, undo);
    this.on = this.filters.combined();
    this.points.setOn(this.on);
    this.selection.render();
    if (this.gallery.open) this.gallery.refresh();
    this.redraw();
    this.announce("select", () => this.chosenRows());
  }

  filterColumn(column, mask, words) {
    this.setFilter(`column ${this.columns.indexOf(column)}`, mask, words, () => this.legend.forget(column));
    this.remember();
  }

  clearFilters() {
    this.filters.clear();
    this.lasso = null;
    this.search.forget();
    this.controls.clearSearch();
    for (const column of this.columns) column.picked = null;
    this.legend.show(this.column, this.theme);
    this.setFilter("lasso", null);
    this.remember();
  }

  /** Rows that the filters leave. */
  chosenRows() {
    const rows = [];
    for (let i = 0; i < this.n; i++) if (!this.on || this.on[i]) rows.push(i);
    return rows;
  }

  /** Select what lies inside a polygon of world coordinates; null takes the lasso away. */
  setLasso(polygon) {
    this.lasso = polygon;
    const mask = polygon && this.grid.inside(this.view, polygon.map(([x, y]) => this.view.toScreen(x, y)));
    this.setFilter("lasso", mask, "lasso", () => this.setLasso(null));
    this.remember();
  }

  /** Tell the page around: an event `chemvae-map:NAME` of the element, with rows and their SMILES. */
  announce(name, rows) {
    if (!this.root.dataset.ready) return;
    const detail = { get rows() { return rows(); }, smilesOf: (i) => this.smiles[i] };
    this.root.dispatchEvent(new CustomEvent(`chemvae-map:${name}`, { bubbles: true, detail }));
  }

  toggleLasso() {
    this.stage.lassoMode = !this.stage.lassoMode;
    this.controls.lassoButton.setAttribute("aria-pressed", String(this.stage.lassoMode));
    this.stage.root.classList.toggle("cm-lassoing", this.stage.lassoMode);
  }

  // ---- pointing

  screenOf(i) {
    const { ax, bx, ay, by } = this.view.stepsToScreen();
    return [ax * this.x[i] + bx, ay * this.y[i] + by];
  }

  hover(px, py) {
    const spot = this.overlay.pathPointAt(px, py);
    if (spot) return this.showSpot(spot);
    this.point(this.grid.nearest(this.view, px, py, HIT_RADIUS, this.on));
  }

  showSpot({ path, at }) {
    Object.assign(this.overlay, { pointed: -1, spot: this.view.toScreen(...path.places[at]) });
    this.overlay.draw();
    const facts = [el("div", { class: "cm-fact" }, `${path.name}, ${at + 1} of ${path.places.length}`)];
    if (path.labels[at]) facts.push(el("div", { class: "cm-fact" }, path.labels[at]));
    this.tip.show(path.smiles[at] ?? "", facts, ...this.overlay.spot, this.view);
  }

  /** Ring and card for molecule i; -1 takes them away; `quiet` leaves the card out (it is shown elsewhere). */
  point(i, quiet = false) {
    if (i === this.overlay.pointed && !this.overlay.spot) return;
    Object.assign(this.overlay, { pointed: i, spot: null });
    this.overlay.draw();
    if (i < 0 || quiet) return this.tip.hide();
    this.tip.show(this.smiles[i], this.facts(i), ...this.screenOf(i), this.view);
  }

  factText(column, i) {
    const text = textOf(column, i);
    return `${column.name}: ${text && column.unit ? `${text} ${column.unit}` : text || "missing"}`;
  }

  /** Lines of the card that follows the pointer: the set, and the value that colours the map. */
  facts(i) {
    const lines = [this.marks.nameOf(i), this.column ? this.factText(this.column, i) : ""].filter(Boolean);
    return lines.map((text) => el("div", { class: "cm-fact" }, text));
  }

  pointAtCentre() {
    this.point(this.grid.nearest(this.view, this.view.width / 2, this.view.height / 2, 80, this.on));
  }

  click(px, py) {
    const spot = this.overlay.pathPointAt(px, py);
    if (spot?.path.smiles[spot.at]) return this.visit(spot);
    const i = this.grid.nearest(this.view, px, py, HIT_RADIUS, this.on);
    if (i >= 0) this.pins.toggle(i);
  }

  /** Tell the page around that a point of a path was clicked: `chemvae-map:visit` with the SMILES and the name of its path. */
  visit({ path, at }) {
    const detail = { smiles: path.smiles[at], name: path.name, at };
    this.root.dispatchEvent(new CustomEvent("chemvae-map:visit", { bubbles: true, detail }));
  }

  /** Go to the next (1) or previous (-1) molecule that the filters leave. */
  step(direction) {
    if (this.on && !this.on.includes(1)) return;
    let i = this.overlay.pointed;
    do i = (i + direction + this.n) % this.n;
    while (this.on && !this.on[i]);
    const [px, py] = this.screenOf(i);
    if (px < 20 || py < 20 || px > this.view.width - 20 || py > this.view.height - 20) {
      this.view.pan(this.view.width / 2 - px, this.view.height / 2 - py);
      this.moving();
    }
    this.point(i);
  }

  // ---- drawing

  setSize(factor) {
    this.sizeFactor = factor;
    this.redraw();
  }

  look() {
    return pointLook(this.view, this.n, this.sizeFactor);
  }

  resize() {
    const { clientWidth, clientHeight } = this.stage.root;
    this.ratio = Math.min(devicePixelRatio || 1, 2);
    [this.view.width, this.view.height] = [Math.max(clientWidth, 1), Math.max(clientHeight, 1)];
    for (const canvas of [this.pointCanvas, this.marks.canvas, this.overlayCanvas]) {
      [canvas.width, canvas.height] = [this.view.width * this.ratio, this.view.height * this.ratio].map(Math.round);
    }
    this.point(-1);
    this.draw(this.n);
  }

  draw(limit) {
    if (!this.ratio) return;
    const start = performance.now();
    this.points.draw(this.view, this.look(), this.ratio, limit);
    this.drawMs = performance.now() - start;
    this.marks.draw();
    this.overlay.draw();
  }

  redraw() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.draw(this.n));
  }

  /** The view changed: draw a sample now, everything when it rests. */
  moving() {
    this.point(-1);
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.draw(Math.min(this.n, MOVING_POINTS)));
    clearTimeout(this.settling);
    this.settling = setTimeout(() => {
      if (this.n > MOVING_POINTS) this.redraw();
      this.remember();
    }, SETTLE_MS);
  }

  home() {
    this.view.home();
    this.moving();
  }

  // ---- the address keeps the view

  remember() {
    if (!this.recalled || this.recalling) return;
    this.remembered = addressOf(this);
    writeAddress(this.root.id, this.remembered);
  }

  recall() {
    this.recalled = true;
    const text = readAddress(this.root.id);
    if (!text || text === this.remembered) return;
    this.recalling = true;
    recallAddress(this, text);
    this.recalling = false;
    this.redraw();
  }
}

/** Start every map of the page that is not started. */
function startMaps() {
  for (const root of document.querySelectorAll(".chemvae-map:not([data-started])")) {
    root.dataset.started = "";
    root.chemvaeMap = new ChemMap(root);
  }
}

/** For the page around: start maps added later, show a payload, draw any molecule (an SVG element, or null). */
globalThis.chemvaeMaps = {
  start: startMaps,
  /** Show a payload in an element of class chemvae-map; resolves to the map. Its events: chemvae-map:select, chemvae-map:pin,
   *  chemvae-map:visit. */
  mount(root, data) {
    root.dataset.started = "";
    root.chemvaeMap = new ChemMap(root, data);
    return root.chemvaeMap.ready.then(() => root.chemvaeMap);
  },
  /** A page that does not hold RDKit.js itself puts a function here that resolves to its bytes. */
  rdkitBytes: null,
  draw: (smiles, width, height) => structures.load().then(() => structures.draw(smiles, width, height)),
};
if (document.readyState === "loading") addEventListener("DOMContentLoaded", startMaps);
else startMaps();
