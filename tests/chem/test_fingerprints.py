"""Similarity by its definition, and what happens to what is not a molecule."""

import numpy as np
import pytest
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator
from rdkit.Chem.Scaffolds import MurckoScaffold

from chemvae.chem import fingerprints
from chemvae.chem.fingerprints import count_morgan, count_tanimoto, morgan, nearest, scaffold, tanimoto, unfolded_counts

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


def test_folded_counts_are_rdkits_and_nan_where_there_is_no_molecule():
    make = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=128).GetCountFingerprintAsNumPy
    found = fingerprints.folded_counts([*SMILES, "C1"], n_bits=128)
    np.testing.assert_array_equal(found[:-1], [make(Chem.MolFromSmiles(text)) for text in SMILES])
    assert found.dtype == np.float32 and np.isnan(found[-1]).all() and fingerprints.folded_counts([]).shape == (0, 2048)


def test_scaffold_keeps_rings_and_linkers():
    assert scaffold("CC(C)Cc1ccc(cc1)CCC1CCNCC1") == "c1ccc(CCC2CCNCC2)cc1"
    assert scaffold("CCCC") == "" and scaffold("C1CC") is None


def sparse_counts(smiles: list[str]) -> list:
    make = rdFingerprintGenerator.GetMorganGenerator(radius=2).GetSparseCountFingerprint
    return [make(Chem.MolFromSmiles(text)) for text in smiles]


class TestCountRows:
    def test_a_row_holds_what_rdkit_counts(self, molecules):
        rows = unfolded_counts(molecules)
        for i, counts in enumerate(sparse_counts(molecules)):
            one = rows[i]
            assert dict(zip(one.ids.tolist(), one.counts.tolist(), strict=True)) == counts.GetNonzeroElements()
            assert (np.diff(one.ids.astype(np.int64)) > 0).all() and one.totals.tolist() == [counts.GetTotalVal()]

    def test_rows_are_taken_and_joined(self, molecules):
        rows = unfolded_counts(molecules)
        order = np.random.default_rng(0).permutation(len(rows))
        taken, expected = rows[order], unfolded_counts([molecules[i] for i in order])
        joined = rows[:5] + rows[np.arange(len(rows)) >= 5]
        for got, wanted in ((taken, expected), (joined, rows), (rows[-1], unfolded_counts(molecules[-1:]))):
            assert got.ids.tolist() == wanted.ids.tolist() and got.starts.tolist() == wanted.starts.tolist()
            assert got.counts.tolist() == wanted.counts.tolist()

    def test_no_rows_and_empty_rows(self):
        assert len(unfolded_counts([])) == 0 and len(unfolded_counts(["CC"])[[]]) == 0
        assert unfolded_counts(["C1", "", "C"]).totals.tolist() == [0, 0, 1]


class TestCountTanimoto:
    @pytest.mark.parametrize("block", [1, 7, 256])
    def test_it_equals_rdkit_whatever_the_blocks(self, molecules, block, monkeypatch):
        monkeypatch.setattr(fingerprints, "BLOCK", block)
        chains = ["C" * n + "O" for n in (1, 5, 90, 300)]
        counts = sparse_counts(molecules + chains)
        expected = [DataStructs.BulkTanimotoSimilarity(one, counts[3:]) for one in counts]
        np.testing.assert_array_equal(
            count_tanimoto(unfolded_counts(molecules + chains), unfolded_counts(molecules[3:] + chains)), expected
        )

    def test_it_is_a_kernel(self, molecules):
        rows = unfolded_counts(molecules)
        similarity = count_tanimoto(rows, rows)
        assert (similarity == similarity.T).all() and (similarity.diagonal() == 1.0).all()
        assert np.linalg.eigvalsh(similarity).min() > -1e-12

    def test_nothing_is_like_nothing_and_unlike_all_else(self):
        rows = unfolded_counts(["C1", "CCO"])
        assert np.isnan(count_tanimoto(rows, rows)[0, 0]) and count_tanimoto(rows, rows)[0, 1] == 0.0
        assert count_tanimoto(rows[:0], rows).shape == (0, 2) and count_tanimoto(rows, rows[:0]).shape == (2, 0)


@pytest.mark.parametrize("smiles", ["C" * 300, "CCO", "C[C@H](N)C(=O)O.[Na+].[Cl-]", "O=C=O", "NCC(=O)" * 30 + "O", "*C*"])
def test_molecules_without_rings_have_the_empty_scaffold_that_rdkit_finds(smiles):
    assert scaffold(smiles) == MurckoScaffold.MurckoScaffoldSmiles(smiles) == ""
