"""chemvae encode."""

from __future__ import annotations

from typing import Annotated

import typer

from chemvae.commands.shared import console
from chemvae.commands.shared.options import (
    Data,
    Device,
    Jobs,
    Model,
    OnInvalid,
    Output,
    Overwrite,
    SmilesColumn,
    Standardize,
    command,
    load_model,
)


@command
def encode(
    data: Data,
    model: Model = None,
    output: Output = "-",
    overwrite: Overwrite = False,
    smiles_column: SmilesColumn = None,
    on_invalid: OnInvalid = "keep",
    standardize: Standardize = "none",
    refine: Annotated[
        int, typer.Option(metavar="N", help="Fit each molecule's own posterior by N steps; 50 are many. Slow.")
    ] = 0,
    chain: Annotated[
        int, typer.Option(metavar="M", help="Then M moves of a Hamiltonian chain, whose mean is the point. Slower still.")
    ] = 0,
    jobs: Jobs = 1,
    device: Device = "auto",
) -> None:
    """Turn molecules into latent points: a row for every row, its own columns first, then z_0 to z_<D-1>.

    FILE may end in .csv, .tsv (also .gz, .zst), .parquet, .xlsx, .sdf, or .npy for the points alone.
    """
    from chemvae import api, tables

    tables.check_output(output, tables.LATENT_ENDINGS, overwrite=overwrite)  # before the model is loaded
    vae = load_model(model, device)
    with console.counting("Encoding") as count:
        table = api.encode(
            data, vae, out=output, overwrite=overwrite, progress=lambda now: count(now.done), smiles_column=smiles_column,
            on_invalid=on_invalid, standardize=standardize, jobs=jobs, refine=refine,
            chain=chain,
        )  # fmt: skip
    console.say(f"{len(table):,} rows, {vae.latent_dim} latent dimensions: {'stdout' if output == '-' else output}")
