// Short messages in the corner that leave by themselves, and the line that says the server is away.

import { el, icon } from "./dom.js";

const STAY_MS = 7000;

/** Say something; `action` is [words, function] of a button. */
export function notice(words, { bad = false, action = null } = {}) {
  const leave = () => node.remove();
  const act = action && el("button", { type: "button", class: "plain", onclick: () => (leave(), action[1]()) }, action[0]);
  const close = el("button", { type: "button", class: "icon", "aria-label": "Dismiss", onclick: leave }, icon("close"));
  const node = el("div", { class: bad ? "notice bad" : "notice" }, el("p", {}, words), act, close);
  document.getElementById("notices").append(node);
  setTimeout(leave, bad ? 2 * STAY_MS : STAY_MS);
}

/** Run something that asks the server; what it refuses becomes a notice. Resolves to undefined then. */
export async function told(work) {
  try {
    return await work();
  } catch (error) {
    notice(error.message, { bad: true });
    return undefined;
  }
}

/** Keep the banner: shown while the server does not answer. */
export function watchConnection() {
  const banner = document.getElementById("banner");
  addEventListener("chemvae-offline", () => {
    banner.textContent = "chemvae does not answer. Start chemvae serve again: this page goes on by itself, and so do the runs.";
    banner.hidden = false;
  });
  addEventListener("chemvae-online", () => (banner.hidden = true));
}
