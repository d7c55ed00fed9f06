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
    from chemvae import api, tables

    tables.check_prediction(fit, properties, computed=computed)
    tables.check_output(output, overwrite=overwrite)  # before anything is learned
    vae = load_model(model, device)
    models: dict[str, PropertyModel] | None = None
    if fit is not None and properties:
        with console.working(f"Learning from {fit}"):
            learned = api.fit(fit, properties, vae, standardize=standardize, jobs=jobs, seed=seed)
        models = learned if isinstance(learned, dict) else {properties[0]: learned}
        _say_what_was_learned(models)
    with console.counting("Predicting") as count:
        table = api.predict(
            data, vae, fit=models, computed=computed, out=output, overwrite=overwrite,
            progress=lambda now: count(now.done), smiles_column=smiles_column, on_invalid=on_invalid, standardize=standardize,
            jobs=jobs,
        )  # fmt: skip
    units = vae.property_units if models is None else {name: one.unit for name, one in models.items()}
    listed = ", ".join(f"{name} ({unit})" if unit not in ("", "1") else name for name, unit in units.items())
    console.say(f"{len(table):,} rows, predicted {listed}: {'stdout' if output == '-' else output}")


def _say_what_was_learned(models: dict[str, PropertyModel]) -> None:
    for name, one in models.items():
        console.say(
            f"{name}: learned from {len(one.smiles):,} molecules. Each predicted without its scaffold, the error is "
            f"{one.left_out_rmse:.3g} (root mean square; the labels spread by {one.label_std:.3g})."
        )
