// What the colours mean, and filters by them.

const MOST_BINS = 44;
const HISTOGRAM_HEIGHT = 54;

/** Palette entry of each point for a column, or for none. */
function codesOf(column, n) {
  const codes = new Uint8Array(n);
  if (!column) return codes;
  const [ramp, missing] = [PALETTE.light.ramp.length, PALETTE.light.ramp.length];
  if (column.kind === "category") {
    const shown = PALETTE.light.categories.length;
    return codes.map((_, i) => (column.codes[i] < shown ? column.codes[i] : missing));
  }
  const [low, high] = scaledLimits(column);
  const factor = (ramp - 1) / (high - low || 1);
  for (let i = 0; i < n; i++) {
    const value = scaled(column, column.values[i]);
    codes[i] = Number.isNaN(value) ? missing : clamp(Math.round((value - low) * factor), 0, ramp - 1);
  }
  return codes;
}

/** The 256 colours [r, g, b] that `codesOf` points into. */
function paletteOf(column, theme) {
  const { ramp, missing, categories } = PALETTE[theme];
  const used = !column ? categories.slice(0, 1) : column.kind === "category" ? categories : ramp;
  return Array.from({ length: 256 }, (_, code) => rgbOf(used[code] ?? missing));
}

class Legend {
  /** `onFilter(column, mask or null, words)` hears what the reader picked, `onScale(column)` that its scale is another one. */
  constructor(onFilter, onScale) {
    Object.assign(this, { onFilter, onScale });
    this.root = el("section", { class: "cm-legend", "aria-label": "Colour legend" });
  }

  /** What was picked of a column stays with it (`column.picked`) while another one colours the map. */
  show(column, theme) {
    Object.assign(this, { column, theme });
    this.root.replaceChildren();
    this.root.hidden = !column;
    if (!column) return;
    this.root.append(el("h3", {}, column.name, column.unit ? el("span", { class: "cm-unit" }, ` ${column.unit}`) : null));
    if (column.kind === "category") this.showCategories();
    else this.showNumbers();
  }

  /** Filter by a column: { range } or { hidden }, null for not at all. */
  pick(column, picked) {
    column.picked = picked;
    const mask = picked && (picked.range ? rangeMask(column, picked.range) : hiddenMask(column, picked.hidden));
    this.onFilter(column, mask, picked ? pickedWords(column) : "");
  }

  /** Take the filter of a column away. */
  forget(column) {
    this.pick(column, null);
    if (column === this.column) this.show(column, this.theme);
  }

  showCategories() {
    const colours = PALETTE[this.theme].categories;
    const list = el("ul", { class: "cm-categories" });
    this.column.names.slice(0, colours.length).forEach((name, code) => {
      list.append(this.categoryRow(name, this.column.counts[code], colours[code], [code]));
    });
    const others = this.column.names.map((_, code) => code).slice(colours.length);
    const nOthers = others.reduce((sum, code) => sum + this.column.counts[code], 0);
    if (others.length) list.append(this.categoryRow(`${others.length} others`, nOthers, PALETTE[this.theme].missing, others));
    const nMissing = this.column.codes.reduce((count, code) => count + (code === 255), 0);
    if (nMissing) list.append(this.categoryRow("missing", nMissing, PALETTE[this.theme].missing, [255]));
    this.root.append(list);
  }

  categoryRow(name, count, colour, codes) {
    const { column } = this;
    const toggle = (event) => {
      const hidden = new Set(column.picked?.hidden);
      for (const one of codes) event.target.checked ? hidden.delete(one) : hidden.add(one);
      this.pick(column, hidden.size ? { hidden } : null);
    };
    const swatch = el("span", { class: "cm-swatch" });
    swatch.style.background = colour;
    const box = el("input", { type: "checkbox", checked: !codes.every((one) => column.picked?.hidden.has(one)), onchange: toggle });
    const label = el("label", { title: name }, box, swatch, el("span", { class: "cm-name" }, name));
    return el("li", {}, label, el("span", { class: "cm-count" }, countText(count)));
  }

  showNumbers() {
    const { values, limits } = this.column;
    this.plot = histogramSvg(binCounts(this.column), PALETTE[this.theme].ramp);
    this.plot.addEventListener("pointerdown", (event) => this.brush(event));
    const bar = el("div", { class: "cm-ramp", "aria-hidden": "true" });
    bar.style.background = `linear-gradient(90deg, ${PALETTE[this.theme].ramp.filter((_, i) => i % 11 === 0).join(", ")})`;
    const outside = [values.some((v) => v < limits[0]) ? "\u2264 " : "", values.some((v) => v > limits[1]) ? "\u2265 " : ""];
    const ends = limits.map((limit, end) => el("span", {}, outside[end] + valueText(this.column, limit)));
    const onchange = () => this.typed();
    this.inputs = ["from", "to"].map((what) =>
      el("input", { type: this.column.date ? "date" : "number", step: "any", placeholder: what, "aria-label": `${this.column.name} ${what}`, onchange }),
    );
    this.root.append(this.plot, bar, el("div", { class: "cm-ends" }, ...ends));
    this.root.append(el("div", { class: "cm-range" }, el("span", {}, "show"), this.inputs[0], el("span", {}, "to"), this.inputs[1]));
    const nMissing = values.reduce((count, value) => count + Number.isNaN(value), 0);
    if (this.canBeLogarithmic()) this.root.append(this.scaleBox());
    if (nMissing) this.root.append(this.missingLine(nMissing));
    if (this.column.picked) this.markRange(this.column.picked.range);
  }

  missingLine(count) {
    const swatch = el("span", { class: "cm-swatch" });
    swatch.style.background = PALETTE[this.theme].missing;
    return el("p", { class: "cm-hint cm-missing" }, swatch, `${countText(count)} missing (grey)`);
  }

  canBeLogarithmic() {
    const { values, limits, date } = this.column;
    return this.column.log || (!date && limits[0] > 0 && limits[1] > 5 * limits[0] && values.every((value) => !(value <= 0)));
  }

  scaleBox() {
    const { column } = this;
    const flip = (event) => {
      column.log = event.target.checked;
      this.onScale(column);
    };
    const box = el("input", { type: "checkbox", checked: Boolean(column.log), onchange: flip });
    return el("label", { class: "cm-hint cm-scale" }, box, "logarithmic scale");
  }

  /** Drag over the histogram picks a range. */
  brush(event) {
    const { left, width } = this.plot.getBoundingClientRect();
    const valueAt = (clientX) => {
      const [low, high] = scaledLimits(this.column);
      return unscaled(this.column, low + clamp((clientX - left) / width, 0, 1) * (high - low));
    };
    const first = valueAt(event.clientX);
    let last = first;
    const move = (moved) => this.markRange((last = valueAt(moved.clientX)) < first ? [last, first] : [first, last]);
    const up = () => {
      removeEventListener("pointermove", move);
      const [low, high] = scaledLimits(this.column);
      const wide = Math.abs(scaled(this.column, last) - scaled(this.column, first)) > 0.01 * (high - low);
      this.setRange(wide ? [Math.min(first, last), Math.max(first, last)].map((v) => (this.column.date ? Math.round(v) : parseFloat(v.toPrecision(4)))) : null);
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", up, { once: true });
    event.preventDefault();
  }

  typed() {
    const number = (text) => (this.column.date ? Date.parse(text) / 864e5 : Number(text));
    const [low, high] = this.inputs.map((input) => (input.value === "" ? NaN : number(input.value)));
    const none = Number.isNaN(low) && Number.isNaN(high);
    this.setRange(none ? null : [Number.isNaN(low) ? -Infinity : low, Number.isNaN(high) ? Infinity : high]);
  }

  setRange(range) {
    this.markRange(range);
    this.pick(this.column, range && { range });
  }

  /** Write a range into the fields and grey out the bars beyond it. */
  markRange(range) {
    const { column } = this;
    this.inputs.forEach((input, end) => (input.value = Number.isFinite(range?.[end]) ? (column.date ? dayText(range[end]) : range[end]) : ""));
    const [low, high] = scaledLimits(column);
    const bars = [...this.plot.querySelectorAll("rect")];
    bars.forEach((bar, bin) => {
      const middle = unscaled(column, low + ((bin + 0.5) / bars.length) * (high - low));
      bar.classList.toggle("cm-off", Boolean(range) && (middle < range[0] || middle > range[1]));
    });
  }
}

const rangeMask = (column, [low, high]) => Uint8Array.from(column.values, (value) => (value >= low && value <= high ? 1 : 0));
const hiddenMask = (column, hidden) => Uint8Array.from(column.codes, (code) => (hidden.has(code) ? 0 : 1));

/** A filter in words: "logP 1 to 3", "group: 2 of 5". */
function pickedWords(column) {
  const { range, hidden } = column.picked;
  if (hidden) return `${column.name}: without ${hidden.size === 1 ? (column.names[[...hidden][0]] ?? "missing") : hidden.size}`;
  const [low, high] = range.map((end) => (Number.isFinite(end) ? valueText(column, end) : ""));
  return low && high ? `${column.name} ${low} to ${high}` : low ? `${column.name} \u2265 ${low}` : `${column.name} \u2264 ${high}`;
}

function binCounts(column) {
  const { values } = column;
  const [low, high] = scaledLimits(column);
  const bins = clamp(Math.round(2 * Math.sqrt(values.length)), 8, MOST_BINS);
  const counts = new Float64Array(bins);
  for (const value of values) {
    if (!Number.isNaN(value)) counts[clamp(Math.floor(((scaled(column, value) - low) / (high - low || 1)) * bins), 0, bins - 1)]++;
  }
  return counts;
}

function histogramSvg(counts, ramp) {
  const make = (tag, attributes) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    return node;
  };
  const bins = counts.length;
  const svg = make("svg", { viewBox: `0 0 ${bins} ${HISTOGRAM_HEIGHT}`, preserveAspectRatio: "none", class: "cm-histogram" });
  const most = Math.max(...counts, 1);
  counts.forEach((count, bin) => {
    const height = count ? Math.max((HISTOGRAM_HEIGHT * count) / most, 1.5) : 0;
    const fill = ramp[Math.round((bin / (bins - 1)) * (ramp.length - 1))];
    svg.append(make("rect", { x: bin + 0.06, width: 0.88, y: HISTOGRAM_HEIGHT - height, height, fill }));
  });
  svg.append(make("title", {}));
  svg.lastChild.textContent = "Drag to show a range";
  return svg;
}
