"""chemvae map."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chemvae.commands.shared import console
from chemvae.commands.shared.options import (
    Data,
    Device,
    Jobs,
    Model,
    Overwrite,
    Seed,
    SmilesColumn,
    Standardize,
    command,
    load_model,
)
from chemvae.commands.shared.settings_fields import choices


@command
def map(
    data: Data,
    model: Model = None,
    output: Annotated[str, typer.Option("-o", "--output", metavar="FILE", help="The page, .html.")] = "map.html",
    overwrite: Overwrite = False,
    method: Annotated[
        str, typer.Option(metavar=choices("maps/factory.py", "PROJECTIONS"), help="How 2 dimensions are found.")
    ] = "pca",
    color: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Colours the map at first; the page can change it.")
    ] = None,
    png: Annotated[str | None, typer.Option(metavar="FILE", help="Also draw the map there.")] = None,
    title: Annotated[str | None, typer.Option(help="Heading of the page.")] = None,
    limit: Annotated[int | None, typer.Option(help="Take at most so many molecules, chosen at random.")] = None,
    smiles_column: SmilesColumn = None,
    standardize: Standardize = "none",
    seed: Seed = 0,
    jobs: Jobs = 1,
    device: Device = "auto",
) -> None:
    """Draw the 2D map of molecules in latent space as one page that works offline; pointing at a dot shows its structure.

    Every column of the table can colour the map, and so can what the model predicts.
    """
    from chemvae import maps, tables
    from chemvae.registry import find

    tables.check_output(output, (".html",), overwrite)
    if png is not None:
        tables.check_output(png, (".png", ".pdf", ".svg"), overwrite)
    name, projection = find(maps.PROJECTIONS, method, "map method")
    vae = load_model(model, device)
    with console.working(f"Encoding {data}"):
        smiles, z, columns = tables.latent_table(vae, data, smiles_column, standardize, limit, seed, jobs)
    with console.working(f"Finding 2 dimensions for {len(smiles):,} molecules ({name})"):
        fitted = projection(random_state=seed)
        xy = fitted.fit_transform(z)
        quality = maps.map_quality(z, xy, seed=seed)
    note = _note(name, z.shape, quality)
    page = maps.write_map(
        output, xy, smiles, columns, title or f"{len(smiles):,} molecules: {Path(data).name}", units=_units(vae), color=color,
        axis_labels=fitted.axis_labels(), note=note, png=png,
    )  # fmt: skip
    console.say(f"{note}\nMap: {page}" + (f", picture: {png}" if png else ""))


def _note(name: str, shape: tuple[int, ...], quality: dict[str, float]) -> str:
    """How the map was made and how far it can be trusted."""
    trusted, kept = quality["trustworthiness"], quality["neighbours_kept"]
    words = f"{name} of {shape[0]:,} points in {shape[1]} latent dimensions"
    return words + (
        f"; trustworthiness {trusted:.2f}, {kept:.0%} of the 15 nearest neighbours kept" if trusted == trusted else ""
    )


def _units(vae) -> dict[str, str]:
    units = {name: unit for name, unit in vae.property_units.items() if unit}
    return units | {f"{name}_predicted": unit for name, unit in units.items()}
