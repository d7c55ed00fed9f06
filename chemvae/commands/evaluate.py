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

SIZES = settings_fields("evaluation/settings.py", "EvaluationSettings", leave_out=("seed", "jobs"))
BEFORE_SAMPLES = ("reconstruction_greedy", "reconstruction_jt")
AFTER_SAMPLES = (
    "novelty", "internal_diversity", "snn", "similarity_at_1sd", "similarity_at_0.3", "similarity_at_1.0", "neighbors_kept_10",
    "elbo", "kl", "cross_entropy", "active_units", "log_px_is", "log_px_ais", "bdmc_gap", "amortization_gap",
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
    """Measure a model on held-out molecules: reconstruction, samples, bound, predictions.

    Samples are taken from every prior, greedily and at temperature 1: validity, distinct share and FCD stand together. Each
    figure comes with the sentence that says how it was taken. Make choices on `valid`; open `test` once, for the report.
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
    """What matters most; each validity with what it must not stand without."""
    from chemvae.evaluation.report import priors_and_temperatures

    kinds = ("validity", "unique_10k", "fcd", "own_code_found")
    of_samples = [f"{kind}_{prior}_{how}" for prior, how in priors_and_temperatures(figures) for kind in kinds]
    wanted = [*BEFORE_SAMPLES, *of_samples, *AFTER_SAMPLES]
    wanted += [f"{kind}_{name}" for name in properties for kind in ("mae", "r2", "coverage90")]
    title = f"{figures['n_molecules']:,} molecules, {figures['n_samples']:,} samples"
    console.show(console.pairs([(key, figures[key]) for key in wanted if figures.get(key) is not None], title))
