"""A VAE of the shape of the one in MOSES (Polykovskiy et al. 2020, https://arxiv.org/abs/1811.12823): the yardstick of speed.

The shape is public: one-directional GRU encoder 1 x 256, z 128, GRU decoder 3 x 512 that sees the token and z at every step
and starts from a projection of z in all layers, an embedding as wide as the vocabulary that starts as one-hot, packed
sequences, fp32, Adam, gradients clipped at 50; sampling writes 100 tokens one by one, drawn from the softmax, and does not
stop early. The code is our own and uses torch.nn.GRU as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from chemvae.bench.workload import random_batches
from chemvae.data.tokens.datasets import Batch, SmilesDataset
from chemvae.data.tokens.vocabulary import BOS, EOS, PAD

ENCODER_DIM, LATENT_DIM, DECODER_DIM, DECODER_LAYERS = 256, 128, 512, 3
LEARNING_RATE, CLIP_NORM, KL_WEIGHT, MAX_LENGTH = 3e-4, 50.0, 0.05, 100
KNOWN_TRAIN, KNOWN_SAMPLE = (27.0, 40.0), (168.0, 227.0)
"""Molecules/s the original reaches on two cores of a server, trained and sampled."""


class MosesShapedVAE(nn.Module):
    """Encoder and decoder over rows of tokens with start and end, sorted by falling length.

    Parameters
    ----------
    n_tokens : int
        Vocabulary, V.
    """

    def __init__(self, n_tokens: int):
        super().__init__()
        self.embedding = nn.Embedding(n_tokens, n_tokens, padding_idx=PAD)
        with torch.no_grad():
            self.embedding.weight.copy_(torch.eye(n_tokens))
        self.encoder = nn.GRU(n_tokens, ENCODER_DIM, batch_first=True)  # its dropout of .5 acts between layers: there is one
        self.loc, self.log_variance = nn.Linear(ENCODER_DIM, LATENT_DIM), nn.Linear(ENCODER_DIM, LATENT_DIM)
        self.initial = nn.Linear(LATENT_DIM, DECODER_DIM)
        self.decoder = nn.GRU(n_tokens + LATENT_DIM, DECODER_DIM, num_layers=DECODER_LAYERS, batch_first=True)
        self.output = nn.Linear(DECODER_DIM, n_tokens)

    def forward(self, ids: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return KL (nats per molecule) and cross-entropy (nats per token), means, for ids [B, T], lengths [B] on the CPU."""
        embedded = self.embedding(ids)
        z, kl = self._draw(pack_padded_sequence(embedded, lengths, batch_first=True))
        return kl, self._cross_entropy(embedded, ids, lengths, z)

    def _draw(self, packed: PackedSequence) -> tuple[Tensor, Tensor]:
        _, last = self.encoder(packed)  # [1, B, H]
        loc, log_variance = self.loc(last[-1]), self.log_variance(last[-1])
        z = loc + torch.randn_like(loc) * (log_variance / 2).exp()
        return z, 0.5 * (log_variance.exp() + loc.square() - 1 - log_variance).sum(dim=1).mean()

    def _cross_entropy(self, embedded: Tensor, ids: Tensor, lengths: Tensor, z: Tensor) -> Tensor:
        seen = torch.cat([embedded, z[:, None].expand(-1, ids.shape[1], -1)], dim=-1)
        states, _ = self.decoder(pack_padded_sequence(seen, lengths, batch_first=True), self._start(z))
        logits = self.output(pad_packed_sequence(states, batch_first=True)[0])  # [B, T, V]
        return cross_entropy(logits[:, :-1].flatten(0, 1), ids[:, 1:].flatten(), ignore_index=PAD)

    def _start(self, z: Tensor) -> Tensor:
        return self.initial(z).expand(DECODER_LAYERS, -1, -1).contiguous()

    @torch.no_grad()
    def sample(self, n: int) -> Tensor:
        """Write ``n`` molecules from z ~ N(0, I): ids [n, 100], token by token; rows that have ended keep being computed."""
        device = self.output.weight.device
        z = torch.randn(n, LATENT_DIM, device=device)
        hidden, z = self._start(z), z[:, None]
        ids = torch.full((n, MAX_LENGTH), PAD, device=device)
        token = torch.full((n,), BOS, device=device)
        ended = torch.zeros(n, dtype=torch.bool, device=device)
        for position in range(MAX_LENGTH):
            states, hidden = self.decoder(torch.cat([self.embedding(token)[:, None], z], dim=-1), hidden)
            token = torch.multinomial(torch.softmax(self.output(states[:, 0]), dim=-1), 1)[:, 0]
            ids[:, position] = torch.where(ended, PAD, token)
            ended |= token == EOS
        return ids


def moses_step(model: MosesShapedVAE) -> Callable[[Batch], None]:
    """A training step: KL and cross-entropy, Adam, gradients clipped."""
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)

    def step(batch: Batch) -> None:
        ids = batch.token_ids.to(model.output.weight.device)
        kl, error = model.train()(ids, batch.lengths)
        optimizer.zero_grad()
        (KL_WEIGHT * kl + error).backward()
        nn.utils.clip_grad_norm_(model.parameters(), CLIP_NORM)
        optimizer.step()

    return step


def moses_batches(train: SmilesDataset, batch_size: int, seed: int) -> Iterator[Batch]:
    """Batches in random order, sorted by falling length inside, start and end in the rows; without end.

    ``lengths`` [B] count start and end, two more than the molecule's tokens.
    """
    while True:
        for index in random_batches(train, batch_size, seed):
            yield framed(train, index)
        seed += 1


def framed(train: SmilesDataset, index: np.ndarray) -> Batch:
    """The molecules at ``index`` with start and end, longest first."""
    index = index[np.argsort(-train.tokens.lengths[index], kind="stable")]
    batch = train.batch(index)
    ids = torch.cat([batch.decoder_inputs, torch.full_like(batch.token_ids[:, :1], PAD)], dim=1)
    lengths = batch.lengths + 2
    return Batch(ids.scatter(1, lengths[:, None] - 1, EOS), lengths, batch.labels)


def moses_training_flops(n_tokens: int, mean_tokens: float) -> float:
    """FLOP of a training step per molecule: forward and backward, padding not counted.

    Examples
    --------
    >>> round(moses_training_flops(30, 44.0) / 1e6)
    1218
    """
    gates = 3 * DECODER_DIM
    encoder = 2 * 3 * ENCODER_DIM * (n_tokens + ENCODER_DIM)
    decoder = 2 * gates * (n_tokens + LATENT_DIM + DECODER_DIM) + (DECODER_LAYERS - 1) * 2 * gates * 2 * DECODER_DIM
    heads = 2 * ENCODER_DIM * 2 * LATENT_DIM + 2 * LATENT_DIM * DECODER_DIM
    return 3 * ((mean_tokens + 2) * (encoder + decoder + 2 * DECODER_DIM * n_tokens) + heads)
