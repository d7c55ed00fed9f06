"""An oracle from what a user gives: a function, a name, a text, or several of these."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import signature
from typing import TYPE_CHECKING, Any

from chemvae.design.oracles.base import Oracle
from chemvae.design.oracles.combined import CombinedOracle
from chemvae.design.oracles.desirability import Desirability
from chemvae.design.oracles.learned import LearnedOracle
from chemvae.design.oracles.listwise import ListOracle, takes_a_list
from chemvae.design.oracles.named import SINGLE, Builtin, oracle_from_text
from chemvae.design.oracles.pools import ENGINES
from chemvae.design.oracles.programs.command_csv import CsvCommandOracle
from chemvae.design.oracles.programs.command_json import CommandOracle
from chemvae.design.oracles.simple import FunctionOracle, MoleculeOracle, PredictorOracle, PropertyOracle
from chemvae.errors import SettingsError
from chemvae.registry import build, find

if TYPE_CHECKING:
    from chemvae.models.vae import MolVAE

ORACLES = {
    "function": FunctionOracle,
    "property": PropertyOracle,
    "predictor": PredictorOracle,
    "learned": LearnedOracle,
    "molecule": MoleculeOracle,
    "command": CommandOracle,
    "csv-command": CsvCommandOracle,
    "combined": CombinedOracle,
    "desirability": Desirability,
}
"""Kinds of oracle; :func:`make_oracle` makes one from ``{"name": kind, setting: value, ...}``."""

BUILTIN: dict[str, Builtin] = {
    **SINGLE,
    "mpo": Builtin(
        "Mean desirability of several values, geometric unless told (GuacaMol)",
        Desirability.parse,
        "VALUE=CURVE;VALUE=CURVE...",
    ),
}
"""Oracles that can be named. A name here comes before a module of the same name."""


MOST_JOBS = 4_096


def make_oracle(
    spec: Any,
    model: MolVAE | None = None,
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
        An oracle as it is; any ``str -> float``; any ``list of str -> list of float`` whose first parameter is annotated as a
        list (:class:`ListOracle` takes one that is not); a property name (computed by RDKit, or else predicted by ``model``);
        a name of :data:`BUILTIN`, with its argument behind a colon (``"similarity:CCO"``, ``"cmd:program arguments"``, ...);
        ``"package.module:function"``; a kind of :data:`ORACLES` with its settings (``{"name": "command", "command":
        ["dock"]}``); or a mapping from names to any of these.
    model : MolVAE, optional
    timeout_s : float, optional
        Seconds per molecule; sets the oracle's own limit.
    jobs : int, optional
        Workers that share the molecules; 0 takes one per core.
    engine : str, optional
        "local" or "ray"; with Ray, all cores of the cluster unless ``jobs`` says otherwise.
    memory : path, optional
        Parquet file of scores, read now and added to; see :meth:`Oracle.use_cache`.
    retry_failures : bool
        Ask again about molecules that the file says failed.

    Raises
    ------
    UnknownNameError
        If a name is neither a property nor predicted nor built in, or there is no such engine.
    SettingsError
        If a function cannot be imported, the spec is none of these, or there are more jobs than any machine does at once.

    Examples
    --------
    >>> make_oracle("QED").names, make_oracle(len)(["CCO"]), make_oracle("similarity:OCC")(["CCO"])
    (('qed',), array([3.]), array([1.]))
    >>> make_oracle({"name": "property", "properties": ["rings"]})(["C1CC1"])
    array([1.])
    """
    oracle = _make(spec, model)
    if engine is not None:
        engine = find(ENGINES, engine, "engine")[0]
    jobs = _count(0 if jobs is None and engine == "ray" else jobs)
    wanted = {"timeout_s": timeout_s, "jobs": jobs, "engine": engine}
    for part in getattr(oracle, "oracles", [oracle]):
        for name in (name for name, value in wanted.items() if value is not None):
            setattr(part, name, wanted[name])
    return oracle if memory is None else oracle.use_cache(memory, retry_failures)


def _count(jobs: int | None) -> int | None:
    if jobs is not None and jobs > MOST_JOBS:
        raise SettingsError(f"jobs must be at most {MOST_JOBS:,}, got {jobs:,}")
    return jobs


def _make(spec: Any, model: MolVAE | None) -> Oracle:
    if isinstance(spec, Oracle):
        return spec
    if isinstance(spec, str):
        return oracle_from_text(spec, model, BUILTIN)
    if isinstance(spec, Mapping):
        if not spec:
            raise SettingsError("the mapping of oracles is empty; say {'name': oracle, ...}, or leave it out and name goals")
        if _names_a_kind(spec):
            return _of_kind(spec, model)
        return CombinedOracle([_make(part, model).renamed(name) for name, part in spec.items()])
    if callable(spec):
        return ListOracle(spec) if takes_a_list(spec) else FunctionOracle(spec)
    raise SettingsError(f"an oracle is a function from SMILES to a number, an Oracle, or a name; got {type(spec).__name__}")


def _names_a_kind(spec: Mapping[str, Any]) -> bool:
    """Whether a mapping is a kind of oracle with its settings, and not one from names to oracles."""
    name = spec.get("name")
    if not isinstance(name, str):
        return False
    oracles = all(isinstance(value, (Oracle, str, Mapping)) or callable(value) for value in spec.values())
    return not oracles or name.lower() in (kind.lower() for kind in ORACLES)


def _of_kind(spec: Mapping[str, Any], model: MolVAE | None) -> Oracle:
    """Make an oracle of :data:`ORACLES`; one that asks a model is given this one unless the spec brings its own."""
    name, kind = find(ORACLES, spec["name"], "kind of oracle")
    takes = signature(kind)
    context = {"model": model} if "model" in takes.parameters and "model" not in spec else {}
    try:
        takes.bind(**context, **{key: value for key, value in spec.items() if key != "name"})
    except TypeError as error:
        raise SettingsError(f"the oracle '{name}' cannot be made ({error}); it takes {', '.join(takes.parameters)}") from None
    return build(ORACLES, spec, "kind of oracle", **context)
