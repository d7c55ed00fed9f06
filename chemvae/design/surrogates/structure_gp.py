"""A Gaussian process on structures and, as far as the scores speak for it, on what RDKit computes of them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from chemvae.chem.fingerprints import count_tanimoto
from chemvae.design.surrogates.described import DESCRIPTORS, DescribedRows
from chemvae.design.surrogates.tanimoto_gp import MIN_ROWS, SPECTRUM_ROWS, Evidence, MoleculeGP
from chemvae.errors import InputError
from chemvae.gp.kernels import rbf

SHARES = (0.0, 0.5, 0.8, 0.95)
LENGTHS = (1.0, 3.0)  # in quarters of a usual range, times the root of the number of descriptors
FIT_ROWS = 300  # that the share is chosen on
MOST_DESCRIBED = 1_000  # scores up to which descriptors are looked at: 3 ms a molecule, for each that might be chosen


class StructureGP(MoleculeGP[DescribedRows]):
    """A Gaussian process with k(a, b) = s^2 ((1 - w) T(a, b) + w D(a, b)), T comparing Morgan counts, D descriptors.

    D is half a line and half an RBF over nine cheap descriptors, so that a goal that goes with size, polarity or drug-likeness
    is learned from a few dozen scores. The share w and the length of the RBF are those of highest evidence on a grid; with
    w = 0, and beyond 1,000 scores, it is a :class:`~chemvae.design.surrogates.tanimoto_gp.TanimotoGP`, whose parameters and
    attributes it has, and no descriptor is computed.

    Examples
    --------
    >>> smiles = ["C" * n + end for n in range(2, 10) for end in ("O", "N", "(=O)O")]
    >>> gp = StructureGP().fit(smiles[:18], [float(len(text)) for text in smiles[:18]])
    >>> len(gp.predict(smiles[18:])[0])
    6
    """

    share, length = 0.0, LENGTHS[0]

    def _fit_hyperparameters(self, generator: torch.Generator) -> None:
        """Choose share, length and noise ratio together."""
        if self._given_ratio is not None or len(self._active) < MIN_ROWS:
            return
        shares = SHARES[1:] if len(self) <= MOST_DESCRIBED else ()
        most = FIT_ROWS if shares else SPECTRUM_ROWS
        some = torch.randperm(len(self._active), generator=generator)[:most].sort().values
        rows, targets = self._active[some], self._targets()[0][some]
        structures = torch.from_numpy(count_tanimoto(rows.counts, rows.counts))
        tried = []
        for share, length in [(0.0, LENGTHS[0]), *((share, length) for length in LENGTHS for share in shares)]:
            mixed = structures if not share else (1.0 - share) * structures + share * _descriptor_kernel(rows, rows, length)
            evidence = Evidence(mixed, targets)
            ratio = evidence.best_ratio()
            tried.append((float(evidence(torch.tensor([ratio], dtype=torch.float64))[0]), share, length, ratio))
        _, self.share, self.length, self.noise_ratio = max(tried, key=lambda one: one[0])

    def _similarity(self, a: DescribedRows, b: DescribedRows) -> Tensor:
        structures = torch.from_numpy(count_tanimoto(a.counts, b.counts))
        if not self.share:
            return structures
        return (1.0 - self.share) * structures + self.share * _descriptor_kernel(a, b, self.length)

    def _variances(self, rows: DescribedRows) -> Tensor:
        ones = torch.ones(len(rows), dtype=torch.float64)
        if not self.share:
            return ones
        line = torch.from_numpy(rows.values).square().mean(dim=1)
        return (1.0 - self.share) * ones + self.share * (ones + line) / 2

    def _rows_of(self, molecules: DescribedRows | Sequence[str]) -> DescribedRows:
        rows = molecules if isinstance(molecules, DescribedRows) else DescribedRows.of(list(molecules))
        empty = [i for i, total in enumerate(rows.totals.tolist()) if not total]
        if empty:
            raise InputError(f"'{rows.smiles[empty[0]]}', row {empty[0]} of {len(rows)}, is no molecule; leave such rows out")
        return rows


def _descriptor_kernel(a: DescribedRows, b: DescribedRows, length: float) -> Tensor:
    """Half a line, half an RBF over the descriptors: [A, B]."""
    x, y = torch.from_numpy(a.values), torch.from_numpy(b.values)
    unit = length * len(DESCRIPTORS) ** 0.5
    return (x @ y.T / len(DESCRIPTORS) + rbf(x / unit, y / unit)) / 2
