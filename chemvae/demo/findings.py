"""What the demo found on its way."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd

from chemvae.demo.card import ModelCard
from chemvae.demo.library import part_of, unknown_to
from chemvae.demo.mapping import DemoMap
from chemvae.demo.molecule import Named, Study
from chemvae.demo.searches import Comparison, Improvement
from chemvae.demo.sizes import DemoSizes
from chemvae.demo.stages import Staged
from chemvae.evaluation.protocols import Evaluation
from chemvae.models.vae import MolVAE


@dataclass
class Findings(Staged):
    """Everything the demo found on its way; :func:`collect` makes results.json of it, the page draws it."""

    n_stages: ClassVar[int] = 7

    folder: Path
    sizes: DemoSizes
    seed: int
    name: str
    """Of the model, as -m takes it."""
    is_trained: bool
    """Whether the model was trained in this demo, on the library."""
    start: Named | None = None
    """The molecule that the user named."""
    preparation: dict[str, Any] = field(default_factory=dict)
    """The card of the prepared library."""
    table: pd.DataFrame = field(default_factory=pd.DataFrame)
    """The library: ``smiles``, ``logP``, ``qed``, ``SAS``, ``split``."""
    model: MolVAE = field(init=False, repr=False)
    card: ModelCard | None = None
    """What the model's own card says, if it has one."""
    learning: pd.DataFrame = field(default_factory=pd.DataFrame)
    """metrics.csv of the run; empty where nothing was trained."""
    evaluation: Evaluation = field(init=False, repr=False)
    given: list[Named] = field(default_factory=list)
    """Molecules to start from: the user's or a drug, then molecules of the library that the model was not trained on."""
    study: Study | None = None
    comparisons: list[Comparison] = field(default_factory=list)
    improvements: list[Improvement] = field(default_factory=list)
    map: DemoMap = field(init=False, repr=False)
    seconds: dict[str, float] = field(default_factory=dict)
    """Stage -> wall time."""

    @property
    def reference(self) -> pd.DataFrame:
        """Molecules that what was found is set beside: the training set, or the whole library."""
        return part_of(self.table, "train") if self.is_trained else self.table

    @property
    def reference_name(self) -> str:
        """What these are called."""
        return "training set" if self.is_trained else "virtual library"

    @property
    def held_out(self) -> pd.DataFrame:
        """Molecules of the library that the model has not seen."""
        return part_of(self.table, "test") if self.is_trained else unknown_to(self.model, self.table)

    @property
    def samples(self) -> pd.DataFrame:
        """The first samples: ``smiles`` as written, ``valid``."""
        return self.evaluation.samples.head(self.sizes.n_drawn)

    @property
    def data(self) -> Path:
        """The prepared library."""
        return self.folder / "data"
