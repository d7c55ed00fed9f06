"""A map of a table of molecules: read, encode, find two dimensions, say how far they can be trusted, name its regions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chemvae.errors import InputError, SettingsError
from chemvae.maps.colour import bounds_as_gaps, check_colour, readable_dates
from chemvae.maps.factory import AUTO, PROJECTIONS, best_method, fingerprint_rows, load_projection
from chemvae.maps.molecule_map import MapSettings, MoleculeMap, set_column, with_overlays
from chemvae.maps.overlays import read_overlays
from chemvae.maps.projection import Projection, map_quality
from chemvae.maps.regions import region_labels
from chemvae.models.storage import fingerprint
from chemvae.progress import CancelToken, ProgressCallback, Step, steps
from chemvae.registry import find
from chemvae.seeding import as_seed
from chemvae.tables import latent_table

if TYPE_CHECKING:
    from chemvae.models.vae import MolVAE


def map_molecules(
    model: MolVAE,
    data: Any,
    settings: MapSettings | None = None,
    *,
    color: str | None = None,
    overlays: Mapping[str, Any] | None = None,
    runs: Mapping[str, Any] | None = None,
    progress: ProgressCallback | None = None,
    cancel: CancelToken | None = None,
) -> MoleculeMap:
    """Place the molecules of a table on a map of the model's latent space, or of fingerprints.

    Parameters
    ----------
    model : MolVAE
    data : str, Path, sequence of str or DataFrame
        As in :func:`chemvae.tables.encode_table`; rows that cannot be used are left out.
    settings : MapSettings, optional
    color : str, optional
        Column that is to colour the map: refused before anything is encoded if it cannot. So is a name in
        ``settings.columns`` that neither the table nor the model has.
    overlays : mapping of name to data, optional
        Sets that are shown on the map with marks of their own; they do not shape it.
    runs : mapping of name to data, optional
        Searches (a folder that one wrote, or a table in the order of its calls): overlaid sets, whose best so far is a path.
    progress, cancel : optional
        Told of the stages "read" (rows), "encode", "project" and "compare" (molecules); looked at between them.

    Raises
    ------
    NothingUsableError, InputError, UnknownNameError, SettingsError, CancelledError
        If no row can be used, or ``color`` names a column that cannot colour a map; if the end was asked for.
    """
    settings, step = settings or MapSettings(), steps(progress, cancel)
    projection, settings = _open_projection(settings, fingerprint(model))
    chosen = settings.smiles_column, settings.standardize, settings.limit, as_seed(settings.seed), settings.jobs
    table = latent_table(model, data, *chosen, step=step, prepare=partial(_prepare, model, color, settings.columns))
    sets = read_overlays(model, {**(overlays or {}), **(runs or {})}, settings.standardize, settings.jobs, step)
    own = _mapped(model, _name(data), settings, projection, table, step)
    places = [projection.transform(_rows(settings, one.smiles, one.z)) for one in sets]
    found = with_overlays(own, sets, places, runs or {})
    if not settings.columns:
        return found
    return replace(found, columns=_kept(found.columns, settings.columns, [set_column(own)] if sets else []))


def _mapped(
    model: MolVAE,
    name: str,
    settings: MapSettings,
    projection: Projection,
    table: tuple[list[str], np.ndarray, pd.DataFrame],
    step: Step,
) -> MoleculeMap:
    """The map of the table's own molecules."""
    smiles, z, columns = table
    n, seed = len(smiles), as_seed(settings.seed)  # the settings hold a number by now
    step("project", 0, n)
    rows = _rows(settings, smiles, z)
    xy = projection.fit_transform(rows) if settings.onto is None else projection.transform(rows)
    step("project", n, n)
    quality = map_quality(rows, xy, seed=seed)
    labels = region_labels(xy, smiles, jobs=settings.jobs, seed=seed)
    step("compare", n, n)
    return MoleculeMap(
        name, settings, smiles, z, xy, columns, _units(model), projection, quality, labels, model_id=fingerprint(model)
    )


def _open_projection(settings: MapSettings, model_id: str) -> tuple[Projection, MapSettings]:
    """The projection that is to be fitted, or the saved one, with the settings that say what was made."""
    if settings.onto is None:
        method = best_method() if settings.method == AUTO else settings.method
        return PROJECTIONS[method](random_state=as_seed(settings.seed)), replace(settings, method=method)
    saved = load_projection(settings.onto)
    if saved.about.get("model", model_id) not in ("", model_id):
        raise InputError(
            f"The map '{settings.onto}' was made with another model, so that molecules have no place on it. "
            "Give the model it was made with, or make a new map."
        )
    return saved, replace(settings, method=saved.name, space=saved.about.get("space", settings.space))


def _rows(settings: MapSettings, smiles: list[str], z: np.ndarray) -> np.ndarray:
    """What the projection sees of each molecule."""
    return z if settings.space == "latent" else fingerprint_rows(smiles, settings.jobs)


def _prepare(model: MolVAE, color: str | None, kept: Sequence[str], frame: pd.DataFrame) -> pd.DataFrame:
    """A table's columns with dates as dates, and those looked at that are to colour the map or to stay on it."""
    frame = readable_dates(frame)
    predicted = [f"{name}{end}" for name in model.property_names for end in ("", "_std", "_predicted", "_predicted_std")]
    predicted += ["distance", "distance_predicted"]
    if color is not None:
        frame = bounds_as_gaps(frame, color)
        check_colour(frame, color, predicted)
    columns = [find(dict.fromkeys([*map(str, frame.columns), *predicted]), name, "column of the map")[0] for name in kept]
    if color is not None and kept and color.casefold() not in [name.casefold() for name in columns]:
        raise SettingsError(f"'{color}' is to colour the map and is none of the columns that it keeps; name it, too")
    return frame


def _kept(columns: pd.DataFrame, asked: Sequence[str], always: Sequence[str]) -> pd.DataFrame:
    """The columns that are asked for, in that order, and those that are always there."""
    places = {str(name): name for name in columns.columns}
    return columns[list(dict.fromkeys([*(find(places, name, "column of the map")[1] for name in asked), *always]))]


def _name(data: Any) -> str:
    """What the data is called on a page."""
    return Path(data).name if isinstance(data, (str, Path)) else "table"


def _units(model: MolVAE) -> dict[str, str]:
    units = {name: unit for name, unit in model.property_units.items() if unit}
    return units | {f"{name}_predicted": unit for name, unit in units.items()}
