"""A GRU layer built for speed, with the parameters and the numbers of ``torch.nn.GRU``.

What makes it fast on a CPU: tokens enter through a table (embedding times input weights, computed once per batch), a
constant context such as z is projected once, the recurrent products run in bf16 where the processor has it, a compiled
kernel (:mod:`chemvae.models.gru.kernels`) takes blocks of rows through all steps, and the backward pass is written by hand: the
same kernel backwards, then one product for all weight gradients. On CUDA the layer hands over to cuDNN.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from chemvae.models.gru.kernels import kernels, pack_columns, small_product
from chemvae.models.gru.workspace import WORKSPACE

SMALLEST_PANEL = 32  # columns; the width must be a multiple
FROZEN_GATE = 1e4  # an update gate's input at which sigmoid is 1 in every precision, whatever the product adds


@functools.cache
def bf16_is_fast() -> bool:
    """Whether this processor multiplies bf16 matrices in hardware (AMX or AVX512-BF16)."""
    capabilities = torch.backends.cpu.get_cpu_capability()
    supported = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: False)()
    flags = _cpu_flags()
    return bool(supported and "AVX512" in capabilities and ("amx_bf16" in flags or "avx512_bf16" in flags))


@functools.cache
def _cpu_flags() -> str:
    try:
        with open("/proc/cpuinfo") as file:
            return next((line for line in file if line.startswith("flags")), "")
    except OSError:
        return ""


@dataclass(frozen=True)
class Steps:
    """What the recurrence needs, time first. R = directions * B rows; direction d's rows are d*B .. (d+1)*B."""

    table: Tensor  # [rows of the table, 3H] float: input projection of each token, biases included
    tokens: Tensor  # [T, R] int64: rows of the table
    context: Tensor | None  # [R, 3H] float: input projection of what is constant in time
    h0: Tensor  # [R, H] float
    weight_hh: Tensor  # [directions, 3H, H]
    bias_hn: Tensor  # [directions, H]


def pointer(x: Tensor | None) -> int:
    return 0 if x is None else x.data_ptr()


def _forward_step_torch(
    table: Tensor,
    tokens: Tensor,
    context: Tensor | None,
    product: Tensor,
    bias_hn: Tensor,
    h: Tensor,
    state: Tensor,
    saved: Tensor | None,
) -> None:
    """What ``step_forward_*`` in gates.c does, in torch operations."""
    H = h.shape[1]
    g = table[tokens] if context is None else table[tokens] + context
    a = product.to(h.dtype)
    r = torch.sigmoid(g[:, :H] + a[:, :H])
    u = torch.sigmoid(g[:, H : 2 * H] + a[:, H : 2 * H])
    q = a[:, 2 * H :] + bias_hn
    n = torch.tanh(g[:, 2 * H :] + r * q)
    h.copy_(u * h + (1 - u) * n)
    state.copy_(h)
    if saved is not None:
        saved.copy_(torch.cat([r, u, n, q], dim=1))


def _backward_step_torch(
    saved: Tensor,
    before: Tensor,
    d_product: Tensor | None,
    d_out: Tensor | None,
    dh: Tensor,
    d_recurrent: Tensor,
    d_n: Tensor,
    d_context: Tensor | None,
) -> None:
    """What ``step_backward_*`` in gates.c does, in torch operations."""
    r, u, n, q = saved.to(dh.dtype).chunk(4, dim=1)
    if d_product is not None:
        dh += d_product
    if d_out is not None:
        dh += d_out
    d_u = dh * (before - n) * u * (1 - u)
    d_g = dh * (1 - u) * (1 - n * n)
    d_r = d_g * q * r * (1 - r)
    dh *= u
    d_recurrent.copy_(torch.cat([d_r, d_u, d_g * r], dim=1))
    d_n.copy_(d_g)
    if d_context is not None:
        d_context += torch.cat([d_r, d_u, d_g], dim=1)


class Stepper:
    """The recurrence one step at a time, for decoding: no gradients, rows may leave.

    Parameters
    ----------
    steps : Steps
        One direction; its tokens are not used.
    dtype : torch.dtype
        Of the recurrent product.
    """

    def __init__(self, steps: Steps, dtype: torch.dtype):
        self.table, self.context, self.bias_hn = steps.table, steps.context, steps.bias_hn[0]
        self.weight = steps.weight_hh[0].to(dtype).t()
        self.h = steps.h0.clone(memory_format=torch.contiguous_format)
        self.state = self.h.to(dtype)
        self._fused = _fused(dtype) if self.h.device.type == "cpu" else None

    def keep(self, rows: Tensor) -> None:
        self.h, self.state = self.h[rows], self.state[rows]
        self.context = None if self.context is None else self.context[rows]

    def step(self, tokens: Tensor) -> Tensor:
        """Feed tokens [R] and return the new state [R, H] in the product's dtype."""
        product = self.state @ self.weight
        state = torch.empty_like(self.state)
        inputs = (self.table, tokens.contiguous(), self.context, product, self.bias_hn, self.h, state, None)
        if self._fused is None:
            _forward_step_torch(*inputs)
        else:
            R, H = self.h.shape
            self._fused[0](R, H, *map(pointer, inputs))
        self.state = state
        return state


def _fused(dtype: torch.dtype) -> tuple[Callable[..., None], Callable[..., None]] | None:
    """The compiled pair of kernels for this storage type, or None."""
    library = kernels()
    if library is None or dtype not in (torch.bfloat16, torch.float32):
        return None
    suffix = "bf16" if dtype == torch.bfloat16 else "f32"
    return getattr(library, f"step_forward_{suffix}"), getattr(library, f"step_backward_{suffix}")


@dataclass(frozen=True)
class Runs:
    """The compiled recurrence over whole sequences, for one storage type: kernels and the product they call."""

    forward: Callable[..., int]
    backward: Callable[..., int]
    decode: Callable[..., int]
    product: tuple[int, int]  # addresses of multiply and release


def whole_runs(dtype: torch.dtype, hidden_dim: int) -> Runs | None:
    """The kernels that walk all steps by themselves, where the machine has them and the width fits their panels."""
    library, product = kernels(), small_product(dtype)
    if library is None or product is None or hidden_dim % SMALLEST_PANEL:
        return None
    suffix = "bf16" if dtype == torch.bfloat16 else "f32"
    forward, backward, decode = (getattr(library, f"run_{name}_{suffix}") for name in ("forward", "backward", "decode"))
    return Runs(forward, backward, decode, product)


def blocking(rows: int, columns: int) -> tuple[int, int]:
    """Rows that a thread takes through all steps together, and columns of a weight panel."""
    block = -(-rows // torch.get_num_threads())
    return min(64, -(-block // 16) * 16), 64 if columns % 64 == 0 else SMALLEST_PANEL


def check_memory(failed: int) -> None:
    if failed:
        raise MemoryError("no memory left for the recurrence")


def run_forward(steps: Steps, dtype: torch.dtype, keep: bool) -> tuple[Tensor, Tensor, Tensor | None]:
    """Run the recurrence, one direction after the other.

    Returns
    -------
    states : Tensor [directions, T + 1, B, H] in ``dtype``
        h0 and the state after each step.
    last : Tensor [directions * B, H]
        The last state, unrounded.
    saved : Tensor [directions, T, B, 4H] in ``dtype`` or None
        r, u, n and q of each step, if ``keep``.
    """
    D, H = steps.weight_hh.shape[0], steps.h0.shape[1]
    T, B = steps.tokens.shape[0], steps.tokens.shape[1] // D
    device = steps.h0.device
    h = steps.h0.clone(memory_format=torch.contiguous_format).view(D, B, H)
    states = WORKSPACE.empty((D, T + 1, B, H), dtype, device)
    states[:, 0] = h
    saved = WORKSPACE.empty((D, T, B, 4 * H), dtype, device) if keep else None
    tokens = by_direction(steps.tokens, D)
    for d in range(D):
        context = None if steps.context is None else steps.context.view(D, B, -1)[d]
        part = Steps(steps.table, tokens[d], context, h[d], steps.weight_hh[d], steps.bias_hn[d])
        _run_direction(part, dtype, states[d], None if saved is None else saved[d])
    return states, h.view(D * B, H), saved


def by_direction(tokens: Tensor, directions: int) -> Tensor:
    """Turn tokens [T, directions * B] into contiguous [directions, T, B]."""
    return tokens.view(len(tokens), directions, -1).transpose(0, 1).contiguous()


def _run_direction(steps: Steps, dtype: torch.dtype, states: Tensor, saved: Tensor | None) -> None:
    """Fill states [T + 1, B, H] and saved [T, B, 4H] of one direction; ``steps.h0`` [B, H] ends as the last state.

    Steps of one direction: tokens [T, B], context [B, 3H] or None, weight_hh [3H, H], bias_hn [H].
    """
    (T, B), H = steps.tokens.shape, steps.h0.shape[1]
    weight = steps.weight_hh.to(dtype).t()
    runs = whole_runs(dtype, H) if states.device.type == "cpu" else None
    if runs is not None:
        block, panel = blocking(B, 3 * H)
        packed = pack_columns(weight, panel)
        arrays = (steps.table, steps.tokens, steps.context, packed, steps.bias_hn, steps.h0, states, saved)
        check_memory(runs.forward(T, B, H, block, panel, *map(pointer, arrays), *runs.product))
        return
    product = states.new_empty(B, 3 * H)
    fused = _fused(dtype) if states.device.type == "cpu" else None
    for t in range(T):
        torch.mm(states[t], weight, out=product)
        kept = None if saved is None else saved[t]
        arrays = (steps.table, steps.tokens[t], steps.context, product, steps.bias_hn, steps.h0, states[t + 1], kept)
        if fused is None:
            _forward_step_torch(*arrays)
        else:
            fused[0](B, H, *map(pointer, arrays))


class _Recurrence(torch.autograd.Function):
    """The recurrence, its gradient written out; inputs as in :class:`Steps`, outputs states [D, T, B, H], last [D * B, H]."""

    @staticmethod
    def forward(
        ctx: Any,  # torch's own, on which anything may be kept
        table: Tensor,
        tokens: Tensor,
        context: Tensor | None,
        h0: Tensor,
        weight_hh: Tensor,
        bias_hn: Tensor,
        dtype: torch.dtype,
    ) -> tuple[Tensor, Tensor]:
        steps = Steps(table.contiguous(), tokens, None if context is None else context.contiguous(), h0, weight_hh, bias_hn)
        states, last, saved = run_forward(steps, dtype, keep=True)
        ctx.save_for_backward(tokens, weight_hh, states, saved)
        ctx.table_rows, ctx.has_context, ctx.dtype = table.shape[0], context is not None, dtype
        ctx.set_materialize_grads(False)
        return states[:, 1:], last

    @staticmethod
    def backward(ctx: Any, d_states: Tensor | None, d_last: Tensor | None) -> tuple[Tensor | None, ...]:
        tokens, weight_hh, states, saved = ctx.saved_tensors
        dtype, exact, device = ctx.dtype, weight_hh.dtype, tokens.device
        D, T, B, _ = saved.shape
        H = weight_hh.shape[2]
        own = None if d_states is None else d_states.to(dtype).contiguous()
        dh = torch.zeros(D * B, H, dtype=exact, device=device) if d_last is None else d_last.to(exact).clone()
        d_recurrent = WORKSPACE.empty((D, T, B, 3 * H), dtype, device)
        d_n = WORKSPACE.empty((D, T, B, H), dtype, device)
        d_context = torch.zeros(D * B, 3 * H, dtype=exact, device=device) if ctx.has_context else None
        by_token = by_direction(tokens, D)
        d_table = torch.zeros(ctx.table_rows, 3 * H, dtype=exact, device=device)
        d_weight, d_bias = torch.empty_like(weight_hh), torch.empty(D, H, dtype=exact, device=device)
        needs_table, _, _, _, needs_weight, needs_bias, _ = ctx.needs_input_grad  # none where codes move and weights stand
        for d in range(D):
            rows = slice(d * B, (d + 1) * B)
            outer = None if own is None else own[d]
            inner = None if d_context is None else d_context[rows]
            _backward_direction(saved[d], states[d], outer, weight_hh[d].to(dtype), dh[rows], d_recurrent[d], d_n[d], inner)
            if needs_table or needs_bias:
                present, sums = _sum_by_token(by_token[d], d_recurrent[d], d_n[d])
                d_table[present] += sums[:, : 3 * H].to(exact)
                d_bias[d] = sums[:, 3 * H :].sum(dim=0, dtype=exact)
            if needs_weight:
                d_weight[d] = d_recurrent[d].view(-1, 3 * H).t() @ states[d, :T].reshape(-1, H)
        own_table, own_weight = d_table if needs_table else None, d_weight if needs_weight else None
        return own_table, None, d_context, dh, own_weight, d_bias if needs_bias else None, None


def _backward_direction(
    saved: Tensor,
    states: Tensor,
    outer: Tensor | None,
    weight: Tensor,
    dh: Tensor,
    d_recurrent: Tensor,
    d_n: Tensor,
    d_context: Tensor | None,
) -> None:
    """Walk one direction back in time: fill d_recurrent [T, B, 3H] and d_n [T, B, H], add to d_context [B, 3H].

    ``outer`` [T, B, H] or None is the gradient of the states themselves; dh [B, H] comes in as the gradient of the last
    state and leaves as that of the first.
    """
    T, B, H = d_n.shape
    runs = whole_runs(d_n.dtype, H) if d_n.device.type == "cpu" else None
    if runs is not None:
        block, panel = blocking(B, H)
        arrays = (saved, states, outer, pack_columns(weight, panel), dh, d_recurrent, d_n, d_context)
        check_memory(runs.backward(T, B, H, block, panel, *map(pointer, arrays), *runs.product))
        return
    product = d_n.new_empty(B, H)
    fused = _fused(d_n.dtype) if d_n.device.type == "cpu" else None
    for t in range(T - 1, -1, -1):
        back = None if t == T - 1 else product
        own = None if outer is None else outer[t]
        inputs = (saved[t], states[t], back, own, dh, d_recurrent[t], d_n[t], d_context)
        if fused is None:
            _backward_step_torch(*inputs)
        else:
            fused[1](B, H, *map(pointer, inputs))
        torch.mm(d_recurrent[t], weight, out=product)
    dh += product


def _sum_by_token(tokens: Tensor, d_recurrent: Tensor, d_n: Tensor) -> tuple[Tensor, Tensor]:
    """Sum gate gradients by token, as one product with the one-hot tokens instead of a scattered sum.

    Returns
    -------
    present : Tensor [P]
        The tokens [T, B] that occur: a large vocabulary costs only what the batch uses.
    sums : Tensor [P, 4H]
        Gradients of the gate inputs r, u and n (3H), then of the product inside the reset gate (H), whose sum over tokens
        is that of ``bias_hn``.
    """
    H = d_n.shape[-1]
    present, positions = torch.unique(tokens, return_inverse=True)
    one_hot = torch.zeros(len(present), tokens.numel(), dtype=d_n.dtype, device=d_n.device)
    one_hot.scatter_(0, positions.reshape(1, -1), 1.0)
    recurrent = one_hot @ d_recurrent.view(-1, 3 * H)
    return present, torch.cat([recurrent[:, : 2 * H], one_hot @ d_n.view(-1, H), recurrent[:, 2 * H :]], dim=1)


class GRU(nn.Module):
    """One GRU layer over tokens, with a constant context; parameters are named and shaped as in ``torch.nn.GRU``.

    Parameters
    ----------
    embedding_dim : int
        Width E of the token embedding.
    context_dim : int
        Width C of what every step sees besides its token (z in the decoder); 0 for none. The input of step t is
        ``[embedding(token_t), context]``, so ``weight_ih_l0`` is [3H, E + C].
    hidden_dim : int
        Width H of the state.
    bidirectional : bool
        Run a second set of weights over the reversed sequence.
    """

    weight_ih_l0: Tensor
    weight_hh_l0: Tensor

    def __init__(self, embedding_dim: int, context_dim: int, hidden_dim: int, bidirectional: bool = False):
        super().__init__()
        self.embedding_dim, self.context_dim, self.hidden_dim = embedding_dim, context_dim, hidden_dim
        self.suffixes = ("_l0", "_l0_reverse") if bidirectional else ("_l0",)
        bound = 1 / math.sqrt(hidden_dim)
        for suffix in self.suffixes:
            for name, shape in (
                ("weight_ih", (3 * hidden_dim, embedding_dim + context_dim)),
                ("weight_hh", (3 * hidden_dim, hidden_dim)),
                ("bias_ih", (3 * hidden_dim,)),
                ("bias_hh", (3 * hidden_dim,)),
            ):
                self.register_parameter(name + suffix, nn.Parameter(torch.empty(shape).uniform_(-bound, bound)))

    @property
    def directions(self) -> int:
        return len(self.suffixes)

    def _stacked(self, name: str) -> Tensor:
        return torch.stack([getattr(self, name + suffix) for suffix in self.suffixes])

    def table(self, embedding: Tensor, frozen_token: int | None = None) -> Tensor:
        """Return the gate inputs of each token [directions * V, 3H], with all biases that may be added beforehand.

        ``frozen_token`` leaves the state as it is: its update gate saturates at exactly 1, so padding costs no mask.
        """
        H = self.hidden_dim
        weight = self._stacked("weight_ih")[:, :, : self.embedding_dim]  # [directions, 3H, E]
        bias_hh = self._stacked("bias_hh")
        early = torch.cat([bias_hh[:, : 2 * H], torch.zeros_like(bias_hh[:, 2 * H :])], dim=1)
        bias = self._stacked("bias_ih") + early
        table = embedding @ weight.transpose(1, 2) + bias[:, None]  # [directions, V, 3H]
        if frozen_token is not None:
            table = table.clone()
            table[:, frozen_token] = 0.0
            table[:, frozen_token, H : 2 * H] = FROZEN_GATE
        return torch.flatten(table, 0, 1)

    def context_gates(self, context: Tensor) -> Tensor:
        """Project the context [B, C] to gate inputs [directions * B, 3H]."""
        weight = self._stacked("weight_ih")[:, :, self.embedding_dim :]
        return torch.flatten(context @ weight.transpose(1, 2), 0, 1)

    def bias_hn(self) -> Tensor:
        """The bias inside the reset gate's product [directions, H]."""
        return self._stacked("bias_hh")[:, 2 * self.hidden_dim :].contiguous()

    def steps(
        self,
        embedding: Tensor,
        tokens: Tensor,
        context: Tensor | None = None,
        h0: Tensor | None = None,
        frozen_token: int | None = None,
    ) -> Steps:
        """Gather the parts of the recurrence.

        Parameters
        ----------
        embedding : Tensor [V, E]
        tokens : Tensor [T, directions * B] int64
            Token ids; those of direction d are offset by d * V.
        context : Tensor [B, C] or None
        h0 : Tensor [directions * B, H] or None
        frozen_token : int or None
            Token that leaves the state unchanged (padding).
        """
        if h0 is None:
            h0 = embedding.new_zeros(tokens.shape[1], self.hidden_dim)
        gates = None if context is None else self.context_gates(context)
        table = self.table(embedding, frozen_token)
        return Steps(table, tokens.contiguous(), gates, h0, self._stacked("weight_hh"), self.bias_hn())

    def forward(self, steps: Steps, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Run all steps; products and saved values in ``dtype``.

        Returns
        -------
        states : Tensor [directions, T, B, H] in ``dtype``
        last : Tensor [directions * B, H]
        """
        if torch.is_grad_enabled():
            return _Recurrence.apply(steps.table, steps.tokens, steps.context, steps.h0, steps.weight_hh, steps.bias_hn, dtype)
        states, last, _ = run_forward(steps, dtype, keep=False)
        return states[:, 1:], last

    @torch.no_grad()
    def stepper(self, embedding: Tensor, context: Tensor | None, h0: Tensor, dtype: torch.dtype) -> Stepper:
        """Prepare :class:`Stepper` for contexts [N, C] and first states h0 [N, H]."""
        no_tokens = torch.zeros(0, len(h0), dtype=torch.long, device=h0.device)
        return Stepper(self.steps(embedding, no_tokens, context, h0), dtype)

    def states_cudnn(
        self, embedding: Tensor, tokens: Tensor, context: Tensor | None, h0: Tensor, dtype: torch.dtype, direction: int = 0
    ) -> Tensor:
        """Run one direction on CUDA through cuDNN: tokens [B, T], context [B, C], h0 [B, H] to states [T, B, H]."""
        inputs = embedding[tokens.t()]  # [T, B, E]
        if context is not None:
            inputs = torch.cat([inputs, context.expand(len(inputs), *context.shape)], dim=-1)
        suffix = self.suffixes[direction]
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        weights = [getattr(self, name + suffix).to(dtype) for name in names]
        states, _ = torch._VF.gru(inputs.to(dtype), h0[None].to(dtype), weights, True, 1, 0.0, self.training, False, False)
        return states

    def forward_cudnn(self, embedding: Tensor, tokens: Tensor, lengths: Tensor, dtype: torch.dtype) -> Tensor:
        """Run all directions on CUDA: tokens [directions * B, T], padded on the right, to last states [directions * B, H]."""
        last = []
        parts = zip(tokens.chunk(self.directions), lengths.chunk(self.directions), strict=True)
        for direction, (rows, count) in enumerate(parts):
            h0 = embedding.new_zeros(len(rows), self.hidden_dim)
            states = self.states_cudnn(embedding, rows, None, h0, dtype, direction)
            last.append(states[count - 1, torch.arange(len(rows), device=rows.device)])
        return torch.cat(last).to(embedding.dtype)
