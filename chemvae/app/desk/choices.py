"""What there is to choose from: properties, oracles, methods, and the library with the distribution of each column."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from chemvae.app.desk.oracles import SAFE
from chemvae.app.desk.sources import source_of
from chemvae.app.plain import library_word
from chemvae.chem.properties import PROPERTIES
from chemvae.design.oracles.factory import BUILTIN
from chemvae.library.manifest import read_manifest
from chemvae.library.opening import read_shards
from chemvae.models.storage import fingerprint
from chemvae.models.vae import MolVAE
from chemvae.naming import prediction_columns

N_BINS = 40
MOST_PREDICTED = 20_000


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
        "library": None if library is None else describe_library(library, model),
    }


def _lower(names: list[str]) -> set[str]:
    return {name.lower() for name in names}


def _property(model: MolVAE, name: str, *, is_predicted: bool) -> dict[str, Any]:
    known = PROPERTIES.get(name)
    unit = known.unit if known else model.property_units.get(name) or "1"
    low, high = (known.low, known.high) if known else _label_range(model, name)
    ends, told = {"low": low, "high": high}, {} if known else source_of(name, model.property_names)
    return {"name": name, "unit": unit, "predicted": is_predicted, "computed": known is not None, **ends, **told}


def _label_range(model: MolVAE, name: str) -> tuple[float | None, float | None]:
    """Least and largest label that the model has learned a property from, where it knows them."""
    low, high = dict(zip(model.property_names, model.label_ranges(), strict=True))[name]
    return (low, high) if np.isfinite([low, high]).all() else (None, None)


def describe_library(library: Path, model: MolVAE) -> dict[str, Any]:
    """Name, size and columns of a library, each with a histogram between its 0.5th and 99.5th percentile.

    What the model predicts and the library has no column of is told from up to 20,000 of its codes.
    """
    manifest = read_manifest(library)
    names = list(manifest.settings.properties)
    parts: list[dict[str, np.ndarray]] = []
    points: list[np.ndarray] = []
    step = max(1, -(-manifest.n_rows // MOST_PREDICTED))
    for shard in read_shards(library, manifest):
        with shard:
            parts.append(shard.columns(names))
            points.append(np.array(shard.array("points")[::step]))
    columns = {name: np.concatenate([part[name] for part in parts]) if parts else np.zeros(0) for name in names}
    units = dict(manifest.settings.properties)
    if parts and manifest.settings.weights == fingerprint(model):
        told, own = model.predict(np.concatenate(points)), _lower(names)
        for name, (column, _) in prediction_columns(model.property_names)[0].items():
            if name.lower() not in own:
                columns[name], units[name] = told[column].to_numpy(dtype=float), model.property_units[name]
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
