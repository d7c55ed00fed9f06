// A canvas to draw a molecule on: OpenChemLib's editor in a dialog.

import { post } from "./api.js";
import { el, waiting } from "./dom.js";
import { notice } from "./notices.js";

let library = null;

/** Draw a molecule, beginning with one; resolves to its molfile, or "" where nothing was drawn or the dialog was closed. */
export function sketch(smiles) {
  return new Promise((resolve) => {
    const dialog = buildDialog();
    document.body.append(dialog);
    dialog.addEventListener("close", () => {
      const molfile = dialog.returnValue === "use" ? drawn(dialog.editor) : "";
      dialog.editor?.destroy();
      dialog.remove();
      resolve(molfile);
    });
    dialog.showModal();
    begin(dialog, smiles).catch((error) => {
      dialog.close();
      notice(`The sketcher did not start: ${error.message}. Paste a SMILES or a molfile.`, { bad: true });
    });
  });
}

function buildDialog() {
  const close = (value) => dialog.close(value);
  const canvas = el("div", { class: "canvas" }, waiting("Opening the sketcher \u2026"));
  const buttons = [
    el("button", { type: "button", class: "plain", onclick: () => dialog.editor?.clearAll() }, "Clear"),
    el("span", { class: "gap" }),
    el("button", { type: "button", onclick: () => close("") }, "Cancel"),
    el("button", { type: "button", class: "primary", onclick: () => close("use") }, "Use it"),
  ];
  const dialog = el("dialog", { class: "sketcher", "aria-label": "Draw a molecule" }, el("h2", {}, "Draw a molecule"), canvas, el("div", { class: "row" }, ...buttons));
  dialog.canvas = canvas;
  return dialog;
}

async function begin(dialog, smiles) {
  library ??= await import("./sketcher/openchemlib.js");
  dialog.canvas.replaceChildren();
  dialog.editor = new library.CanvasEditor(dialog.canvas, {});
  if (!smiles) return;
  const { molfile } = await post("/api/read", { text: smiles });
  dialog.editor.setMolecule(library.Molecule.fromMolfile(molfile));
}

function drawn(editor) {
  const molecule = editor?.getMolecule();
  return molecule?.getAllAtoms() ? molecule.toMolfile() : "";
}
