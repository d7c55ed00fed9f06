// The toolbar, the buttons on the map, the list of paths and the help.

const PLACEHOLDERS = { text: "part of a SMILES or name", smarts: "substructure, as c1ccncc1" };

class Controls {
  constructor(map) {
    this.map = map;
  }

  toolbar() {
    const { data, n } = this.map;
    const unplaced = data.n_unplaced ? `, ${countText(data.n_unplaced)} more could not be placed` : "";
    const sub = `${countText(n)} molecules${unplaced}${data.note ? ` \u00b7 ${data.note}` : ""}`;
    const heading = el("div", { class: "cm-title" }, data.title ? el("h2", {}, data.title) : null, el("p", {}, sub));
    const lasso = { "aria-pressed": "false", title: "Draw around molecules (L, or hold Shift)", onclick: () => this.map.toggleLasso() };
    this.lassoButton = el("button", lasso, "Lasso");
    const flip = () => this.map.setTheme(this.map.theme === "dark" ? "light" : "dark");
    const themeButton = el("button", { title: "Light or dark", "aria-label": "Light or dark", onclick: flip }, "\u25d0");
    const names = { "aria-pressed": String(this.map.labels.shown), title: "Names of regions (T)", onclick: () => this.map.labels.toggle() };
    this.labelButton = el("button", { ...names, hidden: !this.map.labels.items.length }, "Names");
    const buttons = el("div", { class: "cm-buttons" }, this.lassoButton, this.labelButton, this.gridButton(), themeButton);
    return el("header", { class: "cm-toolbar" }, heading, this.colourMenu(), this.searchBox(), buttons);
  }

  gridButton() {
    return el("button", { title: "Molecules that are selected, drawn (G)", onclick: () => this.map.gallery.toggle() }, "Grid");
  }

  colourMenu() {
    const choices = this.map.columns.map((column, at) => [column, at]).filter(([column]) => column.kind !== "text");
    const options = choices.map(([column, at]) => el("option", { value: String(at) }, withUnit(column)));
    const change = () => this.map.setColumn(this.map.columns[Number(this.menu.value)] ?? null);
    this.menu = el("select", { onchange: change }, el("option", { value: "-1" }, "one colour"), ...options);
    const label = el("label", { class: "cm-field" }, el("span", {}, "Colour by"), this.menu);
    label.hidden = !choices.length;
    return label;
  }

  searchBox() {
    const run = () => {
      if (this.asked === this.mode.value + this.search.value) return;
      this.asked = this.mode.value + this.search.value;
      this.map.search.run(this.search.value.trim(), this.mode.value, (text) => (this.found.textContent = text));
    };
    this.runSearch = run;
    const turn = () => {
      this.search.placeholder = PLACEHOLDERS[this.mode.value];
      run();
    };
    const look = { type: "search", placeholder: PLACEHOLDERS.text, "aria-label": "Search", spellcheck: "false", autocomplete: "off" };
    this.search = el("input", { ...look, onchange: run, onsearch: run });
    const modes = [el("option", { value: "text" }, "text"), el("option", { value: "smarts" }, "SMARTS")];
    this.mode = el("select", { "aria-label": "How to search", onchange: turn }, ...modes);
    this.found = el("output", { class: "cm-hint" });
    return el("div", { class: "cm-field cm-search" }, this.mode, this.search, this.found);
  }

  /** Search as if it had been typed. */
  askFor(text, mode) {
    this.mode.value = mode;
    this.search.value = text;
    this.search.placeholder = PLACEHOLDERS[mode];
    this.runSearch();
  }

  clearSearch() {
    this.search.value = this.found.textContent = this.asked = "";
  }

  axisLabels() {
    return (this.map.data.axis_labels ?? []).map((text, axis) => el("span", { class: `cm-axis cm-axis-${"xy"[axis]}` }, text));
  }

  zoomButtons() {
    const middle = () => [this.map.view.width / 2, this.map.view.height / 2];
    const button = (text, title, onclick) => el("button", { title, "aria-label": title, onclick }, text);
    return el(
      "div",
      { class: "cm-zoom" },
      button("+", "Zoom in", () => this.map.stage.zoom(middle(), 1.6)),
      button("\u2212", "Zoom out", () => this.map.stage.zoom(middle(), 1 / 1.6)),
      button("\u2302", "Whole map (0)", () => this.map.home()),
    );
  }

  pathList() {
    const rows = this.map.paths.map((path) => {
      const swatch = el("span", { class: "cm-swatch cm-line" });
      path.swatch = swatch;
      const toggle = (event) => {
        path.shown = event.target.checked;
        this.map.overlay.draw();
      };
      const box = el("input", { type: "checkbox", checked: true, onchange: toggle });
      const label = el("label", { title: path.name }, box, swatch, el("span", { class: "cm-name" }, path.name));
      return el("li", {}, label, el("span", { class: "cm-count" }, path.line === false || path.places.length < 2 ? countText(path.places.length) : `${path.places.length} steps`));
    });
    const list = el("ul", { class: "cm-categories" }, ...rows);
    return el("section", { hidden: !rows.length, "aria-label": "Paths" }, el("h3", {}, "Paths"), list);
  }

  /** Files of what is selected (of all where nothing is), and pictures of the map. */
  exports() {
    const { map } = this;
    const told = el("output", { class: "cm-hint" });
    const say = (text) => (told.textContent = text);
    const button = (text, title, onclick) => el("button", { title, onclick }, text);
    const buttons = [
      button("CSV", "Molecules and all columns", () => saveCsv(map, map.chosenRows())),
      button("SDF", "Molecules with their columns", () => saveSdf(map, map.chosenRows(), say)),
      button("PNG", "The map as it is seen", () => savePng(map)),
      button("SVG", "The map as it is seen, in shapes", () => saveSvg(map)),
    ];
    const hint = el("p", { class: "cm-hint" }, "CSV and SDF: what is selected; PNG and SVG: the map as it is seen.");
    return el("section", { class: "cm-export", "aria-label": "Download" }, el("h3", {}, "Download"), el("div", { class: "cm-actions" }, ...buttons), told, hint);
  }

  help() {
    const size = el("input", { type: "range", min: "-1", max: "1", step: "0.1", value: "0" });
    size.addEventListener("input", () => this.map.setSize(3 ** Number(size.value)));
    const keys = [
      ["drag, arrows", "move"],
      [this.map.data.fills_page ? "wheel, + \u2212" : "click, then wheel; + \u2212", "zoom, 0 for all"],
      ["point", "see a molecule"],
      ["click, Enter", "pin it"],
      ["Shift + drag, L", "lasso"],
      ["G", "grid of the selection"],
      ["T", "names of regions"],
      ["N, P", "next, previous match"],
      ["/", "search"],
      ["Esc", "clear"],
    ];
    const rows = keys.flatMap(([key, what]) => [el("dt", {}, key), el("dd", {}, what)]);
    const sizeLabel = el("label", { class: "cm-field" }, el("span", {}, "Point size"), size);
    return el("details", { class: "cm-help", open: true }, el("summary", {}, "How to use"), el("dl", {}, ...rows), sizeLabel);
  }
}
