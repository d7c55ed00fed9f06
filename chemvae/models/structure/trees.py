"""Boosted trees as arrays: learned by scikit-learn, kept without pickles, read by a few lines of NumPy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np

from chemvae.errors import SettingsError

BLOCK = 64  # molecules that go down all trees at once: their places stay in a core's cache
MOST_LEAVES = 128  # so that a node's number fits a byte


@dataclass(frozen=True)
class TreeSettings:
    """How trees are grown.

    Attributes
    ----------
    rounds : trees, one after another.
    learning_rate : share of its answer that each of them gives.
    leaves : of a tree, at most.
    penalty : on the square of a leaf's answer.
    bins : that a column's values are sorted into before a tree looks at them.
    """

    rounds: int = 250
    learning_rate: float = 0.1
    leaves: int = 31
    penalty: float = 1.0
    bins: int = 63

    def __post_init__(self) -> None:
        if self.rounds < 1 or not 2 <= self.leaves <= MOST_LEAVES or not 2 <= self.bins <= 255:
            raise SettingsError(
                f"trees take at least 1 round, 2 to {MOST_LEAVES} leaves and 2 to 255 bins, got {self.rounds}, {self.leaves}"
                f" and {self.bins}"
            )


@dataclass(frozen=True)
class BoostedTrees:
    """T trees of at most M nodes each, whose answers are added up (Friedman 2001, https://doi.org/10.1214/aos/1013203451).

    Arrays [T, M]; node 0 is a tree's root, and a leaf is its own child.
    """

    column: np.ndarray
    """int16: which input a branch looks at."""
    number: np.ndarray
    """float32: the input goes left up to this value; of a leaf, its answer."""
    left: np.ndarray
    """uint8"""
    right: np.ndarray
    """uint8"""
    base: np.ndarray
    """float64 [1]: what the answers are added to."""

    @classmethod
    def fit(cls, inputs: np.ndarray, labels: np.ndarray, settings: TreeSettings | None = None, seed: int = 0) -> BoostedTrees:
        """Learn labels [N] from inputs [N, F], float32 without NaN, by absolute error.

        Examples
        --------
        >>> x = np.arange(100, dtype=np.float32)[:, None]
        >>> BoostedTrees.fit(x, 3.0 * (x[:, 0] > 50.0)).predict(np.float32([[10.0], [90.0]])).round(2)
        array([0., 3.])
        """
        from sklearn.ensemble import HistGradientBoostingRegressor

        s = settings or TreeSettings()
        varies = np.flatnonzero((inputs != inputs[:1]).any(axis=0))
        varies = varies if len(varies) else np.zeros(1, dtype=np.intp)
        grown = HistGradientBoostingRegressor(
            loss="absolute_error", max_iter=s.rounds, learning_rate=s.learning_rate, max_leaf_nodes=s.leaves,
            l2_regularization=s.penalty, max_bins=s.bins, early_stopping=False, random_state=seed,
        ).fit(inputs[:, varies], labels)  # fmt: skip
        trees = [tree.nodes for (tree,) in grown._predictors]
        return cls._of_nodes(trees, varies, float(np.ravel(grown._baseline_prediction)[0]))

    @classmethod
    def _of_nodes(cls, trees: list[np.ndarray], varies: np.ndarray, base: float) -> BoostedTrees:
        """Of scikit-learn's own arrays, in which a column is a place in ``varies``."""
        size = (len(trees), max(map(len, trees)))
        itself = np.broadcast_to(np.arange(size[1], dtype=np.uint8), size)
        made = cls(np.zeros(size, np.int16), np.zeros(size, np.float32), itself.copy(), itself.copy(), np.array([base]))
        for row, nodes in enumerate(trees):
            branch = nodes["is_leaf"] == 0
            place = np.flatnonzero(branch)
            made.column[row, place] = varies[nodes["feature_idx"][branch]]
            made.number[row, : len(nodes)] = np.where(branch, _rounded_down(nodes["num_threshold"]), nodes["value"])
            made.left[row, place], made.right[row, place] = nodes["left"][branch], nodes["right"][branch]
        return made

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        """Answer for inputs [N, F] float32: [N] float64; NaN where an input is NaN."""
        parts = [self._answers(inputs[start : start + BLOCK]) for start in range(0, len(inputs), BLOCK)]
        return np.concatenate(parts) if parts else np.zeros(0)

    @cached_property
    def _children(self) -> np.ndarray:
        """Of node n of all trees in a row, its left child at 2n and its right one after it: [2TM]."""
        roots = np.arange(len(self.column))[:, None] * self.column.shape[1]
        return np.stack([roots + self.left, roots + self.right], axis=-1).ravel()

    def _answers(self, inputs: np.ndarray) -> np.ndarray:
        n_trees, n_nodes = self.column.shape
        row = np.arange(len(inputs))[:, None]
        column, number, children = self.column.ravel(), self.number.ravel(), self._children
        node = np.broadcast_to(np.arange(n_trees) * n_nodes, (len(inputs), n_trees))
        while True:
            below = children[2 * node + (inputs[row, column[node]] > number[node])]
            if np.array_equal(below, node):
                break
            node = below
        answers = self.base[0] + number[node].sum(axis=1, dtype=np.float64)
        return np.where(np.isnan(inputs).any(axis=1), np.nan, answers)

    def arrays(self) -> dict[str, np.ndarray]:
        """What :meth:`from_arrays` takes."""
        return {name: getattr(self, name) for name in ARRAYS}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], n_columns: int) -> BoostedTrees:
        """Of arrays as :meth:`arrays` gives them, for ``n_columns`` inputs.

        Raises
        ------
        ValueError
            If they are no trees: other types or shapes, a node that leads upwards or out of its tree, a column that is none.
        """
        made = cls(**arrays)
        kinds = {"column": np.int16, "number": np.float32, "left": np.uint8, "right": np.uint8}
        nodes = {name: getattr(made, name) for name in kinds}
        if made.column.ndim != 2 or any(nodes[name].dtype != kind for name, kind in kinds.items()):
            raise ValueError("its arrays are no trees")
        if any(one.shape != made.column.shape for one in nodes.values()):
            raise ValueError("its arrays are no trees")
        if made.base.shape != (1,) or made.base.dtype != np.float64 or not made.column.size:
            raise ValueError("its trees have no beginning")
        itself, last = np.arange(made.column.shape[1]), made.column.shape[1] - 1
        is_leaf = (made.left == itself) & (made.right == itself)
        leads_down = (made.left > itself) & (made.right > itself) & (made.left <= last) & (made.right <= last)
        if not (is_leaf | leads_down).all() or made.column.min() < 0 or made.column.max() >= n_columns:
            raise ValueError("a node of its trees leads nowhere")
        return made


def _rounded_down(numbers: np.ndarray) -> np.ndarray:
    """The largest float32 that is no larger: an input of that type is on the same side of it as of the number."""
    near = numbers.astype(np.float32)
    return np.where(near > numbers, np.nextafter(near, np.float32(-np.inf)), near)


ARRAYS = tuple(one.name for one in fields(BoostedTrees))
"""Names of the arrays."""
