"""Functions that take a list are given lists, and each value goes to its own molecule."""

import numpy as np
import pytest

from chemvae.design import FunctionOracle, ListOracle, make_oracle, run_campaign
from tests.design.toys import ToyModel


def lengths(smiles: list[str]) -> list[float]:
    return [float(len(text)) for text in smiles]


def test_an_annotated_function_is_given_all_molecules_at_once():
    asked = []

    def many(smiles: list[str]) -> np.ndarray:
        asked.append(list(smiles))
        return np.array(lengths(smiles))

    oracle = make_oracle(many)
    assert isinstance(oracle, ListOracle) and oracle(["CO", "CCO", "C"]).tolist() == [2.0, 3.0, 1.0]
    assert asked == [["CO", "CCO", "C"]]
    assert type(make_oracle(lambda text: 1.0)) is FunctionOracle


def test_none_and_nan_are_failures_of_their_molecule_alone():
    scores = ListOracle(lambda smiles: [1.0, None, float("nan")]).score(["C", "CC", "CCC"])
    assert [score.failed for score in scores] == [False, True, True]


@pytest.mark.parametrize("wrong", [[], [1.0, 2.0, 3.0]])
def test_another_number_of_values_is_said(wrong):
    """Together, and again when the molecules are asked about one by one."""
    scores = ListOracle(lambda smiles: wrong).score(["C", "CC"])
    assert all(score.failed and f"{len(wrong)} values for" in score.reason for score in scores)


def test_a_search_with_a_list_is_the_search_with_a_function():
    one = run_campaign(ToyModel(), lambda text: float(len(text)), budget=15, method="random", batch_size=5)
    many = run_campaign(ToyModel(), lengths, budget=15, method="random", batch_size=5)
    assert many.history["smiles"].tolist() == one.history["smiles"].tolist()
    assert many.history["score"].tolist() == one.history["score"].tolist()


def test_a_notebook_draws_the_lead_and_the_best():
    result = run_campaign(ToyModel(), lengths, budget=10, start="NCOC", method="random", batch_size=5)
    page = result._repr_html_()
    assert page.count("<figure>") == 1 + min(8, len(result.molecules)) and "lead" in page
    assert "No molecule could be scored" in run_campaign(ToyModel(), lambda s: 1 / 0, budget=5)._repr_html_()
