"""The report's files: what they hold, that they load nothing, that they escape what they show."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from chemvae.evaluation import EvaluationSettings, plots, render_report, run_evaluation, write_report
from chemvae.evaluation.report import _spread

from .fakes import MemoryModel

MOLECULES = ["CCO", "C[C@H](N)O", "c1ccc2ccccc2c1", "CCCC"]
HISTORY = pd.DataFrame({"epoch": [1, 2], "valid_kl": [3.0, 9.0], "valid_reconstruction_greedy": [0.1, 0.6]})


class Balance(HTMLParser):
    """Checks that elements close in the order they open, and keeps the text."""

    VOID = frozenset(("meta", "br", "img"))

    def __init__(self):
        super().__init__()
        self.open, self.text = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture(scope="module")
def evaluation():
    model = MemoryModel(MOLECULES, {"C[C@H](N)O": "CC(N)O"}, far="<script>alert(1)</script>")
    labels = {"heavy": [3.0, 4.0, 10.0, 5.0]}
    return run_evaluation(model, MOLECULES, labels, settings=EvaluationSettings(n_samples=30, n_curve=10, n_fcd=0))


@pytest.fixture(scope="module")
def page(evaluation):
    return render_report(evaluation, name="<run>", history=HISTORY)


def test_the_page_is_well_formed_and_loads_nothing(page):
    checker = Balance()
    checker.feed(page)
    assert checker.open == []
    assert "://" not in re.sub(r"<figcaption>.*?</figcaption>", "", page)
    assert "<script" not in page and "<link" not in page
    assert all(source.startswith("data:") for source in re.findall(r'(?:src|href)="([^"#][^"]*)"', page))


def test_everything_is_escaped(page):
    assert "<h1>Evaluation of &lt;run&gt;</h1>" in page
    assert "alert(1)" not in page or "&lt;script&gt;alert(1)" in page


def test_every_figure_stands_on_the_page_with_its_sentence(page, evaluation):
    checker = Balance()
    checker.feed(page)
    text = " ".join(checker.text)
    for key, sentence in evaluation.figures["protocol"].items():
        assert f"<code>{key}</code>" in page
        assert sentence in text


def test_failures_samples_curves_and_scatter_are_drawn(page):
    assert page.count('class="pair"') == 1
    assert page.count('class="molecule"') == 24
    for words in ("Learning", "Validity against distance", "Properties", "Molecules that do not come back", "A sample"):
        assert f"<h2>{words}</h2>" in page
    assert "Reconstruction" in page and "right but for its stereo marks" in page


def test_no_validity_is_shown_without_its_distinct_share_and_fcd():
    found = run_evaluation(MemoryModel(MOLECULES), MOLECULES, n_samples=30, n_curve=0, n_fcd=0, n_smoothness=0)
    found.figures |= {"fcd_normal_greedy": 13.25, "fcd_learned_sampled": 0.5}
    page = render_report(found)
    tiles = re.findall(r"<div class=tile><b>[^<]+</b><span>valid, ([^<]+)</span><small>([^<]+)</small>", page)
    assert [name.partition(" ")[2] for name, _ in tiles] == ["own prior, greedy", "prior, temperature 1"]
    assert all("distinct" in note and "FCD" in note for _, note in tiles)
    table = page[page.index("<h2>Drawn from the priors</h2>") :]
    assert all(f">{head}</th>" in table for head in ("valid", "distinct of 10,000", "FCD", "own code found"))
    assert "13.2" in table and "A step away from a molecule" not in page


def test_steps_away_from_a_molecule_stand_in_one_table(page):
    table = page[page.index("<h2>A step away from a molecule</h2>") :]
    for words in ("1 posterior sd", "3 posterior sd", "0.2 sd of the codes", "1.0 sd of the codes"):
        assert f"<td>{words}</td>" in table


def test_ids_are_unique_so_that_figures_do_not_borrow_each_others_clips(page):
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_same_evaluation_same_page(evaluation, page):
    assert render_report(evaluation, name="<run>", history=HISTORY) == page


def test_files_are_written(tmp_path, evaluation):
    path = write_report(evaluation, tmp_path / "new", name="x")
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert json.loads((path.parent / "report.json").read_text()) == evaluation.figures
    assert sorted(p.name for p in path.parent.iterdir()) == ["report.html", "report.json"]


def test_an_evaluation_without_curves_labels_or_failures_still_makes_a_page():
    found = run_evaluation(MemoryModel(["CCO"]), ["CCO"], n_samples=3, n_curve=0, n_fcd=0)
    page = render_report(found)
    assert "All of them came back" in page and "Validity against distance" not in page


def test_drawn_failures_go_round_the_kinds():
    mistakes = ["other"] * 10 + ["stereo"] * 2 + ["syntax"]
    chosen = _spread(pd.DataFrame({"kind": mistakes, "row": range(13)}), 5)
    assert chosen["kind"].tolist() == ["syntax", "stereo", "stereo", "other", "other"]


@pytest.mark.parametrize("std", [1e-3, 0.2, 3.0])
def test_the_grey_band_can_be_seen_however_narrow_it_is(std):
    """Its edges are drawn in the colour of words, and its area in more than a hint of it."""
    label = np.linspace(0.0, 10.0, 50)
    svg = plots.parity_plot(label, label + 0.1, np.full(50, std), "logP", "1", "note")
    edges = re.findall(r"stroke-dasharray: [\d., ]+[^\"]*stroke: var\(--muted\)", svg)
    assert len(edges) == 2 and f"fill: var(--muted); fill-opacity: {plots.BAND_ALPHA}" in svg


@pytest.mark.parametrize(("low", "high"), [(0, 1e-6), (-384, -383), (0, 9), (120, 520), (0, 1e6)])
def test_both_axes_of_a_parity_plot_have_the_same_few_round_ticks(low, high):
    label = np.linspace(low, high, 30)
    svg = plots.parity_plot(label, label, np.full(30, 0.01), "P", "1", "")
    ticks = {
        axis: re.findall(
            r"<text[^>]*>([^<]+)</text>", svg.split(f'-matplotlib.axis_{axis}"')[1].split("</g>\n  </g>\n </g>")[0]
        )
        for axis in (1, 2)
    }
    numbers = {axis: [text for text in found if re.match(r"[-−\d]", text)] for axis, found in ticks.items()}
    assert 3 <= len(numbers[2]) <= 7 and numbers[1][: len(numbers[2])] == numbers[2]
