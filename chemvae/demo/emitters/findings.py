"""What the emitters' demo has found on its way, and at which sizes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import pandas as pd

from chemvae.demo.mapping import DemoMap
from chemvae.demo.molecule import Named
from chemvae.demo.stages import Staged
from chemvae.design import Result
from chemvae.models.vae import MolVAE

SHOWN = ("S1", "T1", "dE_ST")
"""What is predicted of every molecule on the page."""
BLUE = 2.73
"""eV, of the first excited singlet of a blue emitter."""
MIN_SIMILARITY = 0.4
"""Tanimoto similarity (ECFP4) to the start that the search keeps."""


@dataclass(frozen=True)
class EmitterSizes:
    """How much of everything: samples, calls of the search and molecules of one round, library molecules on the map."""

    n_samples: int = 300
    budget: int = 45
    batch: int = 15
    n_mapped: int = 2_000


FAST = EmitterSizes(n_samples=20, budget=6, batch=6, n_mapped=40)


@dataclass
class EmitterFindings(Staged):
    """Everything that was found on the way."""

    n_stages: ClassVar[int] = 4

    name: str
    """Of the model, as -m takes it."""
    start: Named
    seed: int
    sizes: EmitterSizes
    model: MolVAE = field(init=False, repr=False)
    samples: pd.DataFrame = field(default_factory=pd.DataFrame)
    """As :func:`chemvae.sample` gives them: ``smiles`` as written, ``valid``, ``novel``."""
    before: pd.Series = field(default_factory=lambda: pd.Series(dtype=float))
    """What is predicted of the start."""
    result: Result = field(init=False, repr=False)
    map: DemoMap = field(init=False, repr=False)
    seconds: dict[str, float] = field(default_factory=dict)
    """Stage -> wall time."""
