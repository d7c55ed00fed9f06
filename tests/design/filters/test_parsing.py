"""Filters from what flags and arguments ask for."""

import pytest

from chemvae.design.filters.chain import FilterChain
from chemvae.design.filters.parsing import gather_constraints
from chemvae.design.filters.property_bounds import Constraint
from chemvae.design.filters.structure import Alerts, Similarity, Substructure
from chemvae.errors import SettingsError


def test_everything_asked_for_is_collected_in_order():
    bound = Constraint("SAS", "<", 3.0)
    found = gather_constraints(
        ["SAS<3", bound], start=["CCO"], min_similarity=0.4, scaffold="c1ccccc1", forbid=["N=O", "Cl"], alerts="NIH"
    )
    asked = [Substructure("c1ccccc1", wanted=True), Substructure("N=O", wanted=False), Substructure("Cl", wanted=False)]
    assert found == [bound, bound, Similarity(("CCO",), 0.4), *asked, Alerts("NIH")]


def test_one_alone_is_a_list_of_one():
    bound = Constraint("SAS", "<", 3.0)
    assert gather_constraints(bound) == gather_constraints("SAS<3") == [bound]
    assert gather_constraints(forbid="Cl") == [Substructure("Cl", wanted=False)]
    assert gather_constraints(alerts=True) == [Alerts()]


@pytest.mark.parametrize("given", [3.0, ["SAS<3", 3.0], [None]])
def test_what_is_no_constraint_is_shown(given):
    with pytest.raises(SettingsError, match="constraints are texts such as 'SAS<3', filters"):
        gather_constraints(given)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"min_similarity": 1.4, "start": ["CCO"]}, "0..1"),
        ({"min_similarity": 0.4}, "needs a molecule"),
        ({"scaffold": "c1cc("}, "not a SMARTS"),
        ({"forbid": ["[N"]}, "not a SMARTS"),
    ],
)
def test_mistakes_are_named(settings, words):
    with pytest.raises(SettingsError, match=words):
        gather_constraints(**settings)


def test_no_constraints_let_everything_through():
    assert FilterChain([]).reasons(["CCO"]) == [""] and gather_constraints() == []
