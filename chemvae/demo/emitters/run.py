"""The emitters' demo: random OLED molecules, one improved, a map; in about two minutes, offline."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np

from chemvae import api, sampling
from chemvae.data.catalog.locate import load_dataset
from chemvae.demo.emitters.findings import BLUE, FAST, MIN_SIMILARITY, SHOWN, EmitterFindings, EmitterSizes
from chemvae.demo.emitters.page import render
from chemvae.demo.mapping import DemoMap
from chemvae.demo.molecule import Named, check_molecule
from chemvae.design import Goal
from chemvae.disk.files import write_atomically
from chemvae.errors import SettingsError
from chemvae.maps import Trajectory, map_quality
from chemvae.maps.projection import PCAProjection
from chemvae.runs import environment, write_json

log = logging.getLogger(__name__)

MODEL = "oled"
LIBRARY = "virtual-oleds"
START = Named(
    "4CzIPN", "N#Cc1c(-n2c3ccccc3c3ccccc32)c(C#N)c(-n2c3ccccc3c3ccccc32)c(-n2c3ccccc3c3ccccc32)c1-n1c2ccccc2c2ccccc21"
)
GOALS = (Goal("S1", target=BLUE), Goal("dE_ST", "min"))


def run_emitters(
    out: str | Path = "demo", model: str | Path | None = None, start: str | None = None, *, seed: int = 0, fast: bool = False
) -> dict[str, Any]:
    """Show what a model of emitters can do, offline, and write ``report.html`` and ``results.json``.

    Parameters
    ----------
    out : path
        Folder for them; those of before are replaced.
    model : str or path, optional
        One that predicts S1, T1 and dE_ST, in eV; by default "oled".
    start : str, optional
        SMILES of the emitter to improve; by default 4CzIPN.
    seed : int
    fast : bool
        A few molecules and calls, in seconds: to try the machinery.

    Returns
    -------
    dict
        The content of ``results.json``.

    Raises
    ------
    SettingsError
        If the model does not predict those.
    RunFolderError, InvalidMoleculeError, UnknownTokenError
        If there is no such model, or the molecule is none that the model can read.
    """
    named = check_molecule(start) if start else START
    found = EmitterFindings(str(model or MODEL), named, seed, FAST if fast else EmitterSizes())
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    _load(found)
    _improve(found)
    _draw(found)
    return _write(found, folder)


def _load(found: EmitterFindings) -> None:
    with found.stage("samples", f"Writing {found.sizes.n_samples} random emitters with '{found.name}'"):
        found.model = model = api.load(found.name, device="cpu")
        if lacking := [name for name in SHOWN if name not in model.property_names]:
            raise SettingsError(f"the model '{found.name}' does not predict {', '.join(lacking)}; take one trained on emitters")
        model.vocabulary.encode(found.start.smiles)  # complains now rather than after a minute
        found.samples = sampling.sample(model, found.sizes.n_samples, seed=found.seed)
    log.info("  %.0f %% are molecules", 100 * found.samples["valid"].mean())


def _improve(found: EmitterFindings) -> None:
    words = f"Moving {found.start.name or found.start.smiles} to S1 {BLUE} eV and a small dE_ST, by the model's own predictions"
    with found.stage("design", words):
        found.before = found.model.predict([found.start.smiles]).iloc[0]
        found.result = api.optimize(
            found.model, goals=list(GOALS), start=found.start.smiles, min_similarity=MIN_SIMILARITY, seed=found.seed,
            budget=found.sizes.budget, batch_size=found.sizes.batch,
        )  # fmt: skip


def _draw(found: EmitterFindings) -> None:
    """Library, samples and what the search scored, on the library's two principal components."""
    with found.stage("map", f"Drawing a map of {found.sizes.n_mapped:,} molecules of {LIBRARY}"):
        enumerated = load_dataset(LIBRARY, limit=found.sizes.n_mapped)["smiles"].tolist()
        unread = found.model.encode_reasons(enumerated)
        library = [one for one, reason in zip(enumerated, unread, strict=True) if reason is None]
        written = found.samples.loc[found.samples["valid"], "smiles"].drop_duplicates().tolist()
        scored = found.result.history["smiles"].tolist()
        smiles = [*library, *written, *scored]
        z = found.model.encode(smiles)
        projection = PCAProjection().fit(z[: len(library)])
        xy = projection.transform(z)
        columns = found.model.predict_encoded(z, smiles)[list(SHOWN)]
        origins = ((LIBRARY, library), ("samples of the model", written), ("scored by the search", scored))
        columns["where from"] = [name for name, those in origins for _ in those]
        quality = map_quality(z, xy, seed=found.seed)
        paths = _way(found, projection)
        found.map = DemoMap(xy, smiles, columns, paths, projection.axis_labels(), quality)


def _way(found: EmitterFindings, projection: PCAProjection) -> list[Trajectory]:
    """From the start to the best molecule of each call at which the best changed."""
    history = found.result.history
    score = history["score"].fillna(-np.inf)
    best = history[(score > score.cummax().shift(fill_value=-np.inf)).to_numpy()]
    if not len(best):
        return []
    smiles = [found.start.smiles, *best["smiles"]]
    labels = [found.start.name or "start", *(f"call {row.call}" for row in best.itertuples())]
    return [Trajectory(projection.transform(found.model.encode(smiles)), "the search's best so far", smiles, labels)]


def _write(found: EmitterFindings, folder: Path) -> dict[str, Any]:
    with found.stage("report", "Writing the report"):
        results = collect(found)
        text = render(found, results)
    write_json(folder / "results.json", results)
    report = folder / "report.html"
    write_atomically(report, lambda temporary: temporary.write_text(text, encoding="utf-8"))
    log.info("Done in %.0f s. Open %s in a browser.", sum(found.seconds.values()), report)
    log.info("Try next:")
    for command in results["next"]:
        log.info("  %s", command)
    return results


def collect(found: EmitterFindings) -> dict[str, Any]:
    """Every figure of the report, as JSON types."""
    described = found.result.molecules
    best = described.iloc[0] if len(described) else None
    valid = found.samples[found.samples["valid"]]
    return {
        "model": found.name,
        "seed": found.seed,
        "seconds": found.seconds | {"total": round(sum(found.seconds.values()), 1)},
        "samples": {
            "n": len(found.samples),
            "valid": float(found.samples["valid"].mean()),
            "distinct": int(valid["smiles"].nunique()),
        },
        "start": {"name": found.start.name, "smiles": found.start.smiles} | {one: float(found.before[one]) for one in SHOWN},
        "best": None if best is None else {"smiles": best["smiles"]} | {one: float(best[f"{one}_predicted"]) for one in SHOWN},
        "n_calls": len(found.result.history),
        "environment": environment(),
        "next": [
            f"chemvae sample -m {found.name} -n 20",
            f"chemvae optimize -m {found.name} --target S1=2.23 --minimize dE_ST --constraint 'SAS<4' --budget 200 -o green",
            f"chemvae map virtual-oleds -m {found.name} --color S1 -o oleds.html",
            f"chemvae serve --model {found.name} --open",
        ],
    }
