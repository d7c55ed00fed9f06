"""Kinds of oracle: a function, properties that RDKit computes, what the model predicts, several side by side."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from types import CodeType
from typing import Any

import numpy as np

from chemvae.chem.properties import PROPERTIES, compute_table
from chemvae.design.oracle import DEFAULT_NAME, Oracle
from chemvae.design.score import Score
from chemvae.registry import find


class FunctionOracle(Oracle):
    """Any ``str -> float``. None, text and other things that are no number are failures with that reason.

    Examples
    --------
    >>> oracle = FunctionOracle(lambda s: 1 / s.count("O"))
    >>> [(score.values, score.reason) for score in oracle.score(["CO", "C"])]
    [((1.0,), ''), ((nan,), 'ZeroDivisionError: division by zero')]
    """

    chunk_size = 1

    def __init__(self, function: Callable[[str], float], name: str = DEFAULT_NAME, timeout_s: float | None = None):
        self.function, self.names, self.timeout_s = function, (name,), timeout_s
        self.label = getattr(function, "__name__", type(function).__name__).replace("<lambda>", "function")

    def evaluate(self, smiles: Sequence[str]) -> np.ndarray:
        """Call the function on each molecule: [N]."""
        return np.array([_number(self.function(text)) for text in smiles])

    def identity(self) -> str:
        """The function's name, which its author answers for; one without a name is told by what it does."""
        code = getattr(self.function, "__code__", None)
        if code is None or code.co_name != "<lambda>":
            return self.describe()
        return f"{self.describe()} {hashlib.sha1(_code_text(code).encode()).hexdigest()[:16]}"


def _code_text(code: CodeType) -> str:
    """A text for each code, the same in every run."""
    constants = [_code_text(one) if isinstance(one, CodeType) else _constant_text(one) for one in code.co_consts]
    return repr((code.co_code, code.co_names, constants))


def _constant_text(constant: Any) -> str:
    return repr(sorted(map(repr, constant))) if isinstance(constant, frozenset) else repr(constant)


def _number(value: Any) -> float:
    if value is None or isinstance(value, (str, bytes)):
        raise TypeError(f"the function returned {value!r}, which is not a number")
    return float(value)


class PropertyOracle(Oracle):
    """Properties computed by RDKit, by name: logP, qed, SAS, MW, ... (``PROPERTIES``).

    Raises
    ------
    UnknownNameError
        If there is no such property.

    Examples
    --------
    >>> PropertyOracle("hbd", "rings")(["CCO", "c1ccccc1"])
    array([[1., 0.],
           [0., 1.]])
    """

    def __init__(self, *names: str):
        self.names = self.properties = tuple(find(PROPERTIES, name, "property")[0] for name in names)
        self.label = ", ".join(self.properties)

    def evaluate(self, smiles: Sequence[str]) -> np.ndarray:
        """Compute the properties: [N, P]."""
        return compute_table(smiles, self.properties).to_numpy()


class PredictorOracle(Oracle):
    """The model's own predictor, by property name, in the data's unit. It can be fooled: check what it likes by other means.

    Parameters
    ----------
    model : MolVAE
    *names : str
        Properties it predicts.
    kappa : float
        Score by the mean less kappa predicted standard deviations: above 0 for what is to be large, so that what the model
        is unsure of does not win; below 0 for what is to be small.

    Raises
    ------
    UnknownNameError
        If the model does not predict this property.
    """

    shares_work = False  # a batch is one computation

    def __init__(self, model: Any, *names: str, kappa: float = 0.0):
        table = {name: name for name in model.property_names}
        self.model, self.kappa = model, float(kappa)
        self.names = self.properties = tuple(find(table, name, "predicted property")[0] for name in names)
        self.label = ", ".join(f"predicted {name}{describe_bound(self.kappa)}" for name in self.properties)

    def evaluate(self, smiles: Sequence[str]) -> np.ndarray:
        """Predict from the posterior mean of each molecule: [N, P]; NaN for what cannot be encoded."""
        table = self.model.predict(list(smiles))
        mean = table[list(self.properties)].to_numpy(dtype=float)
        if not self.kappa:
            return mean
        return mean - self.kappa * table[[f"{name}_std" for name in self.properties]].to_numpy(dtype=float)

    def identity(self) -> str:
        """The label, and which model."""
        from chemvae.design.conditions import fingerprint

        return f"{self.describe()} of model {fingerprint(self.model)}"


def describe_bound(kappa: float) -> str:
    """Say what is taken off a prediction.

    Examples
    --------
    >>> describe_bound(1.0), describe_bound(0.0)
    (' - 1 std', '')
    """
    return f" {'-' if kappa > 0 else '+'} {abs(kappa):g} std" if kappa else ""


class JointOracle(Oracle):
    """Oracles that look at the same molecules. Each has its own time limit, workers and memory; see the kinds of this kind."""

    keeps_limit = True
    shares_work = False

    def __init__(self, oracles: Sequence[Oracle]):
        self.oracles = list(oracles)

    def evaluate(self, smiles: Sequence[str]) -> np.ndarray:
        """Score with each oracle: [N, P]."""
        return np.array([score.values for score in self.run(smiles)], dtype=float).reshape(len(smiles), len(self.names))

    def identity(self) -> str:
        """What tells apart the parts, and how they are joined."""
        return f"{self.describe()} [{'; '.join(oracle.identity() for oracle in self.oracles)}]"

    def close(self) -> None:
        """End every worker, and save what is remembered."""
        for oracle in self.oracles:
            oracle.close()
        super().close()


class CombinedOracle(JointOracle):
    """Several oracles side by side; their names stand in a row. A molecule that one of them fails on has failed.

    Examples
    --------
    >>> both = CombinedOracle([PropertyOracle("rings"), FunctionOracle(len, "length")])
    >>> both.names, both(["CCO"])
    (('rings', 'length'), array([[0., 3.]]))
    """

    def __init__(self, oracles: Sequence[Oracle]):
        super().__init__(oracles)
        self.names = tuple(name for oracle in self.oracles for name in oracle.names)
        self.label = " + ".join(oracle.describe() for oracle in self.oracles)

    def run(self, smiles: Sequence[str]) -> Iterator[Score]:
        """Score with each oracle in turn and join values, reasons and times."""
        for parts in zip(*(oracle.follow(smiles) for oracle in self.oracles), strict=True):
            values = tuple(value for part in parts for value in part.values)
            yield Score(values, "; ".join(p.reason for p in parts if p.reason), sum(p.seconds for p in parts))
