"""Weight normalisation in the networks of the VAE, and layers of weights without a mean in the predictor: do they help?

    CHEMVAE_DATA=FOLDER python experiments/06-family/layers.py

``weight_norm``: the plain VAE of the table, with every weight matrix as direction times length
(Salimans & Kingma 2016, https://arxiv.org/abs/1602.07868) and without: reconstruction and bound of held-out molecules after
the first and the last pass, and the time of one. ``variance``: a predictor on the shipped model's codes whose two hidden layers
have Gaussian weights of mean zero, of which the variance alone is learned (Neklyudov et al. 2019,
https://arxiv.org/abs/1803.03764), beside the usual predictor, as heads.py measures it.
"""

from __future__ import annotations

import importlib.util
import sys
import time
from pathlib import Path

import numpy as np
import tomllib
import torch
from torch import Tensor, nn

HERE = Path(__file__).parent
N_TRAIN, N_HELD_OUT, EPOCHS, SEED = 60_000, 1_000, 10, 0
KEPT = ("valid_reconstruction_greedy", "valid_elbo", "valid_cross_entropy", "valid_kl", "train_loss")
N_DRAWS = 32  # of the random weights, whose answers are averaged


def main() -> None:
    from chemvae.runs import environment, write_json

    torch.set_num_threads(1)
    started, metrics = time.monotonic(), {}
    for name in ("plain", "weight_norm"):
        metrics |= {f"{name}_{key}": value for key, value in trained(name == "weight_norm").items()}
    metrics |= variance_layers()
    origin = environment()
    write_json(HERE / "layers.json", {
        "command": "python experiments/06-family/layers.py",
        "commit": origin["commit"], "device": f"{origin['processor']}, one thread", "versions": origin["versions"],
        "seeds": [SEED], "n_train": N_TRAIN, "epochs": EPOCHS, "elapsed_s": round(time.monotonic() - started, 1),
        "metrics": metrics,
    })  # fmt: skip
    print(*(f"{key}: {value:.4g}" for key, value in metrics.items()), sep="\n")


def trained(with_norm: bool) -> dict[str, float]:
    """Figures after the first and the last pass, and seconds a pass."""
    from chemvae.data.tokens.datasets import SmilesDataset
    from chemvae.data.tokens.vocabulary import Vocabulary
    from chemvae.models.settings import ModelSettings
    from chemvae.models.vae import MolVAE
    from chemvae.training import Trainer, TrainingSettings

    config = tomllib.loads((HERE / "config.toml").read_text(encoding="utf-8"))["settings"]
    parts = {split: chosen(split, n) for split, n in (("train", N_TRAIN), ("valid", N_HELD_OUT))}
    words = Vocabulary.from_smiles(parts["train"] + parts["valid"])
    sizes = {name: config.pop(name) for name in ("encoder_dim", "decoder_dim", "latent_dim")}
    torch.manual_seed(SEED)
    model = MolVAE(words, ModelSettings(**sizes))
    if with_norm:
        normalise(model)
    data = {split: SmilesDataset(smiles, words) for split, smiles in parts.items()}
    trainer = Trainer(model, data["train"], data["valid"], TrainingSettings(epochs=EPOCHS, seed=SEED, **config), device="cpu")
    trainer.fit()
    rows = trainer.progress.rows
    found = {f"{key}_{row['epoch']}": float(row[key]) for row in (rows[0], rows[-1]) for key in KEPT}
    return {**found, "seconds_a_pass": float(rows[-1]["elapsed_s"]) / len(rows)}


def chosen(split: str, n: int) -> list[str]:
    from chemvae.data.prepare.preparation import load_table

    config = tomllib.loads((HERE / "config.toml").read_text(encoding="utf-8"))
    table = load_table(config["data"], properties=[])
    own = [one for one, part in zip(table.smiles, table.split, strict=True) if part == split]
    return [own[i] for i in np.random.default_rng(SEED).permutation(len(own))[:n]]


def normalise(model: nn.Module) -> None:
    """Every weight matrix as a direction for each output, and its length."""
    from torch.nn.utils.parametrizations import weight_norm

    matrices = [
        (one, name)
        for one in model.modules() if not isinstance(one, nn.Embedding)
        for name, weight in one.named_parameters(recurse=False) if weight.ndim == 2
    ]  # fmt: skip
    for one, name in matrices:
        weight_norm(one, name, dim=0)


class VarianceLayer(nn.Module):
    """x [N, I] -> [N, O], normal with mean zero and variance x^2 s^2: weights N(0, s^2), drawn anew for every row."""

    def __init__(self, n_in: int, n_out: int):
        super().__init__()
        self.log_scale = nn.Parameter(torch.full((n_out, n_in), -0.5 * float(np.log(n_in))))

    def forward(self, x: Tensor) -> Tensor:
        variance = x.square() @ (2 * self.log_scale).exp().t()
        return variance.clamp_min(1e-12).sqrt() * torch.randn(len(x), len(self.log_scale))


class Drawn(nn.Module):
    """Layers with random weights; answers are means over several draws of them once training is over."""

    def __init__(self, latent_dim: int, hidden_dim: int, n_out: int):
        super().__init__()
        self.first, self.mean = VarianceLayer(latent_dim, hidden_dim), nn.BatchNorm1d(hidden_dim)
        self.second, self.again = VarianceLayer(hidden_dim, hidden_dim), nn.BatchNorm1d(hidden_dim)
        self.last = nn.Linear(hidden_dim, n_out)

    def forward(self, z: Tensor) -> Tensor:
        n = 1 if self.training else N_DRAWS
        with torch.random.fork_rng(enabled=not self.training):
            if not self.training:
                torch.manual_seed(SEED)
            return torch.stack([self._once(z) for _ in range(n)]).mean(dim=0)

    def _once(self, z: Tensor) -> Tensor:
        hidden = nn.functional.silu(self.mean(self.first(z)))
        return self.last(nn.functional.silu(self.again(self.second(hidden))))


def variance_layers() -> dict[str, float]:
    """The same 5,000 labels, held-out molecules and figures as heads.py, for one seed."""
    import chemvae

    heads = beside("heads")
    model = chemvae.load("drug", device="cpu")
    sets = {"train": heads.molecules("zinc250k", "train"), "near": heads.molecules("zinc250k", "valid")}
    codes = {name: torch.from_numpy(model.encode(smiles)) for name, smiles in sets.items()}
    labels = {name: heads.computed(smiles) for name, smiles in sets.items()}
    usual = heads.fitted(model, codes["train"], labels["train"], SEED)
    random = heads.fitted(model, codes["train"], labels["train"], SEED, layers=Drawn)
    found = {}
    for name, head in (("usual", usual), ("variance", random)):
        figures = heads.scored(*heads.gaussian([head], codes["near"]), usual.standardise(labels["near"]))
        found |= {f"{name}_head_{key}": value for key, value in figures.items()}
    return found


def beside(name: str):
    """A script of this folder as a module."""
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
