"""chemvae interpolate."""

from __future__ import annotations

from typing import Annotated

import typer

from chemvae.commands.shared import console
from chemvae.commands.shared.options import Device, Model, Output, Overwrite, Seed, command, load_model
from chemvae.commands.shared.settings_fields import choices


@command
def interpolate(
    start: Annotated[str, typer.Argument(metavar="A", help="SMILES where the path begins.", show_default=False)],
    end: Annotated[str, typer.Argument(metavar="B", help="SMILES where it ends.", show_default=False)],
    model: Model = None,
    output: Output = "-",
    overwrite: Overwrite = False,
    steps: Annotated[int, typer.Option(metavar="N", help="Points on the path, both ends included.")] = 9,
    path: Annotated[
        str, typer.Option(metavar=choices("sampling/paths.py", "PATHS"), help="Along an arc, or a straight line.")
    ] = "spherical",
    samples: Annotated[int, typer.Option(metavar="N", help="Decodes tried where the greedy one is not valid.")] = 8,
    decodes: Annotated[int, typer.Option(metavar="N", help="Different molecules told of every point.")] = 1,
    properties: Annotated[
        list[str] | None,
        typer.Option(
            "-p",
            "--property",
            metavar="P",
            show_default=False,
            help="Tell it along the path; repeat for several. By default a page and a picture tell the model's own.",
        ),
    ] = None,
    seed: Seed = 0,
    device: Device = "auto",
) -> None:
    """Walk through latent space from one molecule to another and decode on the way.

    A FILE that ends in .html or .png shows the molecules drawn, .sdf holds their structures; otherwise it is a table.
    """
    from chemvae import sampling, tables

    tables.check_output(output, tables.PATH_ENDINGS, overwrite=overwrite)
    vae = load_model(model, device)
    is_drawn = output.lower().endswith((".html", ".png"))
    names = properties or (sampling.usual_properties(vae) if is_drawn else [])
    with console.working("Walking"):
        found = sampling.interpolate(
            vae, start, end, n_steps=steps, n_samples=samples, seed=seed, path=path, n_decodes=decodes, properties=names
        )
        tables.write_path(found, output, start, end)
    if is_drawn:
        console.show(console.listing(found, most=len(found)))
    for sentence in tables.missed_ends(found, start, end):
        console.say(sentence)
    figures = tables.path_figures(found)
    n_valid = round(figures["valid"] * figures["n_points"])
    different = f", {round(figures['distinct'] * n_valid)} different ones" if n_valid else ""
    where = "stdout" if output == "-" else output
    console.say(f"{n_valid} of {figures['n_points']} points decoded to a molecule{different}: {where}")
