"""An oracle from what a user gives: a function, a name, a text, or several of these."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from chemvae.chem.properties import PROPERTIES
from chemvae.design.builtin import BUILTIN, make_builtin
from chemvae.design.crew import ENGINES
from chemvae.design.kinds import CombinedOracle, FunctionOracle, PredictorOracle, PropertyOracle
from chemvae.design.oracle import Oracle
from chemvae.errors import SettingsError, UnknownNameError
from chemvae.registry import find


def make_oracle(
    spec: Any,
    model: Any = None,
    timeout_s: float | None = None,
    *,
    jobs: int | None = None,
    engine: str | None = None,
    memory: Any = None,
    retry_failures: bool = False,
) -> Oracle:
    """Turn what a user may give into an oracle.

    Parameters
    ----------
    spec : Oracle, callable, str or mapping
        An oracle as it is; any ``str -> float``; a property name (computed by RDKit, or else predicted by ``model``); a name
        of :data:`chemvae.design.builtin.BUILTIN`, with its argument behind a colon (``"similarity:CCO"``,
        ``"cmd:program arguments"``, ...); ``"package.module:function"``; or a mapping from names to any of these.
    model : MolVAE, optional
    timeout_s : float, optional
        Seconds per molecule; sets the oracle's own limit.
    jobs : int, optional
        Workers that share the molecules; 0 takes one per core.
    engine : str, optional
        "local" or "ray"; with Ray, all cores of the cluster unless ``jobs`` says otherwise.
    memory : path, optional
        Parquet file of scores, read now and added to; see :meth:`Oracle.keep`.
    retry_failures : bool
        Ask again about molecules that the file says failed.

    Raises
    ------
    UnknownNameError
        If a name is neither a property nor predicted nor built in, or there is no such engine.
    SettingsError
        If a function cannot be imported, or the spec is none of these.

    Examples
    --------
    >>> make_oracle("QED").names, make_oracle(len)(["CCO"]), make_oracle("similarity:OCC")(["CCO"])
    (('qed',), array([3.]), array([1.]))
    """
    oracle = _make(spec, model)
    if engine is not None:
        engine = find(ENGINES, engine, "engine")[0]
    jobs = 0 if jobs is None and engine == "ray" else jobs
    wanted = {"timeout_s": timeout_s, "jobs": jobs, "engine": engine}
    for part in getattr(oracle, "oracles", [oracle]):
        for name in (name for name, value in wanted.items() if value is not None):
            setattr(part, name, wanted[name])
    return oracle if memory is None else oracle.keep(memory, retry_failures)


def _make(spec: Any, model: Any) -> Oracle:
    if isinstance(spec, Oracle):
        return spec
    if isinstance(spec, str):
        return _from_text(spec, model)
    if isinstance(spec, Mapping):
        if not spec:
            raise SettingsError("the mapping of oracles is empty; say {'name': oracle, ...}, or leave it out and name goals")
        return CombinedOracle([_make(part, model).under(name) for name, part in spec.items()])
    if callable(spec):
        return FunctionOracle(spec)
    raise SettingsError(f"an oracle is a function from SMILES to a number, an Oracle, or a name; got {type(spec).__name__}")


def _from_text(text: str, model: Any) -> Oracle:
    name, colon, argument = text.partition(":")
    if name.lower() in (key.lower() for key in BUILTIN):
        return make_builtin(name, argument, model)
    if colon:
        return FunctionOracle(_import_function(text))
    predicted = list(getattr(model, "property_names", ()))
    try:
        return PropertyOracle(text)
    except UnknownNameError:
        if text.lower() in (name.lower() for name in predicted):
            return PredictorOracle(model, text)
    choices = {name: None for name in (*PROPERTIES, *predicted, *BUILTIN)}
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
