"""What there is to choose from: properties, oracles, methods, and the library with the distribution of each column."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from chemvae.app.desk.oracles import SAFE
from chemvae.app.plain import library_word
from chemvae.chem.properties import PROPERTIES
from chemvae.design.oracles.factory import BUILTIN
from chemvae.library.manifest import read_manifest
from chemvae.library.opening import read_shards
from chemvae.models.vae import MolVAE

N_BINS = 40


def describe_choices(model: MolVAE, library: Path | None) -> dict[str, Any]:
    """Properties, oracles and methods that a search may name, and the library."""
    from chemvae.design import OPTIMIZERS

    predicted = {name.lower() for name in model.property_names}
    computed = [name for name, one in PROPERTIES.items() if not one.is_dear]
    names = list(dict.fromkeys([*computed, *(one for one in model.property_names if one.lower() not in _lower(computed))]))
    return {
        "properties": [_property(model, name, is_predicted=name.lower() in predicted) for name in names],
        "oracles": [{"name": name, "about": BUILTIN[name].meaning, "argument": BUILTIN[name].argument} for name in SAFE],
        "methods": list(OPTIMIZERS),
        "library": None if library is None else describe_library(library),
    }


def _lower(names: list[str]) -> set[str]:
    return {name.lower() for name in names}


def _property(model: MolVAE, name: str, *, is_predicted: bool) -> dict[str, Any]:
    known = PROPERTIES.get(name)
    unit = known.unit if known else model.property_units.get(name) or "1"
    ends = {"low": known.low, "high": known.high} if known else {"low": None, "high": None}
    return {"name": name, "unit": unit, "predicted": is_predicted, "computed": known is not None, **ends}


def describe_library(library: Path) -> dict[str, Any]:
    """Name, size and columns of a library, each with a histogram between its 0.5th and 99.5th percentile."""
    manifest = read_manifest(library)
    names = list(manifest.settings.properties)
    parts: list[dict[str, np.ndarray]] = []
    for shard in read_shards(library, manifest):
        with shard:
            parts.append(shard.columns(names))
    columns = {name: np.concatenate([part[name] for part in parts]) if parts else np.zeros(0) for name in names}
    units = manifest.settings.properties
    return {
        "name": library_word(library),
        "rows": manifest.n_rows,
        "columns": [{"name": name, "unit": units[name], **histogram(values)} for name, values in columns.items()],
    }


def histogram(values: np.ndarray) -> dict[str, Any]:
    """Counts and edges of finite values [N] between their outer percentiles.

    Examples
    --------
    >>> found = histogram(np.array([0.0, 1.0, np.nan]))
    >>> found["low"], found["high"], sum(found["histogram"]), len(found["edges"])
    (0.0, 1.0, 2, 41)
    """
    known = values[np.isfinite(values)]
    if not len(known):
        return {"low": None, "high": None, "histogram": [], "edges": []}
    low, high = np.percentile(known, [0, 100] if len(known) < 200 else [0.5, 99.5])
    counts, edges = np.histogram(known, N_BINS, (low, high) if high > low else (low - 0.5, low + 0.5))
    return {"low": float(low), "high": float(high), "histogram": counts.tolist(), "edges": edges.tolist()}
