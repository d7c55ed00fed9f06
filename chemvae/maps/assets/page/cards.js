// The card under the pointer, the pinned ones, and the list of what is selected.

const MOST_PINS = 40;
const THUMBNAILS = 9;

/** A structure, or the words that stand for it while RDKit loads or where it cannot draw. */
function drawing(smiles, width, height) {
  const tile = el("div", { class: "cm-drawing" });
  tile.style.aspectRatio = `${width} / ${height}`;
  const fill = () => {
    const svg = structures.draw(smiles, width, height);
    tile.replaceChildren(svg ?? el("span", { class: "cm-hint" }, structures.rdkit ? "cannot be drawn" : "\u2026"));
  };
  fill();
  if (!structures.rdkit) structures.load().then(fill);
  return tile;
}

function factList(columns, i) {
  const rows = columns.flatMap((column) => {
    const text = textOf(column, i);
    const value = el("dd", {}, text || "\u2013", text && column.unit ? el("span", { class: "cm-unit" }, ` ${column.unit}`) : null);
    return [el("dt", { title: column.name }, column.name), value];
  });
  return el("dl", {}, ...rows);
}

/** The card that follows the pointer. */
class Tip {
  constructor() {
    this.root = el("div", { class: "cm-tip", hidden: true, role: "status" });
  }

  /** `facts` are elements below the drawing; (px, py) in the stage, `room` its size. */
  show(smiles, facts, px, py, room) {
    const text = el("div", { class: "cm-smiles" }, smiles || "no SMILES");
    this.root.replaceChildren(...(smiles ? [drawing(smiles, 240, 165)] : []), text, ...facts);
    this.root.hidden = false;
    const { offsetWidth, offsetHeight } = this.root;
    const left = px + 18 + offsetWidth > room.width ? px - 18 - offsetWidth : px + 18;
    this.root.style.left = `${clamp(left, 4, Math.max(room.width - offsetWidth - 4, 4))}px`;
    this.root.style.top = `${clamp(py - offsetHeight / 2, 4, Math.max(room.height - offsetHeight - 4, 4))}px`;
  }

  hide() {
    this.root.hidden = true;
  }
}

/** Pinned molecules, newest first. */
class Pins {
  constructor(map) {
    this.map = map;
    this.list = [];
    this.cards = el("div", { class: "cm-cards" });
    this.heading = el("h3", {}, "Pinned");
    const clear = el("button", { class: "cm-link", onclick: () => this.clear() }, "remove all");
    const head = el("header", {}, this.heading, clear);
    this.root = el("section", { class: "cm-pins", hidden: true, "aria-label": "Pinned molecules" }, head, this.cards);
  }

  toggle(i) {
    this.list = this.list.includes(i) ? this.list.filter((j) => j !== i) : [i, ...this.list].slice(0, MOST_PINS);
    this.render();
  }

  render() {
    this.root.hidden = !this.list.length;
    this.cards.replaceChildren(...this.list.map((i, at) => this.card(i, this.list.length - at)));
    this.map.overlay.draw();
    this.map.remember();
    this.map.announce("pin", () => [...this.list]);
  }

  clear() {
    this.list = [];
    this.render();
  }

  card(i, number) {
    const { smiles, columns } = this.map;
    const remove = { class: "cm-icon", title: "Remove", "aria-label": `Remove card ${number}`, onclick: () => this.toggle(i) };
    const copy = el("button", { class: "cm-link", onclick: (event) => copyText(smiles[i], event.target) }, "copy");
    return el(
      "article",
      { class: "cm-card", onpointerenter: () => this.map.point(i, true), onpointerleave: () => this.map.point(-1) },
      el("header", {}, el("span", { class: "cm-badge" }, String(number)), copy, el("button", remove, "\u00d7")),
      drawing(smiles[i], 260, 170),
      el("div", { class: "cm-smiles" }, smiles[i] || "no SMILES"),
      factList(columns, i),
    );
  }
}

function medianOf(values) {
  const known = values.filter((value) => !Number.isNaN(value)).sort();
  const middle = known.length >> 1;
  return known.length % 2 ? known[middle] : (known[middle - 1] + known[middle]) / 2;
}

async function copyText(text, button) {
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "copied";
  } catch {
    button.textContent = "select the text below";
  }
  setTimeout(() => (button.textContent = "copy"), 1500);
}

/** How many molecules all filters together leave, by which filters, and a few of them. */
class Selection {
  constructor(map) {
    this.map = map;
    this.root = el("section", { class: "cm-selection", hidden: true, "aria-label": "Selection", "aria-live": "polite" });
  }

  render() {
    const { on, n, order, filters, gallery } = this.map;
    this.root.hidden = !on;
    if (!on) return;
    const rows = this.map.chosenRows();
    const chosen = [];
    for (let k = 0; k < n && chosen.length < THUMBNAILS; k++) if (on[order[k]]) chosen.push(order[k]);
    this.root.replaceChildren(
      el("h3", {}, `${countText(rows.length)} of ${countText(n)} selected`),
      el("div", { class: "cm-chips" }, ...filters.chips()),
      ...this.medianLine(rows),
      el("div", { class: "cm-thumbs" }, ...chosen.map((i) => this.thumb(i))),
      el(
        "div",
        { class: "cm-actions" },
        el("button", { class: "cm-primary", disabled: !rows.length, title: "All of them, drawn (G)", onclick: () => gallery.show() }, "Grid"),
        el("button", { onclick: () => this.map.clearFilters() }, "Clear"),
      ),
    );
  }

  medianLine(rows) {
    const column = this.map.column;
    if (column?.kind !== "number" || !rows.length) return [];
    column.median ??= medianOf(column.values);
    const [here, all] = [medianOf(Float64Array.from(rows, (i) => column.values[i])), column.median];
    const unit = column.unit ? ` ${column.unit}` : "";
    return [el("p", { class: "cm-hint" }, `median ${column.name} ${valueText(column, here)}${unit}, of all ${valueText(column, all)}${unit}`)];
  }

  thumb(i) {
    const attributes = {
      class: "cm-thumb",
      title: this.map.smiles[i],
      "aria-label": `Pin ${this.map.smiles[i]}`,
      onclick: () => this.map.pins.toggle(i),
      onpointerenter: () => this.map.point(i, true),
      onpointerleave: () => this.map.point(-1),
    };
    return el("button", attributes, drawing(this.map.smiles[i], 120, 84));
  }
}
