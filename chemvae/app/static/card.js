// The card of a molecule: structure, properties, how far predictions hold, nearest known molecules, alerts.

import { drawing, picture } from "./component.js";
import { el, icon } from "./dom.js";
import { nameText, numberText, unitText } from "./format.js";
import { notice } from "./notices.js";
import { store } from "./store.js";

/** The structure with its name, SMILES and tags. */
export function structureHead(card, molecule) {
  const title = [molecule.name, card.title].find((text) => text && text !== card.smiles) || "";
  const tags = [card.in_library ? ["in the library", ""] : null, card.is_known ? ["known to the model", ""] : null, card.is_known === false && !card.in_library ? ["new", "fresh"] : null];
  const alerts = card.alerts.length ? [[`${card.alerts.length} alert${card.alerts.length > 1 ? "s" : ""}`, "bad"]] : [];
  const shown = [...tags.filter(Boolean), ...alerts].map(([words, kind]) => el("span", { class: `tag ${kind}` }, words));
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(card.smiles);
      notice("SMILES copied.");
    } catch {
      getSelection().selectAllChildren(code);
    }
  };
  const code = el("code", { class: "smiles" }, card.smiles);
  const button = el("button", { type: "button", class: "icon small", title: "Copy the SMILES", "aria-label": "Copy the SMILES", onclick: copy }, icon("copy"));
  return el(
    "div",
    { class: "head" },
    el("div", { class: "paper" }, picture(card.svg, `Structure of ${title || card.smiles}`)),
    el("div", { class: "title" }, title ? el("h2", {}, title) : null, ...shown),
    el("div", { class: "line" }, code, button),
  );
}

/** Properties, trust, neighbours, alerts. */
export function aboutSection(card) {
  return el("div", { class: "stack" }, propertyTable(card.properties), trust(card), alertList(card.alerts), nearestList(card.in_library ? card.nearest.slice(1) : card.nearest, card.in_library));
}

function propertyTable(properties) {
  const names = [...new Map(properties.map((one) => [one.name.toLowerCase(), one.name])).entries()];
  const find = (key, source) => properties.find((one) => one.name.toLowerCase() === key && one.source === source);
  const predicts = properties.some((one) => one.source === "predicted");
  const rows = names.map(([key, name]) => {
    const [computed, predicted] = [find(key, "computed"), find(key, "predicted")];
    const unit = unitText((computed ?? predicted).unit);
    return el(
      "tr",
      {},
      el("th", { scope: "row", title: predicted?.about }, nameText(name, (computed ?? predicted).unit), unit ? el("span", { class: "unit" }, ` ${unit}`) : null, predicted?.how ? el("small", { class: "how" }, predicted.how) : null),
      el("td", { class: "number" }, computed ? numberText(computed.value) : ""),
      predicts ? el("td", { class: "number" }, predicted ? numberText(predicted.value) : "", predicted ? interval(predicted) : null) : null,
    );
  });
  const head = el("tr", {}, el("th", { scope: "col" }, "Property"), el("th", { scope: "col", class: "number" }, "computed"), predicts ? el("th", { scope: "col", class: "number" }, "predicted, 90 %") : null);
  return el("table", { class: "facts" }, el("thead", {}, head), el("tbody", {}, ...rows));
}

function interval({ low, high }) {
  if (!Number.isFinite(low ?? NaN) || !Number.isFinite(high ?? NaN)) return null;
  return el("small", {}, `${numberText(low)} to ${numberText(high)}`);
}

function trust({ distance, distance_note: note }) {
  if (!note) return null;
  const value = Number.isFinite(distance ?? NaN) ? `${numberText(distance)} \u00b7 ` : "";
  return el("p", { class: "note" }, el("b", {}, "Distance to training data "), value, note);
}

function alertList(alerts) {
  if (!alerts.length) return el("p", { class: "note" }, el("b", {}, "Alerts "), "none");
  const items = alerts.map(({ name, about }) => el("li", {}, icon("warn"), el("span", {}, name, el("small", {}, about ?? ""))));
  return el("section", {}, el("h3", {}, "Alerts"), el("ul", { class: "alerts" }, ...items));
}

/** The most similar others: that the molecule itself is in the library is said, not shown. */
function nearestList(nearest, isIn) {
  if (!nearest.length) return null;
  const tile = (one) =>
    el(
      "button",
      { type: "button", class: "tile", title: one.smiles, "aria-label": `Look at ${one.name || one.smiles}`, onclick: () => store.look(one.smiles, one.name ?? "") },
      drawing(one.smiles, 150, 104),
      el("span", { class: "name" }, one.name || "\u00a0"),
      el("small", {}, numberText(one.similarity, 2)),
    );
  return el("section", {}, el("h3", {}, "Nearest in the library"), isIn ? el("p", { class: "note" }, "The molecule itself is in the library; these are the others.") : null, el("div", { class: "tiles" }, ...nearest.map(tile)));
}
