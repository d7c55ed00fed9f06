"""The book of a laboratory's campaign: what was handed out and what came back, on disk before it is shown."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from chemvae.design.evaluators.history import Chosen, as_numbers, as_point
from chemvae.design.evaluators.journal import Journal
from chemvae.design.evaluators.receipt import Receipt
from chemvae.design.evaluators.results_table import Measurement

BEFORE = -1  # the round of results that came before anything was asked


@dataclass(frozen=True)
class Batch:
    """What was handed out in one round."""

    size: int
    """Molecules that were to be open."""
    points: dict[str, np.ndarray]
    """Canonical SMILES -> the point [D] it was decoded from."""


class Ledger:
    """Rounds, the molecules handed out in each, and what came back.

    A molecule's result belongs to the round after which it came. A value that comes later for the same molecule replaces what
    was told then; a failure never replaces a value.

    Parameters
    ----------
    path, settings
        As for :class:`Journal`.

    Attributes
    ----------
    batches : dict
        Round -> :class:`Batch`.
    results : dict
        Round -> {canonical SMILES -> :class:`Measurement`}.
    ids : dict
        Id -> canonical SMILES, of all that was handed out.
    batch_of : dict
        Canonical SMILES of these -> number of the batch it was first in; a batch ends when results come in.
    """

    def __init__(self, path: str | Path, settings: Mapping[str, Any]):
        self.record = Journal(path, settings)
        self.batches: dict[int, Batch] = {}
        self.results: dict[int, dict[str, Measurement]] = {}
        self.ids: dict[str, str] = {}
        self.batch_of: dict[str, int] = {}
        self._round_of: dict[str, int] = {}
        self._batch, self._is_answered = 1, False
        for number, row in self.record.rows:
            try:
                self._take_row(row)
            except (KeyError, TypeError, ValueError) as error:
                self.record.close()
                raise self.record.damaged(number, error) from error

    @property
    def answers(self) -> dict[str, Measurement]:
        """All that was told, by canonical SMILES."""
        return {text: one for told in self.results.values() for text, one in told.items()}

    def told_in(self, round_: int) -> list[Measurement]:
        """What came back after a round: first what was asked for, in the order in which it was handed out."""
        told = self.results.get(round_, {})
        asked = [told[text] for text in self.batch_of if text in told]
        return asked + [one for text, one in told.items() if text not in self.batch_of]

    def hand_out(self, round_: int, molecules: Sequence[Chosen], size: int) -> None:
        """Record the molecules of a round, each with an id of its own."""
        first = len(self.ids) + 1
        rows = [
            {"id": f"m{number:04d}", "smiles": text, "z": as_numbers(z)} for number, (text, z) in enumerate(molecules, first)
        ]
        self._write({"asked": round_, "size": size, "molecules": rows})

    def take(self, found: Sequence[Measurement]) -> Receipt:
        """Record what is new in a table of results, in one line: all of it or, after a crash, nothing."""
        answers = self.answers
        outcomes = {one.smiles: _kind(answers.get(one.smiles), one) for one in found}
        news = [one for one in found if outcomes[one.smiles] != "unchanged"]
        if news:
            rows = [{"smiles": one.smiles, "values": as_numbers(one.values), "reason": one.reason} for one in news]
            self._write({"told": max(self.batches, default=BEFORE), "results": rows})
        counts = {kind: list(outcomes.values()).count(kind) for kind in ("values", "failed", "corrected", "unchanged")}
        extra = sum(one.smiles not in self.batch_of and one.smiles not in answers for one in found)
        return Receipt(**counts, extra=extra)

    def _write(self, row: dict[str, Any]) -> None:
        self.record.write(row)
        self._take_row(row)

    def _take_row(self, row: Mapping[str, Any]) -> None:
        if "asked" in row:
            self._take_batch(row)
        else:
            self._take_results(row)

    def _take_batch(self, row: Mapping[str, Any]) -> None:
        points = {one["smiles"]: as_point(one["z"]) for one in row["molecules"]}
        self._batch, self._is_answered = self._batch + self._is_answered, False
        self.batches[int(row["asked"])] = Batch(int(row["size"]), points)
        self.ids |= {one["id"]: one["smiles"] for one in row["molecules"]}
        self.batch_of |= dict.fromkeys(points, self._batch)

    def _take_results(self, row: Mapping[str, Any]) -> None:
        self._is_answered = bool(self.batches)
        for one in row["results"]:
            round_ = self._round_of.setdefault(one["smiles"], int(row["told"]))
            values = tuple(math.nan if value is None else float(value) for value in one["values"])
            self.results.setdefault(round_, {})[one["smiles"]] = Measurement(one["smiles"], values, one["reason"])


def _kind(before: Measurement | None, now: Measurement) -> str:
    """How a result is to be taken, given what was told of the molecule before."""
    if before is None:
        return "failed" if now.failed else "values"
    return "unchanged" if now.failed or now.values == before.values else "corrected"
