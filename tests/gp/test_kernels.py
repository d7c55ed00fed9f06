"""Kernels against RDKit, against the one that knows no torch, and against what makes a kernel."""

import numpy as np
import torch
from rdkit import DataStructs

from chemvae.chem.fingerprints import count_morgan, count_tanimoto, folded_counts, unfolded_counts
from chemvae.gp.kernels import rbf, tanimoto


def dense(rows) -> torch.Tensor:
    """Sparse rows of counts [N] with a column for each environment."""
    columns = np.unique(rows.ids)
    table = np.zeros((len(rows), len(columns)), dtype=np.float32)
    table[np.repeat(np.arange(len(rows)), np.diff(rows.starts)), np.searchsorted(columns, rows.ids)] = rows.counts
    return torch.from_numpy(table)


def test_similarity_of_folded_counts_is_rdkits(molecules):
    counts = torch.from_numpy(folded_counts(molecules))
    fingerprints = count_morgan(molecules)
    theirs = [DataStructs.BulkTanimotoSimilarity(one, fingerprints) for one in fingerprints]
    np.testing.assert_allclose(tanimoto(counts, counts), theirs, atol=1e-12)


def test_dense_and_sparse_counts_are_as_similar(molecules):
    rows = unfolded_counts([*molecules, "C" * 60])
    counts = dense(rows)
    np.testing.assert_allclose(tanimoto(counts, counts[3:]), count_tanimoto(rows, rows[3:]), rtol=1e-14)


def test_bits_are_counts_of_one():
    noise = torch.Generator().manual_seed(0)
    a, b = ((torch.rand(n, 30, generator=noise) < 0.4).float() for n in (5, 8))
    common = a.double() @ b.double().T
    torch.testing.assert_close(tanimoto(a, b), common / (a.sum(dim=1)[:, None] + b.sum(dim=1) - common))


def test_both_are_kernels(molecules):
    noise = torch.Generator().manual_seed(0)
    x = torch.randn(20, 4, generator=noise, dtype=torch.float64)
    counts = torch.from_numpy(folded_counts(molecules))
    for covariance in (rbf(x, x), tanimoto(counts, counts)):
        torch.testing.assert_close(covariance, covariance.T)
        torch.testing.assert_close(covariance.diagonal(), torch.ones(len(covariance), dtype=torch.float64))
        assert float(torch.linalg.eigvalsh(covariance)[0]) > -1e-12
