"""Token sets whose files have changed since they were written: opened, they say so; none gives another molecule or label."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.faults.fault import Fault

MOLECULES = ["C" * n + tail for n in range(1, 9) for tail in ("O", "N", "Cl", "c1ccccc1", "C(=O)O")]
FLIPS = 5


def write(folder: Path) -> Path:
    """A small token set with one label."""
    from chemvae.data.tokens.tokenfiles import TokenWriter
    from chemvae.data.tokens.vocabulary import Vocabulary

    with TokenWriter(folder / "set", Vocabulary.from_smiles(MOLECULES), ["size"]) as writer:
        writer.write(MOLECULES, np.array([[float(len(smiles))] for smiles in MOLECULES]))
    return folder / "set"


def opened(folder: Path) -> str:
    """What opening a set ends with: its sentence, "whole", or "" where it holds other molecules or labels."""
    from chemvae.data.tokens.datasets import SmilesDataset
    from chemvae.errors import InputError

    try:
        data = SmilesDataset.open(folder)
    except InputError as error:
        return str(error)
    whole = list(data.smiles) == MOLECULES and np.array_equal(data.labels[:, 0], [len(smiles) for smiles in MOLECULES])
    return "whole" if whole else ""


def flipped(name: str) -> Callable[[Path], list[str]]:
    """One bit of a file, at several places."""

    def act(folder: Path) -> list[str]:
        path = write(folder) / name
        content, found = path.read_bytes(), []
        for place in random.Random(0).sample(range(len(content)), FLIPS):
            for bit in (1, 64):
                path.write_bytes(content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :])
                told = opened(path.parent)
                if not told or (told != "whole" and str(path.parent) not in told):
                    found.append(f"byte {place}, bit {bit}: {told or 'it went by in silence'}")
        return found

    return act


def changed(damage: Callable[[Path], None]) -> Callable[[Path], list[str]]:
    """A set that was changed in some other way, and must be refused."""

    def act(folder: Path) -> list[str]:
        path = write(folder)
        damage(path)
        told = opened(path)
        return [] if str(path) in told else [told or "it went by in silence"]

    return act


def swap_labels(folder: Path) -> None:
    """The labels of another order, of the same size."""
    path = folder / "labels.bin"
    path.write_bytes(np.fromfile(path, "<f8")[::-1].tobytes())


def other_tokens(folder: Path) -> None:
    """Two tokens of the vocabulary change places."""
    path = folder / "tokens.json"
    facts = json.loads(path.read_text())
    facts["vocabulary"]["tokens"][-2:] = facts["vocabulary"]["tokens"][:-3:-1]
    path.write_text(json.dumps(facts))


def without_sums(folder: Path) -> list[str]:
    """A set of before, which kept no checksums, opens as it did."""
    path = write(folder) / "tokens.json"
    facts = json.loads(path.read_text())
    facts.pop("sha256")
    path.write_text(json.dumps(facts))
    told = opened(path.parent)
    return [] if told == "whole" else [f"refused: {told}"]


FAULTS: list[Fault] = [
    *(Fault(f"a flipped bit in {name}", flipped(name)) for name in ("ids.bin", "offsets.bin", "labels.bin", "tokens.json")),
    Fault("labels of another order", changed(swap_labels)),
    Fault("tokens that changed places", changed(other_tokens)),
    Fault("a cut-off file", changed(lambda folder: (folder / "ids.bin").write_bytes((folder / "ids.bin").read_bytes()[:-1]))),
    Fault("a set without checksums", without_sums),
]
