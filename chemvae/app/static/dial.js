// One property of a search: what is wanted of it, on a slider with the library's histogram behind it.

import { choice, el, icon, slider, svg } from "./dom.js";
import { clamp, nameText, numberText, unitText } from "./format.js";
import { store } from "./store.js";

const STEPS = 100;
const HEIGHT = 36;
export const ROLES = { max: "as high as can be", min: "as low as can be", target: "close to", between: "between", below: "below", above: "above" };
const GOALS = new Set(["max", "min", "target"]);
/** What a property is called on its dial. */
export const titleOf = (name) => store.property(name)?.label ?? nameText(name, store.property(name)?.unit);
const THUMBS = { max: 0, min: 0, target: 1, between: 2, below: 1, above: 1 };

/** Where a property's slider begins and ends: the library's range, the usual one, or around what the molecule has. */
function rangeOf(name, value) {
  const [column, property] = [store.column(name), store.property(name)];
  const [low, high] = [column?.low ?? property?.low, column?.high ?? property?.high];
  if (Number.isFinite(low ?? NaN) && Number.isFinite(high ?? NaN) && high > low) return [low, high];
  const around = Number.isFinite(value ?? NaN) ? value : 0.5;
  return [around - Math.max(Math.abs(around), 1), around + Math.max(Math.abs(around), 1)];
}

export class Dial {
  /** `value` is what the molecule has; `places` where the thumbs stand first; `onRemove()` takes the dial away. */
  constructor({ name, role, value, places, weight, onRemove, onChange }) {
    Object.assign(this, { name, value, onChange });
    const [low, high] = rangeOf(name, value);
    this.step = stepOf((high - low) / STEPS);
    [this.low, this.high] = [Math.floor(low / this.step), Math.ceil(high / this.step)].map((at) => this.tidy(at * this.step));
    this.places = places ?? [0.25, 0.75].map((share) => this.tidy(this.low + share * (this.high - this.low)));
    const fitted = store.property(name)?.fitted;
    const roles = Object.keys(ROLES).filter((one) => !fitted || GOALS.has(one)); // what is learned for a search bounds nothing
    this.role = choice(roles, roles.includes(role) ? role : "max", { labels: ROLES, "aria-label": `What is wanted of ${titleOf(name)}`, onchange: () => this.change() });
    if (!places) this.aim();
    this.track = el("div", { class: "track" });
    this.numbers = el("div", { class: "dial-numbers" });
    this.weight = slider(weight ?? 1, 0.1, 3, 0.1, (at) => `weight ${numberText(at, 2)}`);
    this.weight.input.setAttribute("aria-label", `Weight of ${titleOf(name)}`);
    this.weight.root.hidden = true;
    const remove = el("button", { type: "button", class: "icon small", title: `Leave ${titleOf(name)} out`, "aria-label": `Leave ${titleOf(name)} out`, onclick: onRemove }, icon("close"));
    const unit = unitText(store.property(name)?.unit);
    const words = el("span", { class: "name", title: store.property(name)?.about }, titleOf(name), unit ? el("span", { class: "unit" }, ` ${unit}`) : null);
    this.root = el("div", { class: "dial", role: "group", "aria-label": titleOf(name) }, el("div", { class: "dial-head" }, words, this.role, remove), this.track, this.numbers, this.weight.root);
    this.render();
  }

  /** Goals are weighed against each other where there is more than one. */
  weigh(isOneOfMany) {
    this.weight.root.hidden = !isOneOfMany;
  }

  get nThumbs() {
    return THUMBS[this.role.value];
  }

  /** A value on the slider's scale: a multiple of its step, without the noise of binary fractions. */
  tidy(value) {
    return Number((Math.round(value / this.step) * this.step).toPrecision(12));
  }

  /** What is to be "close to" something begins at what the molecule has. */
  aim() {
    if (this.role.value === "target" && Number.isFinite(this.value ?? NaN)) this.places[1] = Number(this.value.toPrecision(3));
  }

  change() {
    this.aim();
    this.render();
  }

  render() {
    const at = [[], [this.role.value === "above" ? 0 : 1], [0, 1]][this.nThumbs];
    const word = (one) => (at.length === 2 ? ["from", "to"][one] : "");
    this.said = el("output", { class: "dial-said" });
    this.thumbs = at.map((one) => this.thumb(one, word(one)));
    this.fields = at.map((one) => this.numberField(one, word(one)));
    this.picture = this.histogram();
    const wanted = { target: "aim at", below: "at most", above: "at least" }[this.role.value];
    const words = at.map((one, i) => el("label", {}, wanted ?? word(one), this.fields[i]));
    const ends = el("div", { class: "dial-ends" }, el("span", {}, numberText(this.low)), el("span", {}, numberText(this.high)));
    this.track.replaceChildren(this.picture, ...this.thumbs, ends);
    this.numbers.replaceChildren(...words, this.said);
    this.show();
    this.onChange?.();
  }

  thumb(at, words) {
    const attributes = { type: "range", min: this.low, max: this.high, step: this.step, value: this.places[at], "data-at": at };
    const input = el("input", { ...attributes, "aria-label": `${titleOf(this.name)} ${words}`.trim(), oninput: () => this.put(at, this.tidy(Number(input.value))) });
    return input;
  }

  /** The same number to be typed: any, also between the slider's steps and beyond its ends. */
  numberField(at, words) {
    const attributes = { type: "number", step: "any", required: true, "data-at": at, "aria-label": `${titleOf(this.name)} ${words} as a number`.replace("  ", " ") };
    const oninput = () => Number.isFinite(input.valueAsNumber) && this.put(at, input.valueAsNumber);
    const input = el("input", { ...attributes, oninput, onchange: () => this.order(at) });
    return input;
  }

  put(at, value) {
    this.places[at] = value;
    if (document.activeElement?.type !== "number") this.order(at);
    this.show();
  }

  /** "From" is not above "to": the one that was set moves the other. Of a number that is being typed, not before it stands. */
  order(at) {
    if (this.nThumbs === 2 && this.places[0] > this.places[1]) this.places[1 - at] = this.places[at];
    this.show();
  }

  /** Bars of the library, in colour where they are wanted; a mark where the molecule stands. */
  histogram() {
    const column = store.column(this.name);
    const counts = column?.histogram ?? [];
    const most = Math.max(...counts, 1);
    const bars = counts.map((count, bin) => {
      const height = count ? Math.max((HEIGHT * count) / most, 1) : 0;
      const left = (this.share(column.edges[bin]) * 100).toFixed(3);
      const width = ((this.share(column.edges[bin + 1]) - this.share(column.edges[bin])) * 92).toFixed(3);
      return svg("rect", { x: left, width, y: HEIGHT - height, height, "data-middle": (column.edges[bin] + column.edges[bin + 1]) / 2 });
    });
    const attributes = { viewBox: `0 0 100 ${HEIGHT}`, preserveAspectRatio: "none", class: counts.length ? "bars" : "bars flat", "aria-hidden": "true" };
    const here = Number.isFinite(this.value ?? NaN) ? 100 * clamp(this.share(this.value), 0.002, 0.998) : null;
    const mark = here === null ? null : svg("line", { x1: here, x2: here, y1: 0, y2: HEIGHT, class: "here" });
    return svg("svg", attributes, ...bars, mark);
  }

  share(value) {
    return (value - this.low) / (this.high - this.low);
  }

  /** Whether a value is wanted, as far as this dial is concerned. */
  wants(value) {
    const [from, to] = this.places;
    return { between: value >= from && value <= to, below: value <= to, above: value >= from }[this.role.value] ?? true;
  }

  show() {
    for (const input of [...this.thumbs, ...this.fields]) {
      if (input !== document.activeElement || input.type === "range") input.value = this.places[Number(input.dataset.at)];
    }
    for (const bar of this.picture.querySelectorAll("rect")) bar.classList.toggle("off", !this.wants(Number(bar.dataset.middle)));
    this.said.textContent = Number.isFinite(this.value ?? NaN) ? `now ${numberText(this.value)}` : "";
  }

  /** As a goal of `optimize`, or null. */
  get goal() {
    const { value: role } = this.role;
    if (!GOALS.has(role)) return null;
    const { column, fitted, low, high } = store.property(this.name) ?? {};
    const range = fitted && Number.isFinite(low ?? NaN) && high > low ? { low, high } : {};
    const goal = { name: fitted ? column : this.name, ...range, direction: role === "min" ? "min" : "max", weight: this.weight.root.hidden ? 1 : Number(this.weight.input.value) };
    return role === "target" ? { ...goal, target: this.places[1] } : goal;
  }

  /** As a constraint of `optimize`, or null. */
  get constraint() {
    const [from, to] = this.places;
    return { between: `${from}<${this.name}<${to}`, below: `${this.name}<${to}`, above: `${this.name}>${from}` }[this.role.value] ?? null;
  }
}

/** 1, 2 or 5 times a power of ten, at most `span`. */
function stepOf(span) {
  const power = 10 ** Math.floor(Math.log10(span));
  const lead = span / power;
  return Number(((lead >= 5 ? 5 : lead >= 2 ? 2 : 1) * power).toPrecision(1));
}
