"""The record of a campaign: one row per distinct molecule sent to the oracle, on disk as soon as it is known."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from chemvae.chem.identity import identify
from chemvae.design.evaluators.calls import Call, Chosen
from chemvae.design.evaluators.censored import as_counted, written_bounds
from chemvae.design.evaluators.fields import Fields
from chemvae.design.evaluators.journal import Journal
from chemvae.design.goals import Utility
from chemvae.design.oracles import Score
from chemvae.design.origin import UNKNOWN, Origin

__all__ = ["Call", "Chosen", "History", "as_numbers"]


class History:
    """Calls in order, and their file: a line of settings, then a line of JSON per call, each flushed to the disk at once.

    A record that exists is read first. Its calls wait in ``recorded`` until the campaign, which repeats itself exactly,
    comes to the same molecules; none is paid twice. A last line cut short by a crash is dropped.

    Parameters
    ----------
    path : path or None
        None keeps the record in memory only.
    settings : mapping
        What must be the same to go on with a record; JSON types. Its ``goals`` say how many values a call has.
    latent_dim : int, optional
        Numbers of a point, D.

    Raises
    ------
    SettingsError
        If the record was made with other settings.
    InputError
        If the file is not a record.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "history.jsonl"
    >>> History(path, {"seed": 0}).append(Call("CCO", Score((1.5,)), np.zeros(2)))
    >>> list(History(path, {"seed": 0}).recorded)
    ['CCO']
    """

    def __init__(self, path: str | Path | None, settings: Mapping[str, Any], latent_dim: int | None = None):
        self.calls: list[Call] = []
        self.known: dict[str, Call] = {}
        self.recorded: dict[str, Call] = {}
        self.record = None if path is None else Journal(path, settings)
        self._n_values = len(settings["goals"]) if "goals" in settings else None
        self._latent_dim = latent_dim
        if self.record is not None:
            self.record.read_rows(self._take_row)

    def __len__(self) -> int:
        return len(self.calls)

    def append(self, call: Call) -> None:
        """Add a call that was paid now."""
        self._take(call)
        if self.record is not None:
            self.record.write(_as_json(len(self.calls), call))

    def replay(self, smiles: str, origin: Origin = UNKNOWN) -> Call | None:
        """Take a call from the record if it holds this molecule; where the record does not say whence, the origin is this."""
        call = self.recorded.pop(smiles, None)
        if call is None:
            return None
        call = replace(call, origin=origin) if call.origin == UNKNOWN else call
        self._take(call)
        return call

    def absorb(self) -> list[Call]:
        """Take all that is left of the record, in its order."""
        return [call for text in list(self.recorded) if (call := self.replay(text)) is not None]

    def close(self) -> None:
        """Let others work with the record."""
        if self.record is not None:
            self.record.close()

    def table(self, utility: Utility) -> pd.DataFrame:
        """All calls as a table: ``call, smiles, score, reason, seconds, z, utility, stream, parent``, and several goals.

        Where a value is only known to lie on one side of a limit there is a column ``bound``, which says so.
        """
        values = np.array([call.score.values for call in self.calls], dtype=float).reshape(-1, len(utility.goals))
        table = pd.DataFrame({"call": np.arange(1, len(self.calls) + 1)})
        table["smiles"] = pd.Series([call.smiles for call in self.calls], dtype="str")
        counted = as_counted(self.calls, self.calls, utility.goals)
        table["score"] = values[:, 0] if len(utility.goals) == 1 else utility.score(counted)
        if any(call.bounds for call in self.calls):
            table["bound"] = [written_bounds(call, utility.names) for call in self.calls]
        table["reason"] = pd.Series([call.score.reason for call in self.calls], dtype="str")
        table["seconds"] = [call.score.seconds for call in self.calls]
        table["z"] = pd.Series([np.asarray(call.z, dtype=np.float32) for call in self.calls], dtype=object)
        table["utility"] = np.asarray(utility(counted), dtype=float)
        table["stream"] = pd.Series([call.origin.stream for call in self.calls], dtype="str")
        table["parent"] = pd.Series([call.origin.written for call in self.calls], dtype="str")
        if len(utility.goals) > 1:
            for i, name in enumerate(utility.columns):
                table[name] = values[:, i]
        return table

    def _take(self, call: Call) -> None:
        self.calls.append(call)
        self.known[call.smiles] = call

    def _take_row(self, row: Fields) -> None:
        """A line of the record: the next call, on a molecule that no line before is about."""
        due = len(self.recorded) + 1
        if row.whole("call") != due:
            raise ValueError(f"its call is {row.get('call')}, and {due} is due")
        written = row.text("smiles")
        smiles = identify(written)
        if smiles is None:
            raise ValueError(f"'{written[:40]}' is no molecule")
        if smiles in self.recorded:
            if written in self.recorded:
                raise ValueError(f"{written[:40]} stands there twice")
            smiles = written  # an older record has paid for it by two spellings
        values = tuple(row.numbers("values", self._n_values))
        score = Score(values, row.text("reason", may_be_empty=True), row.number("seconds"))
        self.recorded[smiles] = Call(smiles, score, row.point("z", self._latent_dim), origin=row.origin())


def _as_json(call_number: int, call: Call) -> dict[str, Any]:
    return {
        "call": call_number,
        "smiles": call.smiles,
        "values": as_numbers(call.score.values),
        "reason": call.score.reason,
        "seconds": round(call.score.seconds, 6),
        "z": as_numbers(call.z),
        **as_fields(call.origin),
    }


def as_fields(origin: Origin) -> dict[str, Any]:
    """An origin as a line of a record holds it.

    Examples
    --------
    >>> as_fields(Origin("crossover", ("CCO", "CCN")))
    {'stream': 'crossover', 'parent': ['CCO', 'CCN']}
    """
    return {"stream": origin.stream, "parent": list(origin.parents)}


def as_numbers(values: Sequence[float] | np.ndarray) -> list[float | None]:
    """Numbers as JSON knows them: None for NaN.

    Examples
    --------
    >>> as_numbers(np.array([0.5, np.nan]))
    [0.5, None]
    """
    return [float(value) if math.isfinite(value) else None for value in values]
