"""Desirability curves: how welcome a value is, from 0 to 1, and means that join several of them.

Pure functions of numbers and arrays. NaN stays NaN.

References
----------
Brown, Fiscato, Segler & Vaucher, GuacaMol: Benchmarking Models for de Novo Molecular Design, 2019 (the shapes; there called
score modifiers). https://doi.org/10.1021/acs.jcim.8b00839
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chemvae.errors import SettingsError
from chemvae.registry import find

_CALL = re.compile(r"^\s*([A-Za-z_]+)\s*\(([^()]*)\)\s*$")


def ramp(x: Any, zero: float, one: float) -> Any:
    """0 at ``zero``, 1 at ``one``, straight between and flat beyond; falling if ``one`` < ``zero``.

    Examples
    --------
    >>> float(ramp(2.0, 1.0, 5.0)), float(ramp(2.0, 5.0, 1.0))
    (0.25, 0.75)
    """
    return np.clip((np.asarray(x, dtype=float) - zero) / (one - zero), 0.0, 1.0)


def clip(x: Any, upper: float, lower: float = 0.0) -> Any:
    """x in shares of ``upper``, no more than 1: 0 at ``lower``, 1 from ``upper`` on.

    Examples
    --------
    >>> clip([0.4, 0.9], 0.8)
    array([0.5, 1. ])
    """
    return ramp(x, lower, upper)


def gaussian(x: Any, mu: float, sigma: float) -> Any:
    """exp(-((x - mu) / sigma)^2 / 2): 1 at ``mu``, 0.61 a ``sigma`` away.

    Examples
    --------
    >>> gaussian([2.0, 3.0, 4.0], 2.0, 1.0).round(3)
    array([1.   , 0.607, 0.135])
    """
    return np.exp(-0.5 * ((np.asarray(x, dtype=float) - mu) / sigma) ** 2)


def below(x: Any, mu: float, sigma: float) -> Any:
    """1 up to ``mu``, falling as a Gaussian beyond.

    Examples
    --------
    >>> below([-9.0, 2.0, 3.0], 2.0, 1.0).round(3)
    array([1.   , 1.   , 0.607])
    """
    return gaussian(np.maximum(x, mu), mu, sigma)


def above(x: Any, mu: float, sigma: float) -> Any:
    """1 from ``mu`` on, falling as a Gaussian below.

    Examples
    --------
    >>> above([1.0, 2.0, 9.0], 2.0, 1.0).round(3)
    array([0.607, 1.   , 1.   ])
    """
    return gaussian(np.minimum(x, mu), mu, sigma)


CURVES: dict[str, Callable[..., Any]] = {"above": above, "below": below, "clip": clip, "gaussian": gaussian, "ramp": ramp}
"""What a curve can be called in a text such as ``"gaussian(2, 1)"``."""


@dataclass(frozen=True)
class Curve:
    """A curve with its settings: a function of a value alone.

    Examples
    --------
    >>> curve = Curve("below", (100.0, 10.0))
    >>> str(curve), float(curve(90.0))
    ('below(100, 10)', 1.0)
    """

    name: str
    """Of :data:`CURVES`."""
    settings: tuple[float, ...]
    """In the function's order, after x; in the unit of the value."""

    def __post_init__(self) -> None:
        name, function = find(CURVES, self.name, "desirability curve")
        object.__setattr__(self, "name", name)
        wanted = list(inspect.signature(function).parameters.values())[1:]
        needed = sum(one.default is inspect.Parameter.empty for one in wanted)
        if not needed <= len(self.settings) <= len(wanted) or not all(map(math.isfinite, self.settings)):
            raise SettingsError(f"write {name}({', '.join(one.name for one in wanted)}) with numbers, got {self}")
        given = dict(zip((one.name for one in wanted), self.settings, strict=False))
        if not given.get("sigma", 1.0) > 0:
            raise SettingsError(f"sigma must be > 0 in {self}")
        if given.get("zero", given.get("lower", 0.0)) == given.get("one", given.get("upper")):
            raise SettingsError(f"the two ends of {self} must differ")

    def __call__(self, x: Any) -> Any:
        """Desirability of x, of the same shape."""
        return CURVES[self.name](x, *self.settings)

    def __str__(self) -> str:
        return f"{self.name}({', '.join(f'{value:g}' for value in self.settings)})"


def parse_curve(text: str) -> Curve:
    """Read a curve as users write it: ``gaussian(2, 1)``, ``below(100, 10)``, ``clip(0.8)``, ``ramp(1, 5)``.

    Raises
    ------
    SettingsError
        If it cannot be read.
    UnknownNameError
        If there is no such curve.

    Examples
    --------
    >>> str(parse_curve("Gaussian( 2,1 )"))
    'gaussian(2, 1)'
    """
    try:
        if (match := _CALL.match(text)) is None:
            raise ValueError
        return Curve(match[1], tuple(float(part) for part in match[2].split(",") if part.strip()))
    except SettingsError:
        raise
    except (TypeError, ValueError):
        raise SettingsError(f"'{text}' is no desirability curve; write for instance gaussian(2, 1) or below(100, 10)") from None


def arithmetic_mean(values: np.ndarray, weights: Sequence[float] | np.ndarray) -> np.ndarray:
    """Weighted mean of desirabilities [N, K] -> [N]; the weights' ratios matter.

    Examples
    --------
    >>> arithmetic_mean(np.array([[1.0, 0.0]]), [3.0, 1.0])
    array([0.75])
    """
    return np.asarray(values, dtype=float) @ _shares(weights)


def geometric_mean(values: np.ndarray, weights: Sequence[float] | np.ndarray) -> np.ndarray:
    """Weighted geometric mean of desirabilities [N, K] -> [N]: 0 where one of them is 0.

    Examples
    --------
    >>> geometric_mean(np.array([[0.25, 1.0], [0.0, 1.0]]), [1.0, 1.0])
    array([0.5, 0. ])
    """
    with np.errstate(divide="ignore"):
        return np.exp(np.log(np.asarray(values, dtype=float)) @ _shares(weights))


def _shares(weights: Sequence[float] | np.ndarray) -> np.ndarray:
    array = np.asarray(weights, dtype=float)
    if not (np.isfinite(array).all() and (array > 0).all()):
        raise SettingsError(f"weights must be > 0, got {', '.join(f'{value:g}' for value in array)}")
    return array / array.sum()


MEANS: dict[str, Callable[..., np.ndarray]] = {"arithmetic": arithmetic_mean, "geometric": geometric_mean}
"""Ways to join desirabilities."""
