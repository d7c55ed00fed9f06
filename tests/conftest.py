"""Shared fixtures: real molecules, a tiny model, one trained run per session."""

from __future__ import annotations

import io
import signal
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.data.tokens.vocabulary import Vocabulary
from chemvae.models.settings import ModelSettings
from chemvae.models.training_facts import TrainingFacts
from chemvae.models.vae import MolVAE

MOLECULES = [
    "CCO",
    "CC(=O)O",
    "c1ccccc1",
    "CC(=O)Oc1ccccc1C(=O)O",
    "CC(=O)Nc1ccc(O)cc1",
    "Cn1c(=O)c2c(ncn2C)n(C)c1=O",
    "CC(C)Cc1ccc(C(C)C(=O)O)cc1",
    "CN1CCC[C@H]1c1cccnc1",
    "C[C@@H](N)C(=O)O",
    "O=C(O)c1ccccc1O",
    "Clc1ccc(Br)cc1",
    "C/C=C/C(=O)N(C)C",
    "CS(=O)(=O)c1ccc(F)cc1",
    "N#Cc1ccc(-n2c3ccccc3c3ccccc32)cc1",
    "C[NH+](C)CCc1c[nH]c2ccccc12",
    "O=C([O-])c1cc(Cl)ccc1Cl",
    "CC(C)(C)OC(=O)N1CCNCC1",
    "O=c1[nH]cnc2[nH]ncc12",
    "FC(F)(F)c1cccc(I)c1",
    "C1CC2CCC1CC2",
]


SLOW_FIXTURES = {"test_demo.py": {"trained", "shipped", "demo"}, "test_readme.py": {"walked"}}
"""File -> fixtures of it that take more than ten seconds: a test that needs one is slow."""


def pytest_configure() -> None:
    """Hear Ctrl-C and a closed terminal as anybody's program does, also where the tests run in the background (nohup)."""
    for name, usual in (("SIGINT", signal.default_int_handler), ("SIGHUP", signal.SIG_DFL)):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, usual)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow what needs a slow fixture, and what is long: ``-m "not slow"`` leaves out both."""
    for item in items:
        if item.get_closest_marker("long") or SLOW_FIXTURES.get(item.path.name, set()) & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def molecules() -> list[str]:
    """Twenty real molecules with stereo, charges, halogens and fused rings."""
    return list(MOLECULES)


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    return Vocabulary.from_smiles(MOLECULES)


def make_model(vocabulary: Vocabulary, properties: tuple[str, ...] = ("logP", "qed"), precision: str = "fp32") -> MolVAE:
    """A model of a few thousand parameters with fixed random weights."""
    settings = ModelSettings(8, 12, 16, 6, 8, precision=precision)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = MolVAE(vocabulary, settings, properties)
    model.training_facts = TrainingFacts(max_tokens=40)
    return model


@pytest.fixture
def tiny_model(vocabulary: Vocabulary) -> MolVAE:
    return make_model(vocabulary).eval()


def some_labels(vocabulary: Vocabulary) -> SmilesDataset:
    """The twenty molecules with two labels each, some missing."""
    rng = np.random.default_rng(0)
    labels = rng.normal(size=(len(MOLECULES), 2))
    labels[::4, 1] = np.nan
    return SmilesDataset(MOLECULES, vocabulary, labels)


@pytest.fixture
def labelled(vocabulary: Vocabulary) -> SmilesDataset:
    """As :func:`some_labels` makes them, for one test to change."""
    return some_labels(vocabulary)


@pytest.fixture(scope="module")
def undrawn() -> Iterator[None]:
    """Pages whose figures are made but not drawn, which takes half of a small search; tests of reports look at them drawn."""
    from matplotlib.figure import Figure

    drawn = Figure.savefig

    def savefig(self: Figure, target: object, **options: object) -> None:
        if isinstance(target, io.StringIO):
            target.write('<svg viewBox="0 0 1 1"><path d="M0 0"/></svg>')
        else:
            drawn(self, target, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Figure, "savefig", savefig)
        yield
