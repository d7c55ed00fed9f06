"""Several values as one score between 0 and 1: desirabilities joined by a mean."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from chemvae.chem.desirability import CURVES, MEANS, Curve, parse_curve
from chemvae.design.oracles.base import Oracle
from chemvae.design.oracles.combined import JointOracle
from chemvae.design.oracles.named import oracle_from_text
from chemvae.design.oracles.score import Score
from chemvae.design.oracles.uncertain import UncertainOracle
from chemvae.errors import SettingsError
from chemvae.registry import find

if TYPE_CHECKING:
    import pandas as pd

    from chemvae.models.vae import MolVAE

_TERM = re.compile(rf"\s*(.+?)\s*=\s*((?:{'|'.join(CURVES)})\s*\([^()]*\))\s*(?:;|$)", re.IGNORECASE)


class Desirability(JointOracle):
    """The mean desirability of several values (multi-parameter optimization).

    Parameters
    ----------
    curves : mapping
        From what :func:`.oracle_from_text` takes (a property, ``"similarity:CCO"``, ``"package.module:function"``, ...) to
        a curve (``"gaussian(2, 1)"``, see :mod:`chemvae.chem.desirability`).
    mean : str
        "geometric" (0 where one desirability is 0) or "arithmetic".
    weights : mapping, optional
        From the same texts to weights > 0; 1 where not given.
    model : MolVAE, optional
        For values that it predicts.

    Raises
    ------
    SettingsError, UnknownNameError
        If a value, a curve, a mean or a weight cannot be read.

    References
    ----------
    Brown et al., GuacaMol, 2019. https://doi.org/10.1021/acs.jcim.8b00839

    Examples
    --------
    >>> drug = Desirability({"logP": "gaussian(2, 1)", "TPSA": "below(100, 10)"})
    >>> drug(["CC(=O)Oc1ccccc1C(=O)O"]).round(3), drug.label
    (array([0.888]), 'geometric mean of gaussian(2, 1) of logP, below(100, 10) of TPSA')
    """

    is_foreign = False
    names = ("desirability",)

    def __init__(
        self,
        curves: Mapping[str, str | Curve],
        mean: str = "geometric",
        weights: Mapping[str, float] | None = None,
        model: MolVAE | None = None,
    ):
        if not curves:
            raise SettingsError("a desirability needs at least one value and its curve, such as logP=gaussian(2, 1)")
        super().__init__([_part(key, model) for key in curves])
        self.keys = list(curves)
        self.curves = [one if isinstance(one, Curve) else parse_curve(one) for one in curves.values()]
        self.oracles = [_wanted(one, curve) for one, curve in zip(self.oracles, self.curves, strict=True)]
        self.mean, self._join = find(MEANS, mean, "mean")
        if unknown := set(weights or {}) - set(curves):
            raise SettingsError(f"the weight of '{min(unknown)}' belongs to no value; there are {', '.join(curves)}")
        self.weights = [float((weights or {}).get(key, 1.0)) for key in self.keys]
        self._join(np.ones((1, len(self.keys))), self.weights)  # complains about weights
        for key, oracle in zip(self.keys, self.oracles, strict=True):
            if len(oracle.names) != 1:
                raise SettingsError(f"'{key}' gives {len(oracle.names)} values; a curve takes one")
        parts = zip(self.curves, self.keys, self.weights, strict=True)
        heavy = len(set(self.weights)) > 1
        told = [f"{curve} of {key}" + (f" (weight {weight:g})" if heavy else "") for curve, key, weight in parts]
        self.label = f"{self.mean} mean of {', '.join(told)}"

    @classmethod
    def parse(cls, text: str, model: MolVAE | None = None) -> Desirability:
        """Read ``[MEAN:]VALUE=CURVE;VALUE=CURVE...``.

        Examples
        --------
        >>> Desirability.parse("arithmetic: logP=gaussian(2,1); similarity:C(=O)O = clip(0.8)").label
        'arithmetic mean of gaussian(2, 1) of logP, clip(0.8) of similarity:C(=O)O'
        """
        mean, terms = _read_terms(text)
        if len(dict(terms)) < len(terms):
            raise SettingsError(f"'{text}' names a value twice")
        return cls(dict(terms), mean, model=model)

    @staticmethod
    def keys_of(text: str) -> list[str]:
        """The values that a text as for :meth:`parse` names; nothing is made.

        Examples
        --------
        >>> Desirability.keys_of("logP=gaussian(2,1);similarity:C(=O)O=clip(0.8)")
        ['logP', 'similarity:C(=O)O']
        """
        return [key for key, _ in _read_terms(text)[1]]

    def run(self, smiles: Sequence[str]) -> Iterator[Score]:
        """Score with each oracle, and join desirabilities; a molecule that one of them fails on has failed."""
        with self._settings_shared():
            for parts in zip(*(oracle.iter_scores(smiles) for oracle in self.oracles), strict=True):
                reason = "; ".join(f"{key}: {part.reason}" for key, part in zip(self.keys, parts, strict=True) if part.reason)
                value = float(self._joined([part.values[0] for part in parts]))
                yield Score((value,), reason, sum(part.seconds for part in parts))

    def explain(self, smiles: Sequence[str]) -> pd.DataFrame:
        """The values behind the scores: for each value V the columns ``V`` and ``V desirability``, and ``desirability``."""
        import pandas as pd

        with self._settings_shared():
            values = {key: oracle(smiles) for key, oracle in zip(self.keys, self.oracles, strict=True)}
        columns: dict[str, Any] = {"smiles": list(smiles)}
        for curve, (key, found) in zip(self.curves, values.items(), strict=True):
            columns |= {key: found, f"{key} desirability": curve(found)}
        return pd.DataFrame(columns | {self.names[0]: self(smiles)})

    def _joined(self, values: Sequence[float]) -> float:
        """Values [K] to their mean desirability; NaN where one is missing."""
        each = [float(curve(value)) for curve, value in zip(self.curves, values, strict=True)]
        return self._join(np.array([each]), self.weights)[0]

    @contextmanager
    def _settings_shared(self) -> Iterator[None]:
        """Lend the parts this oracle's time limit and workers, where they have none of their own."""
        before = [(oracle.timeout_s, oracle.jobs, oracle.engine) for oracle in self.oracles]
        for oracle in self.oracles:
            _lend(self, oracle)
        try:
            yield
        finally:
            for oracle, (timeout_s, jobs, engine) in zip(self.oracles, before, strict=True):
                oracle.timeout_s, oracle.jobs, oracle.engine = timeout_s, jobs, engine


def _read_terms(text: str) -> tuple[str, list[tuple[str, str]]]:
    """The mean, and each value with its curve, as written."""
    before, _, after = text.partition(":")
    mean, rest = (before.strip(), after) if before.strip().lower() in MEANS else ("geometric", text)
    terms = list(_TERM.finditer(rest))
    if not terms or "".join(term[0] for term in terms) != rest:
        raise SettingsError(
            f"'{text}' is not a list of desirabilities; write for instance logP=gaussian(2,1);TPSA=below(100,10), with "
            f"{', '.join(CURVES)}"
        )
    return mean, [(term[1], term[2]) for term in terms]


def _part(key: str, model: MolVAE | None) -> Oracle:
    """The oracle behind a text; one mean may stand within another."""
    name, _, rest = key.partition(":")
    return Desirability.parse(rest, model) if name.strip().lower() == "mpo" else oracle_from_text(key, model)


def _wanted(oracle: Oracle, curve: Curve) -> Oracle:
    """A part whose value, where it is predicted, is the end of its interval that the curve likes less."""
    return oracle.toward([curve]) if isinstance(oracle, UncertainOracle) and len(oracle.names) == 1 else oracle


def _lend(whole: Oracle, part: Oracle) -> None:
    if part.timeout_s is None:
        part.timeout_s = whole.timeout_s
    if part.jobs == 1:
        part.jobs, part.engine = whole.jobs, whole.engine
