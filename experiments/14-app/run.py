"""How long a reader of the app waits: for the first paint, the map, a card, the first better molecule of a search.

    CHEMVAE_DATA=FOLDER python experiments/14-app/run.py

FOLDER holds zinc250k.csv.gz. Needs Chromium and the extras app and browser. Everything runs on this machine: the server, its
workers and the browser share its cores.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import tomllib

from chemvae.app.shown import MAP
from chemvae.data.catalog.locate import locate
from chemvae.maps.payload import build_payload
from chemvae.runs import environment, write_json

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SETTLE_MS = 500
FIRST_PAINT = """async () => {
  const painted = () => performance.getEntriesByName("first-contentful-paint")[0];
  while (!painted() && performance.now() < 60000) await new Promise((resolve) => setTimeout(resolve, 20));
  return painted().startTime;
}"""


def load(path: Path) -> ModuleType:
    """A file of this experiment, or of the tests, which know how to start a server and a browser."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


browsing = load(ROOT / "tests/app/browsing.py")


def main() -> None:
    config = tomllib.loads((HERE / "config.toml").read_text(encoding="utf-8"))
    then = time.monotonic()
    table = pd.read_csv(locate(config["data"]).paths[0], usecols=["smiles", "logP", "qed", "SAS"])
    with tempfile.TemporaryDirectory() as name:
        server = start_server(Path(name), table.head(config["n_library"]), config)
        try:
            metrics = measure(server, table, config)
        finally:
            server.kill()
    result = {**environment(), "command": "python experiments/14-app/run.py", "seeds": [config["seed"]]}
    elapsed_s = {"all": round(time.monotonic() - then, 1)}
    write_json(HERE / "result.json", {**result, "elapsed_s": elapsed_s, "config": config, "metrics": metrics})
    for key, metric in metrics.items():
        print(f"{key}: {metric['mean']}")


def start_server(folder: Path, table: pd.DataFrame, config: dict[str, Any]) -> Any:
    """A server of a library, once its map is made."""
    path = folder / "library.csv"
    table[["smiles"]].to_csv(path, index=False)
    server = browsing.Server(folder / "project", "--library", str(path), "--model", config["model"])
    server.start()
    while b'"job"' in server.answer("/api/map")[:200]:
        time.sleep(1)
    return server


def measure(server: Any, table: pd.DataFrame, config: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Seconds of each kind."""
    size = {"width": config["width"], "height": config["height"]}
    with browsing.chromium() as browser:
        found = {"first paint of a page of one word, the browser's first, seconds": [first_page(browser)]}
        found |= first_look(browser, server, size, config["n_visits"])
        visit = browsing.Visit(browser, server.address, **size)
        page = visit.open()
        found["first card, seconds"] = [card(page, row) for row in range(config["n_cards"])][:1]
        found["card, seconds"] = [card(page, row) for row in range(1, config["n_cards"] + 1)]
        found["first better molecule, seconds"] = [first_better(page, config, seed) for seed in range(config["n_searches"])]
        visit.context.close()
        found["map of 240,000 ready, seconds"] = [large_map(browser, server, table, size, config)]
    if (HERE / "clicks.py").exists():
        found |= load(HERE / "clicks.py").measure(server, config)
    return {name: described(values) for name, values in found.items()}


def described(values: list[float]) -> dict[str, Any]:
    """Mean, spread and number of some seconds."""
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return {"mean": round(float(np.mean(values)), 4), "std": spread and round(spread, 4), "n": len(values)}


def first_page(browser: Any) -> float:
    """First paint of a page that owes nothing to the app: what the start of the browser's own parts takes."""
    page = browser.new_page()
    page.goto("data:text/html,<p>Hello</p>")
    seconds = page.evaluate(FIRST_PAINT) / 1000
    page.close()
    return seconds


def first_look(browser: Any, server: Any, size: dict[str, int], n: int) -> dict[str, list[float]]:
    """First paint and the map's first picture, each time in a context that has nothing in its cache."""
    paints, maps = [], []
    for _ in range(n):
        visit = browsing.Visit(browser, server.address, **size)
        page = visit.open()
        paints.append(page.evaluate(FIRST_PAINT) / 1000)
        maps.append(page.evaluate("() => Number(document.querySelector('.chemvae-map').dataset.ready)") / 1000)
        visit.context.close()
    return {"first paint, seconds": paints, "map ready, seconds": maps}


def card(page: Any, row: int) -> float:
    """From the click on a row of the map to its card, measured in the page."""
    return page.evaluate(
        """async (row) => {
          const map = document.querySelector(".chemvae-map").chemvaeMap;
          const body = document.querySelector(".card-body");
          const start = performance.now();
          map.pins.toggle(row);
          while (document.querySelector(".head code")?.textContent !== map.smiles[row] && performance.now() - start < 20000)
            await new Promise((resolve) => setTimeout(resolve, 4));
          return (performance.now() - start) / 1000;
        }""",
        row,
    )


def waited(done: Callable[[], bool]) -> float:
    """Seconds until something is so."""
    start = time.monotonic()
    while not done():
        time.sleep(0.05)
    return time.monotonic() - start


def first_better(page: Any, config: dict[str, Any], seed: int) -> float:
    """From the click on Optimize to the first molecule that is better than the start."""
    page.fill("#text", config["start"])
    page.keyboard.press("Enter")
    page.locator(f".card-body[data-smiles='{config['start']}']").wait_for()
    page.get_by_role("tab", name="About").click()
    page.get_by_role("tab", name="Optimize").click()
    page.get_by_text("More settings").click()
    page.get_by_label("Seed").fill(str(seed))
    page.get_by_label("Budget").select_option(str(config["budget"]))
    page.get_by_role("button", name="Optimize from here").click()
    better = "() => document.getElementById('dock').dataset.run && document.querySelector('#dock .best .open')?.title"
    seconds = waited(lambda: page.evaluate(better) not in (None, "", config["start"]))
    page.locator("#dock").get_by_role("button", name="Cancel").click()
    page.wait_for_selector("#dock:not([data-state=running])")
    page.get_by_label("Close the run").click()
    page.wait_for_timeout(SETTLE_MS)
    return seconds


def large_map(browser: Any, server: Any, table: pd.DataFrame, size: dict[str, int], config: dict[str, Any]) -> float:
    """From the first byte of the page to the picture of a large map in the place of the server's, at random points."""
    many = table.head(config["n_large"])
    xy = np.random.default_rng(config["seed"]).normal(size=(len(many), 2))
    payload = build_payload(xy, many["smiles"].tolist(), many[["logP", "qed", "SAS"]])
    body = gzip.compress(json.dumps(payload | {"title": "", "note": "", "theme": "auto", "fills_page": True}).encode(), 6)
    (stored,) = server.project.glob(f"maps/*/{MAP}")
    stored.write_bytes(body)
    visit = browsing.Visit(browser, server.address, **size)
    page = visit.open()
    seconds = page.evaluate("() => Number(document.querySelector('.chemvae-map').dataset.ready)") / 1000
    visit.context.close()
    return seconds


if __name__ == "__main__":
    main()
