"""Similarity by its definition, and what happens to what is not a molecule."""

import numpy as np

from chemvae.chem.fingerprints import count_morgan, morgan, nearest, scaffold, tanimoto

SMILES = ["CCO", "CCN", "c1ccccc1O", "CC(=O)Oc1ccccc1C(=O)O"]


def test_tanimoto_is_intersection_over_union():
    bits = [set(fp.GetOnBits()) for fp in morgan(SMILES)]
    expected = [[len(a & b) / len(a | b) for b in bits] for a in bits]
    np.testing.assert_allclose(tanimoto(SMILES, SMILES), expected)


def test_the_same_molecule_written_differently_is_at_one():
    assert tanimoto("OCC", ["CCO"])[0, 0] == 1.0


def test_what_is_not_a_molecule_is_nan_in_its_place():
    out = tanimoto(["CCO", "C1"], ["", "CCO", "CC"])
    assert np.isnan(out[1]).all() and np.isnan(out[0, 0]) and out[0, 1] == 1.0


def test_nearest_agrees_with_the_matrix():
    index, similarity = nearest(["CCCO", "bad", "Oc1ccccc1C"], SMILES)
    matrix = tanimoto(["CCCO", "Oc1ccccc1C"], SMILES)
    assert index.tolist() == [int(matrix[0].argmax()), -1, int(matrix[1].argmax())]
    assert similarity[2] == matrix[1].max() and np.isnan(similarity[1])


def test_nearest_without_reference_finds_nothing():
    index, similarity = nearest(["CCO"], [])
    assert index.tolist() == [-1] and np.isnan(similarity[0])


def test_fingerprints_pass_through():
    assert tanimoto(morgan(SMILES), SMILES).diagonal().tolist() == [1.0] * 4


def test_counts_tell_chain_lengths_apart():
    short, long = "C" * 12, "C" * 20
    assert tanimoto([short], [long])[0, 0] == 1.0
    assert tanimoto(count_morgan([short]), count_morgan([long]))[0, 0] < 1.0


def test_scaffold_keeps_rings_and_linkers():
    assert scaffold("CC(C)Cc1ccc(cc1)CCC1CCNCC1") == "c1ccc(CCC2CCNCC2)cc1"
    assert scaffold("CCCC") == "" and scaffold("C1CC") is None
