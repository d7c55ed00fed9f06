"""What does `chemvae map` take for a whole library, and how quick is its page? Also the pictures of both libraries.

    CHEMVAE_DATA=FOLDER python experiments/09-maps/libraries.py [NAME ...]

NAME is a library of libraries.toml; the others' figures stay as libraries.json has them. The map is made by the command, in a
process of its own. Needs the extra 'maps', playwright and Chromium (CHEMVAE_BROWSER names it if it is not found).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import tomllib
from playwright.sync_api import Page, sync_playwright

from chemvae.runs import environment, write_json

HERE = Path(__file__).parent
PICTURES = HERE.parents[1] / "docs" / "pages" / "pictures"
BEGIN, END = "<!-- libraries -->", "<!-- end of libraries -->"
MAP = "document.querySelector('.chemvae-map')"
KEPT = re.compile(r"trustworthiness ([\d.]+), (\d+)% of the 15 nearest neighbours kept")
# From the pointer's arrival on the map to the drawn molecule beside it.
HOVER = """(row) => new Promise((resolve) => {
  const root = document.querySelector(".chemvae-map"), tip = root.querySelector(".cm-tip");
  root.querySelector(".cm-stage").addEventListener("pointermove", () => {
    const start = performance.now();
    const look = () => {
      const drawn = root.chemvaeMap.overlay.pointed >= 0 && tip.offsetParent && tip.querySelector("svg path");
      if (drawn || performance.now() - start > 5000) resolve([performance.now() - start, root.chemvaeMap.overlay.pointed]);
      else setTimeout(look);
    };
    look();
  }, { capture: true, once: true });
})"""


def main() -> None:
    config = tomllib.loads((HERE / "libraries.toml").read_text(encoding="utf-8"))
    PICTURES.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[1:] or config["libraries"]:
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / f"{name}.html"
            found = made(page, **config["libraries"][name])
            found |= looked_at(page, name, config)
        print(name, *(f"{key}: {value:.4g}" for key, value in found.items()), sep="\n  ", flush=True)
        write_down(config, name, found)


def made(page: Path, data: str, model: str, columns: list[str]) -> dict[str, float]:
    """Run the command; seconds, size and what the page says of its map."""
    words = ["map", data, "--model", model, "--color", columns[0], "--output", str(page), "--jobs", "0", "--quiet"]
    words += [word for column in columns for word in ("--column", column)]
    before, clock = os.times(), time.monotonic()
    subprocess.run([sys.executable, "-m", "chemvae", *words], check=True)
    seconds, after = time.monotonic() - clock, os.times()
    text = page.read_text(encoding="utf-8")
    said = KEPT.search(text)
    if said is None:
        raise SystemExit(f"{page.name} does not say how far it can be trusted")
    return {
        "making, seconds": seconds,
        "making, seconds of processor": sum(after[2:4]) - sum(before[2:4]),
        "page, MB": page.stat().st_size / 1e6,
        "trustworthiness": float(said[1]),
        "15 nearest kept": float(said[2]) / 100,
    }


def looked_at(path: Path, name: str, config: dict[str, Any]) -> dict[str, float]:
    """Open the page as a reader does: seconds until it is drawn, until it draws molecules, and of pointing at one."""
    ready, structures = [], []
    size = {"width": config["width"], "height": config["height"]}
    chromium = os.environ.get("CHEMVAE_BROWSER") or shutil.which("chromium")
    with sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for number in range(config["n_visits"]):
            context = browser.new_context(viewport=size)
            page = context.new_page()
            page.goto(path.as_uri())
            page.wait_for_selector(".chemvae-map[data-structures]", timeout=300_000)
            ready.append(page.evaluate(f"Number({MAP}.dataset.ready)") / 1000)
            structures.append(page.evaluate(f"Number({MAP}.dataset.structures)") / 1000)
            if number == config["n_visits"] - 1:
                facts = page.evaluate(f"[{MAP}.chemvaeMap.smiles.length, {MAP}.chemvaeMap.columns.length]")
                save(page, name)
                hovers = [hover(page, row) for row in chosen(facts[0], config)]
            context.close()
        browser.close()
    return {
        "molecules": facts[0], "columns": facts[1], "ready, seconds": float(np.median(ready)),
        "structures ready, seconds": float(np.median(structures)), "hover, ms": float(np.median(hovers)),
        "hover, ms, longest": float(np.max(hovers)),
    }  # fmt: skip


def chosen(n: int, config: dict[str, Any]) -> list[int]:
    """Rows to point at."""
    return np.random.default_rng(config["seed"]).choice(n, config["n_hovers"], replace=False).tolist()


def hover(page: Page, row: int) -> float:
    """Milliseconds from the pointer's move onto a molecule to its drawing."""
    page.mouse.move(5, 5)
    page.wait_for_timeout(100)
    box = page.locator(".cm-stage").bounding_box()
    x, y = page.evaluate(f"(row) => {MAP}.chemvaeMap.screenOf(row)", row)
    page.evaluate(f"(row) => {{ window.hovered = ({HOVER})(row); }}", row)
    page.mouse.move(box["x"] + x, box["y"] + y)
    milliseconds, pointed = page.evaluate("window.hovered")
    if pointed < 0:
        raise SystemExit(f"pointing at molecule {row} shows none")
    return milliseconds


def save(page: Page, name: str) -> None:
    """A picture of the page, small enough for documentation."""
    page.wait_for_timeout(600)
    page.screenshot(path=PICTURES / f"map-{name}.jpg", type="jpeg", quality=72)


def write_down(config: dict[str, Any], name: str, found: dict[str, float]) -> None:
    """Put a library's figures beside those that libraries.json has, if it was made with the same settings."""
    path, origin = HERE / "libraries.json", environment()
    before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"config": None}
    same = before["config"] == config
    metrics = {f"{name}: {key}": {"mean": value, "std": None, "n": 1} for key, value in found.items()}
    write_json(path, {
        "command": "python experiments/09-maps/libraries.py",
        "commit": origin["commit"],
        "seeds": [config["seed"]],
        "device": f"{origin['processor']}, {os.cpu_count()} cores",
        "versions": origin["versions"],
        "elapsed_s": (before["elapsed_s"] if same else {}) | {name: round(found["making, seconds"], 1)},
        "config": config,
        "metrics": (before["metrics"] if same else {}) | metrics,
    })  # fmt: skip
    page = (HERE / "README.md").read_text(encoding="utf-8")
    done = json.loads(path.read_text(encoding="utf-8"))["metrics"]
    (HERE / "README.md").write_text(filled(page, done), encoding="utf-8")


def filled(page: str, metrics: dict[str, dict[str, Any]]) -> str:
    """The page with a column for each library, between its two marks."""
    names = list(dict.fromkeys(key.split(": ", 1)[0] for key in metrics))
    keys = list(dict.fromkeys(key.split(": ", 1)[1] for key in metrics))
    rows = [f"| | {' | '.join(names)} |", "|---" * (1 + len(names)) + "|"]
    for key in keys:
        cells = [metrics[f"{name}: {key}"]["mean"] for name in names]
        rows.append(f"| {key} | {' | '.join(f'{value:,.0f}' if value >= 1000 else f'{value:.3g}' for value in cells)} |")
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n" + "\n".join(rows) + f"\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    main()
