"""Put molecules written by the char-RNN beside the training molecules, as one data set.

    python experiments/03-drug-model/merge.py runs/zinc250k-data runs/drug-data runs/char-rnn/molecules.parquet

An autoencoder has to copy molecules it has not seen, and 216,000 examples are few to learn that from: after ten epochs the
training loss falls and the held-out loss does not (experiment 01). A language model fitted to the training molecules writes as
many more of their kind as one likes; their logP, qed and SAS are computed, so their labels are exact. Whatever it wrote that is
in the validation or test split is left out.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from chemvae.data.prepare.preparation import load_table

PROPERTIES = ("logP", "qed", "SAS")


def main(data: str, out: str, *written: str) -> None:
    table = load_table(data, properties=PROPERTIES)
    real = pd.DataFrame({"smiles": table.smiles, **dict(zip(PROPERTIES, table.labels.T, strict=True)), "split": table.split})
    extra = pd.concat([pd.read_parquet(file) for file in written], ignore_index=True).drop_duplicates("smiles")
    known = extra["smiles"].isin(real["smiles"])
    held_out = extra["smiles"].isin(real.loc[real["split"] != "train", "smiles"])
    extra = extra[~known & np.isfinite(extra[list(PROPERTIES)]).all(axis=1)].assign(split="train")
    both = pd.concat([real, extra], ignore_index=True)
    Path(out).mkdir(parents=True, exist_ok=True)
    both.to_parquet(Path(out) / "data.parquet", index=False)
    print(f"{len(real):,} molecules of the data set, {len(extra):,} more; left out: {known.sum():,} known ones,")
    print(f"{held_out.sum():,} of them from the validation and test splits. Written to {out}.")


if __name__ == "__main__":
    main(*sys.argv[1:])
