"""Predictions from the structure beside those from the code, for the properties where they are better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from chemvae.chem.fingerprints import N_BITS, folded_counts
from chemvae.chem.properties import compute_rows
from chemvae.models.structure.trees import ARRAYS, BoostedTrees

DESCRIPTORS = (
    "logP", "MW", "TPSA", "HBD", "HBA", "rotatable_bonds", "rings", "aromatic_rings", "heavy_atoms", "fraction_csp3", "charge",
    "molar_refractivity",
)  # fmt: skip
N_COLUMNS = N_BITS + len(DESCRIPTORS)


def describe_structures(smiles: Sequence[str]) -> np.ndarray:
    """Counts of folded Morgan environments of radius 2, then :data:`DESCRIPTORS`: float32 [N, 2060].

    NaN where a text is no molecule.

    Examples
    --------
    >>> describe_structures(["CCO", "C1"])[:, -4]
    array([ 3., nan], dtype=float32)
    """
    rows = np.array(compute_rows(smiles, DESCRIPTORS), dtype=np.float32).reshape(len(smiles), len(DESCRIPTORS))
    return np.hstack([folded_counts(smiles), rows])


class StructureHeads:
    """Boosted trees on fingerprints and descriptors, for some of P properties.

    A code must also bring its molecule back, and a label that few molecules have moves it little; what a fingerprint says of
    such a property can be nearer to the truth. Where it was so on validation molecules, the prediction of a *molecule* lies
    between that from its code and that of the trees; the prediction at a *point* of the latent space, where there is no
    molecule, is from the point alone.

    Parameters
    ----------
    n_properties : int

    Attributes
    ----------
    trees : dict of int to BoostedTrees
        By the property's number; in standardised labels (:meth:`~chemvae.models.predictor.PropertyPredictor.standardise`).
    share : Tensor [P]
        Of the trees in a prediction, 0 where there are none.
    widening : Tensor [P]
        Of the interval, in the place of the predictor's own.
    """

    def __init__(self, n_properties: int):
        self.trees: dict[int, BoostedTrees] = {}
        self.share, self.widening = torch.zeros(n_properties), torch.ones(n_properties)

    @property
    def is_fitted(self) -> bool:
        """Whether any property has trees."""
        return bool(self.trees)

    def answers(self, smiles: Sequence[str]) -> Tensor:
        """What the trees say, in standardised labels: float64 [N, P]; NaN without trees, and where a text is no molecule."""
        found = np.full((len(smiles), len(self.share)), np.nan)
        inputs = describe_structures(smiles)
        for i, trees in self.trees.items():
            found[:, i] = trees.predict(inputs)
        return torch.from_numpy(found)

    def beside(self, mean: Tensor, answers: Tensor, widening: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and widening [N, P] of molecules, from those of their codes and the trees' answers [N, P], standardised."""
        answers = answers.to(mean)
        is_known = ~answers.isnan() & (self.share > 0).to(mean.device)
        both = mean + self.share.to(mean) * (answers - mean)
        return torch.where(is_known, both, mean), torch.where(is_known, self.widening.to(widening), widening)

    def tensors(self) -> dict[str, Tensor]:
        """What trees.safetensors holds."""
        arrays = {f"{i}.{name}": one for i, trees in self.trees.items() for name, one in trees.arrays().items()}
        return {"share": self.share, "widening": self.widening} | {name: torch.from_numpy(one) for name, one in arrays.items()}

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Take what :meth:`tensors` gave.

        Raises
        ------
        ValueError
            Saying why these are no trees of so many properties.
        """
        rest = dict(tensors)
        for name in ("share", "widening"):
            own = getattr(self, name)
            if name not in rest or rest[name].shape != own.shape or rest[name].dtype != own.dtype:
                raise ValueError(f"'{name}' does not fit the properties of its config.json")
            own.copy_(rest.pop(name))
        if bool((self.share < 0).any() | (self.share > 1).any()):
            raise ValueError("'share' is none")
        for i in torch.nonzero(self.share).flatten().tolist():
            if missing := next((one for name in ARRAYS if (one := f"{i}.{name}") not in rest), None):
                raise ValueError(f"'{missing}' is missing")
            self.trees[i] = BoostedTrees.from_arrays({name: rest.pop(f"{i}.{name}").numpy() for name in ARRAYS}, N_COLUMNS)
        if rest:
            raise ValueError(f"'{next(iter(rest))}' belongs to another model")
