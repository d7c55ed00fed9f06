"""A search whose best is where it began says so, and what can be done."""

from chemvae.design.results.learned import sentences

FACT = {
    "name": "logD", "unit": "1", "n_labels": 300, "label_low": -1.0, "label_high": 4.5, "left_out_rmse": 0.8,
    "is_cautious": True, "predicted": 3.2, "low": 3.0, "high": 3.5, "gain": -0.7, "n_top": 10, "n_warnings": 0,
}  # fmt: skip


def test_a_lead_that_nothing_surely_beats_is_told_with_what_to_do():
    said = sentences([FACT | {"is_start": True}])[0]
    assert "a molecule the search began with" in said and "kappa=0" in said
    assert "no better than the best label" not in said


def test_a_design_that_is_no_better_is_still_told_so():
    assert "no better than the best label" in sentences([FACT | {"is_start": False}])[0]


def test_designs_of_another_kind_than_the_labelled_are_told_how_to_come_nearer():
    far, near = (sentences([FACT | {"n_top": 10, "n_warnings": n}])[0] for n in (10, 3))
    assert "--start with the labelled molecules" in far and "--start" not in near
