"""chemvae predict."""

from __future__ import annotations

from chemvae.commands import screen
from chemvae.commands.options import (
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
from chemvae.errors import SettingsError


@command
def predict(
    data: Data,
    model: Model = None,
    output: Output = "-",
    overwrite: Overwrite = False,
    smiles_column: SmilesColumn = None,
    on_invalid: OnInvalid = "keep",
    standardize: Standardize = "none",
    jobs: Jobs = 1,
    device: Device = "auto",
) -> None:
    """Predict properties: a row for every row, with mean, standard deviation and distance to the training data.

    A distance of 1 is typical for training molecules; predictions far beyond it are guesses.
    """
    from chemvae import tables

    tables.check_output(output, overwrite=overwrite)
    vae = load_model(model, device)
    if not vae.property_names:
        raise SettingsError("this model was trained without properties; train one with: chemvae train DATA -p COLUMN -o RUN")
    with screen.counting("Predicted") as count:
        table = tables.predict_table(vae, data, smiles_column, on_invalid, standardize, jobs, count)
    tables.write_table(table, output)
    units = ", ".join(f"{name} ({unit})" if unit not in ("", "1") else name for name, unit in vae.property_units.items())
    screen.say(f"{len(table):,} rows, predicted {units}: {'stdout' if output == '-' else output}")
