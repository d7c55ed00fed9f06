"""Results: figures by hand, and a page that needs no network and hides nothing."""

import html.parser
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from chemvae.chem.properties import compute
from chemvae.design import Goal, run_campaign, summary
from chemvae.design.campaign.goal_matching import make_utility
from chemvae.design.oracles.score import LARGEST_SCORE
from chemvae.design.results.report_figures import front, latent_path, principal_plane
from tests.design.toys import Bowl, ToyModel


@pytest.fixture(scope="module")
def page(result, tmp_path_factory):
    baseline = run_campaign(ToyModel(), None, goals=[Goal("carbons"), Goal("qed")], budget=20, method="random", batch_size=5)
    path = result.to_html(tmp_path_factory.mktemp("report") / "new" / "report.html", baseline)
    return path.read_text(encoding="utf-8")


def test_the_front_is_drawn_from_one_end_to_the_other(result, page):
    assert f"{len(result.pareto)} molecules that none beats" in page and "joined by the line" in page
    three = replace(
        result,
        utility=make_utility([Goal("carbons", low=0, high=30), Goal("qed"), Goal("MW")], None),
        history=result.history.assign(MW=[compute("MW", text) for text in result.history["smiles"]]),
    )
    assert "ringed" in front(three)


def test_a_search_without_any_score_has_a_summary_and_a_page(tmp_path):
    result = run_campaign(ToyModel(), lambda s: 1 / 0, budget=10, method="random", batch_size=5)
    facts = summary(result)
    assert facts["best"] is None and facts["best_smiles"] is None and facts["n_failed"] == 10
    assert len(result.molecules) == 0 and len(result.pareto) == 0
    assert "ZeroDivisionError" in result.to_html(tmp_path / "report.html").read_text(encoding="utf-8")


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

    def test_the_lead_and_the_best_molecules_are_drawn_with_their_figures(self, page, result):
        assert page.count('<figure class="molecule">') == 1 + min(12, len(result.molecules)) + min(6, len(result.pareto))
        assert "similarity to start" in page and "similarity to known" in page and "in the training set" in page

    def test_every_rejection_is_counted_with_examples_that_break_it(self, page, result):
        assert result.rejections["MW < 250"] > 0
        for label, count in result.rejections.items():
            cell = label.replace("<", "&lt;")
            found = re.search(rf"<td>{re.escape(cell)}</td><td[^>]*>{count}</td><td>(.*?)</td>", page)
            examples = re.findall(r'class="smiles"[^>]*>(.*?)</div>', found[1])
            assert len(examples) == min(3, count) and all(compute("MW", text) >= 250 for text in examples if "MW" in label)

    def test_reasons_of_invalid_strings_are_counted_whichever_ring_or_atom_it_was(self, result, tmp_path):
        rows = [
            (1, "C1CC", "invalid", "ring 1 is opened and never closed", 4),
            (2, "C12CC1", "invalid", "ring 2 is opened and never closed", 1),
            (2, "O(C)(C)C", "invalid", "atom 0 (O) has 3 bonds, more than it can carry", 1),
        ]
        proposals = pd.DataFrame(rows, columns=result.proposals.columns)
        page = replace(result, proposals=proposals).to_html(tmp_path / "report.html").read_text(encoding="utf-8")
        assert re.search(r"<td>ring … is opened and never closed</td><td[^>]*>2</td><td>.*C1CC.*C12CC1", page)
        assert re.search(r"<td>atom … has … bonds, more than it can carry</td><td[^>]*>1</td>", page)

    def test_each_of_the_best_stands_beside_its_nearest_known_molecule(self, page, result):
        assert page.count('<figure class="pair">') == 6 and "Nearest known molecule" in page
        for value in result.molecules["similarity_to_known"].head(6):
            assert f"Tanimoto similarity {value:.2g} (ECFP4)" in page

    def test_the_baseline_stands_beside_it_and_unequal_calls_are_said(self, page):
        assert "baseline (random): best" in page and "different numbers of calls (25 and 20)" in page

    def test_it_says_how_to_run_it_again(self, page, result):
        for key in ("seed", "batch_size", "method", "budget", "model", "versions", "patience", "timeout_s", "commit"):
            assert f"&quot;{key}&quot;" in page
        assert f"<td>model</td><td>{result.settings['model']}</td>" in page

    def test_the_command_can_be_pasted_into_a_shell(self, result, tmp_path, monkeypatch):
        monkeypatch.setattr("sys.argv", ["/bin/chemvae", "optimize", "--constraint", "MW<250", "--budget", "25"])
        page = result.to_html(tmp_path / "report.html").read_text(encoding="utf-8")
        assert "<code>chemvae optimize --constraint &#x27;MW&lt;250&#x27; --budget 25</code>" in page

    def test_names_from_outside_are_escaped(self, tmp_path):
        def evil(smiles):
            raise ValueError("<script>alert(1)</script>")

        result = run_campaign(ToyModel(), evil, budget=5, method="random", batch_size=5)
        assert "<script>" not in result.to_html(tmp_path / "report.html").read_text(encoding="utf-8")


class TestTheWayThroughLatentSpace:
    def test_components_are_those_of_the_variance(self):
        rows = np.random.default_rng(0).normal(size=(400, 5)) * [1.0, 6.0, 0.1, 3.0, 0.5] + 4.0
        place, shares = principal_plane(rows)
        variance = np.linalg.eigvalsh(np.cov(rows.T))[::-1]
        np.testing.assert_allclose(shares, variance[:2] / variance.sum(), rtol=1e-9)
        placed = place(rows)
        np.testing.assert_allclose(placed.var(axis=0, ddof=1), variance[:2], rtol=1e-9)
        assert abs(np.corrcoef(placed[:, 0], rows[:, 1])[0, 1]) > 0.99 and abs(placed.mean()) < 1e-9

    def test_it_stands_among_the_training_molecules_where_the_model_keeps_some(self):
        model = ToyModel()
        model.latent_statistics.references = torch.randn(30, 4, generator=torch.Generator().manual_seed(0))
        result = run_campaign(model, Bowl(), budget=15, method="random", batch_size=5)
        figure = latent_path(result)
        assert "components of 30 training molecules" in figure and "15 scored molecules" in figure

    def test_molecules_without_a_point_are_left_out_and_without_any_there_is_no_figure(self):
        result = run_campaign(ToyModel(), lambda s: 1.0, budget=2, start=["c1ccccc1"], method="random", batch_size=5)
        assert "1 scored molecules" in latent_path(result)
        assert latent_path(replace(result, history=result.history[:1])) is None


def test_a_laboratory_s_report_shows_what_is_to_be_measured(tmp_path):
    result = run_campaign(
        ToyModel(), "laboratory", budget=20, method="random", batch_size=5, history_path=tmp_path / "history.jsonl"
    )
    page = result.to_html(tmp_path / "report.html").read_text(encoding="utf-8")
    assert "To be measured" in page and page.count('<figure class="molecule">') == 5 and "m0005, batch 1" in page


@pytest.mark.parametrize("never", [-np.finfo(float).max, 1e308, -1e308])
@pytest.mark.parametrize("budget", [10, 25])
def test_scores_at_the_end_of_what_a_float_holds_are_drawn(tmp_path, never, budget):
    """Largest scores that are taken, and those of records from before there was a largest one."""
    oracle = lambda text: np.sign(never) * LARGEST_SCORE if len(text) % 3 else len(text)  # noqa: E731
    result = run_campaign(ToyModel(), oracle, budget=budget, method="random", batch_size=5)
    assert "<svg" in result.to_html(tmp_path / "largest.html").read_text(encoding="utf-8")
    largest = {
        column: result.history[column].where(result.history[column].abs() < LARGEST_SCORE, never)
        for column in ("score", "utility")
    }
    result = replace(result, history=result.history.assign(**largest))
    assert (result.history["score"] == never).any() and (result.history["score"] != never).any()
    assert "<svg" in result.to_html(tmp_path / "report.html").read_text(encoding="utf-8")
