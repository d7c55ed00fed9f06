// The molecule: typed, pasted, dropped or drawn; its card; and what to make from it.

import { post } from "./api.js";
import { recall, keep } from "./address.js";
import { aboutSection, structureHead } from "./card.js";
import { el, empty, icon, trouble, waiting } from "./dom.js";
import { forms } from "./forms.js";
import { store } from "./store.js";

const LONGEST_FILE = 200_000; // characters: one molecule is far shorter

class Panel {
  constructor(root) {
    this.root = root;
    this.tab = "about";
    this.body = el("div", { class: "card-body" });
    root.append(this.entry(), this.body);
    root.addEventListener("dragover", (event) => event.preventDefault());
    root.addEventListener("drop", (event) => this.dropped(event));
    store.addEventListener("molecule", () => this.show());
    store.addEventListener("info", () => this.learn());
    store.addEventListener("aim", () => this.open("optimize"));
    const before = recall("molecule");
    if (before) store.look(before);
    else this.showNothing();
  }

  entry() {
    const key = (event) => {
      if (event.key !== "Enter" || event.shiftKey) return;
      event.preventDefault();
      this.read(this.text.value);
    };
    const pasted = () => setTimeout(() => this.text.value.includes("\n") && this.read(this.text.value));
    const look = { id: "text", rows: "1", spellcheck: "false", autocomplete: "off", placeholder: "SMILES, name or molfile", "aria-label": "SMILES, name or molfile" };
    this.text = el("textarea", { ...look, onkeydown: key, onpaste: pasted });
    this.said = el("div", { "aria-live": "polite" });
    const go = el("button", { type: "button", class: "primary icon", title: "Look at it", "aria-label": "Look at this molecule", onclick: () => this.read(this.text.value) }, icon("arrow"));
    const draw = el("button", { type: "button", onclick: () => this.draw() }, icon("pencil"), "Draw");
    return el("div", { class: "entry" }, el("div", { class: "row tight" }, this.text, go, draw), this.said);
  }

  async draw() {
    const { sketch } = await import("./sketcher.js");
    const molfile = await sketch(store.molecule?.smiles);
    if (molfile) this.read(molfile);
  }

  async dropped(event) {
    const [file] = event.dataTransfer.files;
    event.preventDefault();
    if (!file) return this.read(event.dataTransfer.getData("text/plain"));
    if (file.size > LONGEST_FILE) return this.say(`'${file.name}' is too long for one molecule. Upload a table under Data.`);
    this.read(await file.text());
  }

  /** Find out what a text means and look at it. */
  async read(text) {
    if (!text.trim()) return this.text.focus();
    this.said.replaceChildren();
    this.text.setAttribute("aria-busy", "true");
    try {
      const { smiles, name, notes } = await post("/api/read", { text });
      this.text.value = text.includes("\n") ? smiles : text.trim();
      store.look(smiles, name ?? "");
      this.said.replaceChildren(...(notes ?? []).map((note) => el("p", { class: "note" }, note)));
    } catch (error) {
      this.say(error.message);
    }
    this.text.removeAttribute("aria-busy");
  }

  say(words) {
    this.said.replaceChildren(trouble(words));
  }

  showNothing() {
    keep("molecule", "");
    const examples = store.info.examples ?? [];
    const button = ([name, smiles]) => el("button", { type: "button", class: "chip", onclick: () => store.look(smiles, name) }, name);
    const where = store.info.library ? "Click a point of the map, or paste, drop or draw a molecule above." : "Paste, drop or draw a molecule above.";
    this.body.replaceChildren(empty("Start with a molecule", where, ...examples.map(button)));
  }

  /** There is a library now, or another one: what forms show of it is new. */
  learn() {
    if (!store.molecule) this.showNothing();
    else if (this.card) this.render(this.card, store.molecule);
  }

  async show() {
    const { molecule } = store;
    this.asking?.abort();
    if (!molecule) return this.showNothing();
    keep("molecule", molecule.smiles);
    const asking = (this.asking = new AbortController());
    const late = setTimeout(() => this.body.replaceChildren(waiting("Reading the molecule \u2026")), 250);
    try {
      const card = await post("/api/card", { smiles: molecule.smiles }, asking.signal);
      clearTimeout(late);
      if (store.molecule === molecule) this.render(card, molecule);
    } catch (error) {
      clearTimeout(late);
      if (error.name !== "AbortError") this.body.replaceChildren(trouble(error.message));
    }
  }

  render(card, molecule) {
    this.card = card;
    const tabs = { about: ["About", () => aboutSection(card)], ...forms(card) };
    if (!tabs[this.tab]) this.tab = "about";
    const content = el("div", { class: "tab-body", role: "tabpanel", id: "tab-body" });
    const bar = el("div", { class: "tabs", role: "tablist", "aria-label": "What to do with this molecule" });
    const select = (name, focus = false) => {
      this.tab = name;
      content.replaceChildren(tabs[name][1]());
      this.body.classList.toggle("compact", name !== "about");
      for (const tab of bar.children) {
        const mine = tab.dataset.tab === name;
        tab.setAttribute("aria-selected", String(mine));
        tab.tabIndex = mine ? 0 : -1;
        if (mine && focus) tab.focus();
      }
    };
    for (const [name, [words]] of Object.entries(tabs)) {
      bar.append(el("button", { type: "button", role: "tab", "data-tab": name, "aria-controls": "tab-body", onclick: () => select(name) }, words));
    }
    bar.addEventListener("keydown", (event) => {
      const names = Object.keys(tabs);
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step) select(names[(names.indexOf(this.tab) + step + names.length) % names.length], true);
    });
    this.body.replaceChildren(structureHead(card, molecule), bar, content);
    select(this.tab);
    this.body.dataset.smiles = card.smiles;
  }

  /** Open one of the tabs: about, neighbors, interpolate, edit, optimize. */
  open(tab) {
    this.tab = tab;
    if (this.card && store.molecule) this.render(this.card, store.molecule);
  }
}

export const startPanel = () => new Panel(document.getElementById("panel"));
