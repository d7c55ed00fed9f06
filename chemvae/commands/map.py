"""chemvae map."""

from __future__ import annotations

from typing import Annotated, Any

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
)
from chemvae.commands.shared.settings_fields import choices

STAGES = {"read": "Reading", "encode": "Encoding", "project": "Finding 2 dimensions", "compare": "Comparing neighbours"} | {
    "decode": "Decoding"
}


@command
def map(
    data: Data,
    model: Model = None,
    output: Annotated[str, typer.Option("-o", "--output", metavar="FILE", help="The page, .html.")] = "map.html",
    overwrite: Overwrite = False,
    method: Annotated[
        str,
        typer.Option(
            metavar=choices("maps/factory.py", "PROJECTIONS", "auto"),
            help="How 2 dimensions are found; auto keeps neighbourhoods where the extra 'maps' is installed, else it is pca.",
        ),
    ] = "auto",
    space: Annotated[
        str, typer.Option(metavar=choices("maps/factory.py", "SPACES"), help="Whose neighbourhoods the map keeps.")
    ] = "latent",
    overlay: Annotated[
        list[str] | None, typer.Option(metavar="NAME=FILE", help="Show a further set with marks of its own; repeatable.")
    ] = None,
    run: Annotated[
        list[str] | None, typer.Option(metavar="NAME=FOLDER", help="Show a search and the path of its best; repeatable.")
    ] = None,
    projector: Annotated[
        str | None, typer.Option(metavar="FILE", help="Keep the projection here, .safetensors, for --onto.")
    ] = None,
    onto: Annotated[
        str | None, typer.Option(metavar="FILE", help="Place the molecules on the map that --projector kept.")
    ] = None,
    grid: Annotated[
        bool, typer.Option("--grid", metavar="", help="Draw a plane through the latent space instead, decoded on a lattice.")
    ] = False,
    grid_size: Annotated[int, typer.Option(metavar="N", help="Points along each side of --grid.")] = 11,
    color: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Colours the map at first; the page can change it.")
    ] = None,
    column: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="Keep this one and no other on the page; repeatable.")
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
    from chemvae import api
    from chemvae.errors import SettingsError
    from chemvae.maps.overlays import parse_sets

    others = {"--overlay": overlay, "--run": run, "--projector": projector, "--onto": onto, "--png": png, "--column": column}
    if grid and (refused := [flag for flag, given in others.items() if given]):
        raise SettingsError(f"--grid draws the space itself and takes no {', '.join(refused)}; leave it out")
    if grid:
        chosen: dict[str, Any] = {"limit": limit} if limit else {}
        with console.stages(STAGES) as progress:
            lattice = api.map_lattice(
                data, model, out=output, overwrite=overwrite, progress=progress, title=title, color=color, device=device,
                size=grid_size, smiles_column=smiles_column, standardize=standardize, seed=seed, jobs=jobs, **chosen,
            )  # fmt: skip
        console.say(f"{lattice.note}.\nLattice: {output}")
        return
    with console.stages(STAGES) as progress:
        found = api.map(
            data, model, out=output, png=png, projector=projector, overwrite=overwrite, progress=progress, method=method,
            space=space, onto=onto, overlays=parse_sets(overlay or [], "--overlay"), runs=parse_sets(run or [], "--run"),
            color=color, title=title, limit=limit, smiles_column=smiles_column, standardize=standardize, seed=seed, jobs=jobs,
            device=device, columns=tuple(column or ()),
        )  # fmt: skip
    console.say(
        f"{found.note}\nMap: {output}"
        + (f", picture: {png}" if png else "")
        + (f", projection: {projector}" if projector else "")
    )
