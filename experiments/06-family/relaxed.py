"""Does a gradient through the search itself find a molecule's point better than one through given tokens?

    CHEMVAE_DATA=FOLDER python experiments/06-family/relaxed.py [RUN]

A search for the best text chooses tokens, and a choice has no gradient. Goyal et al. (2018, https://arxiv.org/abs/1708.00111)
soften it: the k-th of K beams is an average of all continuations, weighted by softmax(-(score - k-th best score)^2 /
temperature), and so are its state and the embedding of the token that it reads next. Here the softened search (K = 1: greedy,
and K = 3) moves z from the encoder's answer to where the decoder writes the molecule: for held-out ChEMBL molecules that do not
come back from that answer, beside what `chemvae edit` and others do (the likelihood of the molecule's tokens, each given those
before it: teacher forcing). The same optimiser and number of steps.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

HERE = Path(__file__).parent
N_MOLECULES, MOST_TOKENS, SEED = 64, 60, 0
CHECKED, RATE, FLOOR = (5, 10, 20), 0.02, 1e-6
SOFTENED = {f"soft_{k}_{t:g}": (k, t) for k in (1, 3) for t in (1.0, 0.1)}  # beams, temperature


class SoftSearch:
    """A decoder whose beam search can be differentiated in z."""

    def __init__(self, model):
        decoder = model.decoder
        self.decoder, self.gru = decoder, decoder.gru
        with torch.no_grad():
            self.table = self.gru.table(decoder.embedding.weight)  # [V, 3H]: what the gates get from each token

    def masses(self, z: Tensor, n_steps: int, n_beams: int, temperature: float) -> Tensor:
        """Weight of every token in the best beam at every step [B, T, V]."""
        from chemvae.data.tokens.vocabulary import BOS

        n, n_tokens = len(z), len(self.table)
        context = z @ self.gru.weight_ih_l0[:, self.gru.embedding_dim :].t()
        context = context[:, None].expand(-1, n_beams, -1)
        h = torch.tanh(self.decoder.initial(z))[:, None].expand(-1, n_beams, -1)
        read = self.table[BOS].expand(n, n_beams, -1)
        score = torch.zeros(n, n_beams) + torch.where(torch.arange(n_beams) == 0, 0.0, -30.0)  # one beam at the start
        found = []
        for _ in range(n_steps):
            h = self._step(read + context, h)
            log_p = (h @ self.decoder.output.weight.t() + self.decoder.output.bias + self.decoder.never).log_softmax(dim=-1)
            reach = (score[..., None] + log_p.clamp_min(-60.0)).flatten(1)  # [B, K V]
            best = reach.topk(n_beams, dim=1).values
            weight = (-(reach[:, None] - best[..., None]).square() / temperature).softmax(dim=-1)  # [B, K, K V]
            score = (weight * reach[:, None]).sum(dim=-1)
            weight = weight.view(n, n_beams, n_beams, n_tokens)
            h = torch.einsum("bkjv,bjh->bkh", weight, h)
            read = weight.sum(dim=2) @ self.table
            found.append(weight[:, 0].sum(dim=1))
        return torch.stack(found, dim=1)

    def _step(self, given: Tensor, h: Tensor) -> Tensor:
        """One step of the recurrence in torch operations, for inputs that need not be tokens."""
        recurrent = h @ self.gru.weight_hh_l0.t()
        (gr, gu, gn), (ar, au, an) = given.chunk(3, dim=-1), recurrent.chunk(3, dim=-1)
        r, u = torch.sigmoid(gr + ar), torch.sigmoid(gu + au)
        n = torch.tanh(gn + r * (an + self.gru.bias_hn()[0]))
        return u * h + (1 - u) * n


def main(name: str) -> None:
    import chemvae
    from chemvae.evaluation.roundtrip import Canonical
    from chemvae.runs import environment, write_json

    torch.set_num_threads(1)
    started, model, canonical = time.monotonic(), chemvae.load(name, device="cpu"), Canonical()
    smiles, asked = lost(model, canonical)
    batch, ids = tokens_of(model, smiles)
    search, where = SoftSearch(model), {}
    losses = {"teacher": lambda z: -model.log_px_z(z, batch, None).sum()}
    losses |= {kind: lambda z, how=how: missed(search.masses(z, ids.shape[1], *how), ids) for kind, how in SOFTENED.items()}
    check(search, model)
    metrics = {"lost_share": len(smiles) / asked, "n_lost": len(smiles)}
    for kind, loss in losses.items():
        metrics |= climbed(model, smiles, loss, kind, canonical, where)
    hard = [i for i in range(len(smiles)) if not where["teacher"][i]]
    metrics |= {f"{kind}_of_those_teacher_missed": float(np.mean([where[kind][i] for i in hard])) for kind in losses if hard}
    origin = environment()
    write_json(HERE / "relaxed.json", {
        "command": f"python experiments/06-family/relaxed.py {name}".replace(" drug", ""),
        "commit": origin["commit"], "device": f"{origin['processor']}, one thread", "versions": origin["versions"],
        "seeds": [SEED], "steps": list(CHECKED), "rate": RATE,
        "elapsed_s": round(time.monotonic() - started, 1), "metrics": metrics,
    })  # fmt: skip
    print(*(f"{key}: {value:.4g}" for key, value in metrics.items()), sep="\n")


def lost(model, canonical) -> tuple[list[str], int]:
    """Held-out molecules of ChEMBL that the encoder's answer does not lead back to, and how many were asked."""
    from chemvae.data.prepare.preparation import load_table
    from chemvae.data.splits import hash_split
    from chemvae.evaluation.roundtrip import decode_molecules

    smiles = load_table("chembl", properties=[]).smiles
    own = [one for one in smiles if hash_split(one) == "valid" and model.vocabulary.complaint(one) is None]
    own = [own[i] for i in np.random.default_rng(SEED).permutation(len(own))]
    found, asked = [], 0
    for start in range(0, len(own), 64):
        some = [s for s in own[start : start + 64] if len(model.vocabulary.encode(s)) <= MOST_TOKENS - 1]
        back = decode_molecules(model, torch.from_numpy(model.encode(some)), canonical)["molecule"].tolist()
        found += [s for s, b, c in zip(some, back, canonical(some), strict=True) if b != c]
        asked += len(some)
        if len(found) >= N_MOLECULES:
            break
    return found, asked


def tokens_of(model, smiles: list[str]):
    """The batch as teacher forcing reads it, and the tokens to be written [B, T], with the end and padding after it."""
    from chemvae.data.tokens.datasets import Batch
    from chemvae.data.tokens.vocabulary import EOS, PAD

    tokens = model.tokens(smiles)
    ids, lengths = tokens.rows(np.arange(len(smiles)))
    batch = Batch(ids, lengths, torch.zeros(len(smiles), 0))
    wanted = torch.full((len(smiles), int(lengths.max()) + 1), PAD)
    for row, n in enumerate(lengths.tolist()):
        wanted[row, :n], wanted[row, n] = ids[row, :n], EOS
    return batch, wanted


def missed(masses: Tensor, wanted: Tensor) -> Tensor:
    """How little of the best beam's weight lies on the wanted tokens, nats, summed over the batch."""
    from chemvae.data.tokens.vocabulary import PAD

    held = masses.gather(2, wanted[..., None])[..., 0].clamp_min(FLOOR)
    return -(held.log() * (wanted != PAD)).sum()


def check(search: SoftSearch, model) -> None:
    """A search that is hardly softened writes what greedy decoding writes."""
    from chemvae.data.tokens.vocabulary import PAD

    z = torch.randn(4, model.latent_dim, generator=torch.Generator().manual_seed(SEED))
    with torch.no_grad():
        soft = search.masses(z, 20, 1, temperature=1e-9).argmax(dim=2)
        hard = model.decode_ids(z, 0.0)[0][:, :20]
    assert ((soft[:, : hard.shape[1]] == hard) | (hard == PAD)).all(), "the softened search is another decoder"


def climbed(model, smiles: list[str], loss, kind: str, canonical, where: dict) -> dict[str, float]:
    """Share of the molecules that come back after some steps, how far z went, and seconds a molecule and step."""
    from chemvae.evaluation.roundtrip import decode_molecules

    start, wanted, found = torch.from_numpy(model.encode(smiles)), canonical(smiles), {}
    z = start.clone().requires_grad_(True)
    optimizer, began = torch.optim.Adam([z], RATE), time.monotonic()
    for step in range(1, max(CHECKED) + 1):
        with torch.enable_grad():
            z.grad = torch.autograd.grad(loss(z), z)[0].nan_to_num(0.0)
        optimizer.step()
        if step in CHECKED:
            back = decode_molecules(model, z.detach(), canonical)["molecule"].tolist()
            where[kind] = [a == b for a, b in zip(back, wanted, strict=True)]
            found[f"{kind}_back_{step}"] = float(np.mean(where[kind]))
            print(kind, step, found[f"{kind}_back_{step}"], flush=True)
    took = (time.monotonic() - began) / max(CHECKED) / len(smiles)
    moved = float((z.detach() - start).norm(dim=1).mean() / start.shape[1] ** 0.5)
    return {**found, f"{kind}_moved_per_dimension": moved, f"{kind}_seconds_a_step": took}


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "drug")
