"""Decode here while worker processes read with RDKit what has been decoded."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch

from chemvae.chem.molecules import canonicalize
from chemvae.data.tokens.tokenizing import join_rows
from chemvae.models.decoding import check_temperature, finished
from chemvae.models.vae import DECODE_BATCH, MolVAE
from chemvae.parallel import Answer, Workers, count_jobs
from chemvae.seeding import draw_seed

WORTH_PROCESSES = 2_000  # molecules; fewer are read before a process has started
MOLECULES_PER_WORKER = 2_500
BLOCK = 2_048  # molecules decoded between two handings over
SHARE = 256  # molecules a worker takes at a time


def count_readers(n: int, jobs: int = 0) -> int:
    """Processes that read ``n`` molecules beside the decoder; 1 means none: the calling process reads them.

    Examples
    --------
    >>> count_readers(1_000, jobs=8), count_readers(10_000, jobs=8), count_readers(30_000, jobs=2)
    (1, 4, 2)
    """
    return 1 if n < WORTH_PROCESSES else min(count_jobs(jobs), max(2, n // MOLECULES_PER_WORKER))


def open_readers(n: int, jobs: int = 0) -> Workers:
    """Workers that write canonical SMILES, started at once; they leave the cores to the decoder while it wants them."""
    workers = Workers(canonicalize, count_readers(n, jobs), yielding=True)
    workers.start()
    return workers


@torch.no_grad()
def decode_canonical(model: MolVAE, z: torch.Tensor, readers: Workers, temperature: float = 0.0, seed: int = 0) -> pd.DataFrame:
    """Decode each row of z [N, D] once, in blocks, and read each text once.

    The random numbers, and so the molecules, are those of :meth:`MolVAE.decode`, however many readers there are.

    Returns
    -------
    DataFrame
        ``smiles`` (canonical where valid, as written where not), ``valid`` (RDKit parses it, it has an atom, and the end token
        was written).
    """
    temperature = check_temperature(temperature)
    draws = draw_seed(torch.Generator(model.device).manual_seed(seed)) if temperature > 0 else 0
    texts: list[str] = []
    asked: list[tuple[np.ndarray, Answer]] = []  # places in texts, and what becomes of them
    size = BLOCK if model.device.type == "cpu" else DECODE_BATCH  # an accelerator wants many rows at once
    for start in range(0, len(z), size):
        block = z[start : start + size]
        ids, _ = model.decoder.decode(block, model.max_length, model.product_dtype, temperature, draws, start)
        ids = ids.cpu()
        ended = len(texts) + np.flatnonzero(finished(ids).numpy())
        texts += join_rows(ids.numpy(), model.vocabulary)
        for share in np.split(ended, range(SHARE, len(ended), SHARE)):
            asked.append((share, readers.submit([texts[i] for i in share])))
    valid = np.zeros(len(texts), dtype=bool)
    for share, answer in asked:
        for i, canonical in zip(share.tolist(), answer.result(), strict=True):
            if canonical is not None:
                texts[i], valid[i] = canonical, True
    return pd.DataFrame({"smiles": texts, "valid": valid})
