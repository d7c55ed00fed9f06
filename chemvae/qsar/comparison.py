"""Compare predictors of a property: repeated cross-validation on the same folds, and a paired test for overlapping ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from chemvae.chem.fingerprints import morgan, tanimoto
from chemvae.errors import SettingsError

Fit = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Rows to learn from, rows to predict -> predictions of the latter."""
SIMILAR = 0.4  # Tanimoto (ECFP4) above which two molecules are neighbours, as in Lo-Hi's hit identification


@dataclass(frozen=True)
class Difference:
    """How much larger the error of one predictor is than that of another."""

    mean: float
    """Of the folds, in the label's unit; below 0 the first one is better."""
    low: float
    """Lower end of the interval that holds it in 95 of 100 such comparisons."""
    high: float
    """Upper end."""
    p: float
    """Probability of a difference as large or larger where there is none."""
    n_folds: int
    """Folds of all repeats."""


def similarity_groups(smiles: Sequence[str], threshold: float = SIMILAR) -> np.ndarray:
    """Number groups [N] so that no molecule has a neighbour of another group: single linkage on ECFP4 Tanimoto.

    Parameters
    ----------
    smiles : sequence of str, length N
    threshold : float
        Similarity above which two molecules are neighbours.

    References
    ----------
    Steshin, Lo-Hi, 2023. https://arxiv.org/abs/2310.06399 (the threshold; groups are whole here, none is dropped)

    Examples
    --------
    >>> similarity_groups(["CCCCO", "CCCCCO", "c1ccccc1"]).tolist()
    [0, 0, 1]
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    similarity = np.nan_to_num(tanimoto(morgan(list(smiles)), morgan(list(smiles))))
    return connected_components(csr_array(similarity > threshold), directed=False)[1].astype(int)


def repeated_folds(
    groups: Sequence[int] | np.ndarray, n_folds: int = 5, n_repeats: int = 5, seed: int = 0
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the rows to learn from and those to predict, with every group on one side; the repeats deal groups out anew.

    Groups go to the fold that has fewest molecules, large ones first, so that folds are about as large as groups allow.

    Raises
    ------
    SettingsError
        If there are fewer groups than folds, or fewer than two folds or one repeat.

    Examples
    --------
    >>> [(train.tolist(), test.tolist()) for train, test in repeated_folds([0, 1, 1], n_folds=2, n_repeats=1)]
    [([0], [1, 2]), ([1, 2], [0])]
    """
    groups = np.unique(np.asarray(groups), return_inverse=True)[1]
    n_groups = int(groups.max()) + 1 if len(groups) else 0
    if n_folds < 2 or n_repeats < 1 or n_groups < n_folds:
        raise SettingsError(f"{n_groups} groups cannot be dealt out over {n_folds} folds, {n_repeats} times; take fewer folds")
    sizes, rng = np.bincount(groups), np.random.default_rng(seed)
    for _ in range(n_repeats):
        order = rng.permutation(n_groups)
        fold_of, filled = np.zeros(n_groups, dtype=int), np.zeros(n_folds, dtype=int)
        for number in order[np.argsort(-sizes[order], kind="stable")]:
            fold_of[number] = filled.argmin()
            filled[fold_of[number]] += sizes[number]
        for fold in range(n_folds):
            is_test = fold_of[groups] == fold
            yield np.flatnonzero(~is_test), np.flatnonzero(is_test)


def compare(
    fits: Mapping[str, Fit], labels: np.ndarray, groups: Sequence[int] | np.ndarray, n_folds: int = 5, n_repeats: int = 5,
    seed: int = 0,
) -> tuple[dict[str, np.ndarray], dict[tuple[str, str], Difference]]:  # fmt: skip
    """Cross-validate predictors on the same folds and compare each pair of them.

    Parameters
    ----------
    fits : mapping of name to predictor
        Each learns from some rows and predicts others.
    labels : array [N]
    groups : array [N]
        Molecules of a group are left out together: scaffolds, or :func:`similarity_groups`.
    n_folds, n_repeats, seed : int

    Returns
    -------
    errors : dict of name to array [n_folds * n_repeats]
        Mean absolute error of each fold.
    differences : dict of pair of names to Difference

    References
    ----------
    Ash et al., Practically significant method comparison protocols for machine learning in small molecule drug discovery,
    2024. https://doi.org/10.26434/chemrxiv-2024-6dbwv-v2
    """
    folds = list(repeated_folds(groups, n_folds, n_repeats, seed))
    errors = {
        name: np.array([np.abs(fit(train, test) - labels[test]).mean() for train, test in folds]) for name, fit in fits.items()
    }
    names, share = list(fits), float(np.mean([len(test) / len(train) for train, test in folds]))
    pairs = [(first, second) for i, first in enumerate(names) for second in names[i + 1 :]]
    return errors, {(first, second): paired_test(errors[first] - errors[second], share) for first, second in pairs}


def paired_test(differences: np.ndarray, share: float) -> Difference:
    """Test whether differences of folds are 0 on average, by the t-test that is corrected for folds that share molecules.

    With n folds and a share r of tested to learned rows, the variance of the mean is (1/n + r) s^2 in place of s^2/n.

    Parameters
    ----------
    differences : array [n]
        n >= 2.
    share : float
        Rows tested for each row learned from.

    References
    ----------
    Nadeau & Bengio, Inference for the generalization error, 2003. https://doi.org/10.1023/A:1024068626366

    Examples
    --------
    >>> found = paired_test(np.array([0.1, 0.2, 0.15, 0.12]), 0.25)
    >>> round(found.mean, 4), found.low < 0.0 < found.high
    (0.1425, False)
    """
    from scipy.stats import t

    n, mean = len(differences), float(np.mean(differences))
    std = math.sqrt(1 / n + share) * float(np.std(differences, ddof=1))
    reach = float(t.ppf(0.975, n - 1)) * std
    p = float(2.0 * t.sf(abs(mean) / std, n - 1)) if std else float(mean == 0.0)
    return Difference(mean, mean - reach, mean + reach, p, n)
