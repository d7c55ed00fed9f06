"""chemvae edit."""

from __future__ import annotations

from typing import Annotated

import typer

from chemvae.commands.shared import console
from chemvae.commands.shared.options import Device, Model, Output, Overwrite, Seed, command
from chemvae.commands.shared.settings_fields import choices


@command
def edit(
    smiles: Annotated[str, typer.Argument(metavar="SMILES", help="The molecule to change.", show_default=False)],
    model: Model = None,
    along: Annotated[
        str | None,
        typer.Option(
            metavar="PROPERTY", show_default=False, help="What is to change: a property, a column of --fit, or COLUMN=VALUE."
        ),
    ] = None,
    pair: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="A B", show_default=False, help="Change the molecule as A is changed into B."),
    ] = None,
    output: Output = "-",
    overwrite: Overwrite = False,
    steps: Annotated[int, typer.Option(metavar="N", help="Points on the way.")] = 5,
    radius: Annotated[
        float, typer.Option(metavar="X", help="Length of the way, in standard deviations of the training codes.")
    ] = 0.5,
    direction: Annotated[
        str, typer.Option(metavar=choices("moving/editing.py", "DIRECTIONS"), help="Raise the property, or lower it.")
    ] = "max",
    keep: Annotated[
        str | None, typer.Option(metavar="SMARTS", show_default=False, help="A part that every molecule must hold.")
    ] = None,
    fit: Annotated[
        str | None,
        typer.Option(metavar="TABLE", show_default=False, help="Labelled molecules to learn the direction from."),
    ] = None,
    method: Annotated[
        str, typer.Option(metavar=choices("moving/vectors.py", "METHODS"), help="How the direction is learned.")
    ] = "auto",
    samples: Annotated[int, typer.Option(metavar="N", help="Decodes tried where the greedy one cannot be used.")] = 16,
    seed: Seed = 0,
    device: Device = "auto",
) -> None:
    """Change a molecule step by step along a property of latent space, or as another one is changed.

    A FILE that ends in .html or .png shows the steps drawn, .sdf holds their structures; otherwise it is a table.
    """
    from chemvae import api

    with console.working("Learning the direction"):
        found = api.edit(
            smiles, along, model, pair=pair, fit=fit, out=output, overwrite=overwrite, device=device, steps=steps,
            radius=radius, direction=direction, keep=keep, method=method, n_samples=samples, seed=seed,
        )  # fmt: skip
    for sentence in found.attrs["sentences"]:
        console.say(sentence)
    if output.lower().endswith((".html", ".png", ".sdf")):
        console.show(console.listing(found, most=len(found)))
    usable, distinct = int(found["usable"].sum()), found.loc[found["usable"], "smiles"].nunique()
    where = "stdout" if output == "-" else output
    console.say(f"{usable} of {len(found)} points give a usable molecule, {distinct} different ones: {where}")
