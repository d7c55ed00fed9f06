"""Token sets of any size without chemistry, to measure how time and memory grow: random tokens, lengths like ZINC250k's."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from chemvae.data.tokens.tokenfiles import TokenWriter
from chemvae.data.tokens.vocabulary import SPECIAL, Vocabulary

LENGTH_MEAN, LENGTH_STD, SHORTEST, LONGEST = 44.1, 9.4, 9, 109  # tokens of a ZINC250k training molecule
TOKENS = tuple("#()-/123456=BCFINOPS\\cnos")  # none that join others: a text of them splits into the same tokens again
PIECE = 100_000


def write_random_set(folder: str | Path, n_molecules: int, n_labels: int = 3, seed: int = 0) -> None:
    """Write a token set of random sequences with normal labels, in pieces: ten million molecules take 660 MB on disk.

    Parameters
    ----------
    folder : path
        Made; must not exist.
    n_molecules, n_labels : int
    seed : int

    Examples
    --------
    >>> import tempfile
    >>> from chemvae.data.tokens.tokenfiles import read_token_set
    >>> with tempfile.TemporaryDirectory() as parent:
    ...     write_random_set(Path(parent) / "set", 1000)
    ...     bool(abs(read_token_set(Path(parent) / "set").tokens.lengths.mean() - LENGTH_MEAN) < 1)
    True
    """
    rng = np.random.default_rng(seed)
    vocabulary = Vocabulary(TOKENS)
    with TokenWriter(folder, vocabulary, [f"label{i + 1}" for i in range(n_labels)]) as writer:
        for start in range(0, n_molecules, PIECE):
            n = min(PIECE, n_molecules - start)
            lengths = np.clip(rng.normal(LENGTH_MEAN, LENGTH_STD, n).round(), SHORTEST, LONGEST).astype(np.int64)
            ids = rng.integers(len(SPECIAL), len(vocabulary), int(lengths.sum()), dtype=np.uint8)
            writer.write_ids(ids, lengths, rng.standard_normal((n, n_labels), dtype=np.float32))
