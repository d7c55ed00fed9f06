"""chemvae decode."""

from __future__ import annotations

from typing import Annotated

import typer

from chemvae.commands.shared import console
from chemvae.commands.shared.options import Device, Model, Output, Overwrite, Seed, command


@command
def decode(
    data: Annotated[
        str,
        typer.Argument(
            metavar="Z", show_default=False, help="A table with columns z_0, z_1, ..., an .npy file, or - for stdin."
        ),
    ],
    model: Model = None,
    output: Output = "-",
    overwrite: Overwrite = False,
    samples: Annotated[int, typer.Option("--samples", "-n", metavar="N", help="Decodes of every point.")] = 1,
    temperature: Annotated[
        float | None,
        typer.Option(
            metavar="X", show_default=False, help="0 is greedy, 1 samples from the model. Default: 0; 1 with --best-of."
        ),
    ] = None,
    best_of: Annotated[
        int,
        typer.Option("--best-of", metavar="N", show_default=False, help="Decode every point N times, keep the best molecule."),
    ] = 0,
    beam: Annotated[
        int,
        typer.Option(metavar="N", show_default=False, help="Search N strings side by side, keep the best molecule."),
    ] = 0,
    mask_syntax: Annotated[
        bool, typer.Option("--mask-syntax", metavar="", help="Only let the decoder write what can become a SMILES.")
    ] = False,
    seed: Seed = 0,
    device: Device = "auto",
) -> None:
    """Turn latent points back into molecules: columns row, sample, smiles, valid, log_prob, and what else the table holds.

    Of several decodes, --best-of and --beam keep the valid one with the largest log p(x|z) - d^2/2, d being how far it lies
    from the point when it is encoded again, in units of its own posterior's spread.
    """
    from chemvae import api

    with console.working("Decoding"):
        table = api.decode(
            data, model, out=output, overwrite=overwrite, device=device, n_samples=samples, temperature=temperature, seed=seed,
            best_of=best_of, beam=beam, mask_syntax=mask_syntax,
        )  # fmt: skip
    valid = table.iloc[:, 3]  # row, sample, smiles, valid, whatever they are called beside the table's own
    console.say(f"{len(table):,} decodes, {valid.mean():.1%} valid: {'stdout' if output == '-' else output}")
