"""Oracles: what scores molecules. The base class deduplicates, remembers, counts and keeps order; a subclass only scores.

A score that could not be had is NaN with its reason. It is never 0, and never the score of another molecule.
"""

from __future__ import annotations

import copy
import importlib
import math
import shlex
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from chemvae.chem.molecules import canonicalize, invalid_reason
from chemvae.chem.properties import PROPERTIES, compute_table
from chemvae.design.worker import RemoteError, TimedFunction, TimeLimitError, describe_error
from chemvae.errors import SettingsError, UnknownNameError
from chemvae.registry import find

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_NAME = "score"


@dataclass(frozen=True)
class Score:
    """What an oracle says about one molecule."""

    values: tuple[float, ...]
    """One value per name of the oracle, in its unit; NaN where there is none."""
    reason: str = ""
    """Why a value is missing; empty if none is."""
    seconds: float = 0.0
    """Wall time spent on it."""

    @property
    def failed(self) -> bool:
        """Whether any value is missing."""
        return any(math.isnan(value) for value in self.values)


class Oracle(ABC):
    """Scores molecules; write ``evaluate`` and inherit the rest.

    Attributes
    ----------
    names : tuple of str, length P
        What the values are called. One name: ``evaluate`` returns [N]; several: [N, P].
    label : str
        For reports; the class's name unless set.
    timeout_s : float or None
        Seconds a molecule may take. With a limit each molecule is scored alone in a worker process (see
        :mod:`chemvae.design.worker` for what that asks of the oracle), and an overrun is NaN with that reason.
    chunk_size : int or None
        Molecules handed to ``evaluate`` at a time; None hands over all. Scores are recorded after each chunk, so a small
        chunk loses less when the program is killed.

    Examples
    --------
    >>> class Carbons(Oracle):
    ...     def evaluate(self, smiles):
    ...         return np.array([float(s.count("C")) for s in smiles])
    >>> oracle = Carbons()
    >>> oracle(["CCO", "OCC", "C1", "CC"]), oracle.n_calls
    (array([ 2.,  2., nan,  2.]), 2)
    """

    names: tuple[str, ...] = (DEFAULT_NAME,)
    label: str = ""
    timeout_s: float | None = None
    chunk_size: int | None = None

    @abstractmethod
    def evaluate(self, smiles: Sequence[str]) -> np.ndarray:
        """Score new, distinct, canonical molecules: [N], or [N, P] with several names; NaN where it failed.

        If it raises, it is asked again one molecule at a time, so that only the molecule at fault loses its score. Where
        calls are dear, return NaN instead of raising.
        """

    def __call__(self, smiles: Sequence[str] | str) -> np.ndarray:
        """Score molecules in order, each distinct one once: [N], or [N, P] with several names."""
        values = np.array([score.values for score in self.score(smiles)], dtype=float).reshape(-1, len(self.names))
        return values[:, 0] if len(self.names) == 1 else values

    def score(self, smiles: Sequence[str] | str) -> list[Score]:
        """Score molecules in order and tell reasons and times; what is not a molecule is never sent."""
        smiles = [smiles] if isinstance(smiles, str) else list(smiles)
        keys = [canonicalize(text) for text in smiles]
        for _ in self.stream([key for key in keys if key is not None]):
            pass
        return [self._memory[k] if k is not None else self._not_a_molecule(s) for k, s in zip(keys, smiles, strict=True)]

    def stream(self, smiles: Sequence[str]) -> Iterator[tuple[str, Score]]:
        """Score canonical molecules not scored before, and yield each as soon as it is done (and remembered)."""
        new = [text for text in dict.fromkeys(smiles) if text not in self._memory]
        size = 1 if self.timeout_s is not None else self.chunk_size or max(len(new), 1)
        for start in range(0, len(new), size):
            chunk = new[start : start + size]
            for text, score in zip(chunk, self.run(chunk), strict=True):
                self._memory[text] = score
                yield text, score

    def run(self, smiles: Sequence[str]) -> Iterator[Score]:
        """Score a chunk, failures included. Override only where reasons come from elsewhere than an exception."""
        started = time.perf_counter()
        try:
            values = self._shaped(self._evaluate_timed(smiles), len(smiles))
        except Exception as error:  # a failed score is an outcome with its reason, whatever was raised
            if len(smiles) > 1:
                for text in smiles:
                    yield from self.run([text])
            else:
                yield self.failure(_reason(error), time.perf_counter() - started)
            return
        seconds = (time.perf_counter() - started) / max(len(smiles), 1)
        yield from (self._as_score(row, seconds) for row in values)

    def failure(self, reason: str, seconds: float = 0.0) -> Score:
        """Return the score of a molecule that has none."""
        return Score((math.nan,) * len(self.names), reason, seconds)

    def remember(self, smiles: str, score: Score) -> None:
        """Take a score paid for earlier; the molecule will not be sent again. ``smiles`` is canonical."""
        self._memory[smiles] = score

    def recall(self, smiles: str) -> Score | None:
        """Return the score of a canonical molecule if it is known."""
        return self._memory.get(smiles)

    @property
    def n_calls(self) -> int:
        """Distinct molecules scored so far, failures included."""
        return len(self._memory)

    @property
    def table(self) -> pd.DataFrame:
        """Everything scored so far: ``smiles``, one column per name, ``reason``, ``seconds``."""
        import pandas as pd

        rows = [(text, *score.values, score.reason, score.seconds) for text, score in self._memory.items()]
        return pd.DataFrame(rows, columns=["smiles", *self.names, "reason", "seconds"])

    def close(self) -> None:
        """End the worker process, if there is one."""
        timed = self.__dict__.pop("_timed", None)
        if timed is not None:
            timed.close()

    def describe(self) -> str:
        """Return the label, or the class's name."""
        return self.label or type(self).__name__

    @cached_property
    def _memory(self) -> dict[str, Score]:
        return {}  # made on first use, so that a subclass with its own __init__ need not know about it

    @cached_property
    def _timed(self) -> TimedFunction:
        return TimedFunction(self._evaluate_one, self.timeout_s)

    def _evaluate_one(self, smiles: str) -> np.ndarray:
        return self.evaluate([smiles])

    def _evaluate_timed(self, smiles: Sequence[str]) -> np.ndarray:
        return self.evaluate(smiles) if self.timeout_s is None else self._timed(smiles[0])

    def _shaped(self, values: Any, n: int) -> np.ndarray:
        array = np.asarray(values, dtype=float)
        if array.size != n * len(self.names):
            raise ValueError(f"evaluate returned {array.size} values for {n} molecules and {len(self.names)} names")
        return array.reshape(n, len(self.names))

    def _as_score(self, row: np.ndarray, seconds: float) -> Score:
        bad = [f"{name} is {value}" for name, value in zip(self.names, row, strict=True) if not math.isfinite(value)]
        values = tuple(float(value) if math.isfinite(value) else math.nan for value in row)
        return Score(values, ", ".join(bad), seconds)

    def _not_a_molecule(self, smiles: str) -> Score:
        return self.failure(f"not a molecule: {invalid_reason(smiles)}")

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key not in ("_timed", "_memory")}


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, (TimeLimitError, RemoteError)) else describe_error(error)


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

    Raises
    ------
    UnknownNameError
        If the model does not predict this property.
    """

    def __init__(self, model: Any, *names: str):
        table = {name: name for name in model.property_names}
        self.model = model
        self.names = self.properties = tuple(find(table, name, "predicted property")[0] for name in names)
        self.label = ", ".join(f"predicted {name}" for name in self.properties)

    def evaluate(self, smiles: Sequence[str]) -> np.ndarray:
        """Predict from the posterior mean of each molecule: [N, P]; NaN for what cannot be encoded."""
        return self.model.predict(list(smiles))[list(self.properties)].to_numpy(dtype=float)


class CombinedOracle(Oracle):
    """Several oracles side by side; their names stand in a row. A molecule that one of them fails on has failed.

    Examples
    --------
    >>> both = CombinedOracle([PropertyOracle("rings"), FunctionOracle(len, "length")])
    >>> both.names, both(["CCO"])
    (('rings', 'length'), array([[0., 3.]]))
    """

    def __init__(self, oracles: Sequence[Oracle]):
        self.oracles = list(oracles)
        self.names = tuple(name for oracle in self.oracles for name in oracle.names)
        self.label = " + ".join(oracle.describe() for oracle in self.oracles)
        sizes = [oracle.chunk_size for oracle in self.oracles if oracle.chunk_size is not None]
        self.chunk_size = min(sizes) if sizes else None

    def evaluate(self, smiles: Sequence[str]) -> np.ndarray:
        """Score with each oracle in turn: [N, P]."""
        return np.column_stack([oracle(smiles).reshape(len(smiles), -1) for oracle in self.oracles])

    def run(self, smiles: Sequence[str]) -> Iterator[Score]:
        """Score with each oracle in turn and join values, reasons and times."""
        for parts in zip(*(oracle.score(smiles) for oracle in self.oracles), strict=True):
            values = tuple(value for part in parts for value in part.values)
            yield Score(values, "; ".join(p.reason for p in parts if p.reason), sum(p.seconds for p in parts))

    def close(self) -> None:
        """End every worker process."""
        for oracle in self.oracles:
            oracle.close()


def make_oracle(spec: Any, model: Any = None, timeout_s: float | None = None) -> Oracle:
    """Turn what a user may give into an oracle.

    Parameters
    ----------
    spec : Oracle, callable, str or mapping
        An oracle as it is; any ``str -> float``; a property name (computed by RDKit, or else predicted by ``model``);
        ``"package.module:function"``; ``"cmd:program arguments"`` (JSON lines, see :class:`CommandOracle`); or a mapping
        from names to any of these.
    model : MolVAE, optional
    timeout_s : float, optional
        Seconds per molecule; sets the oracle's own limit.

    Raises
    ------
    UnknownNameError
        If a name is neither a property nor predicted.
    SettingsError
        If a function cannot be imported, or the spec is none of these.

    Examples
    --------
    >>> make_oracle("QED").names, make_oracle(len)(["CCO"])
    (('qed',), array([3.]))
    """
    oracle = _make(spec, model)
    if timeout_s is not None:
        for part in getattr(oracle, "oracles", [oracle]):
            part.timeout_s = timeout_s
    return oracle


def _make(spec: Any, model: Any) -> Oracle:
    if isinstance(spec, Oracle):
        return spec
    if isinstance(spec, str):
        return _from_text(spec, model)
    if isinstance(spec, Mapping):
        return CombinedOracle([_named(_make(part, model), name) for name, part in spec.items()])
    if callable(spec):
        return FunctionOracle(spec)
    raise SettingsError(f"an oracle is a function from SMILES to a number, an Oracle, or a name; got {type(spec).__name__}")


def _named(oracle: Oracle, name: str) -> Oracle:
    """The oracle under another name; the caller's own keeps its name."""
    if len(oracle.names) != 1 or oracle.names == (name,):
        return oracle
    renamed = copy.copy(oracle)
    renamed.names = (name,)
    return renamed


def _from_text(text: str, model: Any) -> Oracle:
    if text.startswith("cmd:"):
        from chemvae.design.commands import CommandOracle

        return CommandOracle(shlex.split(text[4:]))
    if ":" in text:
        return FunctionOracle(_import_function(text))
    predicted = list(getattr(model, "property_names", ()))
    try:
        return PropertyOracle(text)
    except UnknownNameError:
        if text.lower() in (name.lower() for name in predicted):
            return PredictorOracle(model, text)
    choices = {name: None for name in (*PROPERTIES, *predicted)}
    return find(choices, text, "oracle")  # raises, naming what there is


def _import_function(text: str) -> Callable[[str], float]:
    module, _, name = text.partition(":")
    try:
        function = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise SettingsError(f"the oracle '{text}' cannot be imported ({error}); write package.module:function") from error
    if not callable(function):
        raise SettingsError(f"'{text}' is a {type(function).__name__}, not a function from SMILES to a number")
    return function
