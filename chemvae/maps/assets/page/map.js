// The component: puts the parts together. One instance per element of class chemvae-map.

const MOVING_POINTS = 100000; // drawn while the map moves; all of them when it rests
const SETTLE_MS = 140;

class ChemMap {
  constructor(root) {
    this.root = root;
    this.ready = this.start().catch((error) => {
      root.replaceChildren(el("p", { class: "cm-error" }, `This map cannot be shown here: ${error.message}`));
      throw error;
    });
  }

  async start() {
    const data = JSON.parse(this.root.querySelector(".cm-data").textContent);
    if (!globalThis.DecompressionStream) throw new Error("the browser is too old (it lacks DecompressionStream)");
    const [x, y, smiles] = await Promise.all([inflate(data.x.data), inflate(data.y.data), inflateLines(data.smiles)]);
    this.columns = await Promise.all(data.columns.map(inflateColumn));
    Object.assign(this, { data, smiles, n: data.n, x: new Uint16Array(x), y: new Uint16Array(y), filters: {}, on: null });
    this.view = new View(data.x, data.y);
    this.order = shuffledOrder(this.n);
    this.paths = data.trajectories.map((path, at) => this.pathOf(path, at));
    this.column = null;
    this.sizeFactor = 1;
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

  // ---- elements

  build() {
    const label = `Map of ${countText(this.n)} molecules. Arrow keys move, plus and minus zoom, Enter pins the molecule in the middle.`;
    const stage = el("div", { class: "cm-stage", tabindex: "0", role: "application", "aria-label": label });
    this.overlayCanvas = el("canvas", { class: "cm-layer", "aria-hidden": "true" });
    this.points = this.pickRenderer(stage);
    this.tip = new Tip();
    this.overlay = new Overlay(this, this.overlayCanvas);
    this.legend = new Legend((mask) => this.setFilter("legend", mask));
    this.selection = new Selection(this);
    this.pins = new Pins(this);
    this.controls = new Controls(this);
    stage.append(this.overlayCanvas, ...this.controls.axisLabels(), this.controls.zoomButtons(), this.tip.root);
    const sections = [this.legend.root, this.controls.pathList(), this.selection.root, this.pins.root, this.controls.help()];
    this.root.append(this.controls.toolbar(), el("div", { class: "cm-body" }, stage, el("aside", { class: "cm-side" }, ...sections)));
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
    this.paths.forEach((path) => (path.swatch.style.background = path.colour[theme]));
    this.paint();
    if (this.legend.column !== undefined) this.legend.show(this.column, theme);
    if (this.filters.legend) this.setFilter("legend", null);
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
    this.setFilter("legend", null);
    this.remember();
  }

  // ---- filters

  /** Keep the points of `mask` only (null: all) as far as `name` is concerned: legend, search or lasso. */
  setFilter(name, mask) {
    this.filters[name] = mask;
    const masks = Object.values(this.filters).filter(Boolean);
    this.on = masks.length ? masks[0].map((_, i) => (masks.every((other) => other[i]) ? 1 : 0)) : null;
    this.points.setOn(this.on);
    this.selection.render();
    this.redraw();
  }

  clearFilters() {
    this.filters = {};
    this.searching = null;
    this.controls.clearSearch();
    if (this.legend.column) this.legend.clear();
    this.setFilter("lasso", null);
  }

  /** Look for `text` as part of a SMILES or name, or as a SMARTS pattern; `say` tells how it goes. */
  async runSearch(text, asPattern, say) {
    const token = (this.searching = {});
    say("");
    if (!text) return this.setFilter("search", null);
    const report = (done) => {
      say(`${Math.floor((100 * done) / this.n)} %`);
      return token === this.searching;
    };
    const mask = asPattern ? await structures.match(text, this.smiles, report) : this.textMatches(text);
    if (token !== this.searching) return;
    if (mask) say(`${countText(mask.reduce((sum, hit) => sum + hit, 0))} found`);
    else say(structures.rdkit ? "not a SMARTS pattern" : "needs RDKit.js, which did not start");
    this.setFilter("search", mask);
  }

  textMatches(text) {
    const lower = text.toLowerCase();
    const mask = Uint8Array.from(this.smiles, (smiles) => (smiles.includes(text) ? 1 : 0));
    for (const column of this.columns.filter((candidate) => candidate.kind !== "number")) {
      for (let i = 0; i < this.n; i++) if (!mask[i] && textOf(column, i).toLowerCase().includes(lower)) mask[i] = 1;
    }
    return mask;
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
    this.tip.show(this.smiles[i], this.column ? [this.factOf(this.column, i)] : [], ...this.screenOf(i), this.view);
  }

  factOf(column, i) {
    const text = textOf(column, i);
    const value = text && column.unit ? `${text} ${column.unit}` : text || "missing";
    return el("div", { class: "cm-fact" }, `${column.name}: ${value}`);
  }

  pointAtCentre() {
    this.point(this.grid.nearest(this.view, this.view.width / 2, this.view.height / 2, 80, this.on));
  }

  click(px, py) {
    const i = this.grid.nearest(this.view, px, py, HIT_RADIUS, this.on);
    if (i >= 0) this.pins.toggle(i);
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
    for (const canvas of [this.pointCanvas, this.overlayCanvas]) {
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
    if (!this.recalled) return;
    const parts = [this.view.state.join(",")];
    if (this.column) parts.push(`c=${encodeURIComponent(this.column.name)}`);
    if (this.pins.list.length) parts.push(`p=${this.pins.list.join(",")}`);
    this.remembered = parts.join(";");
    writeAddress(this.root.id, this.remembered);
  }

  recall() {
    this.recalled = true;
    const text = readAddress(this.root.id);
    if (!text || text === this.remembered) return;
    const { view, colour, pins } = parseAddress(text);
    if (view) this.view.state = view;
    const column = this.columns.find((candidate) => encodeURIComponent(candidate.name) === colour);
    if (column && column.kind !== "text") this.setColumn(column);
    this.pins.list = pins.filter((i) => i < this.n).slice(0, MOST_PINS);
    this.pins.render();
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

/** For the page around: start maps added later; an SVG element of any molecule, or null. */
globalThis.chemvaeMaps = {
  start: startMaps,
  draw: (smiles, width, height) => structures.load().then(() => structures.draw(smiles, width, height)),
};
if (document.readyState === "loading") addEventListener("DOMContentLoaded", startMaps);
else startMaps();
