"""Draw what result.json and the evaluation hold: learning curves, validity against radius, molecules that came back wrong."""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import pandas as pd
from matplotlib import pyplot
from rdkit import Chem
from rdkit.Chem import Draw

from chemvae.chem.molecules import parse

HERE = Path(__file__).parent
N_PAIRS = 12


def draw_curves(curves: dict[str, pd.DataFrame], target: Path = HERE / "curves.png") -> None:
    """Cross-entropy of training and held-out molecules, step after step of the recipe."""
    figure, axes = pyplot.subplots(figsize=(7, 3.5), layout="constrained")
    start = 0.0
    for rows in curves.values():
        hours = start + rows["elapsed_s"] / 3600
        axes.plot(hours, rows["train_cross_entropy"], "o-", color="tab:blue", markersize=3)
        axes.plot(hours, rows["valid_cross_entropy"], "o-", color="tab:orange", markersize=3)
        start = float(hours.iloc[-1])
        axes.axvline(start, color="0.85", linewidth=1, zorder=0)
    axes.plot([], [], color="tab:blue", label="training (mean over the epoch)")
    axes.plot([], [], color="tab:orange", label="held out (averaged weights)")
    axes.set(xlabel="hours on two to three cores", ylabel="cross-entropy (nats per molecule)", yscale="log")
    axes.legend(frameon=False)
    figure.savefig(target, dpi=120)
    pyplot.close(figure)


def draw_radius(radius: pd.DataFrame, target: Path = HERE / "radius.png") -> None:
    """What decodes at a distance from a molecule."""
    figure, axes = pyplot.subplots(figsize=(5, 3.5), layout="constrained")
    for column, label in (("validity", "is a molecule"), ("recovery", "is the same molecule"), ("similarity", "similarity")):
        axes.plot(radius["radius"], radius[column], "o-", markersize=3, label=label)
    axes.set(xlabel="distance from a molecule's code", ylabel="share of decodes, mean similarity", ylim=(0, 1.02))
    axes.legend(frameon=False, loc="center right")
    figure.savefig(target, dpi=120)
    pyplot.close(figure)


def draw_failures(failures: pd.DataFrame, target: Path = HERE / "wrong.png") -> None:
    """Molecules above what they came back as, the kinds of mistake in turn."""
    turn = failures.groupby("kind").cumcount()
    shown = failures.assign(turn=turn).sort_values(["turn", "kind"], kind="stable").head(N_PAIRS)
    drawn, legends = [], []
    empty, nothing = Chem.MolFromSmiles(""), Chem.MolFromSmiles("*")  # a star, since what is empty gets no legend
    for start in range(0, len(shown), 6):
        part = shown.iloc[start : start + 6]
        rest = 6 - len(part)
        read = [parse(text) for text in part["decoded"]]
        drawn += [parse(text) for text in part["smiles"]] + [empty] * rest + [mol or nothing for mol in read] + [empty] * rest
        said = [kind if mol else f"no molecule ({kind})" for kind, mol in zip(part["kind"], read, strict=True)]
        legends += ["given"] * len(part) + [""] * rest + said + [""] * rest
    picture = Draw.MolsToGridImage(drawn, molsPerRow=6, subImgSize=(200, 150), legends=legends, returnPNG=True)
    target.write_bytes(picture if isinstance(picture, bytes) else picture.data)
