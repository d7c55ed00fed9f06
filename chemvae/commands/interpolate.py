"""chemvae interpolate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chemvae.commands.shared import console
from chemvae.commands.shared.options import Device, Model, Output, Overwrite, Seed, command, load_model

if TYPE_CHECKING:
    import pandas as pd


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

    tables.check_output(output, (*tables.TABLE_ENDINGS, ".html"), overwrite)
    vae = load_model(model, device)
    path = sampling.interpolate(vae, start, end, n_steps=steps, n_samples=samples, seed=seed)
    if output.lower().endswith(".html"):
        _write_page(path, Path(output), start, end)
        console.show(console.listing(path, most=len(path)))
    else:
        tables.write_table(path, output)
    console.say(
        f"{int(path['valid'].sum())} of {len(path)} points decoded to a molecule: {'stdout' if output == '-' else output}"
    )


def _write_page(path: pd.DataFrame, output: Path, start: str, end: str) -> None:
    """Draw the path as one page."""
    from chemvae.files import write_atomically
    from chemvae.pages import molecule_grid, page, section, table

    legends = [
        f"{row.share:.0%} of the way; similarity {console.figure(row.similarity_start, 2)} to A, "
        f"{console.figure(row.similarity_end, 2)} to B"
        for row in path.itertuples()
    ]
    ends = section("The ends, as given", molecule_grid([start, end], ["A", "B"]))
    way = section("The path", molecule_grid(path["smiles"].tolist(), legends), lead="Decoded, the ends too; nothing is copied.")
    text = page("From one molecule to another", [ends, way, section("As a table", table(path))])
    write_atomically(output, lambda temporary: temporary.write_text(text, encoding="utf-8"))
