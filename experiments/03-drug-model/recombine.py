"""Long molecules made of halves of training molecules, as a data set to copy.

    python experiments/03-drug-model/recombine.py runs/zinc250k-data runs/drug/all/data.parquet runs/drug/long

Of held-out molecules of 60 characters and more, a third did not come back; of training molecules as long, one in twelve. There
are few of them to learn from, and a language model writes few. So each training molecule is cut once, at a random bond that a
retrosynthetic rule would cut (BRICS, Degen et al. 2008), and two halves that carried the same rule are joined to a molecule of
44 to 78 characters. No labels: the predictor learns from the others. Molecules of any length stand beside them: written
ones, or without a file of those (None) the data set's own training molecules.
"""

from __future__ import annotations

import random
import re
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
from rdkit import Chem, RDLogger
from rdkit.Chem import BRICS

from chemvae.data.prepare.preparation import load_table
from chemvae.data.tokens.vocabulary import Vocabulary
from chemvae.parallel import map_ordered

PROPERTIES = ("logP", "qed", "SAS")
FIRST_ATOM = re.compile(r"\[[^\]]+\]|Br|Cl|.")
MAX_ATOMS = 38

Half = tuple[str, str, str]  # the rule's name for its own end, for the other end, and its text after the cut


def main(
    data: str, written: str | None, out: str, n: int = 500_000, n_beside: int = 250_000, seed: int = 0, jobs: int = 0
) -> None:
    table = load_table(data, properties=PROPERTIES)
    real = pd.DataFrame({"smiles": table.smiles, **dict(zip(PROPERTIES, table.labels.T, strict=True)), "split": table.split})
    in_train = real["split"] == "train"
    known, others = real["smiles"], real[in_train]
    if written is not None:
        both = pd.read_parquet(written)
        known = both["smiles"]
        others = both[(both["split"] == "train") & ~known.isin(real["smiles"])].sample(n_beside, random_state=seed)
    made = recombine(real.loc[in_train, "smiles"].tolist(), n, seed, jobs)
    made = pd.DataFrame({"smiles": made, **dict.fromkeys(PROPERTIES, np.nan)})
    made = made[~made["smiles"].isin(known)].assign(split="train")
    everything = pd.concat([real[~in_train], others, made], ignore_index=True)
    Path(out).mkdir(parents=True, exist_ok=True)
    everything.to_parquet(Path(out) / "data.parquet", index=False)
    print(f"{len(made):,} recombined molecules and {len(others):,} others, written to {out}.")


def recombine(smiles: list[str], n: int, seed: int, jobs: int, lengths: tuple[int, int] = (44, 78)) -> list[str]:
    """About n distinct canonical molecules, evenly long within the given numbers of characters."""
    words = Vocabulary.from_smiles(smiles)
    cuts = map_ordered(cut, list(zip(smiles, range(seed, seed + len(smiles)), strict=True)), jobs=jobs)
    halves = [half for two in cuts for half in two]
    partners: dict[tuple[str, str], list[str]] = defaultdict(list)
    for own, other, text in halves:
        partners[own, other].append(text)
    draw, texts = random.Random(seed), []
    while len(texts) < 1.6 * n:
        own, other, text = draw.choice(halves)
        aim = draw.randint(*lengths) - len(text)
        fits = [one for one in draw.choices(partners[other, own], k=12) if abs(len(one) - aim) <= 3]
        if fits:
            texts.append(joined(text, fits[0]))
    found = dict.fromkeys(one for one in map_ordered(checked, texts, jobs=jobs) if one and words.complaint(one) is None)
    return list(found)[:n]


def cut(task: tuple[str, int]) -> list[Half]:
    """Both halves of a molecule at one of its BRICS bonds; none if it has no such bond."""
    smiles, seed = task
    mol = Chem.MolFromSmiles(smiles)
    found = [(mol.GetBondBetweenAtoms(*atoms), atoms[0], names) for atoms, names in BRICS.FindBRICSBonds(mol)]
    found = [one for one in found if one[0].GetBondType() == Chem.BondType.SINGLE]
    if not found:
        return []
    bond, first, names = random.Random(seed).choice(found)
    begins, ends = names if bond.GetBeginAtomIdx() == first else names[::-1]
    halves = []
    for part in Chem.GetMolFrags(Chem.FragmentOnBonds(mol, [bond.GetIdx()], dummyLabels=[(1, 2)]), asMols=True):
        stub = next(atom for atom in part.GetAtoms() if atom.GetAtomicNum() == 0)
        own, other = (ends, begins) if stub.GetIsotope() == 1 else (begins, ends)  # the stub stands for the atom lost
        stub.SetIsotope(0)
        halves.append((own, other, Chem.MolToSmiles(part, rootedAtAtom=stub.GetIdx()).removeprefix("*")))
    return halves


def joined(left: str, right: str) -> str:
    """One text of both halves, whose first atoms are bonded by a ring closure between them."""
    return ".".join(FIRST_ATOM.sub(r"\g<0>%99", half, count=1) for half in (left, right))


def checked(text: str) -> str | None:
    """The canonical form of what was joined, or None."""
    RDLogger.DisableLog("rdApp.*")
    mol = Chem.MolFromSmiles(text)
    return None if mol is None or mol.GetNumAtoms() > MAX_ATOMS else Chem.MolToSmiles(mol)


if __name__ == "__main__":
    main(*sys.argv[1:4])
