"""The molecules every contender is measured on."""

from __future__ import annotations

import copy
import os
from dataclasses import dataclass, replace

import numpy as np

from chemvae.cache import cache_folder
from chemvae.data.catalog.locate import DATA_VARIABLE, locate
from chemvae.data.prepare.tables import Table, load_table
from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.errors import InputError
from chemvae.models.training_facts import TrainingFacts
from chemvae.models.vae import MolVAE
from chemvae.seeding import seeded
from chemvae.training.inputs import choose_split, choose_vocabulary, make_inputs
from chemvae.training.session import preset_settings

PREFERRED, FALLBACK = "zinc250k", "virtual-drugs"
LABELS = ("logP", "qed", "SAS")
MONITORED = 10  # validation molecules: as few as may be, should an epoch end within a measurement


@dataclass(frozen=True)
class Workload:
    """Molecules, and an untrained model of the preset that fits them."""

    name: str
    table: Table
    train: SmilesDataset
    """Training molecules; the test split is left alone."""
    valid: SmilesDataset
    model: MolVAE

    @property
    def mean_tokens(self) -> float:
        """Tokens of a training molecule on average, without start and end."""
        return float(self.train.tokens.lengths.mean())

    def in_fp32(self) -> Workload:
        """The same with a model whose products are all fp32."""
        model = copy.deepcopy(self.model)
        model.settings = replace(model.settings, precision="fp32")
        return replace(self, model=model)


def read_workload(data: str | None, n_molecules: int, preset: str, seed: int, jobs: int) -> Workload:
    """Read the first ``n_molecules`` rows and build the model with random weights.

    Parameters
    ----------
    data : str or None
        None: ZINC250k where a copy lies on this machine, else virtual-drugs; nothing is downloaded.
    """
    name = data or (PREFERRED if is_at_hand(PREFERRED) else FALLBACK)
    table = load_table(name, limit=n_molecules, jobs=jobs, optional_properties=LABELS)
    split = choose_split(table, seed)
    vocabulary = choose_vocabulary([table.smiles[i] for i in split[0]])
    inputs = make_inputs(table, (split[0], split[1][:MONITORED]), vocabulary, random_smiles=0.0)
    return Workload(table.name, table, inputs.train, inputs.valid, new_model(inputs.train, table.property_names, preset, seed))


def new_model(train: SmilesDataset, property_names: list[str], preset: str, seed: int, **sizes: int) -> MolVAE:
    """An untrained model of a preset for these molecules; ``sizes`` changes fields of its ModelSettings."""
    import torch

    settings, _ = preset_settings(preset, sizes)
    with seeded(seed):
        model = MolVAE(train.vocabulary, settings, property_names)
    model.predictor.fit_scale(torch.as_tensor(train.labels))
    model.training_facts = TrainingFacts(max(1, int(train.tokens.lengths.max())))
    return model


def is_at_hand(name: str) -> bool:
    """Whether a set of the catalog lies in CHEMVAE_DATA or in the cache, so that no network is needed."""
    given = [part for part in os.environ.get(DATA_VARIABLE, "").split(os.pathsep) if part]
    for folder in [*given, str(cache_folder() / "datasets")]:
        if os.path.isdir(folder):
            try:
                locate(name, folder)
                return True
            except InputError:
                continue
    return False


def random_batches(train: SmilesDataset, batch_size: int, seed: int) -> list[np.ndarray]:
    """Indices of batches in random order of molecules, not sorted by length."""
    shuffled = np.random.default_rng(seed).permutation(len(train))
    return [shuffled[i : i + batch_size] for i in range(0, len(shuffled), batch_size)]
