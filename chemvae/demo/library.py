"""The demo's molecules: the library "virtual-drugs", made on the spot and prepared like anyone's data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from chemvae.data.catalog.locate import load_dataset
from chemvae.data.prepare.preparation import load_table, prepare
from chemvae.models.vae import MolVAE
from chemvae.parallel import count_jobs
from chemvae.runs import RunFolder

LIBRARY = "virtual-drugs"
LABELS = ("logP", "qed", "SAS")
MOST_JOBS = 4
WORTH_PROCESSES = 1_000  # molecules; fewer are made before a process has started


def make_library(folder: Path, limit: int | None) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Make and prepare the library, or its first ``limit`` molecules, in a folder; what was there is replaced.

    Returns
    -------
    table : DataFrame
        ``smiles``, the columns of :data:`LABELS` as RDKit computes them, and ``split``.
    card : dict
        What preparation says of it: counts, what was dropped, how it was split.
    """
    jobs = min(count_jobs(0), MOST_JOBS) if limit is None or limit >= WORTH_PROCESSES else 1
    data = LIBRARY if limit is None else load_dataset(LIBRARY, limit=limit, jobs=jobs)
    prepare(data, folder, smiles_column="smiles", properties=LABELS, standardize="none", overwrite=True, jobs=jobs)
    table = load_table(folder, smiles_column="smiles", properties=LABELS).frame()
    return table, RunFolder(folder).read_json("card.json")


def part_of(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """One part of the split."""
    return table[table["split"] == name].reset_index(drop=True)


def unknown_to(model: MolVAE, table: pd.DataFrame) -> pd.DataFrame:
    """The molecules that a model was not trained on; all, if it kept no index of those it was."""
    known = model.is_known(table["smiles"].tolist())
    return table[~(np.zeros(len(table), dtype=bool) if known is None else known)].reset_index(drop=True)
