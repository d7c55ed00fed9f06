"""The app as a person uses it: from a map to an exported shortlist, through a restart, to the laboratory; in a real browser.

Needs Chromium and playwright (extra ``browser``); skipped with the reason where one is missing.
"""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest
from rdkit import Chem
from rdkit.Chem import QED, Crippen

pytest.importorskip("fastapi", reason="comes with the extra 'app'")
pytest.importorskip("uvicorn", reason="comes with the extra 'app'")
pytest.importorskip("playwright", reason="comes with the extra 'browser'")

from tests.app.browsing import BROWSER, Server, Visit, chromium, until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium found; set CHEMVAE_BROWSER to its path"),
]

EXAMPLES = Path(__file__).parents[2] / "data" / "example.csv"
HOSTILE = "<img src=x onerror=window.pwned=1><script>window.pwned=1</script>"
START = "CC(=O)Nc1ccc(O)cc1"
CELECOXIB = "Cc1ccc(-c2cc(C(F)(F)F)nn2-c2ccc(S(N)(=O)=O)cc2)cc1"
SEARCH_MS = 400_000
"""The most that a search may take where other tests take the cores; it takes a few seconds on its own."""
SCORED = "() => Number(document.querySelector('#dock .facts-line').textContent.split(' of ')[0].replaceAll(',', ''))"
"""Molecules that the run beside the map has scored."""
ETHANOL = """
     RDKit          2D

  3  2  0  0  0  0  0  0  0  0999 V2000
    1.2990    0.7500    0.0000 C   0  0  0  0  0  0  0  0  0  0  0  0
    0.0000   -0.0000    0.0000 C   0  0  0  0  0  0  0  0  0  0  0  0
   -1.2990    0.7500    0.0000 O   0  0  0  0  0  0  0  0  0  0  0  0
  1  2  1  0
  2  3  1  0
M  END
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("app")
    with EXAMPLES.open(encoding="utf-8") as file:
        rows = [row["smiles"] for row in csv.DictReader(file)][:150]
    table = folder / "library.csv"
    with table.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("name", "smiles"), (HOSTILE, START), *((f"M{i}", one) for i, one in enumerate(rows))])
    started = Server(folder / "project", "--library", str(table), "--workers", "1")
    started.start()
    yield started
    started.kill()


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


@pytest.fixture
def visit(server, browser):
    """Open the app in windows of any size; afterwards no script failed, nothing was refused and nobody else was asked."""
    visits = []

    def open_page(**options):
        visits.append(Visit(browser, server.address, **options))
        return visits[-1].open()

    yield open_page
    for one in visits:
        hacked = one.page.evaluate("() => Boolean(window.pwned)")
        one.context.close()
        assert (one.troubles, hacked) == ([], False)


def look_at(page, text):
    page.fill("#text", text)
    page.keyboard.press("Enter")
    page.wait_for_selector(".facts")


def screen_of(page, row):
    """Where the window shows a row of the map."""
    box = page.locator(".cm-stage").bounding_box()
    x, y = page.evaluate("i => document.querySelector('.chemvae-map').chemvaeMap.screenOf(i)", row)
    return box["x"] + x, box["y"] + y


def start_search(page, *, budget, seed=0, enough=""):
    page.get_by_role("tab", name="Optimize").click()
    page.get_by_label("Budget").select_option(str(budget))
    page.get_by_text("More settings").click()
    page.get_by_label("Seed").fill(str(seed))
    page.get_by_label("Stop at a score of").fill(enough)
    before = page.locator("#dock").get_attribute("data-run")
    page.get_by_role("button", name="Optimize from here").click()
    until(page, "before => (document.getElementById('dock').dataset.run ?? null) !== before", before)
    return page.locator("#dock").get_attribute("data-run")


def wait_for_state(page, state):
    page.wait_for_selector(f"#dock[data-state={state}]", timeout=SEARCH_MS)


def test_pointing_at_the_map_draws_and_a_click_opens_the_card(visit):
    page = visit()
    page.mouse.move(*screen_of(page, 3))
    page.mouse.move(*screen_of(page, 3), steps=2)
    page.wait_for_selector(".cm-tip svg path")
    page.mouse.click(*screen_of(page, 3))
    page.wait_for_selector(".facts")
    smiles = page.evaluate("() => document.querySelector('.chemvae-map').chemvaeMap.smiles[3]")
    shown = page.locator(".head code").inner_text()
    assert Chem.CanonSmiles(shown) == Chem.CanonSmiles(smiles)
    assert "in the library" in page.locator(".head").inner_text()
    row = page.locator(".facts tr", has_text="qed").first.inner_text()
    assert float(re.search(r"0\.\d+", row)[0]) == pytest.approx(QED.qed(Chem.MolFromSmiles(smiles)), abs=1e-3)


def lasso_left(page, share):
    """Draw a lasso around the left part of the map; what the page says of it, and how many points lie there."""
    page.get_by_role("button", name="Lasso").click()
    box = page.locator(".cm-stage").bounding_box()
    x, y, width, height = (box[key] for key in ("x", "y", "width", "height"))
    page.mouse.move(x + 3, y + 3)
    page.mouse.down()
    for corner in ((width * share, 3), (width * share, height - 3), (3, height - 3), (3, 3)):
        page.mouse.move(x + corner[0], y + corner[1], steps=4)
    page.mouse.up()
    page.wait_for_selector(".cm-selection h3")
    left = page.evaluate(
        "(share) => { const map = document.querySelector('.chemvae-map').chemvaeMap;"
        " return [...Array(map.n).keys()].filter((i) => map.screenOf(i)[0] < map.view.width * share).length; }",
        share,
    )
    return page.locator(".cm-selection h3").inner_text(), left


def test_a_lasso_selects_what_lies_in_it(visit):
    said, left = lasso_left(visit(), 1 / 2)
    assert said == f"{left} of 151 selected"


def test_names_smiles_and_molfiles_are_read_and_nonsense_is_answered_with_a_sentence(visit):
    page = visit()
    look_at(page, "m2")
    assert page.locator(".title h2").inner_text() == "M2"
    page.evaluate("text => navigator.clipboard?.writeText && (document.getElementById('text').value = text)", ETHANOL)
    page.locator("#text").press("Enter")
    page.locator(".card-body[data-smiles=CCO]").wait_for()
    page.fill("#text", "C1CC")
    page.keyboard.press("Enter")
    page.wait_for_selector(".entry .trouble")
    assert "C1CC" in page.locator(".entry .trouble").inner_text()
    look_at(page, HOSTILE)
    page.locator(f".card-body[data-smiles='{START}']").wait_for()
    assert HOSTILE in page.locator(".title h2").inner_text()


def test_a_molecule_that_is_drawn_is_placed_on_the_map(visit):
    page = visit()
    page.get_by_role("button", name="Draw").click()
    canvas = page.locator("dialog canvas").last
    canvas.wait_for()
    box = canvas.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.click(*middle)  # the tool it begins with draws a bond
    page.wait_for_timeout(300)
    page.get_by_role("button", name="Use it").click()
    page.wait_for_selector(".facts")
    assert Chem.MolFromSmiles(page.locator(".head code").inner_text()).GetNumAtoms() >= 2
    page.locator(".cm-name", has_text="this molecule").wait_for()


def test_from_a_molecule_to_an_exported_shortlist_of_better_ones(visit, server):
    page = visit()
    look_at(page, START)
    start_search(page, budget=200, enough="0.85")
    page.wait_for_selector("#dock .best b")
    wait_for_state(page, "done")
    page.get_by_role("button", name="Choose the best").click()
    with page.expect_download() as saved:
        page.locator(".exports a", has_text="CSV").click()
    rows = list(csv.DictReader(io.StringIO(Path(saved.value.path()).read_text("utf-8"))))
    scores = [QED.qed(Chem.MolFromSmiles(row["smiles"])) for row in rows]
    assert 2 <= len(rows) <= 10
    assert max(scores) >= 0.85 > QED.qed(Chem.MolFromSmiles(START))
    assert float(page.locator("#dock .best b").inner_text()) == pytest.approx(max(scores), abs=1e-3)
    assert page.locator(".cm-name", has_text="best so far").count() == 1
    for ending in ("SDF", "XLSX"):
        with page.expect_download() as saved:
            page.locator(".exports a", has_text=ending).click()
        assert Path(saved.value.path()).stat().st_size > 1000
    report = page.locator(".exports a", has_text="Report").get_attribute("href")
    assert b"<html" in server.answer(report)


def test_a_search_is_cancelled_and_another_goes_on_after_the_server_was_killed(visit, server):
    page = visit()
    look_at(page, START)
    start_search(page, budget=5000, seed=1)
    page.wait_for_selector("#dock .best b")
    page.locator("#dock").get_by_role("button", name="Cancel").click()
    wait_for_state(page, "cancelled")
    page.get_by_role("tab", name="About").click()
    name = start_search(page, budget=5000, seed=2)
    page.wait_for_selector("#dock .best b")
    reached = page.evaluate(SCORED)
    port = server.port
    server.kill()
    page.wait_for_selector("#banner:not([hidden])")
    server.start(port)
    page.wait_for_selector("#banner[hidden]", state="attached")
    until(page, f"least => ({SCORED})() > least", reached)
    assert page.locator("#dock").get_attribute("data-run") == name
    page.locator("#dock").get_by_role("button", name="Cancel").click()
    wait_for_state(page, "cancelled")


def chosen(page):
    """The molecules whose tick is set, in order of their text."""
    return sorted(page.eval_on_selector_all("#dock input[data-of]:checked", "ticks => ticks.map((tick) => tick.dataset.of)"))


def test_what_was_chosen_while_a_search_ran_is_what_is_exported_when_it_has_ended(visit):
    page = visit()
    look_at(page, START)
    start_search(page, budget=5000, seed=3)
    page.locator("#dock tbody tr").nth(2).wait_for()
    button = page.get_by_role("button", name="Choose the best")
    n = page.locator("#dock tbody tr").count()
    assert int(button.inner_text().split()[-1]) <= n, "no more are promised than there are"
    button.click()
    mine = chosen(page)
    page.locator("#dock").get_by_role("button", name="Cancel").click()
    assert page.locator("#dock .state").inner_text() == "cancelling \u2026"
    assert page.locator("#dock").get_by_role("button", name="Cancel").is_disabled()
    wait_for_state(page, "cancelled")
    assert "of 5,000" in page.locator("#dock .facts-line").inner_text()
    assert page.locator("#dock .note", has_text="cancelled").count() == 0, "the pill says it"
    page.locator("#dock .words", has_text=f"{len(mine)} chosen").wait_for()
    assert page.locator("#dock tbody tr").count() > n and set(chosen(page)) <= set(mine), "the table shows its first rows"
    with page.expect_download() as saved:
        page.locator(".exports a", has_text="CSV").click()
    rows = list(csv.DictReader(io.StringIO(Path(saved.value.path()).read_text("utf-8"))))
    assert sorted(row["smiles"] for row in rows) == mine
    page.reload()
    page.locator("#dock .words", has_text=f"{len(mine)} chosen").wait_for()
    assert chosen(page) and set(chosen(page)) <= set(mine)


def test_a_run_that_is_opened_again_is_shown_as_it_was(visit):
    page = visit()
    look_at(page, START)
    name = start_search(page, budget=5000, seed=4)
    page.locator("#dock tbody tr").nth(1).wait_for()
    page.get_by_role("button", name="Close the run").click()
    page.locator("[data-view=runs]").click()
    page.locator(f'[data-key="show {name}"]').click()
    page.locator("#dock tbody tr").nth(1).wait_for()
    column = [words.strip() for words in page.locator("#dock thead th").all_inner_texts()].index("score")
    scores = [float(one) for one in page.locator(f"#dock tbody td:nth-child({column + 1})").all_inner_texts()]
    assert scores == sorted(scores, reverse=True)
    page.wait_for_selector("#dock .best b")
    page.locator("#dock").get_by_role("button", name="Cancel").click()
    wait_for_state(page, "cancelled")


def test_two_runs_stand_side_by_side(visit):
    page = visit()
    page.locator("[data-view=runs]").click()
    boxes = page.locator("#view-runs tbody input[type=checkbox]")
    assert boxes.count() >= 2, "the runs of the tests before are those of the project"
    boxes.nth(0).check()
    boxes.nth(1).check()
    page.wait_for_selector(".compare .trace .dot.line-1")
    assert page.locator(".compare section h4").count() == 3


def test_runs_with_different_goals_have_axes_of_their_own(visit, server):
    page = visit()
    asked = [{"name": "qed", "direction": "max"}], [{"name": "logP", "direction": "min"}]
    for goals in asked:
        settings = {"start": [START], "goals": goals, "constraints": ["MW<500"], "budget": 4}
        answer = page.request.post(f"{server.address}/api/jobs", data={"kind": "optimize", "settings": settings})
        assert answer.ok, answer.text()
    page.locator("[data-view=runs]").click()
    for words in ("qed \u2191, MW < 500", "logP \u2193, MW < 500"):
        page.locator(".runs tr", has_text=words).locator(".state.done").wait_for()
        page.get_by_label(f"Compare Optimize {words}").check()
    page.locator(".compare .note", has_text="an axis of its own").wait_for()
    assert page.locator(".compare svg.trace").count() == 2
    assert {"qed", "MW"} <= set(page.locator(".compare .thirds section").first.locator("thead th").all_inner_texts())


def test_a_broken_table_is_answered_line_by_line_and_no_table_with_a_sentence(visit):
    page = visit()
    page.locator("[data-view=data]").click()
    text = f"smiles,{HOSTILE},note\nCCO,1,a\nC1CC,2,b\nc1ccccc1,3,{HOSTILE}\n"
    page.set_input_files("#file", {"name": f"{HOSTILE}.csv", "mimeType": "text/csv", "buffer": text.encode()})
    page.wait_for_selector(".problems")
    first = page.locator(".problems tbody tr").first.inner_text()
    assert first.startswith("3") and "C1CC" in first
    page.set_input_files("#file", {"name": "photo.csv", "mimeType": "text/csv", "buffer": b"\x89PNG\r\n\x1a\n" + bytes(200)})
    page.wait_for_selector("#view-data .trouble")
    assert "photo.csv" in page.locator("#view-data .trouble").inner_text()


def test_results_of_the_laboratory_are_entered_and_refused_row_by_row(visit):
    page = visit()
    page.locator("[data-view=laboratory]").click()
    page.wait_for_selector("#view-laboratory details[open]")
    page.get_by_label("Name", exact=True).fill("sweetness")
    page.get_by_label("What is measured").fill("sweetness")
    page.get_by_label("Molecules per batch").fill("4")
    page.get_by_label("Start from").fill(START)
    page.get_by_role("button", name="Begin the campaign").click()
    page.wait_for_selector(".batch")
    inputs = page.locator(".batch input")
    assert inputs.count() == 4
    inputs.nth(0).fill("1,5")
    inputs.nth(1).fill("2.5")
    page.get_by_role("button", name="Save the results").click()
    page.locator(".campaign", has_text="sweetness").filter(has_text="2 measured").wait_for()
    page.locator(".batch tbody tr").nth(2).wait_for(state="detached")  # the sheet is shown after the list
    third = page.locator(".batch tbody tr .open").first.get_attribute("title")
    sheet = f"smiles,sweetness\n{third},3.5\nC1CC,4\n"  # made by hand: one molecule of the batch, one that is none
    page.set_input_files("#results", {"name": "mine.csv", "mimeType": "text/csv", "buffer": sheet.encode()})
    page.locator(".campaign", has_text="sweetness").filter(has_text="3 measured").wait_for()
    page.wait_for_selector(".refused li")
    assert page.locator(".refused li").inner_text().startswith("Row 2: ")
    with page.expect_download() as saved:
        page.get_by_text("Download the sheet").click()
    assert Path(saved.value.path()).stat().st_size > 1000


def test_a_slip_is_said_at_its_field_and_a_result_is_corrected_where_it_is_listed(visit):
    page = visit()
    page.locator("[data-view=laboratory]").click()
    form = page.locator("#view-laboratory details", has_text="A new campaign")
    form.wait_for()
    if form.get_attribute("open") is None:
        form.locator("summary").click()
    name = page.get_by_label("Name", exact=True)
    name.fill("no/name")
    assert "letters, digits, blanks" in name.evaluate("one => one.validationMessage")
    name.fill("my camp 1")
    page.get_by_label("What is measured").fill("sourness")
    page.get_by_label("Molecules per batch").fill("3")
    page.get_by_label("Start from").fill(START)
    page.get_by_role("button", name="Begin the campaign").click()
    mine = page.locator(".campaign[aria-pressed=true]", has_text="my camp 1")  # others of the project may have as many results
    mine.wait_for()
    inputs = page.locator(".batch input")
    inputs.nth(2).wait_for()
    for at, text in enumerate(("6,5", ">7", "abc")):
        inputs.nth(at).fill(text)
    page.get_by_role("button", name="Save the results").click()
    said = page.locator(".batch .why", has_text="'abc' is no number")
    said.wait_for()
    assert page.locator(".batch tbody tr").count() == 3 and inputs.nth(2).get_attribute("aria-invalid") == "true"
    inputs.nth(2).fill("failed: spilled")
    page.get_by_role("button", name="Save the results").click()
    mine.filter(has_text="3 measured, 1 of them failed").wait_for()
    page.locator(".results summary").click()
    values = page.locator(".told input")
    assert [values.nth(at).input_value() for at in range(3)] == ["failed: spilled", ">7.0", "6.5"]
    values.nth(0).fill("5.9")
    page.get_by_role("button", name="Save the corrections").click()
    mine.filter(has_text=re.compile("3 measured$")).wait_for()
    page.locator(".told .tag.bad").wait_for(state="detached")  # the results are shown after the list
    assert page.locator(".told .tag").all_inner_texts() == ["a bound"]


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_every_view_fits_its_window_and_is_accessible(visit, browser, server, width, scheme):
    axe = pytest.importorskip("axe_playwright_python", reason="comes with the extra 'browser'")
    source = (Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    page = visit(width=width, scheme=scheme)
    look_at(page, START)
    found = {}
    for tab in ("About", "Optimize"):
        page.get_by_role("tab", name=tab).click()
        found[tab] = serious(page, source)
    for view in ("runs", "laboratory", "data"):
        page.locator(f"[data-view={view}]").click()
        found[view] = serious(page, source)
    assert found == dict.fromkeys(found, [])


def serious(page, source):
    """What axe calls serious or worse, and what sticks out of the window."""
    page.evaluate(source)
    answer = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
    grave = [
        f"{one['id']}: {one['nodes'][0]['target']}" for one in answer["violations"] if one["impact"] in ("serious", "critical")
    ]
    wide = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
    return grave + ([f"{wide} pixels too wide"] if wide > 0 else [])


def settings_of(page, server):
    """What the run beside the map was asked for."""
    run = page.locator("#dock").get_attribute("data-run")
    return json.loads(server.answer(f"/api/jobs/{run}"))["settings"]


def test_a_goal_that_an_oracle_leaves_out_is_not_shown_as_one(visit):
    page = visit()
    look_at(page, "paracetamol")
    page.get_by_role("tab", name="Optimize").click()
    goal = page.get_by_role("group", name="qed")
    assert goal.is_visible()
    page.get_by_label("Score by").select_option("penalized_logP")
    goal.wait_for(state="hidden")
    said = page.locator("form .note", has_text="The score is penalized_logP alone")
    assert "qed as high as can be" in said.inner_text()
    page.get_by_label("Score by").select_option("")
    goal.wait_for()
    assert said.count() == 0 or said.is_hidden()


def test_what_was_learned_from_an_upload_is_optimized_beside_other_goals(visit, server):
    page = visit()
    look_at(page, "celecoxib")
    page.locator("[data-view=data]").click()
    with EXAMPLES.open(encoding="utf-8") as file:
        rows = [row["smiles"] for row in csv.DictReader(file)][:40]
    table = "smiles,pIC50\n" + "".join(f"{one},{4 + len(one) / 10:.2f}\n" for one in rows)
    page.set_input_files("#file", {"name": "assay.csv", "mimeType": "text/csv", "buffer": table.encode()})
    page.get_by_text("pIC50: 40 cells are numbers.").wait_for()
    page.get_by_role("button", name="Fit a property").click()
    wait_for_state(page, "done")
    said = page.locator("#dock .note", has_text="learned from 40 molecules")
    assert "missed by" in said.inner_text() and "the labels spread by" in said.inner_text()
    page.get_by_role("button", name="Optimize it").click()
    page.get_by_role("group", name="pIC50 (learned)").wait_for()
    page.get_by_label("What is wanted of pIC50").select_option("min")
    assert page.get_by_label("Look for").input_value() == "0.4"
    page.get_by_label("Budget").select_option("50")
    page.get_by_role("button", name="Optimize from here").click()
    page.locator("#dock h2", has_text="pIC50").wait_for()
    until(page, "() => /^\\d+-optimize$/.test(document.getElementById('dock').dataset.run)")
    asked = settings_of(page, server)
    assert {one["name"]: one["direction"] for one in asked["goals"]} == {"pIC50": "min", "qed": "max"}
    assert asked["oracle"].endswith("#pIC50") and asked["min_similarity"] == 0.4 and asked["start"] == [CELECOXIB]
    page.get_by_role("button", name="Cancel").click()


def test_a_second_goal_brings_weights_and_a_single_one_has_none(visit):
    page = visit()
    look_at(page, START)
    page.click("[data-tab=optimize]")
    weights = page.locator(".dial .slider")
    assert weights.count() == 2 and not any(weights.nth(i).is_visible() for i in range(2))
    page.locator(".dials select").nth(1).select_option("min")
    assert all(weights.nth(i).is_visible() for i in range(2))
    page.get_by_label("Weight of qed").fill("2")
    assert "weight 2" in page.locator(".dial").first.inner_text()


def test_a_limit_that_is_typed_is_the_one_that_is_asked_for(visit):
    page = visit()
    look_at(page, START)
    page.click("[data-tab=optimize]")
    page.get_by_label("SAS as a number").fill("2.70")
    assert float(page.get_by_role("slider", name="SAS", exact=True).input_value()) == pytest.approx(2.7, abs=0.05), (
        "the slider follows"
    )
    page.get_by_label("Add a property").select_option("logP")
    low, high = (page.get_by_label(f"logP {end} as a number") for end in ("from", "to"))
    assert all(len(field.input_value().lstrip("-")) <= 4 for field in (low, high)), "they begin at round numbers"
    low.fill("1.5")
    high.fill("1")
    high.press("Tab")
    assert (low.input_value(), high.input_value()) == ("1", "1"), "from is not above to"
    page.get_by_label("What is wanted of logP").select_option("target")
    own = Crippen.MolLogP(Chem.MolFromSmiles(START))
    assert float(page.get_by_label("logP as a number").input_value()) == pytest.approx(own, rel=5e-3)
    with page.expect_request(lambda one: one.method == "POST" and one.url.endswith("/api/jobs")) as sent:
        page.get_by_role("button", name="Optimize from here").click()
    assert "SAS<2.7" in sent.value.post_data_json["settings"]["constraints"]
    page.locator("#dock").get_by_role("button", name="Cancel").click()
    wait_for_state(page, "cancelled")


def test_a_slider_that_has_the_focus_is_not_hidden_by_the_button_below(visit):
    page = visit()
    look_at(page, START)
    page.click("[data-tab=optimize]")
    page.get_by_label("What is wanted of SAS").focus()
    for _ in range(2):
        page.keyboard.press("Tab")
    slider, button = page.get_by_role("slider", name="SAS", exact=True), page.get_by_role("button", name="Optimize from here")
    assert slider.evaluate("slider => slider === document.activeElement")
    assert slider.bounding_box()["y"] + slider.bounding_box()["height"] < button.bounding_box()["y"]


def test_the_first_click_starts_what_was_typed_and_nothing_moves_under_it(visit):
    page = visit()
    look_at(page, START)
    page.click("[data-tab=interpolate]")
    button = page.locator("#panel form button[type=submit]")
    before = button.bounding_box()
    page.get_by_role("textbox", name="SMILES or name").fill("CCOc1ccccc1")
    page.mouse.click(before["x"] + 20, before["y"] + 20)
    page.locator("#dock h2", has_text="CCOc1ccccc1").wait_for()
    page.wait_for_selector(".target .drawing")
    assert button.bounding_box()["y"] <= before["y"]
    wait_for_state(page, "done")


def test_a_run_is_called_what_its_owner_calls_it(visit):
    page = visit()
    look_at(page, START)
    page.click("[data-tab=interpolate]")
    page.get_by_role("textbox", name="SMILES or name").fill("CCO")
    page.locator("#panel form button[type=submit]").click()
    wait_for_state(page, "done")
    page.get_by_role("button", name="Rename the run").click()
    page.get_by_label("Title of the run").fill(f"to ethanol {HOSTILE}")
    page.keyboard.press("Enter")
    page.locator("#dock h2", has_text="to ethanol <img").wait_for()
    page.locator("[data-view=runs]").click()
    assert page.locator(".runs .strong", has_text="to ethanol <img").count() == 1


def test_on_a_phone_a_run_comes_before_the_eyes_and_the_page_scrolls_past_the_map(visit):
    page = visit(width=390, height=844)
    look_at(page, START)
    page.click("[data-tab=interpolate]")
    page.get_by_role("textbox", name="SMILES or name").fill("CCN")
    page.locator("#panel form button[type=submit]").click()
    wait_for_state(page, "done")
    page.locator("#dock tbody tr").first.wait_for()
    assert 0 <= page.locator("#dock").bounding_box()["y"] < 200
    stage = page.locator(".cm-stage")
    stage.evaluate("stage => stage.scrollIntoView({ block: 'center' })")
    page.mouse.move(150, 400)
    where = "() => [scrollY, ...document.querySelector('.chemvae-map').chemvaeMap.screenOf(1)]"
    top, *spot = page.evaluate(where)
    page.mouse.wheel(0, -200)
    until(page, f"top => ({where})()[0] < top", top)
    assert page.evaluate(where)[1:] == spot
    assert stage.evaluate("stage => getComputedStyle(stage).touchAction") == "pan-y"
    page.mouse.click(*stage_corner(page))
    assert stage.evaluate("stage => getComputedStyle(stage).touchAction") == "none"


def stage_corner(page):
    """A place of the map where there is most likely nothing."""
    box = page.locator(".cm-stage").bounding_box()
    return box["x"] + 4, box["y"] + 4


def test_an_upload_is_there_when_the_page_is_loaded_again(visit, tmp_path):
    (tmp_path / "again.csv").write_text("smiles,y\nCCO,1\nCCN,2\n", encoding="utf-8")
    page = visit()
    page.click("[data-view=data]")
    page.set_input_files("#file", tmp_path / "again.csv")
    page.wait_for_selector(".uses")
    page.reload()
    page.get_by_role("button", name="again.csv").first.click()
    page.wait_for_selector(".uses")


def test_a_finished_run_goes_away_with_its_second_click(visit, server):
    page = visit()
    look_at(page, START)
    page.click("[data-tab=neighbors]")
    page.get_by_role("button", name="Find neighbours").click()
    page.wait_for_selector("#dock[data-state=done]")
    name = page.locator("#dock").get_attribute("data-run")
    page.click("[data-view=runs]")
    page.locator(f'[data-key="Delete {name}"]').click()
    assert (server.project / "jobs" / name).is_dir()
    page.locator(f'[data-key="Delete its files {name}"]').click()
    page.locator(f'[data-key="show {name}"]').wait_for(state="detached")
    assert not (server.project / "jobs" / name).exists() and page.locator("#dock").is_hidden()
