// Puts the page together: what the server offers first, then the parts, then the map.

import { get } from "./api.js";
import { keep, recall } from "./address.js";
import { startData } from "./data.js";
import { el, empty, icon } from "./dom.js";
import { countText } from "./format.js";
import { jobs } from "./jobs.js";
import { startLaboratory } from "./laboratory.js";
import { libraryMap } from "./map.js";
import { watchConnection } from "./notices.js";
import { startPanel } from "./panel.js";
import { startRun } from "./run.js";
import { startRuns } from "./runs.js";
import { store } from "./store.js";

const VIEWS = ["map", "runs", "laboratory", "data"];
const AGAIN_MS = 2000;

function startTheme() {
  const button = document.getElementById("theme");
  const show = () => button.replaceChildren(icon(globalThis.chemvaeTheme.current === "dark" ? "sun" : "moon"));
  button.addEventListener("click", () => globalThis.chemvaeTheme.flip());
  addEventListener("chemvae-theme", show);
  show();
}

function startViews(laboratory) {
  const buttons = [...document.querySelectorAll("[data-view]")];
  const go = (view) => {
    for (const name of VIEWS) document.getElementById(`view-${name}`).hidden = name !== view;
    for (const button of buttons) {
      if (button.dataset.view === view) button.setAttribute("aria-current", "page");
      else button.removeAttribute("aria-current");
    }
    keep("view", view === "map" ? "" : view);
    if (view === "laboratory") laboratory.refresh();
  };
  for (const button of buttons) button.addEventListener("click", () => go(button.dataset.view));
  store.addEventListener("view", (event) => go(event.detail));
  go(VIEWS.includes(recall("view")) ? recall("view") : "map");
}

function showWhere({ library, model, project }) {
  const name = library ? `${library.name}, ${countText(library.rows, "molecule")}` : "no library";
  const parts = [name, `model ${model}`, project?.path_name ? `project ${project.path_name}` : ""].filter(Boolean);
  document.getElementById("where").replaceChildren(...parts.map((words) => el("span", {}, words)));
}

function startPicking() {
  store.addEventListener("pick", (event) => document.body.classList.toggle("picking", event.detail));
  addEventListener("keydown", (event) => event.key === "Escape" && store.pick(null));
}

/** The server may still be starting: ask until it answers. */
async function firstInfo() {
  for (;;) {
    try {
      return await get("/api/info");
    } catch (error) {
      document.getElementById("panel").replaceChildren(empty("Waiting for chemvae", error.message));
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
}

/** The run that was shown when the page was left; the view stays what it was. */
function reshow() {
  const [run, view] = [recall("run"), recall("view")];
  if (!run || !jobs.list.some((job) => job.id === run)) return;
  store.show(run);
  if (VIEWS.includes(view)) store.go(view);
}

async function start() {
  startTheme();
  watchConnection();
  store.info = await firstInfo();
  document.getElementById("panel").replaceChildren();
  showWhere(store.info);
  store.addEventListener("info", () => showWhere(store.info));
  startPicking();
  startViews(startLaboratory());
  startRun();
  startPanel();
  startData();
  await jobs.refresh();
  startRuns();
  libraryMap.open();
  reshow();
  document.documentElement.dataset.ready = String(Math.round(performance.now()));
}

start();
