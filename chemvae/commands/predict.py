"""chemvae predict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

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
    Properties,
    Seed,
    SmilesColumn,
    Standardize,
    command,
    load_model,
)
from chemvae.errors import SettingsError

if TYPE_CHECKING:
    from chemvae.qsar.model import PropertyModel


@command
def predict(
    data: Data,
    model: Model = None,
    fit: Annotated[
        str | None,
        typer.Option(
            metavar="TABLE", show_default=False, help="Learn new properties from this table first; name them with -p."
        ),
    ] = None,
    properties: Properties = None,
    computed: Annotated[
        bool, typer.Option("--computed", metavar="", help="Put what RDKit computes (logP, qed, SAS, ...) beside it.")
    ] = False,
    output: Output = "-",
    overwrite: Overwrite = False,
    smiles_column: SmilesColumn = None,
    on_invalid: OnInvalid = "keep",
    standardize: Standardize = "none",
    seed: Seed = 0,
    jobs: Jobs = 1,
    device: Device = "auto",
) -> None:
    """Predict properties: a row for every row, with mean, standard deviation and distance to the training data.

    A distance of 1 is typical for training molecules; predictions far beyond it are guesses.

    With --fit TABLE -p COLUMN the properties are learned from that table (20 measured values or more) in seconds, and come
    with the ends of their 90 % interval and the similarity to the nearest molecule of the table. Nothing is kept: the table
    is the model.
    """
    from chemvae import tables

    if complaints := _complaints(fit, properties, computed):
        raise SettingsError(complaints)
    tables.check_output(output, overwrite=overwrite)
    vae = load_model(model, device)
    if fit is not None:
        with console.working(f"Learning from {fit}"):
            models = tables.fit_properties(vae, fit, properties, None, standardize, jobs, seed)
        _say_what_was_learned(models)
        units = {name: one.unit for name, one in models.items()}
    else:
        units = vae.property_units
        if not units:
            raise SettingsError(
                "this model was trained without properties; learn them from a table with --fit TABLE -p COLUMN, or train one "
                "that knows them with: chemvae train DATA -p COLUMN -o RUN"
            )
    with console.counting("Predicted") as count:
        reading = smiles_column, on_invalid, standardize, jobs, count
        if fit is not None:
            table = tables.predict_new_table(models, data, *reading)
        else:
            table = tables.predict_table(vae, data, *reading, computed)
    tables.write_table(table, output)
    listed = ", ".join(f"{name} ({unit})" if unit not in ("", "1") else name for name, unit in units.items())
    console.say(f"{len(table):,} rows, predicted {listed}: {'stdout' if output == '-' else output}")


def _complaints(fit: str | None, properties: list[str] | None, computed: bool) -> list[str]:
    found = ["--fit needs the columns to learn: -p COLUMN"] if fit is not None and not properties else []
    found += (
        ["-p names columns of the table in --fit TABLE; a model predicts what it was trained on"]
        if properties and not fit
        else []
    )
    found += ["--computed goes with the model's own properties; leave out --fit"] if computed and fit is not None else []
    return found


def _say_what_was_learned(models: dict[str, PropertyModel]) -> None:
    for name, one in models.items():
        console.say(
            f"{name}: learned from {len(one.smiles):,} molecules. Each predicted without its scaffold, the error is "
            f"{one.left_out_rmse:.3g} (root mean square; the labels spread by {one.label_std:.3g})."
        )
