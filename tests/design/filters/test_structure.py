"""Filters on structure: similarity, substructures, alerts."""

import numpy as np
import pytest

from chemvae.chem.fingerprints import tanimoto
from chemvae.design.filters.structure import Alerts, Similarity, Substructure
from chemvae.errors import UnknownNameError
from tests.contracts.filter_contract import FilterContract


class TestSimilarity(FilterContract):
    allowed = ("CCCO", "CCO", "Oc1ccccc1")
    refused = ("CCCCCCN", "C1CC1")

    def make_filter(self):
        return Similarity(("CCCO", "c1ccccc1O"), 0.5)


class TestScaffold(FilterContract):
    allowed = ("Cc1ccccc1", "Nc1ccccc1")
    refused = ("CCO", "C1CCCCC1", "c1ccncc1")

    def make_filter(self):
        return Substructure("c1ccccc1", wanted=True)


class TestForbiddenGroup(FilterContract):
    allowed = ("CCO", "CCN")
    refused = ("CN=O", "C[N+](=O)[O-]")

    def make_filter(self):
        return Substructure("[N,N+]=O", wanted=False)


class TestAlerts(FilterContract):
    allowed = ("CCCO", "c1ccccc1C")
    refused = ("CCN=[N+]=[N-]", "Oc1ccccc1O")

    def make_filter(self):
        return Alerts()


def test_similarity_is_tanimoto_to_the_nearest():
    references = ("CCCO", "c1ccccc1O")
    molecules = ["CCO", "Cc1ccccc1O", "CCCCCCN"]
    best = tanimoto(molecules, list(references)).max(axis=1)
    for minimum in (0.2, 0.5, 0.8):
        np.testing.assert_array_equal(Similarity(references, minimum).allows(molecules), best >= minimum)
    assert Similarity(references, 1.0).allows(["OCCC"])[0]


def test_scaffold_and_forbidden_group_are_opposites():
    molecules = ["Cc1ccccc1", "CCO", "Nc1ccccc1"]
    keep, forbid = (
        Substructure("c1ccccc1", wanted=True).allows(molecules),
        Substructure("c1ccccc1", wanted=False).allows(molecules),
    )
    assert keep.tolist() == [True, False, True] and (keep != forbid).all()


def test_alerts_know_an_azide_and_a_catechol():
    assert Alerts().allows(["CCCO", "CCN=[N+]=[N-]"]).tolist() == [True, False]
    assert Alerts(("pains",)).label == "no alerts (PAINS)"
    with pytest.raises(UnknownNameError, match="PAINS"):
        Alerts(("PAIN",))


@pytest.mark.parametrize(
    ("pattern", "molecule"),
    [
        ("C1=CC=CC=C1", "Cc1ccccc1"),
        ("C1=CC=NC=C1", "Cc1ccncc1"),
        ("N1C=CC=C1", "c1cc[nH]c1"),
        ("C1=CSC=N1", "c1cscn1"),
        ("N(=O)=O", "Cc1ccc([N+](=O)[O-])cc1"),
        ("CN=N#N", "CN=[N+]=[N-]"),
        ("[H]O", "CCO"),
        ("C(=O)O[H]", "CC(=O)O"),
        ("CC(=O)O", "CC(=O)[O-]"),
        ("c1ccncc1", "Cc1ccncc1"),
        ("S(=O)(=O)N", "CS(N)(=O)=O"),
    ],
)
def test_a_pattern_written_as_a_molecule_means_that_molecule(pattern, molecule):
    assert Substructure(pattern, wanted=True).allows([molecule]).tolist() == [True]
    assert Substructure(pattern, wanted=False).allows([molecule]).tolist() == [False]


@pytest.mark.parametrize(
    ("pattern", "molecule"), [("[H]O", "COC"), ("[CX4]", "c1ccccc1"), ("C1=CC=CC=C1", "C1CCCCC1"), ("C=O", "CO")]
)
def test_what_is_not_there_in_either_meaning_is_not_found(pattern, molecule):
    assert Substructure(pattern, wanted=False).allows([molecule]).tolist() == [True]
