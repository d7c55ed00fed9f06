// What can be made from a molecule: its neighbours, a way to another one, a way along a property, better ones.

import { post } from "./api.js";
import { drawing } from "./component.js";
import { choice, el, field, slider, trouble } from "./dom.js";
import { jobs } from "./jobs.js";
import { optimizeForm } from "./optimize.js";
import { store } from "./store.js";

/** Tabs beside "About": name -> [words, function that builds the form]. */
export function forms(card) {
  return {
    neighbors: ["Neighbours", () => neighborsForm(card)],
    interpolate: ["Interpolate", () => interpolateForm(card)],
    edit: ["Edit", () => editForm(card)],
    optimize: ["Optimize", () => optimizeForm(card, start)],
  };
}

/** Start a job and show it; what the server refuses is said in `form`. */
async function start(kind, settings, form) {
  const said = form.querySelector(".said");
  const button = form.querySelector("[type=submit]");
  said.replaceChildren();
  button.disabled = true;
  try {
    store.show(await jobs.start(kind, settings));
  } catch (error) {
    said.replaceChildren(trouble(error.message));
  }
  button.disabled = false;
}

/** A form: a sentence, its fields, and a button that starts the job with what `settings()` gives. */
function jobForm(kind, lead, words, fields, settings) {
  const submit = async (event) => {
    event.preventDefault();
    const chosen = await settings();
    if (chosen) start(kind, chosen, form);
  };
  const button = el("button", { type: "submit", class: "primary wide" }, words);
  const form = el("form", { class: "stack", onsubmit: submit }, el("p", { class: "lead" }, lead), ...fields, button, el("div", { class: "said", "aria-live": "polite" }));
  return form;
}

const HOW_FAR = 0.5; // where nothing changes on it, the server goes twice as far
const whole = (value, min, max) => el("input", { type: "number", value, min, max, step: "1", required: true });

function neighborsForm(card) {
  const n = whole(24, 1, 500);
  const radius = slider(0.5, 0.1, 2, 0.1);
  const settings = () => ({ smiles: card.smiles, n: Number(n.value), radius: Number(radius.input.value) });
  const fields = [field("How many", n, "half of them known where there are as many, half new"), field("How far", radius.root, "in standard deviations of the model's latent space: further is less alike")];
  return jobForm("neighbors", "Molecules like this one: known ones of the library, and new ones that the model writes close to it.", "Find neighbours", fields, settings);
}

function interpolateForm(card) {
  const steps = whole(9, 3, 50);
  const text = el("input", { type: "text", spellcheck: "false", autocomplete: "off", placeholder: "SMILES or name" });
  const shown = el("div", { class: "target" });
  const pick = el("button", { type: "button", "aria-pressed": "false" }, "Pick on the map");
  let to = null;
  let meant = ""; // the text that `to` was read from
  const take = (smiles, name = "") => {
    to = smiles;
    text.value = meant = name || smiles;
    pick.setAttribute("aria-pressed", "false");
    shown.replaceChildren(drawing(smiles, 240, 150));
  };
  const read = async () => {
    const asked = text.value;
    if (asked === meant) return;
    to = null;
    shown.replaceChildren();
    if (!asked.trim()) return;
    try {
      const found = await post("/api/read", { text: asked });
      if (text.value === asked) take(found.smiles, asked);
    } catch (error) {
      if (text.value === asked) shown.replaceChildren(trouble(error.message));
    }
  };
  text.addEventListener("change", read);
  pick.addEventListener("click", () => {
    const waits = pick.getAttribute("aria-pressed") === "true";
    pick.setAttribute("aria-pressed", String(!waits));
    store.pick(waits ? null : take);
  });
  const settings = async () => {
    await read(); // a click on the button may come before the text was understood
    if (!to && !shown.childElementCount) shown.replaceChildren(trouble("Give the molecule to go to: paste its SMILES, or pick it on the map."));
    return to && { smiles: card.smiles, to, steps: Number(steps.value) };
  };
  const target = el("div", { class: "field" }, el("span", {}, "Go to"), el("div", { class: "row tight" }, text, pick), shown);
  return jobForm("interpolate", "A way through latent space from this molecule to another one.", "Interpolate", [target, field("Steps", steps)], settings);
}

function editForm(card) {
  const predicted = store.info.properties.filter((one) => one.predicted).map((one) => one.name);
  if (!predicted.length) return el("p", { class: "note" }, "This model predicts no property to edit along. Fit one from a table under Data.");
  const along = choice(predicted, predicted[0]);
  const steps = whole(7, 2, 50);
  const radius = slider(HOW_FAR, 0.1, 2, 0.1);
  const far = () => (Number(radius.input.value) === HOW_FAR ? {} : { radius: Number(radius.input.value) });
  const direction = choice(["max", "min"], "max", { labels: { max: "higher", min: "lower" } });
  const keep = el("input", { type: "text", spellcheck: "false", autocomplete: "off", placeholder: "SMARTS, as c1ccncc1" });
  const kept = () => (keep.value.trim() ? { keep: keep.value.trim() } : {});
  const settings = () => ({ smiles: card.smiles, along: along.value, direction: direction.value, steps: Number(steps.value), ...far(), ...kept() });
  const fields = [field("Along", along), field("Towards", direction), field("Steps", steps), field("How far", radius.root, "in standard deviations of the model's latent space: the longer the way, the more changes"), field("Keep this part", keep, "optional: every molecule on the way holds it")];
  return jobForm("edit", "A way along one predicted property, close to this molecule: each step is a molecule with a little more or less of it.", "Edit along it", fields, settings);
}
