"""The same model on torch.nn.GRU, trained by a plain torch loop: what chemvae's own GRU is compared with."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterable, Iterator
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from chemvae.bench.timing import Speed, wait_for
from chemvae.data.tokens.datasets import Batch, SmilesDataset
from chemvae.data.tokens.vocabulary import BOS, MASK, PAD
from chemvae.models.encoder import reverse_rows
from chemvae.models.terms import Terms
from chemvae.models.vae import MolVAE
from chemvae.objectives import BetaELBO
from chemvae.training.settings import PRESETS


class TorchGRUVAE(nn.Module):
    """A MolVAE whose recurrences are ``torch.nn.GRU``; weights copied, same :class:`Terms`.

    The encoder reads rows and reversed rows by two one-directional layers over padded batches and takes each row's state at
    its own last token: the numbers of a bidirectional layer over packed sequences, which is slower on a CPU.

    Parameters
    ----------
    model : MolVAE
        Left as it is.
    autocast : bool
        Run under bf16 autocast.
    """

    never: Tensor

    def __init__(self, model: MolVAE, *, autocast: bool = False):
        super().__init__()
        s, n_tokens = model.settings, len(model.vocabulary)
        self.autocast, self.has_properties = autocast, bool(model.property_names)
        self.posterior_family, self.predictor = copy.deepcopy(model.posterior_family), copy.deepcopy(model.predictor)
        self.encoder_embedding = nn.Embedding(n_tokens, s.embedding_dim)
        self.forwards = nn.GRU(s.embedding_dim, s.encoder_dim)
        self.backwards = nn.GRU(s.embedding_dim, s.encoder_dim)
        self.decoder_embedding = nn.Embedding(n_tokens, s.embedding_dim)
        self.initial = nn.Linear(s.latent_dim, s.decoder_dim)
        self.decoder = nn.GRU(s.embedding_dim + s.latent_dim, s.decoder_dim)
        self.output = nn.Linear(s.decoder_dim, n_tokens)
        never = torch.zeros(n_tokens)
        never[[PAD, BOS, MASK]] = -torch.inf
        self.register_buffer("never", never)
        self.to(model.device, model.decoder.output.weight.dtype)
        self._copy(model.state_dict())

    def _copy(self, state: dict[str, Tensor]) -> None:
        """Take the weights of a MolVAE, whose GRU parameters are named and shaped as torch's."""

        def part(prefix: str, suffix: str = "") -> dict[str, Tensor]:
            names = [name for name in state if name.startswith(prefix) and name.endswith("_reverse") == bool(suffix)]
            return {name[len(prefix) :].removesuffix(suffix): state[name] for name in names}

        self.encoder_embedding.load_state_dict(part("encoder.embedding."))
        self.forwards.load_state_dict(part("encoder.gru."))
        self.backwards.load_state_dict(part("encoder.gru.", "_reverse"))
        self.decoder_embedding.load_state_dict(part("decoder.embedding."))
        self.initial.load_state_dict(part("decoder.initial."))
        self.decoder.load_state_dict(part("decoder.gru."))
        self.output.load_state_dict(part("decoder.output."))

    def forward(self, batch: Batch, n_draws: int = 1, generator: torch.Generator | None = None) -> Terms:
        """Return the :class:`Terms` of one batch, in nats per molecule."""
        with torch.autocast(batch.token_ids.device.type, torch.bfloat16, enabled=self.autocast):
            h = self._encode(batch.token_ids, batch.lengths)
        posterior = self.posterior_family(h.to(self.output.weight.dtype))
        z, log_qz_x = posterior.draw(n_draws, generator)
        log_px_z = torch.stack([self.log_px_z(one, batch) for one in z])
        log_pz = self.posterior_family.prior().log_prob(z)
        log_py_z = self.predictor.log_prob(z, batch.labels) if self.has_properties else torch.zeros_like(log_pz)
        return Terms(log_px_z, log_pz, log_qz_x, posterior.kl, posterior.kl_dims, log_py_z, z)

    def _encode(self, token_ids: Tensor, lengths: Tensor) -> Tensor:
        last, columns = lengths - 1, torch.arange(len(lengths), device=lengths.device)
        states = []
        for gru, rows in ((self.forwards, token_ids), (self.backwards, reverse_rows(token_ids, lengths))):
            outputs, _ = gru(self.encoder_embedding(rows.t()))  # [T, B, H]
            states.append(outputs[last, columns])
        return torch.cat(states, dim=-1)  # [B, 2H]

    def log_px_z(self, z: Tensor, batch: Batch) -> Tensor:
        inputs, targets = batch.decoder_inputs.t(), batch.targets.t()  # [T + 1, B]
        with torch.autocast(z.device.type, torch.bfloat16, enabled=self.autocast):
            embedded = self.decoder_embedding(inputs)
            seen = torch.cat([embedded, z.to(embedded.dtype).expand(len(inputs), *z.shape)], dim=-1)
            states, _ = self.decoder(seen, torch.tanh(self.initial(z))[None].to(seen.dtype))
            logits = self.output(states)
        logits = logits.to(self.never.dtype) + self.never
        losses = cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=PAD, reduction="none")
        return -losses.view(targets.shape).sum(dim=0)


def torch_gru_step(model: MolVAE, preset: str, *, autocast: bool) -> Callable[[Batch], None]:
    """A training step of the same model on torch.nn.GRU: same loss, fused AdamW, same clipping; no weight average."""
    settings = PRESETS[preset][1]
    module = TorchGRUVAE(model, autocast=autocast).train()
    optimizer = torch.optim.AdamW(
        module.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=model.device.type != "mps"
    )
    objective = BetaELBO(lambda step: settings.beta, settings.free_bits, settings.property_weight)
    generator = torch.Generator(model.device).manual_seed(settings.seed)

    def step(batch: Batch) -> None:
        loss = objective(cast(MolVAE, module), batch.to(module.never.device), 0, "model", generator)
        optimizer.zero_grad()
        loss.total.backward()
        nn.utils.clip_grad_norm_(module.parameters(), settings.clip_norm)
        optimizer.step()

    return step


def bucketed(train: SmilesDataset, batch_size: int, seed: int) -> Iterator[Batch]:
    """Batches as chemvae's own training sees them, without end."""
    epoch = 0
    while True:
        yield from train.epoch(epoch, batch_size, seed)
        epoch += 1


def step_for(
    step: Callable[[Batch], None],
    batches: Iterable[Batch],
    warm_up: Batch,
    seconds: float,
    device: torch.device,
    framing: int = 0,
) -> Speed:
    """Run a training step over batches for so many seconds, at least once; making the batches counts.

    ``framing`` tokens of each row (start and end) are not counted as the molecule's.
    """
    step(warm_up)
    wait_for(device)
    molecules = tokens = 0
    started = time.perf_counter()
    for batch in batches:
        step(batch)
        molecules += len(batch)
        tokens += int(batch.lengths.sum()) - framing * len(batch)
        if time.perf_counter() - started >= seconds:
            break
    wait_for(device)
    return Speed(molecules, tokens, time.perf_counter() - started)
