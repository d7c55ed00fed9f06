"""The figures that are told of libraries are those of the result, in the experiment and in the docs."""

import json
from pathlib import Path

import pytest

from tests.test_experiments import EXPERIMENTS, load

FOLDER = EXPERIMENTS / "12-library"


@pytest.mark.parametrize(
    "path", [FOLDER / "README.md", EXPERIMENTS.parent / "docs" / "pages" / "library.md"], ids=lambda p: p.name
)
def test_the_table_of_a_page_is_that_of_the_result(path: Path):
    result = json.loads((FOLDER / "result.json").read_text(encoding="utf-8"))
    page = path.read_text(encoding="utf-8")
    assert load(FOLDER / "page.py").filled(page, result) == page


def test_recall_is_one_at_every_size_and_memory_stays_below_two_gigabytes():
    result = json.loads((FOLDER / "result.json").read_text(encoding="utf-8"))
    figures = {name: metric["mean"] for name, metric in result["metrics"].items()}
    for size in result["config"]["sizes"]:
        assert figures[f"{size:.0e}: recall"] == 1.0 and figures[f"{size:.0e}: latent_peak_mib"] < 2_048
