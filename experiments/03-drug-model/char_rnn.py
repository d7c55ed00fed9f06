"""A character-level GRU language model over SMILES: the yardstick for samples, and the source of extra molecules to read.

    python experiments/03-drug-model/char_rnn.py train runs/zinc250k-data runs/char-rnn --epochs 4 --hidden 512
    python experiments/03-drug-model/char_rnn.py sample runs/char-rnn 1000000 runs/char-rnn/molecules.parquet

Same tokens, same GRU kernels, same optimizer, learning-rate schedule and weight averaging as the VAE; no latent space.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from chemvae.chem.molecules import canonicalize, parse
from chemvae.chem.properties import compute_values
from chemvae.data.prepare.preparation import load_table
from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.data.tokens.vocabulary import BOS, MASK, PAD, Vocabulary
from chemvae.models.decoding import decode_tokens, finished
from chemvae.models.gru.layer import GRU, Stepper, bf16_is_fast
from chemvae.parallel import stream_ordered
from chemvae.schedules import cosine_decay
from chemvae.seeding import draw_seed
from chemvae.training.ema import WeightAverage
from chemvae.training.optim import make_optimizer

PROPERTIES = ("logP", "qed", "SAS")
SAMPLE_BLOCK = 8192


@dataclass(frozen=True)
class Settings:
    hidden_dim: int = 512
    embedding_dim: int = 64
    epochs: int = 4
    batch_size: int = 128
    learning_rate: float = 1e-3
    final_learning_rate: float = 0.01
    warmup_steps: int = 200
    weight_decay: float = 1e-4
    clip_norm: float = 5.0
    ema_decay: float = 0.999
    seed: int = 0


class CharRNN(nn.Module):
    """p(x) = product over positions of softmax(W h): one GRU layer (Segler et al. 2018; the CharRNN of MOSES has three)."""

    def __init__(self, vocabulary: Vocabulary, embedding_dim: int, hidden_dim: int):
        super().__init__()
        self.vocabulary = vocabulary
        self.embedding = nn.Embedding(len(vocabulary), embedding_dim)
        self.gru = GRU(embedding_dim, 0, hidden_dim)
        self.output = nn.Linear(hidden_dim, len(vocabulary))
        never = torch.zeros(len(vocabulary))
        never[[PAD, BOS, MASK]] = -torch.inf
        self.register_buffer("never", never, persistent=False)
        self.dtype = torch.bfloat16 if bf16_is_fast() else torch.float32

    def log_prob(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """log p(x) [B] in nats, end token included, from inputs and targets [B, T]."""
        states = self.gru(self.gru.steps(self.embedding.weight, inputs.t()), self.dtype)[0][0]
        logits = self._logits(states)  # [T, B, V]
        losses = nn.functional.cross_entropy(logits.flatten(0, 1), targets.t().flatten(), ignore_index=PAD, reduction="none")
        return -losses.view(targets.shape[1], -1).sum(dim=0)

    def _logits(self, states: Tensor) -> Tensor:
        return (states @ self.output.weight.to(states.dtype).t()).float() + self.output.bias + self.never

    @torch.no_grad()
    def sample(self, n: int, generator: torch.Generator, max_length: int = 120, temperature: float = 1.0) -> list[str | None]:
        """Draw n strings; None where no end token was written."""
        texts: list[str | None] = []
        for start in range(0, n, SAMPLE_BLOCK):
            rows = min(SAMPLE_BLOCK, n - start)
            h0 = torch.zeros(rows, self.gru.hidden_dim)
            state = self.gru.stepper(self.embedding.weight, None, h0, self.dtype)
            ids, _ = decode_tokens(self._step, state, rows, max_length, temperature, draw_seed(generator))
            found = self.vocabulary.decode_rows(ids.numpy())
            texts += [text if done else None for text, done in zip(found, finished(ids).tolist(), strict=True)]
        return texts

    def _step(self, stepper: Stepper, tokens: Tensor) -> Tensor:
        return self._logits(stepper.step(tokens))


def train(data: str, folder: Path, settings: Settings) -> None:
    """Train on the train split; the held-out loss is measured on the valid split after every epoch."""
    torch.manual_seed(settings.seed)
    table = load_table(data)
    smiles, split = np.array(table.smiles), np.asarray(table.split)
    vocabulary = Vocabulary.from_smiles(smiles[split == "train"].tolist())
    parts = {part: SmilesDataset(smiles[split == part].tolist(), vocabulary) for part in ("train", "valid")}
    model = CharRNN(vocabulary, settings.embedding_dim, settings.hidden_dim)
    optimizer = make_optimizer(model, settings.learning_rate, settings.weight_decay)
    average = WeightAverage(model, settings.ema_decay)
    n_steps, step, rows, started = settings.epochs * parts["train"].n_batches(settings.batch_size), 0, [], time.monotonic()
    for epoch in range(settings.epochs):
        for batch in parts["train"].epoch(epoch, settings.batch_size, settings.seed):
            for group in optimizer.param_groups:
                share = cosine_decay(step, n_steps, settings.warmup_steps, settings.final_learning_rate)
                group["lr"] = settings.learning_rate * share
            loss = -model.log_prob(batch.decoder_inputs, batch.targets).mean()
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), settings.clip_norm)
            optimizer.step()
            step += 1
            average.update(step)
            if step % 200 == 0:
                speed = step * settings.batch_size / (time.monotonic() - started)
                print(
                    f"epoch {epoch + 1} step {step}/{n_steps} loss {float(loss.detach()):.3f} nats, {speed:.0f} molecules/s",
                    flush=True,
                )
        with average.applied():
            rows.append(
                {"epoch": epoch + 1, "valid_nll": held_out(model, parts["valid"]), "elapsed_s": time.monotonic() - started}
            )
            print(rows[-1], flush=True)
            save(model, folder, settings, rows)


@torch.no_grad()
def held_out(model: CharRNN, data: SmilesDataset) -> float:
    """Mean -log p(x) in nats per molecule."""
    total = sum(-float(model.log_prob(b.decoder_inputs, b.targets).sum()) for b in data.epoch(0, 512, 0))
    return total / len(data)


def save(model: CharRNN, folder: Path, settings: Settings, rows: list[dict]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: value.contiguous() for name, value in model.state_dict().items()}, folder / "char_rnn.safetensors")
    facts = {"settings": asdict(settings), "vocabulary": model.vocabulary.to_dict(), "history": rows}
    (folder / "char_rnn.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def load(folder: Path) -> CharRNN:
    facts = json.loads((folder / "char_rnn.json").read_text(encoding="utf-8"))
    vocabulary = Vocabulary.from_dict(facts["vocabulary"])
    model = CharRNN(vocabulary, facts["settings"]["embedding_dim"], facts["settings"]["hidden_dim"])
    model.load_state_dict(load_file(folder / "char_rnn.safetensors"))
    return model.eval()


def describe(text: str | None) -> tuple | None:
    """Canonical SMILES and properties of one decode, or None if it is no molecule."""
    smiles = canonicalize(text) if text else None
    mol = parse(smiles) if smiles else None  # now and then RDKit does not read what it wrote
    return None if mol is None else (smiles, *compute_values(mol, PROPERTIES))


def sample(folder: Path, n: int, out: Path, seed: int, jobs: int) -> None:
    """Write distinct valid molecules with their computed properties, until n decodes are spent."""
    model, generator = load(folder), torch.Generator().manual_seed(seed)
    blocks = (text for start in range(0, n, SAMPLE_BLOCK) for text in model.sample(min(SAMPLE_BLOCK, n - start), generator))
    found: dict[str, tuple] = {}
    for i, row in enumerate(stream_ordered(describe, blocks, jobs=jobs, chunk=512)):
        if row is not None:
            found.setdefault(row[0], row)
        if (i + 1) % 100_000 == 0:
            print(f"{i + 1:,} decodes, {len(found):,} distinct molecules", flush=True)
    frame = pd.DataFrame(found.values(), columns=["smiles", *PROPERTIES])
    frame.to_parquet(out, index=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("train")
    one.add_argument("data")
    one.add_argument("folder", type=Path)
    one.add_argument("--epochs", type=int, default=4)
    one.add_argument("--hidden", type=int, default=512)
    one.add_argument("--seed", type=int, default=0)
    two = commands.add_parser("sample")
    two.add_argument("folder", type=Path)
    two.add_argument("n", type=int)
    two.add_argument("out", type=Path)
    two.add_argument("--seed", type=int, default=1)
    two.add_argument("--jobs", type=int, default=1)
    asked = parser.parse_args()
    if asked.command == "train":
        train(asked.data, asked.folder, Settings(hidden_dim=asked.hidden, epochs=asked.epochs, seed=asked.seed))
    else:
        sample(asked.folder, asked.n, asked.out, asked.seed, asked.jobs)


if __name__ == "__main__":
    main()
