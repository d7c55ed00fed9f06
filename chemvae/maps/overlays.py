"""Sets laid over a map, and the paths of searches: read, encoded, ready to be placed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chemvae.errors import InputError, SettingsError
from chemvae.maps.payload import MOST_SETS
from chemvae.progress import Step
from chemvae.tables import latent_table

if TYPE_CHECKING:
    from chemvae.models.vae import MolVAE

HISTORY = "history.csv"
_CODE = re.compile(r"z_?\d+")  # a search writes the point of each molecule: no columns for a map
SET = "set"
LIBRARY = "library"


@dataclass(frozen=True)
class Overlay:
    """A set of molecules that is shown on a map with marks of its own."""

    name: str
    smiles: list[str]
    z: np.ndarray
    """[n, D]"""
    columns: pd.DataFrame
    n_predicted: int = 0
    """The last so many columns are the model's."""

    def columns_like(self, others: pd.DataFrame) -> pd.DataFrame:
        """The columns, with what the model says under the names that it has in another table, which ends in it too."""
        n_own = self.columns.shape[1] - self.n_predicted
        theirs = list(others.columns[len(others.columns) - self.n_predicted :])
        own = [f"{name} ({self.name})" if name in theirs else name for name in self.columns.columns[:n_own]]
        return self.columns.set_axis([*own, *theirs], axis=1)

    @property
    def best_so_far(self) -> np.ndarray:
        """Rows at which the highest ``score`` rose, in their order; every row where the table has no score."""
        name = next((name for name in self.columns if str(name).lower() == "score"), None)
        if name is None:
            return np.arange(len(self.smiles))
        score = pd.to_numeric(self.columns[name], errors="coerce").to_numpy(dtype=float)
        highest = np.maximum.accumulate(np.where(np.isnan(score), -np.inf, score))
        return np.flatnonzero(np.diff(highest, prepend=-np.inf) > 0)

    @property
    def step_words(self) -> list[str]:
        """What is said of each row where it is a step of a path."""
        names = {str(name).lower(): name for name in self.columns}
        told = [one for one in ("call", "score") if one in names]
        words = [self.columns[names[one]].map(lambda cell, one=one: f"{one} {_short(cell)}") for one in told]
        return [", ".join(row) for row in zip(*words, strict=True)] if words else [""] * len(self.smiles)


def parse_sets(words: list[str] | tuple[str, ...], flag: str) -> dict[str, str]:
    """Read ``NAME=FILE`` words; a file alone is called by its name.

    Examples
    --------
    >>> parse_sets(["drugs=approved.csv", "mine.smi"], "--overlay")
    {'drugs': 'approved.csv', 'mine': 'mine.smi'}
    """
    found: dict[str, str] = {}
    for word in words:
        name, given, file = word.partition("=")
        name, file = (name.strip(), file) if given else (Path(word).name.split(".")[0], word)
        if not name or not file:
            raise SettingsError(f"{flag} takes NAME=FILE, got '{word}'")
        if name in found:
            raise SettingsError(f"{flag} names '{name}' twice; give each set a name of its own")
        found[name] = file
    return found


def read_overlays(model: MolVAE, sets: Mapping[str, Any], standardize: str, jobs: int, step: Step) -> list[Overlay]:
    """Read and encode each set; rows that cannot be used are left out.

    Parameters
    ----------
    model : MolVAE
    sets : mapping of name to file, folder of a search, list of SMILES or DataFrame
    standardize, jobs
        As for the map's own table.
    step : callable
        Told of the stages "read" and "encode".
    """
    if len(sets) > MOST_SETS:
        raise SettingsError(f"at most {MOST_SETS} sets can be laid over a map, got {len(sets)}; join some of them")
    found = []
    for name, data in sets.items():
        smiles, z, columns = latent_table(model, search_table(data), None, standardize, None, 0, jobs, step=step)
        told = columns.drop(columns=[column for column in columns if _CODE.fullmatch(str(column))])
        found.append(Overlay(name, smiles, z, told, len(model.prediction_stems())))
    return found


def search_table(data: Any) -> Any:
    """The table of what a search has scored, for the folder of one; anything else as it is."""
    if not isinstance(data, (str, Path)) or not Path(data).is_dir():
        return data
    history = Path(data) / HISTORY
    if not history.exists():
        raise InputError(f"'{data}' is no folder of a search: it has no {HISTORY}. Give what optimize wrote, or a table.")
    return str(history)


def _short(cell: Any) -> str:
    """A cell as it is said: numbers in four digits."""
    return f"{float(cell):.4g}" if isinstance(cell, (int, float, np.number)) else str(cell)
