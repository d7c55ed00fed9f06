"""The page in a real browser: from file://, with no request, drawing what Python knows.

Needs Chromium, and playwright for all but the first test; skipped with the reason where one is missing.
"""

import base64
import csv
import io
import os
import shutil

import matplotlib.image
import numpy as np
import pandas as pd
import pytest
from rdkit import Chem

from chemvae.maps import Trajectory, map_component, write_map
from tests.maps.devtools import opened

BROWSER = os.environ.get("CHEMVAE_BROWSER") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None
)
QUIET = [
    "--no-sandbox",
    "--no-first-run",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SMILES = [
    "CCO",
    "C1=CC=CC=C1",
    "c1ccncc1O",
    "C[C@H](N)C(=O)O",
    "not a molecule",
    "",
    "CCN",
    "O=C(O)c1ccccc1",
    "[NH3+]CC",
    "FC(F)F",
]
GRID = np.array([[i % 5, i // 5] for i in range(10)], dtype=float)  # five columns, two rows
HOSTILE = "\"'><img src=x onerror=window.pwned=1></script><script>window.pwned=1</script>"

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium found; set CHEMVAE_BROWSER to its path")


def columns():
    values = [0.5, 1.25, np.nan, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 1 / 3]
    return pd.DataFrame({"logP": values, "group": list("aabbccabca"), "id": [f"=1+{i}" for i in range(10)]})


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    path = Trajectory([[0.5, 0.5], [3.5, 0.5]], "best so far", ["CCC", "CCCC"], ["call 1", "call 2"])
    target = tmp_path_factory.mktemp("page") / "map.html"
    return write_map(target, GRID, SMILES, columns(), "Ten", units={"logP": "nats"}, trajectories=[path], theme="light")


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as engine:
        started = engine.chromium.launch(
            executable_path=BROWSER, args=[*QUIET, "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
        )
        yield started
        started.close()


@pytest.fixture
def visit(browser):
    """Open an address; afterwards nothing but that file was asked for and no script failed."""
    troubles, visited, contexts = [], set(), []

    def open_page(url, **options):
        contexts.append(browser.new_context(viewport={"width": 1000, "height": 700}, **options))
        page = contexts[-1].new_page()
        visited.add(url.split("#")[0])
        page.on("request", lambda request: request.url.split("#")[0] in visited or troubles.append(request.url))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda message: message.type in ("error", "warning") and troubles.append(message.text))
        page.goto(url)
        page.wait_for_selector(".chemvae-map[data-structures]")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert troubles == []


def at(page, i):
    """Position of molecule i in the window."""
    box = page.locator(".cm-stage").bounding_box()
    x, y = page.evaluate("i => document.querySelector('.chemvae-map').chemvaeMap.screenOf(i)", i)
    return box["x"] + x, box["y"] + y


def point_at(page, i):
    page.mouse.move(*at(page, i))
    page.mouse.move(*at(page, i), steps=2)


def test_a_bare_browser_draws_a_pinned_molecule(page_file, tmp_path):
    address = f"{page_file.as_uri()}#map=2,0.5,1;p=7"
    with opened(BROWSER, [*QUIET, f"--user-data-dir={tmp_path}"], address) as page:
        page.wait_for("!!document.querySelector('article.cm-card svg')")
        card = page.wait_for("document.querySelector('article.cm-card').outerHTML")
    assert card.count("<path") > 8  # benzoic acid: nine bonds
    assert "O=C(O)c1ccccc1" in card and '7<span class="cm-unit"> nats' in card


def test_pointing_at_a_molecule_draws_it(visit, page_file):
    page = visit(page_file.as_uri())
    assert page.locator(".cm-tip").is_hidden()
    point_at(page, 1)
    assert page.locator(".cm-tip svg path").count() >= 6
    assert "logP: 1.25 nats" in page.locator(".cm-tip").inner_text()
    point_at(page, 2)
    assert "logP: missing" in page.locator(".cm-tip").inner_text()
    point_at(page, 4)
    assert "cannot be drawn" in page.locator(".cm-tip").inner_text()
    page.mouse.move(5, 5)
    assert page.locator(".cm-tip").is_hidden()


def test_the_browser_reads_what_python_wrote(visit, page_file):
    page = visit(page_file.as_uri())
    map_ = "document.querySelector('.chemvae-map').chemvaeMap"
    assert page.evaluate(f"{map_}.smiles") == SMILES
    assert page.evaluate(f"[...{map_}.columns[0].values].map(v => isNaN(v) ? null : v)")[:4] == [0.5, 1.25, None, 3.0]
    assert page.evaluate(f"[...{map_}.columns[0].values][9]") == pytest.approx(1 / 3, rel=1e-6)
    assert page.evaluate(f"[0,1,2,3].map(i => {map_}.columns[1].names[{map_}.columns[1].codes[i]])") == list("aabb")
    places = np.array([page.evaluate(f"{map_}.view.toWorld(...{map_}.screenOf({i}))") for i in range(10)])
    np.testing.assert_allclose(4 * places, GRID, atol=1e-3)


def search_pattern(page, smarts, outcome):
    page.select_option(".cm-search select", "smarts")
    page.fill(".cm-search input", smarts)
    page.keyboard.press("Enter")
    page.wait_for_function("end => document.querySelector('.cm-search output').textContent.endsWith(end)", arg=outcome)


def test_smarts_finds_what_rdkit_finds(visit, page_file):
    page = visit(page_file.as_uri())
    mols = [Chem.MolFromSmiles(text) if text != "not a molecule" else None for text in SMILES]
    for smarts in ["c1ccccc1", "[OX2H]", "[#7]", "[N+]", "C(F)(F)F", "[C@H]"]:
        query = Chem.MolFromSmarts(smarts)
        expected = [int(mol is not None and mol.HasSubstructMatch(query)) for mol in mols]
        search_pattern(page, smarts, "found")
        assert page.evaluate("[...document.querySelector('.chemvae-map').chemvaeMap.on]") == expected, smarts
        page.focus(".cm-stage")
        page.keyboard.press("Escape")
    search_pattern(page, "c1cc(", "not a SMARTS pattern")
    assert page.locator(".cm-selection").is_hidden()


def test_lasso_search_and_legend_together_make_the_file(visit, page_file):
    page = visit(page_file.as_uri())
    (left, low), (right, high) = at(page, 0), at(page, 7)  # around molecules 0-2 and 5-7
    page.keyboard.down("Shift")
    page.mouse.move(left - 30, low + 30)
    page.mouse.down()
    for x, y in [(right + 30, low + 30), (right + 30, high - 30), (left - 30, high - 30), (left - 30, low)]:
        page.mouse.move(x, y, steps=3)
    page.mouse.up()
    page.keyboard.up("Shift")
    assert page.locator(".cm-selection h3").inner_text() == "6 of 10 selected"
    page.locator(".cm-range input").first.fill("1")
    page.locator(".cm-range input").first.press("Enter")
    assert page.locator(".cm-selection h3").inner_text() == "4 of 10 selected"
    with page.expect_download() as download:
        page.click(".cm-export >> text=CSV")
    rows = list(csv.reader(io.StringIO(download.value.path().read_text("utf-8"))))
    assert rows[0] == ["smiles", "logP", "group", "id"]
    assert rows[1:] == [[SMILES[i], f"{columns().logP[i]:g}", columns().group[i], f"'=1+{i}"] for i in (1, 5, 6, 7)]
    page.click(".cm-actions >> text=Clear")
    assert page.locator(".cm-selection").is_hidden()


def test_categories_colour_and_filter(visit, page_file):
    page = visit(page_file.as_uri())
    page.select_option(".cm-toolbar label select", label="group")
    assert page.locator(".cm-legend li").all_inner_texts() == ["a\n4", "b\n3", "c\n3"]
    page.locator(".cm-legend input").nth(1).uncheck()
    assert page.locator(".cm-selection h3").inner_text() == "7 of 10 selected"


def test_the_address_keeps_view_colour_and_pins(visit, page_file):
    page = visit(page_file.as_uri())
    page.mouse.click(*at(page, 3))
    page.select_option(".cm-toolbar label select", label="group")
    page.focus(".cm-stage")
    for key in ("+", "+", "ArrowRight"):
        page.keyboard.press(key)
    page.wait_for_timeout(300)
    state = "document.querySelector('.chemvae-map').chemvaeMap.view.state"
    again = visit(page.url)
    assert again.evaluate(state) == pytest.approx(page.evaluate(state), rel=1e-4)
    assert again.locator(".cm-card .cm-smiles").all_inner_texts() == [SMILES[3]]
    assert again.locator(".cm-legend h3").inner_text() == "group"


def test_a_strange_address_is_survived(visit, page_file):
    page = visit(page_file.as_uri() + "#map=1e999,NaN,<b>;c=%;p=-1,999,1e3,x&other=%ZZ")
    assert page.locator(".cm-card").count() == 0


def test_keys_pin_and_clear(visit, page_file):
    page = visit(page_file.as_uri())
    page.focus(".cm-stage")
    page.keyboard.press("n")
    page.keyboard.press("n")
    page.keyboard.press("Enter")
    assert page.locator(".cm-card .cm-smiles").all_inner_texts() == [SMILES[1]]
    page.keyboard.press("/")
    page.keyboard.type("CC")
    page.keyboard.press("Enter")
    assert page.locator(".cm-search output").inner_text() == "4 found"
    page.focus(".cm-stage")
    page.keyboard.press("Escape")
    assert page.locator(".cm-selection").is_hidden() and page.locator(".cm-search input").input_value() == ""


def test_a_step_of_a_path_shows_its_molecule(visit, page_file):
    page = visit(page_file.as_uri())
    (x0, y0), (x4, _), (_, y5) = at(page, 0), at(page, 4), at(page, 5)
    page.mouse.move(x0 + 3.5 / 4 * (x4 - x0), (y0 + y5) / 2, steps=2)
    text = page.locator(".cm-tip").inner_text()
    assert "CCCC" in text and "best so far, 2 of 2" in text and "call 2" in text
    page.mouse.move(x0 + 0.25 * (x4 - x0), (y0 + y5) / 2 + 40, steps=2)
    assert page.locator(".cm-tip").is_hidden()


def test_hostile_strings_are_shown_and_not_run(visit, tmp_path):
    table = pd.DataFrame({HOSTILE: [1.0, 2.0], "group": [HOSTILE, "b"]})
    path = Trajectory([[0.5, 0.5]], HOSTILE, [HOSTILE], [HOSTILE])
    file = write_map(
        tmp_path / "map.html", [[0, 0], [1, 1]], [HOSTILE, "C |$<b>$|"], table, HOSTILE, trajectories=[path], note=HOSTILE
    )
    page = visit(file.as_uri() + "#map=0.5,0.5,1;p=0,1")
    point_at(page, 0)
    page.select_option(".cm-toolbar label select", label="group")
    page.wait_for_timeout(200)
    assert page.evaluate("window.pwned") is None
    assert page.locator("img, .cm-card script, .cm-card b").count() == 0
    assert page.locator("h2").inner_text() == page.title() == HOSTILE
    assert page.locator(".cm-card .cm-smiles").first.inner_text() == HOSTILE


def pixels(page):
    """The points of the stage as an array [H, W, 3] of 0-255."""
    address = page.evaluate("document.querySelector('.cm-layer').toDataURL('image/png')")
    image = matplotlib.image.imread(io.BytesIO(base64.b64decode(address.split(",")[1])), format="png")
    return 255 * image[:, :, :3]


def test_both_renderers_draw_the_same_picture(visit, page_file):
    pictures = {}
    for name in ("webgl", "raster"):
        page = visit(f"{page_file.as_uri()}?renderer={name}")
        assert page.evaluate("document.querySelector('.chemvae-map').chemvaeMap.points.name") == name
        page.locator(".cm-range input").first.fill("4")  # some points faint
        page.locator(".cm-range input").first.press("Enter")
        page.wait_for_timeout(200)
        pictures[name] = pixels(page)
    inked = [(picture < 250).any(axis=2).sum() for picture in pictures.values()]
    assert inked[0] == pytest.approx(inked[1], rel=0.15) and inked[1] > 300
    different = np.abs(pictures["webgl"] - pictures["raster"]).max(axis=2) > 60
    assert different.sum() < 0.2 * inked[1]  # edges differ by half a pixel


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_readable_in_both_themes(visit, tmp_path, scheme):
    page = visit(write_map(tmp_path / "map.html", GRID, SMILES, columns(), "Ten").as_uri(), color_scheme=scheme)
    ink, muted, panel = (
        page.evaluate(f"getComputedStyle(document.querySelector('{where}')).{what}.match(/\\d+/g).map(Number)")
        for where, what in [("h2", "color"), (".cm-title p", "color"), (".chemvae-map", "backgroundColor")]
    )
    assert (sum(panel[:3]) < 300) == (scheme == "dark")
    assert contrast(ink, panel) > 7 and contrast(muted, panel) > 4.5  # WCAG AAA and AA


def contrast(first, second):
    """WCAG contrast of two colours, 1-21."""
    light, dark = sorted((relative_luminance(first), relative_luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def relative_luminance(rgb):
    scaled = np.array(rgb[:3]) / 255
    linear = np.where(scaled <= 0.04045, scaled / 12.92, ((scaled + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_two_maps_in_one_report_mind_their_own_business(visit, tmp_path):
    first, assets = map_component(GRID, SMILES, columns(), key="first")
    second, _ = map_component(GRID, SMILES, key="second", height="20rem")
    file = tmp_path / "report.html"
    file.write_text(f"<!DOCTYPE html><meta charset='utf-8'>{first}{second}{assets}<div style='height:2000px'></div>", "utf-8")
    page = visit(file.as_uri())
    page.wait_for_selector("#second[data-structures]")
    page.locator("#first .cm-range input").first.fill("5")
    page.locator("#first .cm-range input").first.press("Enter")
    assert page.locator("#first .cm-selection h3").inner_text() == "4 of 10 selected"
    assert page.locator("#second .cm-selection").is_hidden()
    page.mouse.move(300, 300)
    page.mouse.wheel(0, 200)  # scrolls the report, not the map
    page.wait_for_function("scrollY > 100")
    assert page.evaluate("document.querySelector('#first').chemvaeMap.view.zoom") == 1
    svg = page.evaluate("chemvaeMaps.draw('CCO', 120, 80).then(svg => svg.outerHTML)")
    assert svg.count("<path") >= 2
