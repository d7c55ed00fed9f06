// The molecules that the filters leave, or the pinned ones, as a grid over the map.

const GALLERY_PAGE = 48;

class Gallery {
  constructor(map) {
    this.map = map;
    this.title = el("h3", {});
    this.order = el("select", { "aria-label": "Order of the grid", onchange: () => this.render() });
    this.tiles = el("div", { class: "cm-tiles" });
    this.tiles.addEventListener("scroll", () => this.nearEnd() && this.more());
    const close = el("button", { class: "cm-icon", title: "Close (G)", "aria-label": "Close the grid", onclick: () => this.close() }, "\u00d7");
    const save = el("button", { title: "The molecules of this grid as a picture, at most 200", onclick: () => saveGrid(this.map, this.rows) }, "SVG");
    const head = el("header", {}, this.title, el("label", { class: "cm-field" }, el("span", {}, "order"), this.order), save, close);
    this.root = el("div", { class: "cm-gallery", hidden: true, role: "dialog", "aria-label": "Grid of molecules", tabindex: "-1" }, head, this.tiles);
    this.root.addEventListener("keydown", (event) => this.key(event));
  }

  get open() {
    return !this.root.hidden;
  }

  toggle() {
    if (this.open) this.close();
    else this.show();
  }

  show() {
    this.root.hidden = false;
    this.refresh();
    this.root.focus({ preventScroll: true });
  }

  /** What is selected, or what colours the map, is another now. */
  refresh() {
    const { column } = this.map;
    const orders = [["map", "as in the file"]];
    if (column?.kind === "number") orders.push(["up", `${column.name}, lowest first`], ["down", `${column.name}, highest first`]);
    const { value: chosen } = this.order;
    this.order.replaceChildren(...orders.map(([value, text]) => el("option", { value }, text)));
    if (orders.some(([value]) => value === chosen)) this.order.value = chosen;
    this.render();
  }

  close() {
    this.root.hidden = true;
    this.map.stage.root.focus({ preventScroll: true });
  }

  key(event) {
    event.stopPropagation();
    if (event.key === "Escape" || (event.key === "g" && event.target.tagName !== "SELECT")) this.close();
  }

  /** Rows in the order that is asked for; what has no value comes last. */
  sorted() {
    const rows = this.map.chosenRows();
    const sign = { up: 1, down: -1 }[this.order.value];
    if (!sign) return rows;
    const { values } = this.map.column;
    const rank = (i) => (Number.isNaN(values[i]) ? Infinity : sign * values[i]);
    return rows.sort((a, b) => rank(a) - rank(b) || a - b);
  }

  render() {
    this.rows = this.sorted();
    this.title.textContent = this.map.on ? `${countText(this.rows.length)} selected` : `all ${countText(this.rows.length)} molecules`;
    const hadFocus = this.tiles.contains(document.activeElement);
    this.tiles.replaceChildren();
    this.tiles.scrollTop = 0;
    this.more();
    if (hadFocus) this.root.focus({ preventScroll: true }); // else the keys would go to nobody
  }

  nearEnd() {
    const { scrollTop, clientHeight, scrollHeight } = this.tiles;
    return scrollTop + clientHeight > scrollHeight - 300;
  }

  more() {
    const start = this.tiles.childElementCount;
    this.tiles.append(...this.rows.slice(start, start + GALLERY_PAGE).map((i) => this.tile(i)));
  }

  tile(i) {
    const { map } = this;
    const name = map.marks.nameOf(i);
    const attributes = {
      class: "cm-tile",
      title: map.smiles[i],
      "aria-pressed": String(map.pins.list.includes(i)),
      onclick: (event) => {
        map.pins.toggle(i);
        event.currentTarget.setAttribute("aria-pressed", String(map.pins.list.includes(i)));
      },
      onpointerenter: () => map.point(i, true),
    };
    const words = [map.column ? map.factText(map.column, i) : "", name].filter(Boolean);
    return el("button", attributes, drawing(map.smiles[i], 180, 120), ...words.map((text) => el("span", { class: "cm-fact" }, text)));
  }
}
