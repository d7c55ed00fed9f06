"""chemvae neighbors."""

from __future__ import annotations

from typing import Annotated

import typer

from chemvae.commands.shared import console
from chemvae.commands.shared.options import Device, Model, Output, Overwrite, Seed, command, given_only
from chemvae.commands.shared.settings_fields import choices

RADII = "0.1 0.2 0.3 0.5 0.8"


@command
def neighbors(
    smiles: Annotated[str, typer.Argument(metavar="SMILES", help="The molecule.", show_default=False)],
    model: Model = None,
    among: Annotated[
        str | None,
        typer.Option(metavar="DATA", show_default=False, help="Also look for known neighbours in this table or data set."),
    ] = None,
    n: Annotated[int, typer.Option("-n", "--number", metavar="N", help="Known neighbours, and new ones of every radius.")] = 10,
    output: Output = "-",
    overwrite: Overwrite = False,
    radius: Annotated[
        list[float] | None,
        typer.Option(
            metavar="X",
            show_default=False,
            help=f"How far to go, in standard deviations of the training codes; repeat for several. Default: {RADII}.",
        ),
    ] = None,
    decodes: Annotated[int, typer.Option(metavar="N", help="Points decoded at every radius.")] = 100,
    temperature: Annotated[float, typer.Option(metavar="X", help="0 is greedy, 1 samples from the model.")] = 0.0,
    space: Annotated[
        str, typer.Option(metavar=choices("tables/neighbors.py", "SPACES"), help="What known neighbours are near in.")
    ] = "fingerprint",
    seed: Seed = 0,
    device: Device = "auto",
) -> None:
    """Show what is near a molecule: known ones of a library beside new ones decoded around it, at rising radius.

    A FILE that ends in .html shows the molecules drawn, .sdf holds their structures; otherwise it is a table.
    """
    from chemvae import api

    asked = given_only({"radii": tuple(radius) if radius else None})
    with console.working("Looking around"):
        found = api.neighbors(
            smiles, among, n, model, space=space, out=output, overwrite=overwrite, device=device, n_decodes=decodes,
            temperature=temperature, seed=seed, **asked,
        )  # fmt: skip
    for counted in next(iter(found.attrs["decodes"].values())):
        here = found[(found["kind"] == "new") & (found["radius"] == counted["radius"])]
        console.say(
            f"radius {counted['radius']:g}: of {counted['decodes']:,} decodes {counted['valid']:,} molecules, "
            f"{counted['same']:,} of them this one; {len(here):,} new neighbours told"
        )
    console.say(f"{len(found):,} neighbours: {'stdout' if output == '-' else output}")
