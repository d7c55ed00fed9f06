"""How well calibrated semi-empirical values judge emitters: 40 molecules of oled-dft, each predicted without itself.

    CHEMVAE_DATA=FOLDER python experiments/08-oled/judges.py

Needs the extra ``qc``. Each molecule is kept in the cache as soon as it is computed: a run that is broken off goes on there.
"""

from __future__ import annotations

import time
from hashlib import sha1

import numpy as np
import pandas as pd
from results import CONFIG, figure, write_result
from scipy.stats import spearmanr

from chemvae.chem.properties import compute, compute_table, missing_reason
from chemvae.data.prepare.tables import load_table

TRUTHS = {"S1": "S1_eV", "T1": "T1_eV", "dE_ST": "dEst_eV"}
JUDGES = {
    "tblite": {"S1": ["xtb_gap"], "T1": ["xtb_T1"], "dE_ST": ["xtb_gap", "xtb_T1"]},
    "TD-DFTB3": {"S1": ["tddftb_S1"], "T1": ["tddftb_T1"], "dE_ST": ["tddftb_S1", "tddftb_T1"]},
}
"""Judge -> what it is asked for -> the values that a straight line (or plane) is drawn through."""


def main() -> None:
    started = time.monotonic()
    truth = emitters(**CONFIG["judges"])
    names = sorted({name for asked in JUDGES.values() for values in asked.values() for name in values})
    values = pd.DataFrame([computed(smiles, names) for smiles in truth.index], index=truth.index)
    metrics = {"molecules": figure(len(truth))}
    for judge, asked in JUDGES.items():
        for quantity, inputs in asked.items():
            metrics |= judged(judge, quantity, values[inputs].to_numpy(), truth[quantity].to_numpy())
    for name, value in metrics.items():
        print(f"{name}: {value['mean']:.3g}")
    write_result("judges", CONFIG["judges"], metrics, {"all": round(time.monotonic() - started, 1)})


def emitters(data: str, molecules: int, most_heavy_atoms: int) -> pd.DataFrame:
    """The truths of distinct molecules that are not too large, those with the lowest sha1."""
    table = load_table(data, properties=list(TRUTHS.values()))
    found = pd.DataFrame(table.labels, index=table.smiles, columns=list(TRUTHS))
    found = found[
        ~found.index.duplicated() & (compute_table(found.index, ["heavy_atoms"])["heavy_atoms"] <= most_heavy_atoms).to_numpy()
    ]
    return found.loc[sorted(found.index, key=lambda smiles: sha1(smiles.encode()).hexdigest())[:molecules]]


def computed(smiles: str, names: list[str]) -> dict[str, float]:
    """Values of a molecule; what is missing is said."""
    values = {name: compute(name, smiles) for name in names}
    for name in (name for name, value in values.items() if np.isnan(value)):
        print(f"{smiles}: no {name}, {missing_reason(name, smiles)}", flush=True)
    return values


def judged(judge: str, quantity: str, inputs: np.ndarray, truth: np.ndarray) -> dict:
    """Mean absolute error of a line through the others, rank correlation, and what the mean of the others would miss."""
    known = np.isfinite(inputs).all(axis=1)
    x, y = inputs[known], truth[known]
    left_out = np.array([predicted(x, y, i) for i in range(len(y))])
    means = np.array([np.delete(y, i).mean() for i in range(len(y))])
    name = f"{judge} {quantity}"
    return {
        f"{name} MAE [eV]": figure(float(np.abs(left_out - y).mean())),
        f"{name} Spearman": figure(float(spearmanr(left_out, y).statistic)),
        f"{name} MAE of the mean [eV]": figure(float(np.abs(means - y).mean())),
        f"{name} failed": figure(int((~known).sum())),
    }


def predicted(x: np.ndarray, y: np.ndarray, i: int) -> float:
    """What least squares through all points but one says of that one."""
    design = np.column_stack([np.ones(len(x)), x])
    coefficients = np.linalg.lstsq(np.delete(design, i, axis=0), np.delete(y, i), rcond=None)[0]
    return float(design[i] @ coefficients)


if __name__ == "__main__":
    main()
