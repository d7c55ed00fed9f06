"""A function that takes a list of molecules and gives a value for each: what a vectorised predictor or a service is."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from chemvae.design.oracles.simple import FunctionOracle

_LISTS = re.compile(r"\b(list|tuple|sequence|iterable|collection|series|ndarray|array)\b", re.IGNORECASE)


class ListOracle(FunctionOracle):
    """Any ``list of str -> list of float``, one value for each molecule in the order given; NaN or None is a failure.

    Examples
    --------
    >>> ListOracle(lambda smiles: [float(len(text)) for text in smiles])(["CO", "CCO"])
    array([2., 3.])
    """

    chunk_size = None

    def evaluate(self, smiles: Sequence[str]) -> np.ndarray:
        """Call the function once: [N].

        Raises
        ------
        ValueError
            If it gives another number of values than there are molecules.
        """
        values = self.function(list(smiles))
        found = np.array([np.nan if value is None else value for value in values], dtype=float).reshape(-1)
        if len(found) != len(smiles):
            raise ValueError(f"the function gave {len(found)} values for {len(smiles)} molecules; it must give one for each")
        return found


def takes_a_list(function: Callable[..., Any]) -> bool:
    """Whether a function says, by the annotation of its first parameter, that it takes many molecules at a time.

    Examples
    --------
    >>> def many(smiles: list[str]) -> list[float]: ...
    >>> def one(smiles: str) -> float: ...
    >>> takes_a_list(many), takes_a_list(one), takes_a_list(len), takes_a_list(lambda smiles: 1.0)
    (True, False, False, False)
    """
    try:
        first = next(iter(inspect.signature(function).parameters.values()), None)
    except (TypeError, ValueError):  # some of those written in C have none
        return False
    if first is None or first.annotation is inspect.Parameter.empty:
        return False
    words = first.annotation if isinstance(first.annotation, str) else inspect.formatannotation(first.annotation)
    return bool(_LISTS.search(words))
