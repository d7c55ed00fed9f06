"""Molecules in two dimensions: the settings of a map, what it knows of itself, other sets laid over it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from chemvae.chem.molecules import check_standardize_mode
from chemvae.errors import SettingsError
from chemvae.maps.factory import AUTO, PROJECTIONS, SPACES, best_method
from chemvae.maps.interactive import write_map
from chemvae.maps.overlays import LIBRARY, SET, Overlay
from chemvae.maps.payload import Trajectory
from chemvae.maps.picture import write_png
from chemvae.maps.projection import Projection
from chemvae.maps.regions import RegionLabel
from chemvae.registry import find
from chemvae.seeding import as_seed


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
    columns: Sequence[str] = ()
    """Of the table and of what the model predicts, those that the map keeps; all where none is named."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "method", find({AUTO: None, **PROJECTIONS}, self.method, "map method")[0])
        object.__setattr__(self, "space", find(dict.fromkeys(SPACES), self.space, "space of a map")[0])
        object.__setattr__(self, "seed", as_seed(self.seed))
        check_standardize_mode(self.standardize)
        if self.limit is not None and self.limit < 1:
            raise SettingsError(f"limit must be >= 1, got {self.limit}")
        if isinstance(self.columns, str):
            raise SettingsError(f"columns must be a list of names, got the text '{self.columns}'")


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


def with_overlays(
    own: MoleculeMap, sets: Sequence[Overlay], places: Sequence[np.ndarray], runs: Mapping[str, Any]
) -> MoleculeMap:
    """Return the map with other sets on it, whose rows follow those of the table, and a column that says who is whose.

    Parameters
    ----------
    own : MoleculeMap
    sets : sequence of Overlay
    places : sequence of ndarray [n, 2]
        Of each set's molecules on the map.
    runs : mapping
        Names of the sets that are searches: their best so far is a path.
    """
    if not sets:
        return own
    starts = np.cumsum([len(own.smiles), *(len(one.smiles) for one in sets)])
    marks = {one.name: list(range(start, start + len(one.smiles))) for one, start in zip(sets, starts[:-1], strict=True)}
    tables = [own.columns, *(one.columns_like(own.columns) for one in sets)]
    named = [table.assign(**{set_column(own): name}) for table, name in zip(tables, [LIBRARY, *marks], strict=True)]
    return replace(
        own,
        smiles=[text for texts in (own.smiles, *(one.smiles for one in sets)) for text in texts],
        z=np.concatenate([own.z, *(one.z for one in sets)]),
        xy=np.concatenate([own.xy, *places]),
        columns=pd.concat(named, ignore_index=True),
        marks=marks,
        paths=[_path(one, xy) for one, xy in zip(sets, places, strict=True) if one.name in runs],
    )


def set_column(own: MoleculeMap) -> str:
    """A name for the column of sets that the table does not use."""
    return next(name for name in (SET, "set of the map", *map(str, range(1_000_000))) if name not in own.columns)


def _path(one: Overlay, xy: np.ndarray) -> Trajectory:
    """The best so far of a search."""
    rows = one.best_so_far
    words = one.step_words
    return Trajectory(xy[rows], one.name, [one.smiles[row] for row in rows], [words[row] for row in rows])
