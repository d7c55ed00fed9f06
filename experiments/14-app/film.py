"""The film of the app: one journey from a map to an exported shortlist, as a GIF of its scenes.

    CHEMVAE_DATA=FOLDER python experiments/14-app/film.py [OUT.gif [ADDRESS]]

FOLDER holds zinc250k.csv.gz; with an ADDRESS the film is that of a server that runs there. Needs Chromium and the extras app
and browser. A scene is a picture of the page, the pointer where the hand is, a line that says what happens, and how long it
stays: the film is as fast on a slow machine as on a quick one.
"""

from __future__ import annotations

import importlib.util
import io
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import tomllib
from PIL import Image, ImageDraw, ImageFont

from chemvae.data.catalog.locate import locate

HERE = Path(__file__).parent
WIDTH, HEIGHT, LINE = 900, 562, 34  # of the film, in pixels; of the line below the page
COLOURS = 255
BUDGET = "50"
MOST_RUNNING = 40  # scenes of the search while it runs
POINTER = [(0, 0), (0, 17), (4, 13), (7, 19), (10, 18), (7, 12), (12, 12)]
INK, PAPER = (27, 36, 48), (245, 246, 248)


def load(path: Path) -> ModuleType:
    """The measurements' file, which starts the server."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


class Film:
    """Scenes of a page, and the pointer in them."""

    def __init__(self, page: Any):
        self.page, self.at, self.words = page, (640.0, 520.0), ""
        self.frames: list[Image.Image] = []
        self.stay_ms: list[int] = []
        self.font = ImageFont.load_default(15)

    def scene(self, stay_ms: int, words: str | None = None) -> None:
        """Keep what the page shows now, for so long."""
        self.words = self.words if words is None else words
        self.page.wait_for_timeout(250)
        shot = Image.open(io.BytesIO(self.page.screenshot())).convert("RGB")
        scale = WIDTH / shot.width
        frame = Image.new("RGB", (WIDTH, HEIGHT + LINE), PAPER)
        frame.paste(shot.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS), (0, 0))
        draw = ImageDraw.Draw(frame)
        x, y = (part * scale for part in self.at)
        draw.polygon([(x + dx, y + dy) for dx, dy in POINTER], fill=INK, outline=(255, 255, 255))
        draw.text((WIDTH / 2, HEIGHT + LINE / 2), self.words, fill=INK, font=self.font, anchor="mm")
        self.frames.append(frame)
        self.stay_ms.append(stay_ms)

    def point(self, target: Any, stay_ms: int = 700) -> None:
        """Move the pointer to the middle of an element."""
        target.scroll_into_view_if_needed()
        box = target.bounding_box()
        self.at = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        self.page.mouse.move(*self.at)
        self.scene(stay_ms)

    def click(self, target: Any, stay_ms: int = 700) -> None:
        """Go to an element and press it."""
        self.point(target, 500)
        target.click()
        self.scene(stay_ms)

    def save(self, path: Path) -> None:
        """Write the film; the frames share one palette, so that nothing flickers."""
        told = [self.frames[0], self.frames[len(self.frames) // 2], self.frames[-1]]
        mosaic = Image.new("RGB", (WIDTH, len(told) * (HEIGHT + LINE)))
        for number, frame in enumerate(told):
            mosaic.paste(frame, (0, number * (HEIGHT + LINE)))
        palette = mosaic.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, kmeans=2)
        frames = [frame.quantize(COLOURS, palette=palette, dither=Image.Dither.NONE) for frame in self.frames]
        frames[0].save(path, save_all=True, append_images=frames[1:], duration=self.stay_ms, loop=0, optimize=True)


def journey(film: Film, start: str, out: Path) -> None:
    """From the map to a shortlist."""
    look(film, start)
    search(film)
    shortlist(film, out)


def look(film: Film, start: str) -> None:
    """The map, a molecule of it, and one's own."""
    page = film.page
    film.scene(2200, "A library's map: every point is a molecule")
    box = page.locator(".cm-stage").bounding_box()
    x, y = page.evaluate("() => document.querySelector('.chemvae-map').chemvaeMap.screenOf(12)")
    film.at = (box["x"] + x, box["y"] + y)
    page.mouse.move(*film.at, steps=3)
    page.wait_for_selector(".cm-tip svg path")
    film.scene(1800, "Point at one to see it, click it for its card")
    page.mouse.click(*film.at)
    page.wait_for_selector(".facts")
    film.scene(2600)
    film.point(page.locator("#text"))
    page.fill("#text", start)
    film.scene(900, "Paste or draw a molecule of your own")
    page.keyboard.press("Enter")
    page.locator(f".card-body[data-smiles='{start}']").wait_for()
    film.scene(2600, "It is placed on the map; properties are computed, and predicted with their intervals")


def search(film: Film) -> None:
    """Goals, and the search while it runs."""
    page = film.page
    film.click(page.get_by_role("tab", name="Optimize"), 1800)
    page.evaluate("() => document.querySelector('.card-body').scrollTo(0, 330)")
    film.words = "Say what is wanted, over the library's histogram"
    film.point(page.locator(".dial").nth(1), 1800)
    film.scene(1500, "Say what is wanted, over the library's histogram")
    page.get_by_label("Budget").select_option(BUDGET)
    film.click(page.get_by_role("button", name="Optimize from here"), 1200)
    film.words = "The search runs beside the map: best so far, trace, molecules"
    page.wait_for_selector("#dock .best b")
    shown = ""
    while page.locator("#dock").get_attribute("data-state") == "running":
        now = page.locator("#dock .facts-line").inner_text().split(" of ")[0]
        if now != shown and len(film.frames) < MOST_RUNNING:
            film.scene(600)
        shown = now
        page.wait_for_timeout(1000)
    page.wait_for_selector("#dock[data-state=done]")
    page.wait_for_timeout(1500)
    film.scene(2600, "Better molecules, on the map and in a table")


def shortlist(film: Film, out: Path) -> None:
    """The best ten, saved; and the same page in the dark."""
    page = film.page
    film.click(page.get_by_role("button", name="Choose the best 10"), 1500)
    with page.expect_download() as saved:
        film.words = "Choose the best and take them away as CSV, SDF or XLSX with drawings"
        film.click(page.locator(".exports a", has_text="XLSX"), 1800)
    saved.value.save_as(out.with_suffix(".xlsx"))
    out.with_suffix(".xlsx").unlink()
    film.click(page.locator("#theme"), 2600)


def shoot(run: ModuleType, address: str, config: dict[str, Any], out: Path) -> Film:
    """The journey on a server, as a file."""
    with run.browsing.chromium() as browser:
        page = run.browsing.Visit(browser, address, config["width"], config["height"]).open()
        film = Film(page)
        journey(film, config["start"], out)
        film.save(out)
    return film


def main() -> None:
    out = Path(sys.argv[1] if len(sys.argv) > 1 else HERE / "film.gif")
    config = tomllib.loads((HERE / "config.toml").read_text(encoding="utf-8"))
    run = load(HERE / "run.py")
    if len(sys.argv) > 2:
        film = shoot(run, sys.argv[2].rstrip("/"), config, out)
    else:
        table = pd.read_csv(locate(config["data"]).paths[0], usecols=["smiles"]).head(config["n_library"])
        with tempfile.TemporaryDirectory() as name:
            server = run.start_server(Path(name), table, config)
            try:
                film = shoot(run, server.address, config, out)
            finally:
                server.kill()
    print(f"{out}: {len(film.frames)} scenes, {sum(film.stay_ms) / 1000:.0f} s, {out.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
