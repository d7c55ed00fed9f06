"""chemvae evaluate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from chemvae.commands.shared import console
from chemvae.commands.shared.options import (
    Data,
    Device,
    Jobs,
    Json,
    Model,
    Overwrite,
    Seed,
    SmilesColumn,
    command,
    given_only,
    settings_flags,
)
from chemvae.commands.shared.settings_fields import choices, settings_fields

SIZES = settings_fields("evaluation/protocols.py", "EvaluationSettings", leave_out=("seed", "jobs"))
SHOWN = (
    "reconstruction_greedy", "reconstruction_jt", "validity_prior_greedy", "validity_prior_sampled", "validity_learned_prior",
    "unique_10k", "novelty", "internal_diversity", "snn", "fcd", "elbo", "kl", "cross_entropy", "active_units",
)  # fmt: skip


@command
@settings_flags("How much is measured", SIZES)
def evaluate(
    data: Data,
    model: Model = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FOLDER", help="Write report.html and report.json there.")
    ] = None,
    json: Json = None,
    overwrite: Overwrite = False,
    split: Annotated[
        str,
        typer.Option(
            metavar=choices("data/files/columns.py", "SPLITS", "all"),
            help="Which part to use, where the data has a split column.",
        ),
    ] = "test",
    smiles_column: SmilesColumn = None,
    seed: Seed = 0,
    jobs: Jobs = 1,
    device: Device = "auto",
    **sizes: Any,
) -> None:
    """Measure a model on held-out molecules: reconstruction, validity, quality of samples, bound, predictions.

    Each figure comes with the sentence that says how it was taken. Make choices on `valid`; open `test` once, for the report.
    """
    from chemvae import api

    part = None if split == "all" else split
    with console.working("Evaluating"):
        found = api.evaluate_in_full(
            model,
            data,
            seed,
            part,
            smiles_column,
            out=output,
            overwrite=overwrite,
            device=device,
            jobs=jobs,
            **given_only(sizes),
        )
    console.write_json(json, found.figures)
    _show(found.figures, list(found.units))
    if output is not None:
        console.say(f"Report: {output / 'report.html'}")


def _show(figures: dict[str, Any], properties: list[str]) -> None:
    wanted = [key for key in SHOWN if figures.get(key) is not None]
    wanted += [f"{kind}_{name}" for name in properties for kind in ("mae", "r2", "coverage90") if f"{kind}_{name}" in figures]
    title = f"{figures['n_molecules']:,} molecules, {figures['n_samples']:,} samples"
    console.show(console.pairs([(key, figures[key]) for key in wanted], title))
