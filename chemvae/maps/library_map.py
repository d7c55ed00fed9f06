"""A map of a table of molecules: read, encode, find two dimensions, say how far they can be trusted, write page and picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chemvae.chem.molecules import check_standardize_mode
from chemvae.errors import InputError, SettingsError
from chemvae.maps.colour import check_colour, readable_dates
from chemvae.maps.factory import AUTO, PROJECTIONS, best_method, load_projection
from chemvae.maps.interactive import write_map
from chemvae.maps.overlays import LIBRARY, SET, Overlay, read_overlays
from chemvae.maps.payload import Trajectory
from chemvae.maps.picture import write_png
from chemvae.maps.projection import Projection, map_quality
from chemvae.maps.regions import RegionLabel, region_labels
from chemvae.maps.spaces import SPACES, fingerprint_rows
from chemvae.models.storage import fingerprint
from chemvae.progress import CancelToken, ProgressCallback, steps
from chemvae.registry import find
from chemvae.seeding import as_seed
from chemvae.tables import latent_table

if TYPE_CHECKING:
    from chemvae.models.vae import MolVAE


@dataclass(frozen=True, kw_only=True)
class MapSettings:
    """How a map is made.

    Examples
    --------
    >>> MapSettings(method="TSNE").method
    'tsne'
    """

    method: str = AUTO
    """Name in ``PROJECTIONS``, or "auto": what keeps neighbourhoods where the extra ``maps`` is installed, else PCA."""
    space: str = "latent"
    """"latent" or "fingerprint": whose neighbourhoods the map keeps."""
    onto: str | Path | None = None
    """A saved projection: molecules are placed on that map, and no new one is made."""
    limit: int | None = None
    """At most so many molecules, chosen at random."""
    smiles_column: str | None = None
    """Found by itself if not given."""
    standardize: str = "none"
    """"none", "salts" or "neutral"."""
    seed: int | None = 0
    """Of the choice and of the projection; None draws one."""
    jobs: int = 1
    """Worker processes for RDKit's part."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "method", find({AUTO: None, **PROJECTIONS}, self.method, "map method")[0])
        object.__setattr__(self, "space", find(dict.fromkeys(SPACES), self.space, "space of a map")[0])
        object.__setattr__(self, "seed", as_seed(self.seed))
        check_standardize_mode(self.standardize)
        if self.limit is not None and self.limit < 1:
            raise SettingsError(f"limit must be >= 1, got {self.limit}")


@dataclass(frozen=True)
class MoleculeMap:
    """N molecules in two dimensions."""

    name: str
    """Of the data."""
    settings: MapSettings
    smiles: list[str]
    """Canonical, N."""
    z: np.ndarray
    """[N, D] posterior means."""
    xy: np.ndarray
    """[N, 2] places on the map."""
    columns: pd.DataFrame
    """The table's other columns, and what the model predicts; N rows."""
    units: dict[str, str]
    """Column -> unit."""
    projection: Projection
    """Fitted: ``projection.transform`` places other rows of the same space on the same map."""
    quality: dict[str, float]
    """Of the table's own molecules; see :func:`chemvae.maps.map_quality`."""
    labels: list[RegionLabel] = field(default_factory=list)
    """Names of regions."""
    marks: dict[str, list[int]] = field(default_factory=dict)
    """Rows of each set that lies over the map: they stand after those of the table."""
    paths: list[Trajectory] = field(default_factory=list)
    """How searches went."""
    model_id: str = ""
    """Hash of the weights that made the codes."""

    @property
    def n_own(self) -> int:
        """Molecules of the table itself."""
        return len(self.smiles) - sum(map(len, self.marks.values()))

    @property
    def title(self) -> str:
        """A heading, where none is given."""
        return f"{self.n_own:,} molecules: {self.name}"

    @property
    def method_used(self) -> str:
        """The projection that was made: with very few different points it is PCA, whatever was asked for."""
        return self.projection.used_name or self.settings.method

    @property
    def note(self) -> str:
        """How the map was made and how far it can be trusted."""
        trusted, kept = self.quality["trustworthiness"], self.quality["neighbours_kept"]
        what = f"{self.z.shape[1]} latent dimensions" if self.settings.space == "latent" else "the space of ECFP4 fingerprints"
        words = f"{self.method_used} of {self.n_own:,} points in {what}"
        if trusted == trusted:  # with too few points there is nothing to say
            words += f"; trustworthiness {trusted:.2f}, {kept:.0%} of the 15 nearest neighbours kept"
        if self.method_used == "pca" and self.z.shape[1] > 2:
            words += ". Only a shadow: what lies together here need not be alike"
            words += "" if best_method() != "pca" else "; the extra 'maps' brings maps that keep neighbours together"
        return words

    def write(
        self, page: str | Path, png: str | Path | None = None, *, title: str | None = None, color: str | None = None
    ) -> Path:
        """Write the page, and a picture where one is wanted; each is whole or not there.

        Parameters
        ----------
        page : path
        png : path, optional
            ``.png``, ``.pdf`` or ``.svg``.
        title : str, optional
            Heading.
        color : str, optional
            Column that colours the map at first.

        Raises
        ------
        UnknownNameError
            If ``color`` names no column that can colour.
        """
        return write_map(
            page, self.xy, self.smiles, self.columns, title or self.title, units=self.units, color=color,
            axis_labels=self.projection.axis_labels(), note=self.note, png=png, labels=self.labels, marks=self.marks,
            trajectories=self.paths,
        )  # fmt: skip

    def write_picture(self, path: str | Path, *, title: str | None = None, color: str | None = None) -> Path:
        """Write the picture alone; as in :meth:`write`."""
        return write_png(
            path, self.xy, self.columns, title or self.title, units=self.units, color=color,
            axis_labels=self.projection.axis_labels(), labels=self.labels, marks=self.marks, trajectories=self.paths,
        )  # fmt: skip

    def save_projection(self, path: str | Path) -> Path:
        """Keep the fitted projection in one file, to place other molecules on this map with ``onto``."""
        about = {"space": self.settings.space, "model": self.model_id, "data": self.name}
        return self.projection.save(path, about if self.settings.space == "latent" else about | {"model": ""})

    def to_dict(self) -> dict[str, Any]:
        """What there is to say about the map, in JSON types; None where something is not known."""
        known = {key: value if value == value else None for key, value in self.quality.items()}
        return {
            "data": self.name,
            "method": self.settings.method,
            "method_used": self.method_used,
            "space": self.settings.space,
            "seed": self.settings.seed,
            "n_molecules": self.n_own,
            "overlays": {name: len(rows) for name, rows in self.marks.items()},
            "latent_dim": self.z.shape[1],
            "columns": list(self.columns.columns),
            "quality": known,
            "note": self.note,
        }


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
        Column that is to colour the map: refused before anything is encoded if it cannot.
    overlays : mapping of name to data, optional
        Sets that are shown on the map with marks of their own; they do not shape it.
    runs : mapping of name to data, optional
        Searches (a folder that one wrote, or a table in the order of its calls): overlaid sets, whose best so far is a path.
    progress : callable, optional
        Told of the stages "read" (rows), "encode", "project" and "compare" (molecules).
    cancel : CancelToken, optional
        Looked at between batches and stages.

    Returns
    -------
    MoleculeMap

    Raises
    ------
    NothingUsableError, InputError
        If the data cannot be read, or no row can be used.
    UnknownNameError, SettingsError
        If ``color`` names no column, or one that cannot colour a map.
    CancelledError
        If the end was asked for.
    """
    settings, step = settings or MapSettings(), steps(progress, cancel)
    model_id = fingerprint(model)
    projection, settings = _open_projection(settings, model_id)
    chosen = settings.smiles_column, settings.standardize, settings.limit, settings.seed, settings.jobs
    prepare = partial(_prepare, model, color)
    smiles, z, columns = latent_table(model, data, *chosen, step=step, prepare=prepare)
    sets = read_overlays(model, {**(overlays or {}), **(runs or {})}, settings.standardize, settings.jobs, step)
    n = len(smiles)
    step("project", 0, n)
    rows = _rows(settings, smiles, z)
    xy = projection.fit_transform(rows) if settings.onto is None else projection.transform(rows)
    step("project", n, n)
    quality = map_quality(rows, xy, seed=settings.seed or 0)
    labels = region_labels(xy, smiles, jobs=settings.jobs, seed=settings.seed or 0)
    step("compare", n, n)
    own = MoleculeMap(
        _name(data), settings, smiles, z, xy, columns, _units(model), projection, quality, labels, model_id=model_id
    )
    return _with_overlays(own, sets, runs or {})


def _open_projection(settings: MapSettings, model_id: str) -> tuple[Projection, MapSettings]:
    """The projection that is to be fitted, or the saved one, with the settings that say what was made."""
    if settings.onto is None:
        method = best_method() if settings.method == AUTO else settings.method
        return PROJECTIONS[method](random_state=settings.seed), replace(settings, method=method)
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


def _with_overlays(own: MoleculeMap, sets: list[Overlay], runs: Mapping[str, Any]) -> MoleculeMap:
    """The map with other sets on it, whose rows follow those of the table, and a column that says who is whose."""
    if not sets:
        return own
    places = [own.projection.transform(_rows(own.settings, one.smiles, one.z)) for one in sets]
    starts = np.cumsum([len(own.smiles), *(len(one.smiles) for one in sets)])
    marks = {one.name: list(range(start, start + len(one.smiles))) for one, start in zip(sets, starts[:-1], strict=True)}
    tables = [own.columns, *(one.columns_like(own.columns) for one in sets)]
    named = [table.assign(**{_set_column(own): name}) for table, name in zip(tables, [LIBRARY, *marks], strict=True)]
    return replace(
        own,
        smiles=[text for texts in (own.smiles, *(one.smiles for one in sets)) for text in texts],
        z=np.concatenate([own.z, *(one.z for one in sets)]),
        xy=np.concatenate([own.xy, *places]),
        columns=pd.concat(named, ignore_index=True),
        marks=marks,
        paths=[_path(one, xy) for one, xy in zip(sets, places, strict=True) if one.name in runs],
    )


def _set_column(own: MoleculeMap) -> str:
    """A name for the column of sets that the table does not use."""
    return next(name for name in (SET, "set of the map", *map(str, range(1_000_000))) if name not in own.columns)


def _path(one: Overlay, xy: np.ndarray) -> Trajectory:
    """The best so far of a search."""
    rows = one.best_so_far
    words = one.step_words
    return Trajectory(xy[rows], one.name, [one.smiles[row] for row in rows], [words[row] for row in rows])


def _prepare(model: MolVAE, color: str | None, frame: pd.DataFrame) -> pd.DataFrame:
    """A table's columns with dates as dates, and the one that is to colour the map looked at."""
    frame = readable_dates(frame)
    if color is not None:
        predicted = (f"{name}{end}" for name in model.property_names for end in ("", "_std", "_predicted", "_predicted_std"))
        check_colour(frame, color, [*predicted, "distance", "distance_predicted"])
    return frame


def _name(data: Any) -> str:
    """What the data is called on a page."""
    return Path(data).name if isinstance(data, (str, Path)) else "table"


def _units(model: MolVAE) -> dict[str, str]:
    units = {name: unit for name, unit in model.property_units.items() if unit}
    return units | {f"{name}_predicted": unit for name, unit in units.items()}
