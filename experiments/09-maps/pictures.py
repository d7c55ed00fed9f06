"""The pictures of docs/pages/maps.md: a map of 3,000 molecules with sets laid over it, its grid of structures, and a lattice.

    CHEMVAE_DATA=FOLDER python experiments/09-maps/pictures.py

Needs the extra 'maps', playwright, and Chromium (CHEMVAE_BROWSER names it if it is not found).
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pandas as pd
import torch
from playwright.sync_api import Page, sync_playwright

from chemvae import api
from chemvae.data.prepare.tables import load_table

HERE = Path(__file__).parent
PICTURES = HERE.parents[1] / "docs" / "pages" / "pictures"
N_MOLECULES, N_DRUGS = 3_000, 120
SIZE = {"width": 1120, "height": 680}


def main() -> None:
    torch.set_num_threads(1)
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_pages(folder)
        with sync_playwright() as engine:
            chromium = os.environ.get("CHEMVAE_BROWSER") or shutil.which("chromium")
            browser = engine.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page(viewport=SIZE)
            page.goto((folder / "map.html").as_uri())
            page.wait_for_selector(".chemvae-map[data-structures]", timeout=300_000)
            save(page, "map")
            page.set_viewport_size(SIZE)
            page.fill(".cm-range input >> nth=0", "4")
            page.press(".cm-range input >> nth=0", "Enter")
            page.click(".cm-selection >> text=Grid")
            page.wait_for_timeout(1000)
            save(page, "grid")
            page.goto((folder / "lattice.html").as_uri())
            page.hover(".cell >> nth=40")
            save(page, "lattice")
            browser.close()


def make_pages(folder: Path) -> None:
    """The map and the lattice, as ``chemvae map`` makes them."""
    model = api.load("drug", "cpu")
    zinc = pd.DataFrame({"smiles": load_table("zinc250k").smiles}).sample(N_MOLECULES, random_state=0)
    drugs = pd.read_csv(Path(os.environ["CHEMVAE_DATA"]) / "drugs_drugcentral.csv.gz")[["name", "smiles"]]
    drugs = drugs.sample(N_DRUGS, random_state=0)
    words = {"overlays": {"approved drugs": drugs}, "color": "logP", "title": "3,000 molecules of ZINC"}
    api.map(zinc, model, out=folder / "map.html", **words)
    api.map_lattice(zinc, model, out=folder / "lattice.html", size=9, color="logP", title="The latent space around ZINC")


def save(page: Page, name: str) -> None:
    """A picture of what is seen, small enough for a page of documentation."""
    page.wait_for_timeout(600)
    page.screenshot(path=PICTURES / f"{name}.jpg", type="jpeg", quality=72)


if __name__ == "__main__":
    main()
