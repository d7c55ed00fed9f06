"""A library of small molecules in several shards, and a model that encodes them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from chemvae import library
from chemvae.chem.molecules import canonicalize
from chemvae.data.tokens.vocabulary import Vocabulary
from chemvae.models.vae import MolVAE
from tests.conftest import MOLECULES, make_model

TAILS = ("O", "N", "Cl", "C(=O)O", "c1ccccc1", "C1CCCC1", "[N+](=O)[O-]", "C#N", "c1ccncc1", "OC")
HEADS = ("", "F", "Br", "N", "O", "CN", "CC(C)", "c1ccccc1", "C1CC1", "O=C(O)")


def small_molecules() -> list[str]:
    """Some three hundred different molecules."""
    made = (canonicalize(head + "C" * n + tail) for n in (1, 2, 3) for head in HEADS for tail in TAILS)
    return list(dict.fromkeys([*MOLECULES, *(one for one in made if one)]))


SMILES = small_molecules()


@pytest.fixture(scope="session")
def lib_model() -> MolVAE:
    return make_model(Vocabulary.from_smiles(SMILES))


@pytest.fixture(scope="session")
def work() -> library.Work:
    """Shards of 64 molecules."""
    return library.Work(shard_rows=64)


@pytest.fixture(scope="session")
def lib(tmp_path_factory: pytest.TempPathFactory, lib_model: MolVAE, work: library.Work) -> Path:
    """The library of all molecules, in at least four shards; nobody writes there."""
    path = tmp_path_factory.mktemp("libraries") / "lib"
    library.build(SMILES, path, lib_model, ["qed"], work=work)
    return path


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    """The molecules as a table with names, a column of numbers, duplicates, and what is no molecule."""
    rows = [*SMILES, SMILES[3], "C1CC", SMILES[200]]
    table = pd.DataFrame({"name": [f"m{i}" for i in range(len(rows))], "smiles": rows, "assay": range(len(rows))})
    table.loc[5, "assay"] = None
    table.to_csv(tmp_path / "molecules.csv", index=False)
    return tmp_path / "molecules.csv"


def files_of(path: Path) -> dict[str, bytes]:
    """Everything a library consists of."""
    return {str(one.relative_to(path)): one.read_bytes() for one in sorted(path.rglob("*")) if one.is_file()}
