"""One spelling for each molecule, also where RDKit does not reproduce its own."""

import numpy as np
import pytest

from chemvae.chem.identity import identify
from chemvae.chem.molecules import canonicalize, randomize

CAGES = ["N[C@]1(C(=O)O)[C@H]2C[C@@H]3C[C@H](C2)C[C@@H]1C3", "OC(=O)[C@@]1(N)[C@@H]2C[C@H]3C[C@@H](C2)C[C@@H]1C3"]


@pytest.mark.parametrize("smiles", CAGES)
def test_a_cage_has_one_spelling_however_it_is_written(smiles):
    rng = np.random.default_rng(0)
    written = [randomize(smiles, rng) for _ in range(60)]
    assert len({canonicalize(text) for text in written}) > 1  # what this is for
    assert {identify(text) for text in written} == {identify(smiles)}
    assert identify(identify(smiles)) == identify(smiles)


def test_it_is_the_canonical_form_where_that_reproduces_itself(molecules):
    assert [identify(text) for text in molecules] == [canonicalize(text) for text in molecules]
    assert identify("C1CC") is None and identify("") is None
