"""Emitters by design: chosen by the model alone, then judged by a calculation that the model has never seen.

    python experiments/08-oled/designs.py offset         # known emitters by the protocol, beside their file
    python experiments/08-oled/designs.py choose         # writes designs.csv, before anything is computed
    python experiments/08-oled/designs.py compute [N]    # the next N of them, or all
    python experiments/08-oled/designs.py                # figures of what is computed, in designs.json

``offset`` and ``compute`` need the extras ``qc`` and ``dft``, and about ten minutes of a core per molecule. What they compute
goes to computed.csv and offset.csv at once: a run that is broken off goes on there.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from math import erf, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from results import CONFIG, HERE, figure, write_result

import chemvae
from chemvae.chem.fingerprints import morgan, tanimoto
from chemvae.chem.properties import compute, compute_table, missing_reason
from chemvae.data.catalog.locate import load_dataset
from chemvae.design import Goal
from chemvae.models.vae import MolVAE

HOW = CONFIG["designs"]
CHOSEN, KNOWN, OFFSET = HERE / "designs.csv", HERE / "computed.csv", HERE / "offset.csv"
COMPUTED = ("S1", "dE_ST", "f")


# ---------------------------------------------------------------------- choosing


def choose() -> None:
    """Twelve molecules per colour and way, by what the model predicts; none of them is in any set, but those of the library."""
    model = chemvae.load(HOW["model"])
    known = set(load_dataset("oled")["smiles"])
    drawn = fitting(sorted(written(model, known)))
    library = fitting(load_dataset("virtual-oleds", limit=2 * HOW["budget"])["smiles"].tolist())
    rows = []
    for colour, energy in HOW["colours"].items():
        found = searched(model, energy)
        pools = {"design": fitting([one for one in found if one not in known]), "prior": drawn, "library": library}
        for way, pool in pools.items():
            best = most_promising(model, pool[: HOW["budget"]], energy)
            rows += [{"colour": colour, "target_eV": energy, "way": way, **row} for row in best]
        pd.DataFrame(rows).round(3).to_csv(CHOSEN, index=False)
        print(f"{colour}: of {len(found)} scored {len(pools['design'])} are new and not too large", flush=True)


def searched(model: MolVAE, energy: float) -> list[str]:
    """All molecules that a search for a colour scored, in the order of their calls."""
    found = chemvae.optimize(
        model, goals=[Goal("S1", target=energy), Goal("dE_ST", "min")], constraints=HOW["constraints"], budget=HOW["budget"],
        seed=CONFIG["seed"],
    )  # fmt: skip
    return found.history["smiles"].tolist()


def written(model: MolVAE, known: set[str]) -> set[str]:
    """At least as many new molecules as a search has calls, of those that draws of the learned prior decode to."""
    new: set[str] = set()
    for seed in range(CONFIG["seed"], CONFIG["seed"] + 20):
        samples = chemvae.sample(model, 4 * HOW["budget"], seed=seed)
        new |= set(samples.loc[samples["valid"], "smiles"]) - known
        if len(new) >= 3 * HOW["budget"]:
            break
    return new


def fitting(smiles: Sequence[str]) -> list[str]:
    """Those that the calculation can take in time, in a random order."""
    table = compute_table(smiles, ["heavy_atoms"]) if len(smiles) else pd.DataFrame({"heavy_atoms": []})
    fine = [one for one, atoms in zip(smiles, table["heavy_atoms"], strict=True) if atoms <= HOW["most_heavy_atoms"]]
    return [fine[i] for i in np.random.default_rng(CONFIG["seed"]).permutation(len(fine))]


def most_promising(model: MolVAE, smiles: list[str], energy: float) -> list[dict[str, Any]]:
    """The molecules that are hits with the greatest probability by the model's own intervals, no two of them alike."""
    told = model.predict(smiles)
    means = told[["S1", "dE_ST"]].to_numpy(float)
    chance = [hit_probability(*row, energy) for row in told[["S1", "S1_std", "dE_ST", "dE_ST_std"]].to_numpy(float)]
    bits, picked = morgan(smiles), []
    for i in np.argsort(-np.nan_to_num(np.array(chance)), kind="stable"):
        if all(tanimoto(bits[i : i + 1], bits[j : j + 1]).item() <= HOW["most_similar"] for j in picked):
            picked.append(i)
        if len(picked) == HOW["per_colour"]:
            break
    return [
        {"smiles": smiles[i], "S1_predicted": means[i, 0], "dE_ST_predicted": means[i, 1], "chance": chance[i]} for i in picked
    ]


def hit_probability(s1: float, s1_std: float, gap: float, gap_std: float, energy: float) -> float:
    """That S1 lies within the tolerance of a target and dE_ST below its limit, both normal and independent.

    Examples
    --------
    >>> round(hit_probability(2.73, 0.15, 0.2, 0.1, 2.73), 3)
    0.341
    """
    near = normal_cdf((energy + HOW["tolerance_eV"] - s1) / s1_std) - normal_cdf((energy - HOW["tolerance_eV"] - s1) / s1_std)
    return near * normal_cdf((HOW["largest_gap_eV"] - gap) / gap_std)


def normal_cdf(x: float) -> float:
    return 0.5 * (1.0 + erf(x / sqrt(2.0)))


# ---------------------------------------------------------------------- computing


def compute_some(n: int | None) -> None:
    """The first molecules of designs.csv that are not computed, all colours and ways in turn."""
    table = pd.read_csv(CHOSEN)
    done = read(KNOWN)
    order = table.groupby(["colour", "way"]).cumcount().sort_values(kind="stable").index
    waiting = [smiles for smiles in dict.fromkeys(table.loc[order, "smiles"]) if smiles not in set(done.get("smiles", []))]
    for smiles in waiting[:n]:
        done = kept(KNOWN, done, {"smiles": smiles, **by_protocol(smiles)})


def offset() -> None:
    """The first molecules of the known emitters that are not too large, by the protocol, each under its row in the set."""
    done = read(OFFSET)
    for row, smiles in known_emitters()["smiles"].items():
        if row not in set(done.get("row", [])):
            done = kept(OFFSET, done, {"row": row, **by_protocol(smiles)})


def known_emitters() -> pd.DataFrame:
    """The rows of oled-dft that the protocol is compared on."""
    rows = load_dataset("oled-dft")
    small = compute_table(rows["smiles"], ["heavy_atoms"])["heavy_atoms"] <= HOW["most_heavy_atoms"]
    return rows[small.to_numpy()].head(HOW["known"])


def by_protocol(smiles: str) -> dict[str, float | str]:
    """S1, dE_ST and f by the protocol, in eV; NaN and a reason where they cannot be had."""
    values = {name: compute(f"{HOW['protocol']}_{name}", smiles) for name in COMPUTED}
    return {**values, "reason": missing_reason(f"{HOW['protocol']}_S1", smiles)}


def read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path) if path.exists() else pd.DataFrame()


def kept(path: Path, done: pd.DataFrame, row: dict[str, Any]) -> pd.DataFrame:
    """The table with one more row, written."""
    done = pd.concat([done, pd.DataFrame([row])], ignore_index=True)
    done.to_csv(path, index=False)
    print(row, flush=True)
    return done


# ---------------------------------------------------------------------- figures


def figures() -> None:
    """Offset and scatter of the protocol; hits among what is computed, in the file's terms."""
    metrics = dict(compared(known_emitters(), read(OFFSET))) if OFFSET.exists() else {}
    shift = {name: metrics.get(f"offset of {name} [eV]", figure(0.0))["mean"] for name in ("S1", "dE_ST")}
    metrics |= dict(hits(read(CHOSEN), read(KNOWN), shift)) if CHOSEN.exists() and KNOWN.exists() else {}
    for name, value in metrics.items():
        print(f"{name}: {value['mean']:.3g}")
    write_result("designs", HOW, metrics, {})


def compared(files: pd.DataFrame, computed: pd.DataFrame) -> Iterator[tuple[str, dict]]:
    """Mean and standard deviation of protocol minus file."""
    theirs = files.loc[computed["row"], ["S1_eV", "dEst_eV"]].to_numpy(float)
    for name, column in zip(("S1", "dE_ST"), theirs.T, strict=True):
        apart = (computed[name] - column).dropna()
        yield f"offset of {name} [eV]", figure(float(apart.mean()))
        yield f"scatter of {name} [eV]", figure(float(apart.std(ddof=1)))
    yield "known emitters computed", figure(int(computed["S1"].notna().sum()))


def hits(chosen: pd.DataFrame, computed: pd.DataFrame, shift: dict[str, float]) -> Iterator[tuple[str, dict]]:
    """Hits per colour and way among what is computed; a molecule that the protocol cannot take is none."""
    table = chosen.merge(computed, on="smiles")
    near = (table["S1"] - shift["S1"] - table["target_eV"]).abs() <= HOW["tolerance_eV"]
    table["hit"] = near & (table["dE_ST"] - shift["dE_ST"] <= HOW["largest_gap_eV"])
    for (colour, way), part in table.groupby(["colour", "way"], sort=False):
        yield f"{colour}, {way}: computed", figure(len(part))
        yield f"{colour}, {way}: hits", figure(int(part["hit"].sum()))


if __name__ == "__main__":
    asked = sys.argv[1:2]
    started = time.monotonic()
    if asked == ["compute"]:
        compute_some(int(sys.argv[2]) if len(sys.argv) > 2 else None)
    else:
        {(): figures, ("offset",): offset, ("choose",): choose}[tuple(asked)]()
    print(f"{time.monotonic() - started:.0f} s")
