"""The app with a map of 50,000 molecules: pointing, the card, the lasso."""

from __future__ import annotations

import csv
import gzip
import json
import time

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem

pytest.importorskip("fastapi", reason="comes with the extra 'app'")
pytest.importorskip("playwright", reason="comes with the extra 'browser'")

from chemvae.app.shown import MAP
from chemvae.maps.payload import build_payload
from tests.app.browsing import BROWSER, Server
from tests.app.test_browser import EXAMPLES, browser, lasso_left, screen_of, visit  # noqa: F401  (fixtures; skips where something is missing)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium found; set CHEMVAE_BROWSER to its path"),
]

MAP_S = 300
N, SIDE = 50_000, 224  # of the square that they fill, row after row


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The server of a small library, whose map is replaced by a large one."""
    folder = tmp_path_factory.mktemp("large")
    with EXAMPLES.open(encoding="utf-8") as file:
        known = [row["smiles"] for row in csv.DictReader(file)]
    pd.DataFrame({"smiles": known[:40]}).to_csv(folder / "library.csv", index=False)
    started = Server(folder / "project", "--library", str(folder / "library.csv"), "--workers", "1")
    started.start()
    deadline = time.monotonic() + MAP_S
    while b'"job"' in started.answer("/api/map")[:200]:
        assert time.monotonic() < deadline, f"no map of forty molecules after {MAP_S} s"
        time.sleep(0.2)
    smiles = [known[i % len(known)] for i in range(N)]
    xy = np.stack([np.arange(N) % SIDE, np.arange(N) // SIDE], axis=1).astype(float)
    payload = build_payload(xy, smiles, pd.DataFrame({"number": np.arange(N, dtype=float)}))
    whole = payload | {"title": "large", "note": "", "theme": "auto", "fills_page": True}
    (stored,) = started.project.glob(f"maps/*/{MAP}")
    stored.write_bytes(gzip.compress(json.dumps(whole).encode(), 1))
    yield started
    started.kill()


def test_pointing_draws_and_a_click_opens_the_card_of_that_molecule(visit):  # noqa: F811
    page, row = visit(), 31_234
    page.mouse.move(*screen_of(page, row))
    page.mouse.move(*screen_of(page, row), steps=2)
    page.wait_for_selector(".cm-tip svg path")
    page.mouse.click(*screen_of(page, row))
    page.wait_for_selector(".facts")
    smiles = page.evaluate("i => document.querySelector('.chemvae-map').chemvaeMap.smiles[i]", row)
    assert Chem.CanonSmiles(page.locator(".head code").inner_text()) == Chem.CanonSmiles(smiles)


def test_a_lasso_around_a_third_of_them_counts_them(visit):  # noqa: F811
    said, left = lasso_left(visit(), 1 / 3)
    count, whole = (int(part.split()[0].replace(",", "")) for part in said.split(" of "))
    assert whole == N and count == pytest.approx(left, abs=2 * SIDE)  # the lasso's corners are rounded to a pixel
