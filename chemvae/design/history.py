"""The record of a campaign: one row per distinct molecule sent to the oracle, on disk as soon as it is known."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from chemvae.design.goals import Objective
from chemvae.design.oracles import Score
from chemvae.errors import InputError, SettingsError

FORMAT = 1


@dataclass(frozen=True)
class Call:
    """One molecule sent to the oracle."""

    smiles: str
    """Canonical."""
    score: Score
    """What came back."""
    z: np.ndarray
    """The point it was decoded from [D] (the encoding, for a start molecule); NaN where there is none."""


class History:
    """Calls in order, and their file: a line of settings, then a line of JSON per call, each flushed to the disk at once.

    A record that exists is read first. Its calls wait in ``recorded`` until the campaign, which repeats itself exactly,
    comes to the same molecules; none is paid twice. A last line cut short by a crash is dropped.

    Parameters
    ----------
    path : path or None
        None keeps the record in memory only.
    settings : mapping
        What must be the same to go on with a record; JSON types.

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

    def __init__(self, path: str | Path | None, settings: Mapping[str, Any]):
        self.path = None if path is None else Path(path)
        self.calls: list[Call] = []
        self.known: dict[str, Call] = {}
        self.recorded: dict[str, Call] = {}
        if self.path is not None:
            self._open(dict(settings))

    def __len__(self) -> int:
        return len(self.calls)

    def append(self, call: Call) -> None:
        """Add a call that was paid now."""
        self._take(call)
        if self.path is not None:
            self._write(_as_json(len(self.calls), call))

    def replay(self, smiles: str) -> Call | None:
        """Take a call from the record if it holds this molecule."""
        call = self.recorded.pop(smiles, None)
        if call is not None:
            self._take(call)
        return call

    def absorb(self) -> list[Call]:
        """Take all that is left of the record, in its order."""
        return [call for text in list(self.recorded) if (call := self.replay(text)) is not None]

    def table(self, objective: Objective) -> pd.DataFrame:
        """All calls as a table: ``call, smiles, score, reason, seconds, z, utility``, and the goals if there are several."""
        values = np.array([call.score.values for call in self.calls], dtype=float).reshape(-1, len(objective.goals))
        table = pd.DataFrame({"call": np.arange(1, len(self.calls) + 1)})
        table["smiles"] = pd.Series([call.smiles for call in self.calls], dtype="str")
        table["score"] = objective.score(values)
        table["reason"] = pd.Series([call.score.reason for call in self.calls], dtype="str")
        table["seconds"] = [call.score.seconds for call in self.calls]
        table["z"] = pd.Series([np.asarray(call.z, dtype=np.float32) for call in self.calls], dtype=object)
        table["utility"] = np.asarray(objective.utility(values), dtype=float)
        if len(objective.goals) > 1:
            for i, name in enumerate(objective.names):
                table[name] = values[:, i]
        return table

    def _take(self, call: Call) -> None:
        self.calls.append(call)
        self.known[call.smiles] = call

    def _open(self, settings: dict[str, Any]) -> None:
        lines = self._whole_lines()
        header = {"format": FORMAT, **settings}
        if not lines:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._write(header)
            return
        found = self._parse(lines[0], 1)
        changed = [key for key in header if found.get(key) != header[key]]
        if changed:
            raise SettingsError(
                f"the record {self.path} was made with another {', '.join(changed)} "
                f"({found.get(changed[0])!r}, now {header[changed[0]]!r}); use the same settings to go on, or another path"
            )
        for number, line in enumerate(lines[1:], start=2):
            call = self._as_call(self._parse(line, number), number)
            self.recorded[call.smiles] = call

    def _whole_lines(self) -> list[str]:
        """Read the record, and cut off a last line that was not finished."""
        if not self.path.exists():
            return []
        try:
            text = self.path.read_bytes()
            end = text.rfind(b"\n") + 1
            if end < len(text):
                with self.path.open("r+b") as file:
                    file.truncate(end)
            return text[:end].decode("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{self.path} cannot be read as a record of a search ({error}); choose another path") from error

    def _parse(self, line: str, number: int) -> dict[str, Any]:
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if not isinstance(row, dict) or (number == 1 and "format" not in row):
            raise InputError(f"{self.path} is not a record of a search: line {number} is '{line[:60]}'. Choose another path.")
        return row

    def _as_call(self, row: dict[str, Any], number: int) -> Call:
        try:
            values = tuple(math.nan if value is None else float(value) for value in row["values"])
            z = np.array([math.nan if value is None else value for value in row["z"]], dtype=np.float32)
            return Call(row["smiles"], Score(values, row["reason"], row["seconds"]), z)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{self.path} is damaged in line {number} ({error}); choose another path") from error

    def _write(self, row: dict[str, Any]) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, allow_nan=False) + "\n")
            file.flush()
            os.fsync(file.fileno())


def _as_json(call_number: int, call: Call) -> dict[str, Any]:
    def number(value: float) -> float | None:
        return float(value) if math.isfinite(value) else None

    return {
        "call": call_number,
        "smiles": call.smiles,
        "values": [number(value) for value in call.score.values],
        "reason": call.score.reason,
        "seconds": round(call.score.seconds, 6),
        "z": [number(value) for value in call.z],
    }
