// Sets laid over the points: every set has a colour and a shape, so that either tells them apart.

const SHAPES = ["diamond", "square", "triangle", "cross", "plus", "pentagon"];

/** Corners of a shape in a circle of radius 1; y down. */
const CORNERS = {
  diamond: ring(4, 0, 1.1),
  square: ring(4, 0.5, 1.15),
  triangle: ring(3, 0, 1.2),
  pentagon: ring(5, 0, 1.1),
  plus: cross(0),
  cross: cross(Math.PI / 4),
};

function ring(n, turn, radius) {
  return Array.from({ length: n }, (_, k) => [k, turn]).map(([k, by]) => {
    const angle = ((k + by) / n) * 2 * Math.PI - Math.PI / 2;
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  });
}

function cross(turn) {
  const [a, b] = [0.38, 1.15];
  const corners = [[a, a], [a, b], [-a, b], [-a, a], [-b, a], [-b, -a], [-a, -a], [-a, -b], [a, -b], [a, -a], [b, -a], [b, a]];
  return corners.map(([x, y]) => [x * Math.cos(turn) - y * Math.sin(turn), x * Math.sin(turn) + y * Math.cos(turn)]);
}

class Marks {
  /** `packed` is the page's `marks`, `codes` which set each row belongs to (0: none). */
  constructor(map, packed, codes) {
    Object.assign(this, { map, codes });
    this.canvas = el("canvas", { class: "cm-layer", "aria-hidden": "true" });
    this.sets = (packed?.names ?? []).map((name, at) => ({ name, at, rows: [], shown: true }));
    if (codes) codes.forEach((code, i) => code && this.sets[code - 1].rows.push(i));
  }

  colour(at) {
    return PALETTE[this.map.theme].marks[at];
  }

  /** Whether a row may be pointed at: it is not of a set that is switched off. */
  visible(i) {
    const code = this.codes ? this.codes[i] : 0;
    return !code || this.sets[code - 1].shown;
  }

  /** Mask of the rows that are shown, or null where all are. */
  mask() {
    return this.sets.every((set) => set.shown) ? null : Uint8Array.from(this.codes, (_, i) => (this.visible(i) ? 1 : 0));
  }

  draw() {
    const { map, canvas } = this;
    if (!this.sets.length) return;
    const context = canvas.getContext("2d");
    context.setTransform(map.ratio, 0, 0, map.ratio, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    this.paint(context);
  }

  /** Draw the marks on any canvas whose units are CSS pixels. */
  paint(context) {
    const { halo } = this.map.overlay.colours();
    const { width, height } = this.map.view;
    const bySize = this.sets.filter((candidate) => candidate.shown).sort((a, b) => b.rows.length - a.rows.length);
    for (const set of bySize) {
      const radius = this.radius(set);
      const shape = new Path2D();
      for (const i of set.rows) {
        const [px, py] = this.map.screenOf(i);
        if (this.map.on && !this.map.on[i]) continue;
        if (px < -9 || py < -9 || px > width + 9 || py > height + 9) continue;
        CORNERS[SHAPES[set.at]].forEach(([x, y], k) => shape[k ? "lineTo" : "moveTo"](px + radius * x, py + radius * y));
        shape.closePath();
      }
      context.lineJoin = "round";
      context.lineWidth = radius > 4 ? 2 : 1.2;
      context.strokeStyle = halo;
      context.stroke(shape);
      context.fillStyle = this.colour(set.at);
      context.fill(shape);
    }
  }

  /** Smaller the more there are, and on a smaller map. */
  radius(set) {
    const { view } = this.map;
    const room = 0.11 * Math.sqrt((view.width * view.height) / Math.max(set.rows.length, 1));
    return clamp(room, 2.6, 7) * clamp(view.zoom ** 0.3, 1, 2);
  }

  /** The set a row belongs to, by name; "" for none. */
  nameOf(i) {
    return this.codes?.[i] ? this.sets[this.codes[i] - 1].name : "";
  }

  swatch(at) {
    const make = (tag, attributes) => {
      const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
      for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
      return node;
    };
    const svg = make("svg", { viewBox: "-1.4 -1.4 2.8 2.8", class: "cm-mark", "aria-hidden": "true" });
    svg.append(make("polygon", { points: CORNERS[SHAPES[at]].map((corner) => corner.join(",")).join(" "), fill: this.colour(at) }));
    return svg;
  }

  /** The section that names the sets and switches them on and off. */
  section() {
    this.list = el("ul", { class: "cm-categories" });
    this.root = el("section", { class: "cm-sets", hidden: !this.sets.length, "aria-label": "Sets" }, el("h3", {}, "Sets"), this.list);
    return this.root;
  }

  renderSection() {
    const rows = this.sets.map((set) => {
      const box = el("input", { type: "checkbox", onchange: (event) => this.show(set, event.target.checked) });
      box.checked = set.shown;
      const label = el("label", { title: set.name }, box, this.swatch(set.at), el("span", { class: "cm-name" }, set.name));
      return el("li", {}, label, el("span", { class: "cm-count" }, countText(set.rows.length)));
    });
    this.list.replaceChildren(...rows);
  }

  show(set, shown) {
    set.shown = shown;
    this.map.setFilter("sets", this.mask());
    this.map.remember();
  }
}
