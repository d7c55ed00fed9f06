"""A map of a table of molecules: read, encode, find two dimensions, say how far they can be trusted, write page and picture."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chemvae.chem.molecules import check_standardize_mode
from chemvae.errors import SettingsError
from chemvae.maps.colour import check_colour, readable_dates
from chemvae.maps.factory import PROJECTIONS
from chemvae.maps.interactive import write_map
from chemvae.maps.picture import write_png
from chemvae.maps.projection import Projection, map_quality
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

    method: str = "pca"
    """Name in ``PROJECTIONS``."""
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
        object.__setattr__(self, "method", find(PROJECTIONS, self.method, "map method")[0])
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
    """Fitted: ``projection.transform`` places other latents on the same map."""
    quality: dict[str, float]
    """See :func:`chemvae.maps.map_quality`."""

    @property
    def title(self) -> str:
        """A heading, where none is given."""
        return f"{len(self.smiles):,} molecules: {self.name}"

    @property
    def method_used(self) -> str:
        """The projection that was made: with very few different points it is PCA, whatever was asked for."""
        return self.projection.used_name or self.settings.method

    @property
    def note(self) -> str:
        """How the map was made and how far it can be trusted."""
        trusted, kept = self.quality["trustworthiness"], self.quality["neighbours_kept"]
        words = f"{self.method_used} of {self.z.shape[0]:,} points in {self.z.shape[1]} latent dimensions"
        if trusted != trusted:  # too few points to say
            return words
        return f"{words}; trustworthiness {trusted:.2f}, {kept:.0%} of the 15 nearest neighbours kept"

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
            axis_labels=self.projection.axis_labels(), note=self.note, png=png,
        )  # fmt: skip

    def write_picture(self, path: str | Path, *, title: str | None = None, color: str | None = None) -> Path:
        """Write the picture alone; as in :meth:`write`."""
        return write_png(
            path, self.xy, self.columns, title or self.title, units=self.units, color=color,
            axis_labels=self.projection.axis_labels(),
        )  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """What there is to say about the map, in JSON types; None where something is not known."""
        known = {key: value if value == value else None for key, value in self.quality.items()}
        return {
            "data": self.name,
            "method": self.settings.method,
            "method_used": self.method_used,
            "seed": self.settings.seed,
            "n_molecules": len(self.smiles),
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
    progress: ProgressCallback | None = None,
    cancel: CancelToken | None = None,
) -> MoleculeMap:
    """Place the molecules of a table on a map of the model's latent space.

    Parameters
    ----------
    model : MolVAE
    data : str, Path, sequence of str or DataFrame
        As in :func:`chemvae.tables.encode_table`; rows that cannot be used are left out.
    settings : MapSettings, optional
    color : str, optional
        Column that is to colour the map: refused before anything is encoded if it cannot.
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
    seed = as_seed(settings.seed)  # the settings hold a number by now
    chosen = settings.smiles_column, settings.standardize, settings.limit, seed, settings.jobs
    prepare = partial(_prepare, model, color)
    smiles, z, columns = latent_table(model, data, *chosen, step=step, prepare=prepare)
    n = len(smiles)
    step("project", 0, n)
    projection = PROJECTIONS[settings.method](random_state=seed)
    xy = projection.fit_transform(z)
    step("project", n, n)
    quality = map_quality(z, xy, seed=seed)
    step("compare", n, n)
    return MoleculeMap(_name(data), settings, smiles, z, xy, columns, _units(model), projection, quality)


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
