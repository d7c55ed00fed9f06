"""The tasks that design is measured on: five of the PMO benchmark and 5 QED - SAS, each a plain function SMILES -> score.

The five are written from their published definitions with RDKit alone; a score is in 0..1 and more is better. What is not a
molecule scores NaN. A new task is a function ``Mol -> float`` under the decorator :func:`task`.

References
----------
Brown et al., GuacaMol, 2019. https://doi.org/10.1021/acs.jcim.8b00839 (targets, modifiers, means)
Gao et al., Sample Efficiency Matters, 2022. https://arxiv.org/abs/2206.12411 (the protocol and its area under the curve)
Gomez-Bombarelli et al., Automatic Chemical Design, 2018. https://doi.org/10.1021/acscentsci.7b00572 (5 QED - SAS)
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Sequence
from functools import lru_cache, wraps

from rdkit import Chem
from rdkit.Chem import Crippen, rdMolDescriptors
from rdkit.Chem import rdFingerprintGenerator as generators
from rdkit.DataStructs import TanimotoSimilarity

from chemvae.chem.molecules import parse
from chemvae.chem.properties import drug_likeness, synthetic_accessibility

CAMPHOR = "CC1(C)C2CCC1(C)C(=O)C2"
MENTHOL = "CC(C)C1CCC(C)CC1O"
CELECOXIB = "CC1=CC=C(C=C1)C1=CC(=NN1C1=CC=C(C=C1)S(N)(=O)=O)C(F)(F)F"
AMLODIPINE = r"Clc1ccccc1C2C(=C(/N/C(=C2/C(=O)OCC)COCCN)C)\C(=O)OC"
OSIMERTINIB = "COc1cc(N(C)CCN(C)C)c(NC(=O)C=C)cc1Nc2nccc(n2)c3cn(C)c4ccccc34"
MESTRANOL = "COc1ccc2[C@H]3CC[C@@]4(C)[C@@H](CC[C@@]4(O)C#C)[C@@H]3CCc2c1"

FINGERPRINTS = {
    "ECFP4": generators.GetMorganGenerator(radius=2),
    "ECFP6": generators.GetMorganGenerator(radius=3),
    "FCFP4": generators.GetMorganGenerator(radius=2, atomInvariantsGenerator=generators.GetMorganFeatureAtomInvGen()),
    "AP": generators.GetAtomPairGenerator(maxDistance=10),
}
"""All are used unfolded and with counts."""
SAMPLED_EVERY = 100
"""Calls between two readings of the curve."""

Score = Callable[[str], float]
TASKS: dict[str, Score] = {}


def task(function: Callable[[Chem.Mol], float]) -> Score:
    """Enter a function of a molecule in :data:`TASKS`, as a function of SMILES."""

    @wraps(function)
    def score(smiles: str) -> float:
        mol = parse(smiles)
        return math.nan if mol is None else function(mol)

    TASKS[function.__name__] = score
    return score


@task
def median1(mol: Chem.Mol) -> float:
    """Camphor and menthol at once."""
    return geometric_mean(similarity(mol, CAMPHOR, "ECFP4"), similarity(mol, MENTHOL, "ECFP4"))


@task
def celecoxib_rediscovery(mol: Chem.Mol) -> float:
    """Find celecoxib again."""
    return similarity(mol, CELECOXIB, "ECFP4")


@task
def amlodipine_mpo(mol: Chem.Mol) -> float:
    """Like amlodipine, with three rings."""
    return geometric_mean(similarity(mol, AMLODIPINE, "ECFP4"), bell(rdMolDescriptors.CalcNumRings(mol), 3.0, 0.5))


@task
def osimertinib_mpo(mol: Chem.Mol) -> float:
    """Features of osimertinib in another frame, more polar (TPSA in A^2) and less lipophilic."""
    return geometric_mean(
        clip(similarity(mol, OSIMERTINIB, "FCFP4"), 0.8),
        below(similarity(mol, OSIMERTINIB, "ECFP6"), 0.85, 0.1),
        above(rdMolDescriptors.CalcTPSA(mol), 100.0, 10.0),
        below(Crippen.MolLogP(mol), 1.0, 1.0),
    )


@task
def mestranol_similarity(mol: Chem.Mol) -> float:
    """Like mestranol by pairs of atoms."""
    return clip(similarity(mol, MESTRANOL, "AP"), 0.75)


@task
def qed_minus_sas(mol: Chem.Mol) -> float:
    """5 QED - SAS; in -10..3.74."""
    return 5.0 * drug_likeness(mol) - synthetic_accessibility(mol)


def similarity(mol: Chem.Mol, target: str, fingerprint: str) -> float:
    """Tanimoto similarity of two counted fingerprints: sum of minima over sum of maxima."""
    counts = FINGERPRINTS[fingerprint].GetSparseCountFingerprint(mol)
    return TanimotoSimilarity(counts, _target_counts(target, fingerprint))


@lru_cache(maxsize=64)
def _target_counts(target: str, fingerprint: str):
    return FINGERPRINTS[fingerprint].GetSparseCountFingerprint(Chem.MolFromSmiles(target))


def bell(x: float, center: float, width: float) -> float:
    """1 at ``center``, falling on both sides as exp(-((x - center) / width)^2 / 2)."""
    return math.exp(-0.5 * ((x - center) / width) ** 2)


def below(x: float, edge: float, width: float) -> float:
    """1 up to ``edge``, half a bell beyond."""
    return bell(max(x, edge), edge, width)


def above(x: float, edge: float, width: float) -> float:
    """1 from ``edge`` on, half a bell before."""
    return bell(min(x, edge), edge, width)


def clip(x: float, upper: float) -> float:
    """Rise in proportion and reach 1 at ``upper``."""
    return min(x / upper, 1.0)


def geometric_mean(*values: float) -> float:
    """The n-th root of the product of n values >= 0."""
    return math.prod(values) ** (1.0 / len(values))


def auc_top10(scores: Sequence[float], budget: int) -> float:
    """Area under the mean of the ten best scores so far, against calls, divided by the budget.

    As published: read every 100 calls and after the last one, joined by straight lines, starting from 0 at no call, held at its
    last value up to the budget. So a score of 1 at every call gives 0.995 for a budget of 10,000.

    Parameters
    ----------
    scores : sequence of float, length N
        In the order of calls, one per distinct molecule; what exceeds the budget is left out. NaN counts as a call only.
    budget : int
        Calls allowed, >= 1.

    Returns
    -------
    float
        In 0..1 for scores in 0..1. Before ten scores exist the mean is over what there is.

    Examples
    --------
    >>> auc_top10([0.5] * 100, budget=200)
    0.375
    """
    area, last_call, last_mean = 0.0, 0, 0.0
    best: list[float] = []
    scores = scores[:budget]
    for call, score in enumerate(scores, start=1):
        if score == score:
            heapq.heappush(best, score)
            if len(best) > 10:
                heapq.heappop(best)
        if call % SAMPLED_EVERY == 0 or call == len(scores):
            mean = math.fsum(best) / max(len(best), 1)
            area += (call - last_call) * (mean + last_mean) / 2
            last_call, last_mean = call, mean
    return (area + (budget - last_call) * last_mean) / budget
