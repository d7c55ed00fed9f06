"""Results: figures by hand, and a page that needs no network and hides nothing."""

import html.parser
import re

import numpy as np
import pandas as pd
import pytest

from chemvae.chem.properties import compute
from chemvae.design import Goal, compare, run_campaign, summary
from chemvae.design.result import non_dominated, running_top
from tests.design.toys import Bowl, ToyModel, chain


@pytest.fixture(scope="module")
def result():
    return run_campaign(
        ToyModel(), None, goals=[Goal("carbons"), Goal("qed")], budget=25, start=[chain(0, 0)], constraints=["SAS<4", "MW<250"],
        known=[chain(3, 3), "c1ccccc1"], method="random", batch_size=5,
    )  # fmt: skip


@pytest.fixture(scope="module")
def page(result, tmp_path_factory):
    baseline = run_campaign(ToyModel(), None, goals=[Goal("carbons"), Goal("qed")], budget=20, method="random", batch_size=5)
    path = result.to_html(tmp_path_factory.mktemp("report") / "new" / "report.html", baseline)
    return path.read_text(encoding="utf-8")


def test_molecules_carry_computed_beside_predicted_values(result):
    table = result.molecules
    assert table["qed"].tolist() == [compute("qed", smiles) for smiles in table["smiles"]]
    assert {"logP", "SAS", "MW", "carbons_predicted", "carbons_predicted_std", "distance"} <= set(table.columns)
    assert table["score"].is_monotonic_decreasing and table["smiles"].is_unique


def test_novelty_and_neighbours(result):
    table = result.molecules.set_index("smiles")
    assert not table.loc[chain(0, 0), "novel"] and table.drop(chain(0, 0))["novel"].all()
    assert (table["nearest_known"] == chain(3, 3)).all() and (table["nearest_start"] == chain(0, 0)).all()
    assert table.loc[chain(0, 0), "similarity_to_start"] == 1.0


def test_running_top_by_hand():
    values = [2.0, np.nan, 1.0, 5.0]
    np.testing.assert_array_equal(running_top(values, 1), [2, 2, 2, 5])
    np.testing.assert_array_equal(running_top(values, 10), [2, 2, 1.5, 8 / 3])
    assert np.isnan(running_top([np.nan], 1)).all()


def test_the_front_by_hand():
    merits = np.array([[3, 0], [2, 2], [2, 2], [1, 1], [0, 3], [np.nan, 9]], dtype=float)
    assert non_dominated(merits).tolist() == [True, True, True, False, True, False]


def test_summary_by_hand():
    result = run_campaign(ToyModel(), Bowl(), budget=20, method="random", batch_size=5)
    facts, scores = summary(result), result.history["score"].to_numpy()
    assert facts["best"] == scores.max() and facts["n_calls"] == 20 and facts["n_failed"] == 0
    assert facts["mean_top10"] == pytest.approx(np.sort(scores)[-10:].mean())
    assert facts["auc_top10"] == pytest.approx(np.mean([np.sort(scores[: i + 1])[-10:].mean() for i in range(20)]))
    assert 0 <= facts["valid"] <= 1 and facts["stopped"] == "budget spent"


def test_a_minimum_is_summed_up_in_its_own_sign():
    result = run_campaign(ToyModel(), None, goals=Goal("carbons", "min"), budget=20, method="random", batch_size=5)
    facts, scores = summary(result), np.sort(result.history["score"])
    assert facts["best"] == scores[0] and facts["mean_top10"] == pytest.approx(scores[:10].mean()) and facts["auc_top10"] > 0


def test_a_search_without_any_score_has_a_summary_and_a_page(tmp_path):
    result = run_campaign(ToyModel(), lambda s: 1 / 0, budget=10, method="random", batch_size=5)
    facts = summary(result)
    assert facts["best"] is None and facts["best_smiles"] is None and facts["n_failed"] == 10
    assert len(result.molecules) == 0 and len(result.pareto) == 0
    assert "ZeroDivisionError" in result.to_html(tmp_path / "report.html").read_text(encoding="utf-8")


def test_comparing_keeps_a_row_per_search(result):
    table = compare({"a": result, "b": result})
    assert isinstance(table, pd.DataFrame) and table["search"].tolist() == ["a", "b"]
    assert table["best"].nunique() == 1


class TestPage:
    def test_it_is_well_formed(self, page):
        open_tags: list[str] = []

        class Checker(html.parser.HTMLParser):
            def handle_starttag(self, tag, attributes):
                if tag not in ("meta", "br", "img", "link", "path", "line", "rect", "use", "circle", "ellipse", "polygon"):
                    open_tags.append(tag)

            def handle_endtag(self, tag):
                if tag in open_tags:
                    while open_tags.pop() != tag:
                        pass

        Checker().feed(page)
        assert not open_tags

    def test_nothing_is_loaded_from_anywhere(self, page):
        assert not re.findall(r"""(?:src|href)=["'](?!#|data:)[^"']+""", page) and "<script" not in page
        assert not re.findall(r"url\((?!#|data:)", page) and "@import" not in page

    def test_the_best_molecules_are_drawn_with_their_figures(self, page, result):
        assert page.count('<figure class="molecule">') == min(12, len(result.molecules))
        assert "similarity to start" in page and "similarity to known" in page and "in the training set" in page

    def test_every_rejection_is_counted(self, page, result):
        assert result.rejections["MW < 250"] > 0
        for label, count in result.rejections.items():
            cell = label.replace("<", "&lt;")
            assert re.search(rf"<td>{re.escape(cell)}</td><td[^>]*>{count}</td>", page)

    def test_the_baseline_stands_beside_it_and_unequal_calls_are_said(self, page):
        assert "baseline (random): best" in page and "different numbers of calls (25 and 20)" in page

    def test_it_says_how_to_run_it_again(self, page, result):
        for key in ("seed", "batch_size", "method", "budget", "model", "versions"):
            assert f"&quot;{key}&quot;" in page

    def test_names_from_outside_are_escaped(self, tmp_path):
        def evil(smiles):
            raise ValueError("<script>alert(1)</script>")

        result = run_campaign(ToyModel(), evil, budget=5, method="random", batch_size=5)
        assert "<script>" not in result.to_html(tmp_path / "report.html").read_text(encoding="utf-8")
