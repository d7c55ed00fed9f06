"""Follow the gradient of the predicted QED from given molecules: where do the points decode to molecules, and is it true?

    CHEMVAE_DATA=FOLDER python experiments/04-design/holes.py

From each of 500 molecules of ZINC250k's validation split (lowest sha1 of the SMILES) Adam climbs, once on the predicted mean
alone, once as the engine does: on the mean less one standard deviation, back towards the data where the density is below that
of 99 % of the training codes, the norm capped. Every third step is decoded greedily. Writes ``holes.json`` and ``holes.png``.
"""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import numpy as np
import torch
from matplotlib import pyplot
from run import zinc

from chemvae import api
from chemvae.chem.molecules import parse
from chemvae.chem.properties import drug_likeness
from chemvae.design.optimizers.gradient import climb
from chemvae.design.optimizers.latent_region import LatentRegion
from chemvae.runs import environment, write_json

HERE = Path(__file__).parent
N, STEPS, EVERY, RATE = 500, 120, 3, 0.04


def main() -> None:
    started = time.monotonic()
    model = api.load("drug")
    origins = torch.from_numpy(model.encode(molecules()))
    curves = {name: follow(model, origins, *way) for name, way in ways(model).items()}
    origin = environment()
    write_json(
        HERE / "holes.json",
        {
            "command": "python experiments/04-design/holes.py",
            "commit": origin["commit"],
            "device": origin["processor"],
            "versions": origin["versions"],
            "elapsed_s": round(time.monotonic() - started, 1),
            "protocol": __doc__.split("\n\n")[2],
            "curves": curves,
        },
    )
    draw(curves)


def molecules() -> list[str]:
    """N molecules of the validation split."""
    table = zinc()
    smiles = table.loc[table["split"] == "valid", "smiles"]
    return sorted(smiles, key=lambda text: hashlib.sha1(text.encode()).hexdigest())[:N]


def ways(model):
    """What is climbed, and where: without gates, and with them."""
    qed = model.property_names.index("qed")

    def bound(kappa):
        def value(z):
            mean, std = model.predict_latent(z)
            return mean[:, qed] - kappa * std[:, qed]

        return value

    everywhere = LatentRegion(model)
    everywhere.density_threshold, everywhere.norm_cap = -np.inf, np.inf
    return {"no gates": (bound(0.0), everywhere), "with gates": (bound(1.0), LatentRegion(model))}


def follow(model, origins, bound, region) -> dict[str, list[float]]:
    """Means over the molecules at every third step of the ascent."""
    qed = model.property_names.index("qed")
    rows = []
    for z in climb(origins, bound, region, STEPS, RATE)[::EVERY]:
        texts = model.decode(z)
        valid = texts["valid"].to_numpy()
        true = [drug_likeness(parse(text)) for text in texts.loc[valid, "smiles"]]
        predicted = model.predict_latent(z)[0][:, qed].numpy()
        rows.append(
            {
                "distance": float(((z - origins) / region.scale).norm(dim=1).mean()),
                "validity": float(valid.mean()),
                "predicted": float(predicted[valid].mean()),
                "true": float(np.mean(true)),
                "inside": float(LatentRegion(model).contains(z).float().mean()),
                "distinct": len(set(texts.loc[valid, "smiles"])) / max(1, int(valid.sum())),
            }
        )
    return {name: [row[name] for row in rows] for name in rows[0]}


def draw(curves: dict[str, dict[str, list[float]]]) -> None:
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
    for (name, curve), color in zip(curves.items(), ("tab:orange", "tab:blue"), strict=True):
        left.plot(curve["distance"], curve["validity"], color=color, label=name)
        right.plot(curve["distance"], curve["predicted"], "--", color=color)
        right.plot(curve["distance"], curve["true"], color=color)
    left.set(
        xlabel="distance from the molecule (standard deviations)", ylabel="share of points that are molecules", ylim=(0, 1.02)
    )
    left.legend(frameon=False, loc="lower left")
    right.set(xlabel="distance from the molecule (standard deviations)", ylabel="QED, mean of the molecules")
    right.plot([], [], "--", color="0.4", label="predicted")
    right.plot([], [], color="0.4", label="true")
    right.legend(frameon=False, loc=(0.62, 0.54))  # between the curves
    figure.savefig(HERE / "holes.png", dpi=120)
    pyplot.close(figure)


if __name__ == "__main__":
    main()
