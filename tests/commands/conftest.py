"""A table of small molecules, a model trained on it once per session, and the command line to drive."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from chemvae import api
from chemvae.chem.molecules import canonicalize
from chemvae.chem.properties import compute_table

TAILS = ("O", "N", "Cl", "C(=O)O", "C(N)=O", "c1ccccc1", "C1CCCC1", "OC", "S", "C#N")
HEADS = ("", "F", "Br", "N", "O", "CN", "CO", "CC(C)", "c1ccccc1", "C1CC1")


def small_molecules() -> list[str]:
    """Three hundred different small molecules: a head, a chain of one to three carbons, a tail."""
    found = (canonicalize(head + "C" * n + tail) for n in (1, 2, 3) for head in HEADS for tail in TAILS)
    return list(dict.fromkeys(smiles for smiles in found if smiles))


@pytest.fixture(scope="session")
def table_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """name, smiles, logP, qed, split; two labels are missing."""
    smiles = small_molecules()
    table = pd.DataFrame({"name": [f"m{i:03d}" for i in range(len(smiles))], "smiles": smiles})
    table = table.join(compute_table(smiles, ["logP", "qed"]).round(4))
    table.loc[[3, 5], "qed"] = None
    table["split"] = ["test" if i % 10 == 9 else "valid" if i % 10 == 8 else "train" for i in range(len(smiles))]
    path = tmp_path_factory.mktemp("data") / "small.csv"
    table.to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory, table_csv: Path) -> Path:
    """The run folder of a model that has learned to write small molecules."""
    run = tmp_path_factory.mktemp("runs") / "tiny"
    api.train(
        table_csv, ["logP", "qed"], "tiny", run, epochs=15, batch_size=16, learning_rate=5e-3, latent_dim=16, decoder_dim=96,
        encoder_dim=48, beta=0.01, ema_decay=0.95, device="cpu", threads=1, min_kl=0.5, min_active_units=0.0,
    )  # fmt: skip
    return run


@pytest.fixture
def chemvae(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Result]:
    """The command line in this process, in an empty folder."""
    from chemvae.cli import app

    monkeypatch.chdir(tmp_path)

    def run(*words: object, stdin: str | bytes | None = None) -> Result:
        return CliRunner().invoke(app, [str(word) for word in words], input=stdin)

    return run
