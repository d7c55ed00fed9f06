"""Kinds of oracle: a function, properties that RDKit computes, what the model predicts, several side by side."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from types import CodeType
from typing import TYPE_CHECKING, Any

import numpy as np
from rdkit import Chem

from chemvae.chem.molecules import parse_known
from chemvae.chem.properties import PROPERTIES, compute_table, job_limit, missing_reason, require_programs
from chemvae.chem.property_table import PropertyTable
from chemvae.design.oracles.base import DEFAULT_NAME, Oracle
from chemvae.design.oracles.score import Score
from chemvae.design.oracles.uncertain import UncertainOracle
from chemvae.naming import prediction_columns
from chemvae.registry import find

if TYPE_CHECKING:
    from chemvae.models.vae import MolVAE

FAR = 2.0  # distance to the training data, in units of what is typical there


class FunctionOracle(Oracle):
    """Any ``str -> float``. NaN, None, text and other things that are no number are failures with that reason.

    Examples
    --------
    >>> oracle = FunctionOracle(lambda s: 1 / s.count("O"))
    >>> [(score.values, score.reason) for score in oracle.score(["CO", "C"])]
    [((1.0,), ''), ((nan,), 'ZeroDivisionError: division by zero')]
    """

    chunk_size: int | None = 1
    function: Callable[[Any], Any]

    def __init__(self, function: Callable[[Any], Any], name: str = DEFAULT_NAME, timeout_s: float | None = None):
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
    """Properties computed by RDKit, by name (``properties`` adds to ``names``): logP, qed, SAS, MW, ... (``PROPERTIES``).

    No more workers compute than each property allows (:attr:`Property.max_jobs`), however many ``jobs`` are asked for.

    Attributes
    ----------
    computed : PropertyTable or None
        What is known of molecules, for as long as someone lends it: nothing in it is computed again, and what is computed here
        goes into it.

    Raises
    ------
    UnknownNameError
        If there is no such property.
    MissingExtraError
        If a program that computes one is not installed.

    Examples
    --------
    >>> PropertyOracle("hbd", "rings")(["CCO", "c1ccccc1"])
    array([[1., 0.],
           [0., 1.]])
    """

    is_foreign = False
    computed: PropertyTable | None = None
    of_this_process = (*Oracle.of_this_process, "computed")
    _jobs = 1

    def __init__(self, *names: str, properties: Sequence[str] = ()):
        self.names = self.properties = tuple(find(PROPERTIES, name, "property")[0] for name in (*names, *properties))
        require_programs(self.properties)
        self.label = ", ".join(self.properties)

    @property
    def jobs(self) -> int:
        """Workers that share the molecules: as many as asked for, and as the properties allow."""
        return job_limit(self.properties, self._jobs)

    @jobs.setter
    def jobs(self, wanted: int) -> None:
        self._jobs = wanted

    def evaluate(self, smiles: Sequence[str]) -> np.ndarray:
        """Compute the properties: [N, P]."""
        compute = compute_table if self.computed is None else self.computed.compute
        return compute(smiles, self.properties).to_numpy()

    def run(self, smiles: Sequence[str]) -> Iterator[Score]:
        """Score a chunk; a calculation that failed says why."""
        for text, score in zip(smiles, super().run(smiles), strict=True):
            yield self._explained(text, score)

    def stream(self, smiles: Sequence[str]) -> Iterator[tuple[str, Score]]:
        """Score canonical molecules not scored before; those whose values are known are not sent to a worker."""
        for text in dict.fromkeys(smiles):
            if self.recall(text) is None and self._is_computed(text):
                score = self._explained(text, self._as_score(self.evaluate([text])[0], 0.0))
                self.remember(text, score)
                yield text, score
        yield from super().stream(smiles)

    def _explained(self, smiles: str, score: Score) -> Score:
        """A score with the reasons that the calculators gave for what is missing."""
        reasons = [missing_reason(name, smiles) for name in self.properties] if score.failed else []
        known = dict.fromkeys(filter(None, reasons))
        return replace(score, reason="; ".join(known)) if known else score

    def _is_computed(self, smiles: str) -> bool:
        return self.computed is not None and all(self.computed.knows(name, smiles) for name in self.properties)


class PredictorOracle(UncertainOracle):
    """The model's own predictor, by property name, in the data's unit. It can be fooled: check what it likes by other means.

    Parameters
    ----------
    model : MolVAE
    *names : str
        Properties it predicts; ``properties`` adds to them.
    kappa : float, optional
        Score by the mean less kappa predicted standard deviations: above 0 for what is to be large, so that what the model
        is unsure of does not win; below 0 for what is to be small. By default the mean or, as a goal, the cautious end of the
        90 % interval.

    Raises
    ------
    UnknownNameError
        If the model does not predict this property.
    """

    def __init__(self, model: MolVAE, *names: str, kappa: float | None = None, properties: Sequence[str] = ()):
        table = {name: name for name in model.property_names}
        self.model, self.kappa = model, None if kappa is None else float(kappa)
        self.names = self.properties = tuple(find(table, name, "predicted property")[0] for name in (*names, *properties))
        self.label = ", ".join(f"predicted {name}{describe_bound(self.kappa)}" for name in self.properties)

    def estimate(self, smiles: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Predict from the posterior mean of each molecule: [N, P] each; NaN for what cannot be encoded."""
        table = self.model.predict(list(smiles))
        named = prediction_columns(self.model.property_names)[0]
        mean, std = (table[[named[name][i] for name in self.properties]].to_numpy(dtype=float) for i in (0, 1))
        return mean, std

    def warnings(self, smiles: Sequence[str]) -> list[list[str]]:
        """Molecules that lie far from the training data in latent space."""
        column = prediction_columns(self.model.property_names)[1]
        distance = self.model.predict(list(smiles))[column].to_numpy(dtype=float)
        words = [f"far from what was learned: distance {one:.1f}, 1 is typical" if one > FAR else "" for one in distance]
        return [[word] * len(self.names) for word in words]

    def label_ranges(self) -> list[tuple[float, float]]:
        """Those of the labels the model has learned from, where it kept them."""
        ends = dict(zip(self.model.property_names, self.model.label_ranges(), strict=True))
        return [ends[name] for name in self.properties]

    def identity(self) -> str:
        """The label, and which model."""
        from chemvae.models.storage import fingerprint

        return f"{self.describe()} of model {fingerprint(self.model)}"


def describe_bound(kappa: float | None) -> str:
    """Say what is taken off a prediction.

    Examples
    --------
    >>> describe_bound(1.0), describe_bound(0.0)
    (' - 1 std', '')
    """
    return f" {'-' if kappa > 0 else '+'} {abs(kappa):g} std" if kappa else ""


class MoleculeOracle(Oracle):
    """Any function from an RDKit molecule to a number; raise :class:`NoScore` in it to say why there is none.

    Examples
    --------
    >>> MoleculeOracle(lambda mol: mol.GetNumBonds(), "bonds")(["CCO", "C1CC1"])
    array([2., 3.])
    """

    is_foreign = False
    chunk_size = 1

    def __init__(self, function: Callable[[Chem.Mol], float], name: str = DEFAULT_NAME, label: str = ""):
        self.function, self.names, self.label = function, (name,), label or name

    def evaluate(self, smiles: Sequence[str]) -> np.ndarray:
        """Call the function on each molecule: [N]."""
        return np.array([float(self.function(parse_known(text))) for text in smiles])
