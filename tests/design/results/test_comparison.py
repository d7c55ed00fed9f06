"""Designs beside their lead: scored also where it breaks a constraint, drawn alike, with differences that can be checked."""

import base64
import html
import io
import re

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem

from chemvae.design import Goal, run_campaign
from chemvae.design.results.comparison import files
from chemvae.design.results.report_data import report_data
from tests.design.toys import Bowl, ToyModel, carbons, chain

FAST = {"method": "random", "batch_size": 5}


@pytest.fixture(scope="module")
def turned_away():
    """A search from a lead that is too heavy for its constraint."""
    return run_campaign(ToyModel(), carbons, budget=15, start=chain(8, 8), constraints=["heavy_atoms<16"], **FAST)


def page_of(result, folder):
    return result.to_html(folder / "report.html").read_text(encoding="utf-8")


def test_a_lead_that_breaks_a_constraint_is_scored_and_shown_first(turned_away, tmp_path):
    lead = turned_away.leads.iloc[0]
    assert lead["smiles"] == chain(8, 8) and lead["score"] == carbons(chain(8, 8)) and lead["reason"] == "heavy_atoms < 16"
    call = turned_away.history.iloc[0]
    assert call["smiles"] == chain(8, 8) and np.isnan(call["utility"]) and call["reason"] == "a lead, outside heavy_atoms < 16"
    assert chain(8, 8) not in turned_away.molecules["smiles"].tolist() and turned_away.best["smiles"] != chain(8, 8)
    page = page_of(turned_away, tmp_path)
    assert page.index("<h2>The lead</h2>") < page.index("best score") < page.index("<h2>Best molecules</h2>")
    assert '<span class="bad">heavy_atoms &lt; 16</span>' in page


def test_a_budget_is_what_it_costs_and_going_on_asks_nothing_twice(tmp_path):
    asked = []

    def oracle(smiles):
        asked.append(smiles)
        return carbons(smiles)

    seen = []
    options = {"start": chain(8, 8), "constraints": ["heavy_atoms<16"], "history_path": tmp_path / "record.jsonl", **FAST}
    first = run_campaign(ToyModel(), oracle, budget=20, callback=seen.append, **options)
    assert len(asked) == len(set(asked)) == len(first.history) == 20 and asked[0] == chain(8, 8)
    assert max(now.best for now in seen) == first.best["score"] < carbons(chain(8, 8)), "what does not count leads nowhere"
    again = run_campaign(ToyModel(), oracle, budget=20, **options)
    assert len(asked) == 20 and again.leads["score"].tolist() == [carbons(chain(8, 8))]
    assert again.history["smiles"].tolist() == first.history["smiles"].tolist() == asked


def test_a_lead_that_fails_and_is_turned_away_says_both():
    options = {"start": chain(8, 8), "constraints": ["heavy_atoms<16"], **FAST}
    result = run_campaign(ToyModel(), lambda text: float("nan") if text == chain(8, 8) else 1.0, budget=4, **options)
    said = result.history["reason"][0]
    assert said.startswith("a lead, outside heavy_atoms < 16; ") and result.leads["reason"].tolist() == ["heavy_atoms < 16"]


def test_what_a_library_lacks_in_constraints_costs_nothing():
    asked = []
    starts = [chain(8, 8), *(chain(i, i) for i in range(5))]
    run_campaign(
        ToyModel(), lambda text: asked.append(text) or 1.0, budget=8, start=starts, constraints=["heavy_atoms<16"], **FAST
    )
    assert chain(8, 8) not in asked and len(asked) == 8


def test_a_lead_within_the_constraints_is_asked_for_once():
    asked = []
    result = run_campaign(ToyModel(), lambda text: asked.append(text) or 1.0, budget=8, start=chain(1, 1), **FAST)
    assert asked.count(chain(1, 1)) == 1 and result.leads["score"].tolist() == [1.0] and len(asked) == 8


def test_no_more_is_asked_than_the_budget_of_leads_that_nothing_turns_away():
    asked = []
    starts = [chain(1, 1), chain(2, 2), chain(3, 3)]
    result = run_campaign(ToyModel(), lambda text: asked.append(text) or 1.0, budget=1, start=starts, **FAST)
    assert len(asked) == 1 and result.leads["reason"].tolist() == ["", "not scored", "not scored"]


def test_of_a_library_the_best_that_was_scored_is_the_lead():
    starts = [chain(i, i) for i in range(6)]
    result = run_campaign(ToyModel(), carbons, budget=20, start=starts, **FAST)
    assert result.leads["smiles"].tolist() == [max(starts, key=carbons)]


def test_a_laboratory_is_not_asked_for_a_lead_that_is_turned_away(tmp_path):
    where = {"history_path": tmp_path / "history.jsonl"}
    result = run_campaign(
        ToyModel(), "laboratory", budget=10, start=chain(8, 8), constraints=["heavy_atoms<16"], **where, **FAST
    )
    assert np.isnan(result.leads["score"][0]) and chain(8, 8) not in result.batch["smiles"].tolist()


def test_a_search_from_nothing_has_no_lead(tmp_path):
    result = run_campaign(ToyModel(), Bowl(), budget=5, **FAST)
    assert not len(result.leads) and report_data(result)["leads"] is None and "The lead" not in page_of(result, tmp_path)


def test_every_difference_is_the_design_s_score_less_the_lead_s(turned_away, tmp_path):
    data = report_data(turned_away)
    for row, found in zip(data["best"]["differences"], data["best"]["molecules"], strict=False):
        assert row["lead"] == chain(8, 8) and row["score"] == found["score"] - carbons(chain(8, 8))
    signs = re.findall(r'<span class="delta (good|bad)">', page_of(turned_away, tmp_path))
    assert set(signs) == {"bad"}, "no allowed chain has as many carbons as the lead"


@pytest.mark.parametrize(("direction", "kind"), [("min", "good"), ("max", "bad")])
def test_less_is_good_where_it_is_sought(direction, kind, tmp_path):
    goals = [Goal("carbons", direction)]
    result = run_campaign(ToyModel(), {"carbons": carbons}, goals=goals, budget=5, start=chain(9, 9), **FAST)
    smaller = [score for score in result.molecules["score"] if score < carbons(chain(9, 9))]
    assert smaller and page_of(result, tmp_path).count(f'class="delta {kind}">\N{MINUS SIGN}') == len(smaller)


def test_drawings_have_a_role_words_and_a_title(turned_away, tmp_path):
    drawings = re.findall(r"<svg[^>]*>(?:<title>[^<]+</title>)?", page_of(turned_away, tmp_path))
    assert len(drawings) > 10
    for one in drawings:
        assert 'role="img"' in one and re.search(r'aria-label="[^"]+"', one) and one.endswith("</title>"), one[:120]


def test_smiles_can_be_copied_and_tables_taken_along(turned_away, tmp_path):
    page = page_of(turned_away, tmp_path)
    for smiles in turned_away.molecules["smiles"].head(12):
        assert f'class="smiles copy" title="one click selects it">{html.escape(smiles)}</code>' in page
    links = dict(re.findall(r'download="([^"]+)" href="data:[^,]+;base64,([^"]+)"', page))
    held = {name: base64.b64decode(text).decode() for name, text in links.items()}
    assert held == files(turned_away) and set(held) == {"best.csv", "best.smi", "best.sdf", "history.csv"}
    assert pd.read_csv(io.StringIO(held["best.csv"]))["smiles"].tolist() == turned_away.molecules["smiles"].tolist()
    found = Chem.SDMolSupplier()
    found.SetData(held["best.sdf"])
    assert [Chem.MolToSmiles(mol) for mol in found] == turned_away.molecules["smiles"].tolist()
    assert [float(mol.GetProp("score")) for mol in found] == turned_away.molecules["score"].tolist()


@pytest.mark.parametrize("method", ["random", "auto"])
def test_the_counts_of_proposals_add_up(method):
    result = run_campaign(ToyModel(), carbons, budget=30, method=method, batch_size=5, constraints=["heavy_atoms<16"])
    rows = report_data(result)["turned_away"]["proposals"]
    decoded, named, together, *ended = (row["number"] for row in rows)
    assert decoded == result.counts["points"] and decoded + named == together == sum(ended)
