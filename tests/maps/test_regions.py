"""Regions are called by what their molecules have and others have not."""

import numpy as np
import pytest
from rdkit import Chem

from chemvae.maps.regions import GROUPS, LEVELS, RINGS, TERMS, name_of, region_labels, term_table

ISLANDS = {
    "carbazole": "c1ccc2c(c1)[nH]c1ccccc12",
    "morpholine": "C1COCCN1",
    "sulfonamide": "CS(=O)(=O)NC",
    "nitrile": "CCCC#N",
}


@pytest.mark.parametrize("name", TERMS)
def test_every_term_is_a_pattern_that_something_matches(name):
    query = Chem.MolFromSmarts((RINGS | GROUPS)[name])
    assert query is not None and query.GetNumAtoms() > 0


def test_islands_are_called_by_what_they_hold():
    centres = np.array([[0, 0], [50, 0], [0, 50], [50, 50]])
    which = np.repeat(np.arange(4), 100)
    xy = centres[which] + np.random.default_rng(0).normal(size=(400, 2))
    smiles = [list(ISLANDS.values())[i] for i in which]
    labels = [label for label in region_labels(xy, smiles) if label.level == 0]
    for label in labels:
        nearest = np.hypot(*(centres - [label.x, label.y]).T).argmin()
        assert label.text.startswith(list(ISLANDS)[nearest]), label
    assert {int(np.hypot(*(centres - [label.x, label.y]).T).argmin()) for label in labels} == {0, 1, 2, 3}
    assert {label.level for label in region_labels(xy, smiles)} <= set(range(len(LEVELS)))


def test_where_all_are_alike_nothing_is_called_anything():
    xy = np.random.default_rng(0).normal(size=(300, 2))
    assert region_labels(xy, ["CCO"] * 300) == []
    assert region_labels(xy[:5], ["CCO"] * 5) == []
    gaps = np.full((300, 2), np.nan)
    assert region_labels(gaps, ["CCO"] * 300) == []


def test_a_name_is_what_is_common_and_rarer_elsewhere():
    share, everywhere = np.full(len(TERMS), 0.05), np.full(len(TERMS), 0.05)
    share[TERMS.index("indole")], everywhere[TERMS.index("indole")] = 0.9, 0.1
    share[TERMS.index("amide")], everywhere[TERMS.index("amide")] = 0.9, 0.85  # everybody has one
    assert name_of(share, everywhere) == "indole"


def test_terms_of_what_is_no_molecule_are_none():
    assert not term_table(["no molecule", ""]).any() and term_table([]).shape == (0, len(TERMS))
