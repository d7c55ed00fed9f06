"""chemvae sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from chemvae.commands.shared import console
from chemvae.commands.shared.options import Device, Jobs, Model, Output, Overwrite, Seed, command, load_model
from chemvae.commands.shared.settings_fields import choices

if TYPE_CHECKING:
    import pandas as pd


@command
def sample(
    model: Model = None,
    n: Annotated[int, typer.Option("-n", "--number", metavar="N", help="Decodes, valid or not.")] = 100,
    output: Output = "-",
    overwrite: Overwrite = False,
    temperature: Annotated[float, typer.Option(metavar="X", help="0 is greedy, 1 samples from the model.")] = 1.0,
    prior: Annotated[
        str, typer.Option(metavar=choices("sampling/sampler.py", "MODEL_PRIORS"), help="Where latent points are drawn from.")
    ] = "learned",
    neutral: Annotated[
        bool, typer.Option("--neutral", metavar="", help="Neutral molecules only: protons are added or taken away.")
    ] = False,
    like: Annotated[
        str | None, typer.Option(metavar="FILE", help="Draw molecules that belong with those of this file, not from a prior.")
    ] = None,
    seed: Seed = 0,
    jobs: Jobs = 0,
    device: Device = "auto",
) -> None:
    """Draw new molecules: columns smiles, valid, and novel (not in the training set).

    With --like also similarity: to the nearest of the molecules in the file.
    """
    from chemvae import sampling, tables

    tables.check_output(output, overwrite=overwrite)
    wanted = None if like is None else tables.usable_smiles(like)
    vae = load_model(model, device)
    with console.working(f"Sampling {n:,} molecules"):
        table = sampling.sample(
            vae, n, seed=seed, temperature=temperature, prior=prior, jobs=jobs, neutral=neutral, like=wanted
        )
    tables.write_table(table, output)
    console.say(_summary(table))


def _summary(table: pd.DataFrame) -> str:
    """Shares with their denominators."""
    valid = table[table["valid"]]
    distinct = valid.drop_duplicates("smiles")
    words = [f"{len(table):,} decodes", f"{len(valid) / len(table):.1%} valid"]
    if len(valid):
        words.append(f"{len(distinct) / len(valid):.1%} of these distinct")
        words += [f"{distinct['novel'].mean():.1%} of those not in the training set"] if "novel" in distinct else []
    return ", ".join(words)
