"""Refuse to decode more than there is memory for, before anything is drawn."""

from __future__ import annotations

from chemvae.errors import SettingsError

BYTES_OF_A_DECODE = 500
"""SMILES, tokens and their row of a table."""
BYTES_OF_A_NUMBER = 8
"""Of a latent point, drawn and on its way to the decoder."""


def check_amount(n: int, latent_dim: int, name: str = "n") -> None:
    """Raise SettingsError if ``n`` decodes of points of ``latent_dim`` numbers do not fit into the memory that is free.

    Examples
    --------
    >>> check_amount(1000, 64)
    >>> check_amount(10**12, 64)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    chemvae.errors.SettingsError: n: 1,000,000,000,000 decodes need about 1,012,000 GB of memory, and ...
    """
    import psutil

    needed, free = int(n) * (BYTES_OF_A_DECODE + BYTES_OF_A_NUMBER * latent_dim), psutil.virtual_memory().available
    if needed > free:
        raise SettingsError(
            f"{name}: {n:,} decodes need about {needed / 1e9:,.0f} GB of memory, and {free / 1e9:,.0f} GB are free; ask for "
            "fewer at a time, each time with another seed"
        )
