"""The demo's map: the library, samples, what each search scored, and the ways that were taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from chemvae.chem.properties import compute_table
from chemvae.demo.molecule import Study
from chemvae.demo.searches import METHODS, Comparison
from chemvae.maps import Trajectory, map_quality
from chemvae.maps.projection import PCAProjection
from chemvae.models.vae import MolVAE

SHOWN = ("logP", "qed", "SAS")
SAMPLES = "samples of the model"
MOST_SAMPLES = 300


@dataclass(frozen=True)
class DemoMap:
    """All that :func:`chemvae.maps.map_component` needs."""

    xy: np.ndarray
    """[N, 2]"""
    smiles: list[str]
    columns: pd.DataFrame
    trajectories: list[Trajectory]
    axis_labels: tuple[str, str] | None
    quality: dict[str, float]


def draw_map(
    model: MolVAE,
    background: pd.DataFrame,
    name: str,
    samples: pd.DataFrame,
    comparisons: Sequence[Comparison],
    study: Study | None,
    n_mapped: int,
    seed: int = 0,
) -> DemoMap:
    """Place library molecules, samples and the molecules of the first comparison on the library's two principal components.

    Parameters
    ----------
    model : MolVAE
    background : DataFrame
        ``smiles`` and the columns of :data:`SHOWN`.
    name : str
        What the background is called.
    samples : DataFrame
        ``molecule``: canonical SMILES, or None for what is none.
    comparisons : sequence of Comparison
        The first one's molecules and paths are drawn.
    study : Study, optional
        Its path is drawn.
    n_mapped : int
        Background molecules on the map, chosen at random.
    seed : int
        Of that choice.
    """
    shown = background.sample(min(n_mapped, len(background)), random_state=seed)[["smiles", *SHOWN]]
    written = samples["molecule"].dropna().head(MOST_SAMPLES).tolist()
    tables = [shown.assign(found=name), _described(written, SAMPLES), *_designed(comparisons[:1])]
    table = pd.concat([one for one in tables if len(one)], ignore_index=True)
    table["5 QED - SAS"] = 5.0 * table["qed"] - table["SAS"]
    z = model.encode(table["smiles"].tolist())
    projection = PCAProjection().fit(z[: len(shown)])
    xy = projection.transform(z)
    paths = [path for comparison in comparisons[:1] for path in _paths(model, projection, comparison)]
    paths += [] if study is None else _walked(model, projection, study)
    columns = table[["5 QED - SAS", *SHOWN, "found"]].rename(columns={"found": "where from"})
    quality = map_quality(z, xy, seed=seed)
    return DemoMap(xy, table["smiles"].tolist(), columns, paths, projection.axis_labels(), quality)


def _described(smiles: list[str], found: str) -> pd.DataFrame:
    """Molecules with their properties and where they come from."""
    return pd.DataFrame({"smiles": smiles}).join(compute_table(smiles, list(SHOWN))).assign(found=found)


def _designed(comparisons: Sequence[Comparison]) -> list[pd.DataFrame]:
    """Molecules that each search scored."""
    return [
        _described(result.history["smiles"].tolist(), METHODS[method])
        for comparison in comparisons
        for method, result in comparison.results.items()
        if len(result.history)
    ]


def _paths(model: MolVAE, projection: PCAProjection, comparison: Comparison) -> list[Trajectory]:
    """The best molecule so far as it changed, for each search but the random one."""
    paths = []
    for method in comparison.results:
        best = comparison.best_path(method)
        if method == "random" or not len(best):
            continue
        labels = [f"call {row.call}: {row.score:.3f}" for row in best.itertuples()]
        xy = projection.transform(model.encode(best["smiles"].tolist()))
        paths.append(Trajectory(xy, METHODS[method], best["smiles"].tolist(), labels))
    return paths


def _walked(model: MolVAE, projection: PCAProjection, study: Study) -> list[Trajectory]:
    """The way from the molecule that was looked at to another, as far as it was decoded to molecules."""
    steps = study.path[study.path["valid"]]
    if len(steps) < 2:
        return []
    xy = projection.transform(model.encode(steps["smiles"].tolist()))
    name = f"{study.molecule.name or 'one'} to {study.other.name or 'another'}"
    return [Trajectory(xy, name, steps["smiles"].tolist(), [f"{share:.0%} of the way" for share in steps["share"]])]
