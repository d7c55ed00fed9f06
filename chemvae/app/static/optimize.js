// "Optimize from here": goals and constraints as dials, oracles by name, a budget, when to stop.

import { Dial, ROLES, titleOf } from "./dial.js";
import { choice, el, field, slider, trouble } from "./dom.js";
import { numberText } from "./format.js";
import { jobs } from "./jobs.js";
import { store } from "./store.js";

const GOALS = "the goals below";
const ANALOGUE = 0.4; // Tanimoto, ECFP4: below it a chemist sees no kinship
const BUDGETS = [50, 100, 200, 500, 1000, 2000, 5000];

/** What a search begins with, for emitters and for drugs: [spellings, role, thumbs]. */
const EMITTER = [[["dest"], "min"], [["emission", "lambdaem", "emmax"], "target"], [["s1"], "between"], [["t1"], "between"]];
const DRUG = [[["qed"], "max"], [["sas"], "below", [1, 3.5]]];

/** A property's name without its unit and signs: dE_ST, dEst_meV and dEst_eV are one. */
const plain = (name) => name.toLowerCase().replace(/_(m?ev|nm|percent)$/, "").replaceAll("_", "");

/** The dials of a list that the model or the library knows: [name, role, thumbs]. */
function knownOf(list) {
  const named = (spellings) => store.info.properties.find((one) => spellings.includes(plain(one.name)))?.name;
  return list.map(([spellings, ...rest]) => [named(spellings), ...rest]).filter(([name]) => name);
}

function firstDials() {
  const chosen = [knownOf(EMITTER), knownOf(DRUG)].find((dials) => dials.length);
  return chosen ?? store.info.properties.slice(0, 1).map((one) => [one.name, "max"]);
}

/** The form before this one: what was asked of one molecule is asked of the next. */
let last = null;

/** What the molecule has of a property: computed if it can be, else predicted. */
function valueOf(card, name) {
  const mine = card.properties.filter((one) => one.name.toLowerCase() === name.toLowerCase());
  return (mine.find((one) => one.source === "computed") ?? mine[0])?.value;
}

class OptimizeForm {
  constructor(card, start) {
    Object.assign(this, { card, dials: [] });
    this.list = el("div", { class: "dials" });
    this.more = el("select", { "aria-label": "Add a property", onchange: () => this.addChosen() });
    const dials = last ? last.dials.map((dial) => [dial.name, dial.role.value, [...dial.places], dial.weight.input.value]) : firstDials();
    for (const dial of dials) this.add(...dial);
    const submit = (event) => {
      event.preventDefault();
      const settings = this.settings();
      if (settings) start("optimize", settings, this.root);
    };
    const bars = store.info.library ? " Bars: the library." : "";
    const lead = `New molecules that score better, starting from this one.${bars} Line: this molecule.`;
    this.said = el("div", { class: "said", "aria-live": "polite" });
    const button = el("button", { type: "submit", class: "primary wide" }, "Optimize from here");
    this.waits = el("p", { class: "note", hidden: true });
    this.goals = el("div", { class: "stack" }, this.waits, this.list, this.more);
    this.root = el("form", { class: "stack", onsubmit: submit }, el("p", { class: "lead" }, lead), this.alikeField(), this.oracleField(), this.goals, this.budgetField(), this.details(), button, this.said);
    jobs.fitted().then((found) => {
      store.fitted = found;
      this.offer();
    });
  }

  add(name, role, places, weight) {
    const dial = new Dial({ name, role, places, weight, value: valueOf(this.card, name), onRemove: () => this.drop(dial), onChange: () => this.weigh() });
    this.dials.push(dial);
    this.list.append(dial.root);
    this.offer();
    this.weigh();
  }

  /** Each goal has a weight as soon as there are two. */
  weigh() {
    const goals = this.dials.filter((dial) => dial.goal);
    for (const dial of this.dials) dial.weigh(goals.length > 1 && goals.includes(dial));
    this.showWaiting();
  }

  /** A goal for a property that was learned; it has a dial already, or gets one. */
  aim(name) {
    this.oracle.value = "";
    this.showOracle();
    if (!this.dials.some((dial) => dial.name === name)) {
      for (const dial of this.dials.filter((one) => store.property(one.name)?.fitted)) this.drop(dial);
      this.add(name, "max");
    }
    const { root } = this.dials.find((dial) => dial.name === name);
    this.list.prepend(root);
    setTimeout(() => root.scrollIntoView({ block: "center" }));
  }

  drop(dial) {
    this.dials = this.dials.filter((one) => one !== dial);
    dial.root.remove();
    this.offer();
    this.weigh();
  }

  /** The properties that have no dial yet. */
  offer() {
    const taken = new Set(this.dials.map((dial) => dial.name));
    const free = store.info.properties.map((one) => one.name).filter((name) => !taken.has(name));
    const learned = this.dials.some((dial) => store.property(dial.name)?.fitted) ? [] : store.fitted;
    const options = [...learned.map((one) => [one.name, one.label]), ...free.map((name) => [name, name])];
    this.more.replaceChildren(el("option", { value: "" }, "+ Add a property"), ...options.map(([value, words]) => el("option", { value }, words)));
    this.more.hidden = !free.length;
  }

  addChosen() {
    if (this.more.value) this.add(this.more.value, "between");
  }

  oracleField() {
    const { oracles } = store.info;
    this.oracle = choice(["", ...oracles.map((one) => one.name)], "", { labels: { "": GOALS }, onchange: () => this.showOracle() });
    this.argument = el("input", { type: "text", spellcheck: "false", hidden: true, "aria-label": "Argument of the oracle" });
    this.about = el("small", {});
    return el("label", { class: "field" }, el("span", {}, "Score by"), this.oracle, this.argument, this.about);
  }

  /** An oracle gives the score alone: goals then wait out of sight, and limits still hold. */
  showOracle() {
    const chosen = store.info.oracles.find((one) => one.name === this.oracle.value);
    this.about.textContent = chosen?.about ?? "";
    this.argument.hidden = !chosen?.argument;
    this.argument.placeholder = chosen?.argument ?? "";
    this.argument.value = /^SMILES/.test(chosen?.argument ?? "") ? this.card.smiles : "";
    this.showWaiting();
  }

  showWaiting() {
    const { value } = this.oracle ?? {};
    const waiting = value ? this.dials.filter((dial) => dial.goal) : [];
    for (const dial of this.dials) dial.root.hidden = waiting.includes(dial);
    if (!this.waits) return;
    this.waits.hidden = !waiting.length;
    const words = waiting.map((dial) => `${titleOf(dial.name)} ${ROLES[dial.role.value]}`).join("; ");
    this.waits.textContent = `The score is ${value} alone, so this is no goal now: ${words}. Limits hold as before.`;
  }

  /** Whether molecules like this one are wanted, or any. */
  alikeField() {
    this.alike = slider(ANALOGUE, 0, 0.9, 0.05, (at) => (at ? `at least ${numberText(at, 2)}` : "any"));
    const labels = { [ANALOGUE]: `analogues of it (similarity at least ${ANALOGUE})`, 0: "anything, however unlike", other: "as set by the slider below" };
    this.kinds = choice([String(ANALOGUE), "0", "other"], String(ANALOGUE), { labels, onchange: () => this.kinds.value !== "other" && this.setAlike(this.kinds.value) });
    this.alike.input.addEventListener("input", () => (this.kinds.value = [String(ANALOGUE), "0"].find((one) => Number(one) === Number(this.alike.input.value)) ?? "other"));
    this.setAlike(last?.alike.input.value ?? String(ANALOGUE));
    return field("Look for", this.kinds);
  }

  setAlike(value) {
    this.alike.input.value = value;
    this.alike.input.dispatchEvent(new Event("input"));
  }

  budgetField() {
    const most = store.info.limits?.budget ?? Infinity;
    const offered = BUDGETS.filter((budget) => budget <= most);
    this.budget = choice(offered.map(String), last?.budget.value ?? "200", { labels: Object.fromEntries(offered.map((n) => [n, `${n.toLocaleString("en")} molecules`])) });
    return field("Budget", this.budget, "how many molecules are scored; you can cancel at any time and keep what was found");
  }

  details() {
    this.method = choice([...new Set(store.info.methods)], "auto");
    this.stop = el("input", { type: "number", step: "any", placeholder: "never" });
    this.scaffold = el("input", { type: "text", spellcheck: "false", autocomplete: "off", placeholder: "any" });
    this.alerts = el("input", { type: "checkbox" });
    this.seed = el("input", { type: "number", step: "1", min: "0", value: "0", required: true });
    const fields = [
      field("Similarity to this molecule", this.alike.root, "Tanimoto, ECFP4"),
      field("Stop at a score of", this.stop, "the search ends when its best is there"),
      field("Keep the scaffold", this.scaffold, "SMARTS that every molecule must hold"),
      el("label", { class: "check" }, this.alerts, "Leave out molecules with structural alerts"),
      field("Method", this.method),
      field("Seed", this.seed, "the same seed gives the same search"),
    ];
    return el("details", {}, el("summary", {}, "More settings"), el("div", { class: "stack" }, ...fields));
  }

  /** The oracle as it is named on the command line: `name` or `name:argument`. */
  get oracleText() {
    const argument = this.argument.hidden ? "" : this.argument.value.trim();
    return this.oracle.value && argument ? `${this.oracle.value}:${argument}` : this.oracle.value;
  }

  settings() {
    const goals = this.oracle.value ? [] : this.dials.map((dial) => dial.goal).filter(Boolean);
    const constraints = this.dials.map((dial) => dial.constraint).filter(Boolean);
    if (!goals.length && !this.oracle.value) {
      this.said.replaceChildren(trouble("Say what is wanted of at least one property: as high, as low or as close as can be; or choose an oracle."));
      return null;
    }
    const learned = this.oracle.value ? null : this.dials.find((dial) => dial.goal && store.property(dial.name)?.fitted);
    const optional = {
      ...(this.oracle.value ? { oracle: this.oracleText } : {}),
      ...(learned ? { oracle: learned.name } : {}),
      ...(Number(this.alike.input.value) ? { min_similarity: Number(this.alike.input.value) } : {}),
      ...(this.scaffold.value.trim() ? { scaffold: this.scaffold.value.trim() } : {}),
      ...(this.alerts.checked ? { alerts: true } : {}),
      ...(this.stop.value === "" ? {} : { stop_at: Number(this.stop.value) }),
    };
    const rest = { budget: Number(this.budget.value), method: this.method.value, seed: Number(this.seed.value) };
    return { start: [this.card.smiles], goals, constraints, ...rest, ...optional };
  }
}

/** What is asked for next of the molecule at hand: a property that was learned. */
let wanted = null;
store.addEventListener("aim", (event) => (wanted = event.detail));

export function optimizeForm(card, start) {
  last = new OptimizeForm(card, start);
  if (wanted) last.aim(wanted);
  wanted = null;
  return last.root;
}
