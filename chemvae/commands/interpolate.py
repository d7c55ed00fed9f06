"""chemvae interpolate."""

from __future__ import annotations

from typing import Annotated

import typer

from chemvae.commands.shared import console
from chemvae.commands.shared.options import Device, Model, Output, Overwrite, Seed, command, load_model


@command
def interpolate(
    start: Annotated[str, typer.Argument(metavar="A", help="SMILES where the path begins.", show_default=False)],
    end: Annotated[str, typer.Argument(metavar="B", help="SMILES where it ends.", show_default=False)],
    model: Model = None,
    output: Output = "-",
    overwrite: Overwrite = False,
    steps: Annotated[int, typer.Option(metavar="N", help="Points on the path, both ends included.")] = 9,
    samples: Annotated[int, typer.Option(metavar="N", help="Decodes tried where the greedy one is not valid.")] = 8,
    seed: Seed = 0,
    device: Device = "auto",
) -> None:
    """Walk through latent space from one molecule to another and decode on the way.

    A FILE that ends in .html shows the molecules drawn; otherwise it is a table.
    """
    from chemvae import sampling, tables

    tables.check_output(output, tables.PATH_ENDINGS, overwrite=overwrite)
    vae = load_model(model, device)
    path = sampling.interpolate(vae, start, end, n_steps=steps, n_samples=samples, seed=seed)
    tables.write_path(path, output, start, end)
    if output.lower().endswith(".html"):
        console.show(console.listing(path, most=len(path)))
    for sentence in tables.missed_ends(path, start, end):
        console.say(sentence)
    console.say(
        f"{int(path['valid'].sum())} of {len(path)} points decoded to a molecule: {'stdout' if output == '-' else output}"
    )
