"""A map of 50,000 molecules in headless Chromium: hover, pins, lasso, search, sets, grid, files, address, use by an app."""

from __future__ import annotations

import csv
import io
import json
import re

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem

from chemvae.maps import map_component, write_map
from chemvae.maps.payload import build_payload
from chemvae.maps.regions import RegionLabel
from tests.maps.test_browser import BROWSER, at, browser, pixels, point_at, visit  # noqa: F401

N, N_DRUGS, N_DESIGNS = 50_000, 500, 12
MAP = "document.querySelector('.chemvae-map').chemvaeMap"
PARTS = ["c1ccccc1", "c1ccncc1", "C1CCNCC1", "C(=O)N", "C#N", "S(=O)(=O)N", "OC", "CCC"]

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium found; set CHEMVAE_BROWSER to its path")


def molecules() -> tuple[np.ndarray, list[str], pd.DataFrame]:
    """50,000 molecules in a square, and columns with a known rule; the last 512 are drugs and designs."""
    rng = np.random.default_rng(5)
    xy = rng.uniform(0, 100, size=(N, 2))
    smiles = ["C" * (1 + i % 9) + PARTS[i % len(PARTS)] for i in range(N)]
    columns = pd.DataFrame(
        {
            "x": xy[:, 0].round(2),
            "dose": 10.0 ** (i_mod := np.arange(N) % 6),
            "gap": np.where(i_mod == 0, np.nan, i_mod),
            "kind": np.array(list("abc"))[np.arange(N) % 3],
            "name": [f"compound {i}" for i in range(N)],
        }
    )
    return xy, smiles, columns


SETS = {"drugs": list(range(N - N_DRUGS - N_DESIGNS, N - N_DESIGNS)), "<b>designs</b>": list(range(N - N_DESIGNS, N))}
LABELS = [RegionLabel(25, 50, 0, "west"), RegionLabel(75, 50, 0, "east"), RegionLabel(25, 75, 3, "north-west corner")]


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    xy, smiles, columns = molecules()
    target = tmp_path_factory.mktemp("large") / "map.html"
    return write_map(target, xy, smiles, columns, "Fifty thousand", labels=LABELS, marks=SETS, color="x", theme="light")


@pytest.fixture(scope="module")
def seen(browser, page_file):  # noqa: F811
    """One page for all tests that leave it as they found it; no script of it failed, and nothing was asked for."""
    context = browser.new_context(viewport={"width": 1200, "height": 800}, accept_downloads=True)
    page, troubles = context.new_page(), []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("request", lambda request: request.url.startswith(("file:", "blob:")) or troubles.append(request.url))
    page.goto(page_file.as_uri())
    page.wait_for_selector(".chemvae-map[data-structures]", timeout=120_000)
    yield page
    context.close()
    assert troubles == []


@pytest.fixture
def page(seen):
    seen.keyboard.press("Escape")
    seen.evaluate(f"() => {{ {MAP}.clearFilters(); {MAP}.pins.clear(); {MAP}.gallery.root.hidden = true; {MAP}.home(); }}")
    seen.wait_for_timeout(300)
    return seen


def selected(page) -> np.ndarray:
    """Rows that the filters leave."""
    return np.array(page.evaluate(f"[...({MAP}.on ?? [])]"), dtype=bool)


def lasso(page, corners: list[tuple[float, float]]) -> None:
    """Draw around places of the map with Shift held down."""
    box = page.locator(".cm-stage").bounding_box()
    screen = [page.evaluate(f"p => {MAP}.view.toScreen(...{MAP}.view.fromData(p))", list(corner)) for corner in corners]
    page.keyboard.down("Shift")
    page.mouse.move(box["x"] + screen[0][0], box["y"] + screen[0][1])
    page.mouse.down()
    for x, y in [*screen[1:], screen[0]]:
        page.mouse.move(box["x"] + x, box["y"] + y, steps=4)
    page.mouse.up()
    page.keyboard.up("Shift")


def download(page, button: str) -> str:
    with page.expect_download() as found:
        page.click(f".cm-export >> text={button}")
    return found.value.path()


def test_pointing_shows_the_molecule_and_finds_it_among_all(page):
    i = page.evaluate(f"{MAP}.grid.nearest({MAP}.view, 300, 300, 30, null)")
    point_at(page, i)
    _, smiles, columns = molecules()
    shown = page.evaluate(f"{MAP}.overlay.pointed")
    tip = page.locator(".cm-tip").inner_text()
    assert smiles[shown] in tip and f"x: {columns['x'][shown]:g}" in tip
    apart = np.subtract(at(page, shown), at(page, i))
    assert np.hypot(*apart) < 1.5  # another point may lie on the same pixel


def test_pins_keep_several_molecules_and_the_grid_shows_the_lasso(page):
    lasso(page, [(10, 10), (14, 10), (14, 14), (10, 14)])
    xy, smiles, _ = molecules()
    inside = ((xy > 10) & (xy < 14)).all(axis=1)
    found = selected(page)
    assert 0.95 < (found & inside).sum() / inside.sum() <= 1 and (found & ~inside).sum() < 0.1 * inside.sum()
    page.click(".cm-selection >> text=Grid")
    assert page.locator(".cm-gallery h3").inner_text() == f"{found.sum():,} selected"
    assert page.locator(".cm-tile").count() == min(48, found.sum())
    assert page.locator(".cm-tile svg").count() == min(48, found.sum())
    page.locator(".cm-tile").nth(0).click()
    page.locator(".cm-tile").nth(1).click()
    rows = np.flatnonzero(found)[:2]
    assert page.locator(".cm-card .cm-smiles").all_inner_texts() == [smiles[rows[1]], smiles[rows[0]]]
    page.select_option(".cm-gallery select", "down")
    values = [float(re.search(r"x: ([\d.]+)", text)[1]) for text in page.locator(".cm-tile").all_inner_texts()]
    assert values == sorted(values, reverse=True)
    page.keyboard.press("Escape")
    assert page.locator(".cm-gallery").is_hidden() and selected(page).sum() == found.sum()


def test_a_substructure_is_searched_and_coloured_in_the_drawings(page):
    page.select_option(".cm-search select", "smarts")
    page.fill(".cm-search input", "c1ccncc1")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('.cm-search output').textContent.endsWith('found')", timeout=300_000)
    query = Chem.MolFromSmarts("c1ccncc1")
    by_part = {text: Chem.MolFromSmiles(text).HasSubstructMatch(query) for text in set(molecules()[1])}
    np.testing.assert_array_equal(selected(page), [by_part[text] for text in molecules()[1]])
    assert page.locator(".cm-chip").all_inner_texts() == ["SMARTS c1ccncc1 ×"]
    drawn = page.locator(".cm-thumb svg").first.inner_html()
    assert "#8CD1FF" in drawn.upper()  # the colour of what matches
    page.locator(".cm-chip").click()
    assert page.locator(".cm-selection").is_hidden()


def test_ranges_of_several_columns_hold_together_while_the_colour_changes(page):
    page.locator(".cm-range input").nth(1).fill("50")
    page.locator(".cm-range input").nth(1).press("Enter")
    page.select_option(".cm-toolbar label select", label="kind")
    page.locator(".cm-legend input").nth(1).uncheck()
    xy, _, columns = molecules()
    np.testing.assert_array_equal(selected(page), (columns["x"] <= 50) & (columns["kind"] != "b"))
    assert page.locator(".cm-chip").all_inner_texts() == ["x ≤ 50 ×", "kind: without b ×"]
    page.locator(".cm-chip").nth(0).click()
    np.testing.assert_array_equal(selected(page), columns["kind"] != "b")
    page.select_option(".cm-toolbar label select", label="x")
    assert page.locator(".cm-range input").nth(1).input_value() == ""


def test_missing_values_are_grey_and_named_and_the_scale_may_be_logarithmic(page):
    page.select_option(".cm-toolbar label select", label="gap")
    assert f"{molecules()[2]['gap'].isna().sum():,} missing (grey)" in page.locator(".cm-legend").inner_text()
    page.select_option(".cm-toolbar label select", label="dose")
    box = page.locator(".cm-scale input")
    assert box.is_checked()
    assert page.evaluate(f"{MAP}.columns[1].log") is True
    box.uncheck()
    assert page.evaluate(f"{MAP}.columns[1].log") is False
    page.locator(".cm-scale input").check()
    page.select_option(".cm-toolbar label select", label="x")


def test_sets_have_marks_and_can_be_switched_off(page):
    assert page.locator(".cm-sets li").all_inner_texts() == ["drugs\n500", "<b>designs</b>\n12"]
    shapes = page.locator(".cm-sets polygon")
    assert shapes.nth(0).get_attribute("points") != shapes.nth(1).get_attribute("points")
    ink = "(() => { const c = %s.marks.canvas; const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
    ink = (ink + " let n = 0; for (let i = 3; i < d.length; i += 4) n += d[i] > 0; return n; })()") % MAP
    both = page.evaluate(ink)
    page.locator(".cm-sets input").nth(0).uncheck()
    page.wait_for_timeout(200)
    alone = page.evaluate(ink)
    assert 0 < alone < both / 5
    np.testing.assert_array_equal(np.flatnonzero(~selected(page)), SETS["drugs"])
    page.locator(".cm-sets input").nth(0).check()
    point_at(page, SETS["<b>designs</b>"][3])
    assert page.locator(".cm-tip b").count() == 0


def test_names_of_regions_follow_the_zoom(page):
    placed = f"{MAP}.labels.placed((text, size) => 7 * text.length).map(label => label.text)"
    assert sorted(page.evaluate(placed)) == ["east", "west"]
    page.evaluate(f"() => {{ const v = {MAP}.view; [v.x, v.y] = v.fromData([25, 75]); v.zoom = 16; {MAP}.moving(); }}")
    assert page.evaluate(placed) == ["north-west corner"]
    page.focus(".cm-stage")
    page.keyboard.press("t")
    assert page.evaluate(f"{MAP}.labels.shown") is False
    page.keyboard.press("t")


def test_files_of_the_selection_hold_what_is_selected(page):
    lasso(page, [(50, 50), (52, 50), (52, 52), (50, 52)])
    _, smiles, columns = molecules()
    rows = np.flatnonzero(selected(page))
    table = list(csv.DictReader(io.StringIO(download(page, "CSV").read_text("utf-8"))))
    assert [row["smiles"] for row in table] == [smiles[i] for i in rows]
    assert [float(row["x"]) for row in table] == [columns["x"][i] for i in rows]
    mols = list(Chem.SDMolSupplier(str(download(page, "SDF"))))
    assert [Chem.MolToSmiles(mol) for mol in mols] == [Chem.CanonSmiles(smiles[i]) for i in rows]
    assert [mol.GetProp("name") for mol in mols] == [f"compound {i}" for i in rows]
    assert all(mol.GetNumConformers() == 1 for mol in mols)


def test_pictures_of_the_map_are_pictures(page):
    assert download(page, "PNG").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    svg = download(page, "SVG").read_text("utf-8")
    assert svg.startswith("<svg") and svg.count("<polygon") == N_DRUGS + N_DESIGNS and "<image" in svg
    assert ">west<" in svg and "script" not in svg


def test_the_address_brings_filters_lasso_search_and_sets_back(page, visit):  # noqa: F811
    page.locator(".cm-range input").nth(0).fill("20")
    page.locator(".cm-range input").nth(0).press("Enter")
    lasso(page, [(10, 10), (60, 10), (60, 60), (10, 60)])
    page.fill(".cm-search input", "compound 1")
    page.select_option(".cm-search select", "text")
    page.locator(".cm-search input").press("Enter")
    page.locator(".cm-sets input").nth(1).uncheck()
    before = selected(page)
    page.wait_for_timeout(300)
    again = visit(page.url)
    page.locator(".cm-sets input").nth(1).check()
    after = selected(again)
    assert before.sum() > 100 and (before != after).sum() <= 0.01 * before.sum()  # corners of the lasso are rounded
    assert again.locator(".cm-sets input").nth(1).is_checked() is False
    assert sorted(again.locator(".cm-chip").all_inner_texts()) == sorted(["x ≥ 20 ×", "lasso ×", "“compound 1” ×"])


def test_another_page_mounts_a_map_and_hears_what_is_picked(browser, tmp_path):  # noqa: F811
    _, assets = map_component([[0, 0], [1, 1]], ["C", "CC"])
    payload = build_payload(np.eye(3, 2), ["CCO", "CCN", "c1ccccc1"])
    payload |= {"title": "app", "note": "", "theme": "light", "fills_page": False}
    file = tmp_path / "app.html"
    place = "<div id='m' class='chemvae-map' data-started style='height:500px'></div>"
    file.write_text(f"<!DOCTYPE html><meta charset='utf-8'>{place}{assets}", encoding="utf-8")
    page = browser.new_page()
    page.goto(file.as_uri())
    listen = "e => heard.push(e.detail.rows.map(e.detail.smilesOf))"
    page.evaluate(f"() => {{ window.heard = []; document.addEventListener('chemvae-map:pin', {listen}); }}")
    page.evaluate("data => chemvaeMaps.mount(document.querySelector('#m'), data)", json.loads(json.dumps(payload)))
    page.wait_for_selector("#m[data-ready]")
    page.mouse.click(*at(page, 2))
    page.mouse.click(*at(page, 1))
    assert page.evaluate("heard") == [["c1ccccc1"], ["CCN", "c1ccccc1"]]
    page.close()


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_runs_over_the_edge(browser, page_file, width, theme):  # noqa: F811
    page = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=theme)
    page.goto(page_file.as_uri() + "#map=0.5,0.5,1;p=3,4")
    page.wait_for_selector(".chemvae-map[data-ready]", timeout=120_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for name in (".cm-toolbar", ".cm-stage", ".cm-side", ".cm-search", ".cm-export"):
        box = page.locator(name).bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= width + 0.5, name
    assert page.locator(".cm-stage").bounding_box()["height"] > 250
    page.close()


def test_the_points_are_drawn(page):
    shown = pixels(page)
    assert 0.2 < (shown.min(axis=2) < 245).mean() < 1.0
