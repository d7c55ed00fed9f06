"""Figures of a run as lines that people read."""

import pytest

from chemvae.bench import report
from tests.bench.small import small_figures

__all__ = ["small_figures"]


@pytest.fixture
def figures(small_figures):
    return dict(small_figures)


def test_the_report_shows_every_group(figures):
    groups = report.groups(figures)
    assert len(groups) == 7 and all(group.lines for group in groups)
    shown = {line.name: line for group in groups for line in group.lines}
    assert shown["chemvae"].ratio.endswith(f"of the {figures['train_peak']} peak")
    assert shown["MOSES-shaped VAE"].ratio == f"chemvae {report.times(figures['train_vs_moses'])}"
    assert "1 thread" in report.headline(figures)


def test_what_was_not_measured_is_left_out(figures):
    shown = report.groups({**figures, "gate_step_kernels_us": None, "startup_help_s": None})
    names = [line.name for group in shown for line in group.lines]
    assert "chemvae --help" not in names and "step, compiled gates" not in names


@pytest.mark.parametrize(
    ("ratio", "words"), [(0.456, "0.46 x"), (1.04, "1 x"), (9.96, "10 x"), (10.4, "10 x"), (123.4, "123 x")]
)
def test_ratios_have_two_digits_or_all_before_the_point(ratio, words):
    assert report.times(ratio) == words


@pytest.mark.parametrize(("value", "words"), [(99.96, "100"), (1234.5, "1,234"), (-2.0, "-2"), (0.00012345, "0.000123")])
def test_numbers_have_three_digits(value, words):
    assert report.number(value) == words
