"""Rows of the fingerprint space order neighbours as Tanimoto does."""

import numpy as np

from chemvae.chem.fingerprints import morgan, tanimoto
from chemvae.maps.factory import FOLDED_BITS, fingerprint_rows
from tests.maps.test_regions import ISLANDS

SMILES = ["CCO", "CCCO", "CCCCO", "c1ccccc1O", "c1ccccc1", "Cc1ccccc1O", *ISLANDS.values()]


def test_the_product_of_two_rows_is_the_cosine_of_their_bits():
    rows = fingerprint_rows(SMILES)
    bits = [set(one.GetOnBits()) for one in morgan(SMILES, n_bits=FOLDED_BITS)]
    cosine = [[len(a & b) / np.sqrt(len(a) * len(b)) for b in bits] for a in bits]
    np.testing.assert_allclose(rows @ rows.T, cosine, atol=1e-5)


def test_the_nearest_row_is_the_most_similar_molecule():
    rows = fingerprint_rows(SMILES)
    similar = tanimoto(*[morgan(SMILES)] * 2) - 2 * np.eye(len(SMILES))
    near = rows @ rows.T - 2 * np.eye(len(SMILES))
    np.testing.assert_array_equal(near.argmax(axis=1)[:6], similar.argmax(axis=1)[:6])


def test_what_is_no_molecule_has_no_place_and_workers_change_nothing():
    rows = fingerprint_rows([*SMILES, "no molecule"], jobs=2)
    assert np.isnan(rows[-1]).all()
    np.testing.assert_array_equal(rows[:-1], fingerprint_rows(SMILES))
