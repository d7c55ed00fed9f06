"""The demo's map: training molecules, what each search scored, and the way each best molecule took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from chemvae.chem.properties import compute_table
from chemvae.demo.searches import METHODS, Comparison
from chemvae.maps import PCAProjection, Trajectory, map_quality
from chemvae.models.vae import MolVAE

SHOWN = ("logP", "qed", "SAS")
TRAINING = "training set"


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


def draw_map(model: MolVAE, training: pd.DataFrame, comparisons: Sequence[Comparison], n_mapped: int, seed: int = 0) -> DemoMap:
    """Place training molecules and the molecules of the first comparison on the two leading principal components.

    Parameters
    ----------
    model : MolVAE
    training : DataFrame
        ``smiles`` and the columns of :data:`SHOWN`.
    comparisons : sequence of Comparison
        The first one's molecules and paths are drawn.
    n_mapped : int
        Training molecules on the map, chosen at random.
    seed : int
        Of that choice.
    """
    background = training.sample(min(n_mapped, len(training)), random_state=seed)[["smiles", *SHOWN]]
    table = pd.concat([background.assign(found=TRAINING), *_designed(comparisons[:1])], ignore_index=True)
    table["5 QED - SAS"] = 5.0 * table["qed"] - table["SAS"]
    z = model.encode(table["smiles"].tolist())
    projection = PCAProjection().fit(z[: len(background)])
    xy = projection.transform(z)
    paths = [path for comparison in comparisons[:1] for path in _paths(model, projection, comparison)]
    columns = table[["5 QED - SAS", *SHOWN, "found"]].rename(columns={"found": "found by"})
    quality = map_quality(z, xy, seed=seed)
    return DemoMap(xy, table["smiles"].tolist(), columns, paths, projection.axis_labels(), quality)


def _designed(comparisons: Sequence[Comparison]) -> list[pd.DataFrame]:
    """Molecules that each search scored, with their properties."""
    tables = []
    for comparison in comparisons:
        for method, result in comparison.results.items():
            smiles = result.history["smiles"].tolist()
            if smiles:
                table = pd.DataFrame({"smiles": smiles}).join(compute_table(smiles, list(SHOWN)))
                tables.append(table.assign(found=METHODS[method]))
    return tables


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
