"""Floating-point operations from the shapes: what a training step, an encoding and a decoding need, padding not counted.

A product of [m, k] with [k, n] counts 2 m k n. Only products are counted: gates, softmax and optimizer are not, nor is the
work an implementation adds of its own. The backward pass of a product is two products of the same size.
"""

from __future__ import annotations

from torch import nn

from chemvae.models.vae import MolVAE

BACKWARD = 2  # products in the backward pass for each one in the forward pass
ENCODING, DECODING = ("encoder tables", "encoder GRU", "heads"), ("z gates", "decoder tables", "decoder GRU", "output layer")


def forward_flops(model: MolVAE, mean_tokens: float, batch_size: int) -> dict[str, float]:
    """Count the forward pass per molecule, part by part.

    Parameters
    ----------
    model : MolVAE
    mean_tokens : float
        Tokens of a molecule on average, T; the decoder takes T + 1 steps, the end token included.
    batch_size : int
        Molecules that share the token tables.

    Returns
    -------
    dict
        Part -> FLOP per molecule.

    Examples
    --------
    >>> from chemvae.data.tokens.vocabulary import Vocabulary
    >>> model = MolVAE(Vocabulary(["C", "O"]))
    >>> round(forward_flops(model, 44.0, 128)["encoder GRU"])  # 44 tokens x 2 directions x 2 x 256 x 768
    34603008
    """
    s, n_tokens = model.settings, len(model.vocabulary)
    encoder_gates, decoder_gates = 3 * s.encoder_dim, 3 * s.decoder_dim
    steps = mean_tokens + 1
    return {
        "encoder tables": 2 * 2 * n_tokens * s.embedding_dim * encoder_gates / batch_size,
        "encoder GRU": mean_tokens * 2 * 2 * s.encoder_dim * encoder_gates,
        "heads": linear_flops(model.posterior_family) + linear_flops(model.predictor),
        "z gates": 2 * s.latent_dim * (s.decoder_dim + decoder_gates),
        "decoder tables": 2 * n_tokens * s.embedding_dim * decoder_gates / batch_size,
        "decoder GRU": steps * 2 * s.decoder_dim * decoder_gates,
        "output layer": steps * 2 * s.decoder_dim * n_tokens,
    }


def training_flops(forward: dict[str, float]) -> float:
    """FLOP of one training step per molecule: forward and backward."""
    return (1 + BACKWARD) * sum(forward.values())


def encoding_flops(model: MolVAE, mean_tokens: float, batch_size: int) -> float:
    """FLOP per molecule from tokens to the posterior; the predictor is not asked."""
    forward = forward_flops(model, mean_tokens, batch_size)
    return sum(forward[part] for part in ENCODING) - linear_flops(model.predictor)


def decoding_flops(model: MolVAE, mean_tokens: float, batch_size: int) -> float:
    """FLOP per molecule from z to its ``mean_tokens`` tokens and the end token."""
    forward = forward_flops(model, mean_tokens, batch_size)
    return sum(forward[part] for part in DECODING)


def linear_flops(module: nn.Module) -> float:
    """FLOP per row of all linear layers in a module, each applied once."""
    return float(sum(2 * part.weight.numel() for part in module.modules() if isinstance(part, nn.Linear)))


def share_of_peak(molecules_per_s: float, flops_per_molecule: float, peak_gflops: float) -> float:
    """Fraction of the peak that went into counted products.

    Examples
    --------
    >>> share_of_peak(1000.0, 0.3e9, peak_gflops=600.0)
    0.5
    """
    return molecules_per_s * flops_per_molecule / (peak_gflops * 1e9)
