"""Why pretend we're certain? One predictor on z, five of them, and one with a Gaussian over its last layer's weights.

    CHEMVAE_DATA=FOLDER python experiments/06-family/heads.py

Computed properties (logP, qed) of ZINC molecules, learned from codes of the shipped model with 500 and 5,000 labels; measured
on 2,000 held-out molecules of the same set, and on 2,000 of ChEMBL, which none of the labels are like. Figures in units of the
labels' spread: mean absolute error, negative log likelihood (nats), share of the labels within the 90 % interval; and the rank
correlation of the stated spread with the error, which says whether doubt is where the errors are. Nothing is calibrated here.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

HERE = Path(__file__).parent
PROPERTIES, N_LABELS, N_TEST, SEEDS = ("logP", "qed"), (500, 5_000), 2_000, (0, 1, 2)
N_HEADS, PASSES, LEARNING_RATE, BATCH = 5, 4_000, 2e-3, 256
HELD_OUT = 0.1
NORMAL_90 = 1.6449


def main() -> None:
    import chemvae
    from chemvae.runs import environment, write_json

    torch.set_num_threads(1)
    model, started, metrics = chemvae.load("drug", device="cpu"), time.monotonic(), {}
    sets = {"train": molecules("zinc250k", "train"), "near": molecules("zinc250k", "valid")}
    sets["far"] = chembl(set(sets["train"]))
    codes = {name: torch.from_numpy(model.encode(smiles)) for name, smiles in sets.items()}
    labels = {name: computed(smiles) for name, smiles in sets.items()}
    for n in N_LABELS:
        for seed in SEEDS:
            for key, value in one_seed(model, codes, labels, n, seed).items():
                metrics.setdefault(f"{key}_{n}", []).append(value)
    origin = environment()
    write_json(HERE / "heads.json", {
        "command": "python experiments/06-family/heads.py",
        "commit": origin["commit"], "device": f"{origin['processor']}, one thread", "versions": origin["versions"],
        "seeds": list(SEEDS), "elapsed_s": round(time.monotonic() - started, 1),
        "metrics": {
            key: {"mean": float(np.mean(v)), "std": float(np.std(v, ddof=1)), "n": len(v)} for key, v in metrics.items()
        },
    })  # fmt: skip


def molecules(data: str, split: str) -> list[str]:
    from chemvae.data.prepare.preparation import load_table

    table, n = load_table(data, properties=[]), max(N_LABELS) if split == "train" else N_TEST
    own = [one for one, part in zip(table.smiles, table.split, strict=True) if part == split]
    return [own[i] for i in np.random.default_rng(0).permutation(len(own))[:n]]


def chembl(known: set[str]) -> list[str]:
    import chemvae
    from chemvae.data.prepare.preparation import load_table

    model = chemvae.load("drug", device="cpu")
    own = [s for s in load_table("chembl", properties=[]).smiles if s not in known and model.vocabulary.complaint(s) is None]
    return [own[i] for i in np.random.default_rng(0).permutation(len(own))[:N_TEST]]


def computed(smiles: list[str]) -> Tensor:
    from chemvae.chem.properties import compute_table

    return torch.from_numpy(compute_table(smiles, list(PROPERTIES)).to_numpy(dtype=np.float64, copy=True))


def one_seed(model, codes: dict, labels: dict, n: int, seed: int) -> dict[str, float]:
    rows = torch.randperm(len(codes["train"]), generator=torch.Generator().manual_seed(seed))[:n]
    z, y = codes["train"][rows], labels["train"][rows]
    heads = [fitted(model, z, y, 100 * seed + number) for number in range(N_HEADS)]
    laplace = LastLayer(heads[0], z, y)
    answers = {"one": lambda z: gaussian(heads[:1], z), "five": lambda z: gaussian(heads, z), "laplace": laplace}
    return {
        f"{key}_{where}_{name}": value
        for name, answer in answers.items() for where in ("near", "far")
        for key, value in scored(*answer(codes[where]), heads[0].standardise(labels[where])).items()
    }  # fmt: skip


def fitted(model, z: Tensor, y: Tensor, seed: int, layers=None):
    """A predictor of the model's kind, from scratch; the weights that a tenth of the labels, held out, like best.

    ``layers``, if given, makes others in their place from the number of inputs, the hidden width and the number of outputs.
    """
    import copy

    from chemvae.models.predictor import PropertyPredictor
    from chemvae.models.vae import eval_mode
    from chemvae.seeding import seeded

    with seeded(seed):
        head = PropertyPredictor(z.shape[1], model.settings.predictor_dim, y.shape[1])
        if layers is not None:
            head.layers = layers(z.shape[1], model.settings.predictor_dim, 2 * y.shape[1])
    head.fit_scale(y)
    order = torch.randperm(len(z), generator=torch.Generator().manual_seed(seed))
    held, own = order[: int(HELD_OUT * len(z))], order[int(HELD_OUT * len(z)) :]
    optimizer, noise = (
        torch.optim.AdamW(head.parameters(), LEARNING_RATE, weight_decay=1e-2),
        torch.Generator().manual_seed(seed),
    )
    best, best_loss = copy.deepcopy(head.state_dict()), np.inf
    for step in range(PASSES):
        at = own[torch.randint(len(own), (BATCH,), generator=noise)]
        loss = -head.log_prob(z[at], y[at]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 50 == 49:
            with torch.no_grad(), eval_mode(head):
                now = float(-head.log_prob(z[held], y[held]).mean())
            best, best_loss = (copy.deepcopy(head.state_dict()), now) if now < best_loss else (best, best_loss)
    head.load_state_dict(best)
    return head.eval().requires_grad_(False)


def gaussian(heads: list, z: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation [N, P], standardised, of the mixture of heads."""
    means, scales = (torch.stack(part).double() for part in zip(*(head._standardised(z) for head in heads), strict=True))
    return means.mean(dim=0), (scales.square().mean(dim=0) + means.var(dim=0, correction=0)).sqrt()


class LastLayer:
    """A Gaussian over the weights of the mean's last layer, around the fitted ones; noise as the head says.

    The precision of the weights' own prior is the one of a few that the evidence of the labels likes best (MacKay 1992).
    Daxberger et al., Laplace Redux, 2021. https://arxiv.org/abs/2106.14806
    """

    def __init__(self, head, z: Tensor, y: Tensor):
        self.head = head
        features, n = self.features(z), y.shape[1]
        mean, scale = (part.double() for part in head._standardised(z))
        self.covariances = []
        for p in range(n):
            weighted = features / scale[:, p : p + 1]
            gram, error = weighted.T @ weighted, ((head.standardise(y)[:, p] - mean[:, p]) / scale[:, p]).square().sum()
            weights = head.layers[-1].weight[p].double().square().sum() + head.layers[-1].bias[p].double().square()
            best = max((self.evidence(gram, error, weights, a), a) for a in 10.0 ** np.arange(-2, 5))[1]
            self.covariances.append(torch.linalg.inv(gram + best * torch.eye(len(gram), dtype=torch.float64)))

    @staticmethod
    def evidence(gram: Tensor, error: Tensor, weights: Tensor, precision: float) -> float:
        k = len(gram)
        log_det = torch.linalg.slogdet(gram + precision * torch.eye(k, dtype=torch.float64))[1]
        return float(0.5 * (k * np.log(precision) - precision * weights - error - log_det))

    def features(self, z: Tensor) -> Tensor:
        hidden = self.head.layers[:-1](z).double()
        return torch.cat([hidden, torch.ones(len(z), 1, dtype=torch.float64)], dim=1)

    def __call__(self, z: Tensor) -> tuple[Tensor, Tensor]:
        mean, scale = (part.double() for part in self.head._standardised(z))
        features = self.features(z)
        doubt = torch.stack([((features @ c) * features).sum(dim=1) for c in self.covariances], dim=1)
        return mean, (scale.square() + doubt).sqrt()


def scored(mean: Tensor, scale: Tensor, y: Tensor) -> dict[str, float]:
    from scipy.stats import spearmanr

    error = (y - mean).abs()
    nll = 0.5 * (error / scale).square() + scale.log() + 0.5 * np.log(2 * np.pi)
    ranks = [spearmanr(error[:, p], scale[:, p]).statistic for p in range(y.shape[1])]
    return {
        "mae": float(error.mean()),
        "nll": float(nll.mean()),
        "covered": float((error < NORMAL_90 * scale).double().mean()),
        "rank": float(np.mean(ranks)),
    }


if __name__ == "__main__":
    main()
