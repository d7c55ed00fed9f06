"""The learned manifold: a plane through the latent space, decoded on a lattice, with a property behind the molecules."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch

from chemvae.chem.drawing import molecule_svg
from chemvae.chem.molecules import check_standardize_mode
from chemvae.disk.files import write_atomically
from chemvae.errors import SettingsError
from chemvae.maps.palette import page_palette
from chemvae.maps.projection import PCAProjection
from chemvae.progress import CancelToken, ProgressCallback, steps
from chemvae.registry import find
from chemvae.sampling.sampler import best_of
from chemvae.seeding import as_seed
from chemvae.tables import latent_table

if TYPE_CHECKING:
    from chemvae.models.vae import MolVAE

CELL = (116, 88)
LARGEST = 41


@dataclass(frozen=True, kw_only=True)
class LatticeSettings:
    """Which plane is decoded, and how finely.

    Examples
    --------
    >>> LatticeSettings(size=5).size
    5
    """

    size: int = 11
    """Points along each side."""
    span: float = 2.0
    """Standard deviations of the data that the plane reaches to each side, along its two leading components."""
    n_samples: int = 8
    """Decodes tried where the greedy one is not valid."""
    limit: int | None = 20_000
    """At most so many molecules of the data say where the plane lies."""
    smiles_column: str | None = None
    """Found by itself if not given."""
    standardize: str = "none"
    """"none", "salts" or "neutral"."""
    seed: int | None = 0
    """Of the molecules taken and of the decodes."""
    jobs: int = 1
    """Worker processes for RDKit's part."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "seed", as_seed(self.seed))
        check_standardize_mode(self.standardize)
        if not 2 <= self.size <= LARGEST:
            raise SettingsError(f"size must be from 2 to {LARGEST}, got {self.size}")
        if not self.span > 0:
            raise SettingsError(f"span must be > 0, got {self.span}")


@dataclass(frozen=True)
class LatentLattice:
    """S x S points of a plane and what they decode to, row by row from the upper left."""

    name: str
    """Of the data."""
    size: int
    """S"""
    span: float
    """Standard deviations to each side."""
    points: pd.DataFrame
    """``u``, ``v`` (standard deviations along the two axes), ``smiles`` (canonical where valid), ``valid``, and what the model
    predicts at the point."""
    z: np.ndarray
    """[S S, D]"""
    axis_labels: tuple[str, str]
    units: dict[str, str]

    @property
    def properties(self) -> list[str]:
        """Columns that may lie behind the molecules."""
        return list(self.points.columns[4:])

    @property
    def note(self) -> str:
        """How the picture was made, and how much of it is molecules."""
        valid = self.points["valid"]
        distinct = self.points.loc[valid, "smiles"].nunique()
        return (
            f"{self.size} x {self.size} points of the plane of the two leading components of {self.name}, from "
            f"{-self.span:g} to {self.span:g} standard deviations; {valid.mean():.0%} decode to a molecule, {distinct:,} "
            "distinct. What lies behind them is what the model predicts at the point"
        )

    def write(self, path: str | Path, *, title: str | None = None, color: str | None = None) -> Path:
        """Write the page, one file that needs no network.

        Parameters
        ----------
        path : path
        title : str, optional
            Heading.
        color : str, optional
            The property that lies behind the molecules at first.
        """
        known = {name: name for name in self.properties}
        first = find(known, color, "property")[0] if color else next(iter(known), "")
        page = lattice_page(self, title or f"The latent space around {self.name}", first)
        write_atomically(Path(path), lambda temporary: temporary.write_text(page, encoding="utf-8"))
        return Path(path)


def decode_lattice(
    model: MolVAE,
    data: Any,
    settings: LatticeSettings | None = None,
    *,
    progress: ProgressCallback | None = None,
    cancel: CancelToken | None = None,
) -> LatentLattice:
    """Decode a lattice of points of the plane of the two leading principal components of the data's codes.

    Parameters
    ----------
    model : MolVAE
    data : str, Path, sequence of str or DataFrame
        Its codes say where the plane lies.
    settings : LatticeSettings, optional
    progress : callable, optional
        Told of the stages "read", "encode" and "decode".
    cancel : CancelToken, optional

    Returns
    -------
    LatentLattice

    Raises
    ------
    NothingUsableError, InputError, CancelledError

    References
    ----------
    Kingma & Welling, Auto-encoding variational Bayes, 2014, figure 4 (a lattice of decoded points: the learned manifold).
    https://arxiv.org/abs/1312.6114
    """
    settings, step = settings or LatticeSettings(), steps(progress, cancel)
    seed = as_seed(settings.seed)  # the settings hold a number by now
    chosen = settings.smiles_column, settings.standardize, settings.limit, seed, settings.jobs
    codes = latent_table(model, data, *chosen, step=step)[1]
    plane = PCAProjection().fit(codes)
    spread = plane.embedding_.std(axis=0)
    u, v = lattice_places(settings.size, settings.span)
    centre = torch.from_numpy(plane.mean_.astype(np.float32))[None].expand(len(u), -1)
    away = np.column_stack([u, v]) * spread @ plane.components_
    z = model.latent_space.move(centre, torch.from_numpy(away.astype(np.float32))).numpy()
    step("decode", 0, len(z))
    found = best_of(model, z, settings.n_samples, seed)
    step("decode", len(z), len(z))
    predicted = model.predict(z)
    points = pd.DataFrame({"u": u, "v": v, "smiles": found["smiles"], "valid": found["valid"]})
    kept = [name for name in model.property_names if name in predicted]
    name = Path(data).name if isinstance(data, (str, Path)) else "the table"
    labels = plane.axis_labels() or ("PC 1", "PC 2")
    units = {key: unit for key, unit in model.property_units.items() if unit and unit != "1"}
    return LatentLattice(name, settings.size, settings.span, points.join(predicted[kept]), z, labels, units)


def lattice_places(size: int, span: float) -> tuple[np.ndarray, np.ndarray]:
    """Return u and v [size^2] of a square lattice, row by row from the upper left.

    Examples
    --------
    >>> u, v = lattice_places(2, 1.0)
    >>> u.tolist(), v.tolist()
    ([-1.0, 1.0, -1.0, 1.0], [1.0, 1.0, -1.0, -1.0])
    """
    along = np.linspace(-span, span, size)
    v, u = np.meshgrid(along[::-1], along, indexing="ij")
    return u.reshape(-1), v.reshape(-1)


def lattice_page(lattice: LatentLattice, title: str, first: str) -> str:
    """The page: a lattice of drawings, a menu of properties, a card for the molecule that is pointed at."""
    files = resources.files("chemvae.maps") / "assets" / "lattice"
    read = {name: files.joinpath(f"lattice.{name}").read_text("utf-8") for name in ("html", "css", "js")}
    axes = [html.escape(label) for label in lattice.axis_labels]
    return Template(read["html"]).substitute(
        title=html.escape(title),
        note=html.escape(lattice.note),
        css=read["css"],
        js=read["js"],
        size=lattice.size,
        axis_x=axes[0],
        axis_y=axes[1],
        cells="\n".join(_cell(number, row) for number, row in enumerate(lattice.points.itertuples(index=False))),
        data=_facts(lattice, first),
    )


def _cell(number: int, row: Any) -> str:
    """One point: the drawing, or a word where it decodes to no molecule."""
    if not row.valid:
        return f'<button class="cell none" data-row="{number}" aria-label="no molecule">no molecule</button>'
    svg = molecule_svg(row.smiles, *CELL)
    return f'<button class="cell" data-row="{number}" title="{html.escape(row.smiles)}">{svg}</button>'


def _facts(lattice: LatentLattice, first: str) -> str:
    """What the script reads: numbers and texts as JSON that cannot close its element."""
    values = {name: [float(f"{value:.5g}") for value in lattice.points[name]] for name in lattice.properties}
    texts = zip(lattice.points["smiles"], lattice.points["valid"], strict=True)
    facts = {
        "smiles": [text if valid else None for text, valid in texts],
        "values": values,
        "units": lattice.units,
        "first": first,
        "ramp": {theme: colours["ramp"] for theme, colours in page_palette().items()},
    }
    return json.dumps(facts).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
