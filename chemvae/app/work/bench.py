"""What a worker has at hand before it knows its job: the model, the library, and the library's map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from chemvae.maps import Projection, load_projection
from chemvae.models.storage import open_model


class Bench:
    """The worker's tools.

    Parameters
    ----------
    settings : mapping
        ``model``, ``library``, ``projector``, ``project``.
    """

    def __init__(self, settings: Mapping[str, Any]):
        self.model_name = str(settings["model"])
        self.library = Path(settings["library"]) if settings.get("library") else None
        self.projector = Path(settings["projector"]) if settings.get("projector") else None
        self.project = Path(settings["project"])
        self._projection: Projection | None = None
        self._warm_up()

    @cached_property
    def model(self) -> Any:
        """The model, in eval mode."""
        return open_model(self.model_name, "cpu")

    def _warm_up(self) -> None:
        """Load what every job needs."""
        import torch

        torch.set_num_threads(1)
        import chemvae.design.search  # noqa: F401  # seconds that a job need not wait for

        self.model.encode(["CCO"])

    @property
    def projection(self) -> Projection | None:
        """The library's map; None while there is none."""
        if self._projection is None and self.projector is not None and self.projector.exists():
            self._projection = load_projection(self.projector)
        return self._projection

    def places(self, smiles: Sequence[str]) -> np.ndarray:
        """Where molecules lie on the map: [N, 2], NaN for what has no place."""
        xy = np.full((len(smiles), 2), np.nan)
        usable = [i for i, reason in enumerate(self.model.encode_reasons(list(smiles))) if reason is None]
        if self.projection is not None and usable:
            xy[usable] = self.projection.transform(self.model.encode([smiles[i] for i in usable]))
        return xy

    def placed(self, table: pd.DataFrame) -> pd.DataFrame:
        """A table of molecules (column ``smiles``) with their places as ``x`` and ``y``."""
        xy = self.places([text if isinstance(text, str) else "" for text in table["smiles"]])
        return table.assign(x=xy[:, 0], y=xy[:, 1])
