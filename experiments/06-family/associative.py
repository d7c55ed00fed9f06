"""An associative prior: is a code likelier given the code of a neighbour, and does a draw beside one write molecules?

    CHEMVAE_DATA=FOLDER python experiments/06-family/associative.py [RUN]

In an associative compression network (Graves et al. 2018, https://arxiv.org/abs/1804.02476) the prior of a code is a network
of the code of one of its nearest neighbours, another one every time. Here it is fitted to the codes of a trained model (the
shipped one, or a run), beside two priors of the same codes that know no neighbour: a Gaussian mixture and a flow. Nats of
held-out codes; where a neighbour is given, somebody has to say which one, and ``which_nats`` is what that takes. Draws of each
prior are decoded greedily; ``copied`` is the share of an associative draw's molecules that are its neighbour itself.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import tomllib
import torch
from torch import Tensor, nn
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

HERE = Path(__file__).parent
N_TRAIN, N_HELD_OUT, N_DRAWS, SEED = 30_000, 3_000, 2_000, 0
NEIGHBOURS = 5  # one of which is given; Graves et al., section 5
COMPONENTS, WIDTH, STEPS, BATCH, LEARNING_RATE = 8, 256, 6_000, 512, 1e-3
MIN_SCALE = 1e-2


class Associative(nn.Module):
    """p(z | c): a mixture of diagonal Gaussians around c, whose weights, means and scales are a network's answer to c."""

    def __init__(self, latent_dim: int):
        super().__init__()
        self.latent_dim = latent_dim
        self.layers = nn.Sequential(
            nn.Linear(latent_dim, WIDTH), nn.SiLU(), nn.Linear(WIDTH, WIDTH), nn.SiLU(),
            nn.Linear(WIDTH, COMPONENTS * (2 * latent_dim + 1)),
        )  # fmt: skip

    def forward(self, c: Tensor) -> MixtureSameFamily:
        """The density of z [B, D] at the codes of neighbours [B, D]."""
        parts = self.layers(c).view(len(c), COMPONENTS, 2 * self.latent_dim + 1)
        moved, width, weight = parts[..., : self.latent_dim], parts[..., self.latent_dim : -1], parts[..., -1]
        scale = nn.functional.softplus(width) + MIN_SCALE
        return MixtureSameFamily(Categorical(logits=weight), Independent(Normal(c[:, None] + moved, scale), 1))


def main(name: str) -> None:
    import chemvae
    from chemvae.evaluation.roundtrip import Canonical
    from chemvae.runs import environment, write_json

    torch.set_num_threads(1)
    started, model = time.monotonic(), chemvae.load(name, device="cpu")
    molecules = {split: chosen(model, split, n) for split, n in (("train", N_TRAIN), ("valid", N_HELD_OUT))}
    z = {split: drawn(model, own) for split, own in molecules.items()}
    mean, scale = z["train"].mean(dim=0), z["train"].std(dim=0)
    inside = {split: (codes - mean) / scale for split, codes in z.items()}
    near = {split: neighbours(inside["train"], codes, itself=split == "train") for split, codes in inside.items()}
    associative, log_scale = fit(inside["train"], near["train"]), float(scale.log().sum())
    with torch.no_grad():
        given = inside["train"][near["valid"][:, 0]]
        nats = {"associative_nats": float(associative(given).log_prob(inside["valid"]).mean()) - log_scale}
    canonical, known = Canonical(), set(molecules["train"])
    start = torch.from_numpy(np.random.default_rng(SEED).choice(N_TRAIN, N_DRAWS, replace=False))
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(SEED)
        beside = associative(inside["train"][start]).sample() * scale + mean
    texts = decoded(model, beside, canonical)
    sources = [molecules["train"][i] for i in start.tolist()]
    figures = {f"associative_{key}": value for key, value in measured(model, beside, texts, known, molecules["valid"]).items()}
    figures |= {"associative_copied": share(a == b for a, b in zip(texts, sources, strict=True) if a)}
    figures |= {"associative_similarity": likeness(texts, sources)}
    for kind, prior in others(model, z["train"]).items():
        draws = prior.sample(N_DRAWS, torch.Generator().manual_seed(SEED))
        found = measured(model, draws, decoded(model, draws, canonical), known, molecules["valid"])
        figures |= {f"{kind}_{key}": value for key, value in found.items()}
        nats[f"{kind}_nats"] = float(prior.log_prob(z["valid"]).mean())
    origin = environment()
    write_json(HERE / "associative.json", {
        "command": f"python experiments/06-family/associative.py {name}".replace(" drug", ""),
        "commit": origin["commit"], "device": f"{origin['processor']}, one thread", "versions": origin["versions"],
        "seeds": [SEED], "n_train": N_TRAIN, "n_held_out": N_HELD_OUT, "n_draws": N_DRAWS, "neighbours": NEIGHBOURS,
        "elapsed_s": round(time.monotonic() - started, 1),
        "metrics": {**nats, "which_nats": float(np.log(N_TRAIN / NEIGHBOURS)), **figures},
    })  # fmt: skip
    print(*(f"{key}: {value:.4g}" for key, value in {**nats, **figures}.items()), sep="\n")


def chosen(model, split: str, n: int) -> list[str]:
    from chemvae.data.prepare.preparation import load_table

    config = tomllib.loads((HERE / "config.toml").read_text(encoding="utf-8"))
    table = load_table(config["data"], properties=[])
    own = [s for s, part in zip(table.smiles, table.split, strict=True) if part == split and not model.vocabulary.complaint(s)]
    return [own[i] for i in np.random.default_rng(SEED).permutation(len(own))[:n]]


def drawn(model, smiles: list[str]) -> Tensor:
    """One draw of q(z|x) for each molecule [N, D]."""
    return model.posterior(smiles).draw(1, torch.Generator().manual_seed(SEED))[0][0].float()


def neighbours(codes: Tensor, asked: Tensor, *, itself: bool) -> Tensor:
    """The nearest of the codes [N, K], without the molecule itself."""
    from sklearn.neighbors import NearestNeighbors

    more = NEIGHBOURS + itself
    found = NearestNeighbors(n_neighbors=more, algorithm="brute").fit(codes.numpy()).kneighbors(asked.numpy())[1]
    return torch.from_numpy(found[:, itself:])


def fit(z: Tensor, near: Tensor) -> Associative:
    """Maximum likelihood, a neighbour of each code drawn anew at every step; what a twentieth, held out, likes best."""
    import copy

    from chemvae.schedules import cosine_decay
    from chemvae.seeding import seeded

    with seeded(SEED):
        network = Associative(z.shape[1])
    optimizer = torch.optim.AdamW(network.parameters(), LEARNING_RATE, weight_decay=1e-4)
    rng = torch.Generator().manual_seed(SEED)
    held, best = len(z) // 20, (-np.inf, copy.deepcopy(network.state_dict()))
    for step in range(STEPS):
        rows = torch.randint(held, len(z), (BATCH,), generator=rng)
        c = z[near[rows, torch.randint(NEIGHBOURS, (BATCH,), generator=rng)]]
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * cosine_decay(step, STEPS, 200, 0.0)
        loss = -network(c).log_prob(z[rows]).mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        if step % 250 == 249:
            with torch.no_grad():
                now = float(network(z[near[:held, 0]]).log_prob(z[:held]).mean())
            print(f"step {step + 1}: {now:.2f} nats on held-out codes, standardised", flush=True)
            best = (now, copy.deepcopy(network.state_dict())) if now > best[0] else best
    network.load_state_dict(best[1])
    return network.eval().requires_grad_(False)


def others(model, z: Tensor) -> dict:
    """Priors that know no neighbour, fitted to the same codes."""
    from chemvae.models.priors import PRIORS

    return {name: PRIORS[name].fitted_for(model.posterior_family).fit(z.numpy(), seed=SEED) for name in ("mixture", "flow")}


def decoded(model, z: Tensor, canonical) -> list[str | None]:
    from chemvae.evaluation.roundtrip import decode_molecules

    return decode_molecules(model, z, canonical)["molecule"].tolist()


def measured(model, z: Tensor, texts: list, known: set[str], reference: list[str]) -> dict[str, float]:
    from chemvae.evaluation import metrics
    from chemvae.evaluation.frechet import fcd
    from chemvae.evaluation.latent.code_use import own_code_found

    return {
        "valid": metrics.validity(texts), "distinct": metrics.unique_at(texts), "novel": metrics.novelty(texts, known),
        "fcd": fcd([one for one in texts if one], reference), "own_code_found": own_code_found(model, z[:1000], texts[:1000]),
    }  # fmt: skip


def likeness(texts: list, sources: list[str]) -> float:
    """Mean Tanimoto similarity of what was written to the molecule whose code was given."""
    from rdkit.DataStructs import TanimotoSimilarity

    from chemvae.chem.fingerprints import morgan

    pairs = zip(morgan(texts), morgan(sources), strict=True)
    return share(TanimotoSimilarity(a, b) for a, b in pairs if a is not None)


def share(values) -> float:
    values = list(values)
    return float(np.mean(values)) if values else float("nan")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "drug")
