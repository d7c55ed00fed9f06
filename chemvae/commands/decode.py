"""chemvae decode."""

from __future__ import annotations

from typing import Annotated

import typer

from chemvae.commands import screen
from chemvae.commands.options import Device, Model, Output, Overwrite, Seed, command, load_model


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
    temperature: Annotated[float, typer.Option(metavar="X", help="0 is greedy, 1 samples from the model.")] = 0.0,
    seed: Seed = 0,
    device: Device = "auto",
) -> None:
    """Turn latent points back into molecules: columns row, sample, smiles, valid, log_prob, and what else the table holds."""
    from chemvae import tables

    tables.check_output(output, overwrite=overwrite)
    vae = load_model(model, device)
    with screen.working("Decoding"):
        table = tables.decode_table(vae, data, samples, temperature, seed)
    tables.write_table(table, output)
    valid = table["valid_decoded"] if "valid_decoded" in table else table["valid"]
    screen.say(f"{len(table):,} decodes, {valid.mean():.1%} valid: {'stdout' if output == '-' else output}")
