"""The book of a laboratory's campaign: what was handed out and what came back, on disk before it is shown."""

from __future__ import annotations

import json
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from chemvae.chem.identity import identify
from chemvae.design.evaluators.fields import Fields
from chemvae.design.evaluators.history import Chosen, as_fields, as_numbers
from chemvae.design.evaluators.journal import Journal
from chemvae.design.evaluators.receipt import Receipt
from chemvae.design.evaluators.results_table import Measurement
from chemvae.design.origin import Origin

BEFORE = -1  # the round of results that came before anything was asked


@dataclass(frozen=True)
class Batch:
    """What was handed out in one round."""

    size: int
    """Molecules that were to be open."""
    points: dict[str, np.ndarray]
    """Canonical SMILES -> the point [D] it was decoded from."""
    origins: dict[str, Origin]
    """Canonical SMILES -> what proposed it."""


class Ledger:
    """Rounds, the molecules handed out in each, and what came back.

    A molecule's result belongs to the round after which it came. A value that comes later for the same molecule replaces what
    was told then; a failure never replaces a value.

    Parameters
    ----------
    path, settings
        As for :class:`Journal`.
    shape : (int, int), optional
        Values of a result and numbers of a point, where they are known.

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

    def __init__(self, path: str | Path, settings: Mapping[str, Any], shape: tuple[int | None, int | None] = (None, None)):
        self.record = Journal(path, settings)
        self.batches: dict[int, Batch] = {}
        self.results: dict[int, dict[str, Measurement]] = {}
        self.ids: dict[str, str] = {}
        self.batch_of: dict[str, int] = {}
        self._round_of: dict[str, int] = {}
        self._batch, self._is_answered = 1, False
        self._spelled: dict[str, str] = {}
        self._shape = shape
        self.record.read_rows(self._take_row)

    @property
    def answers(self) -> dict[str, Measurement]:
        """All that was told, by canonical SMILES."""
        return {text: one for told in self.results.values() for text, one in told.items()}

    @property
    def names(self) -> dict[str, str]:
        """By what each molecule is known; nothing for one that nobody has named."""
        told = {text: one.id for text, one in self.answers.items() if one.id}
        return told | {text: key for key, text in self.ids.items()}

    def told_in(self, round_: int) -> list[Measurement]:
        """What came back after a round: first what was asked for, in the order in which it was handed out."""
        told = self.results.get(round_, {})
        asked = [told[text] for text in self.batch_of if text in told]
        return asked + [one for text, one in told.items() if text not in self.batch_of]

    def hand_out(self, round_: int, molecules: Sequence[Chosen], size: int) -> None:
        """Record the molecules of a round, each with an id of its own."""
        first = len(self.ids) + 1
        rows = [
            {"id": f"m{number:04d}", "smiles": one.smiles, "z": as_numbers(one.z), **as_fields(one.origin)}
            for number, one in enumerate(molecules, first)
        ]
        self._write({"asked": round_, "size": size, "molecules": rows})

    def take(self, found: Sequence[Measurement]) -> Receipt:
        """Record what is new in a table of results, in one line: all of it or, after a crash, nothing."""
        answers = self.answers
        outcomes = {one.smiles: _kind(answers.get(one.smiles), one) for one in found}
        news = [one for one in found if outcomes[one.smiles] != "unchanged"]
        if news:
            self._write({"told": max(self.batches, default=BEFORE), "results": [_as_json(one) for one in news]})
        counts = {kind: list(outcomes.values()).count(kind) for kind in ("values", "failed", "corrected", "unchanged")}
        extra = sum(one.smiles not in self.batch_of and one.smiles not in answers for one in found)
        return Receipt(**counts, extra=extra)

    def _write(self, row: dict[str, Any]) -> None:
        self.record.write(row)
        self._take_row(Fields(row))

    def _take_row(self, row: Fields) -> None:
        if "asked" in row.row:
            self._take_batch(row)
        else:
            self._take_results(row)

    def _take_batch(self, row: Fields) -> None:
        molecules = row.rows("molecules")
        texts = [self._spelling(one.text("smiles")) for one in molecules]
        ids = [one.text("id") for one in molecules]
        points = dict(zip(texts, (one.point("z", self._shape[1]) for one in molecules), strict=True))
        origins = dict(zip(texts, (one.origin() for one in molecules), strict=True))
        round_, size = row.whole("asked"), row.whole("size", 1)
        if len(points) < len(texts) or self.batch_of.keys() & points.keys():
            raise ValueError("a molecule was handed out twice")
        if len(set(ids)) < len(ids) or self.ids.keys() & set(ids) or round_ in self.batches:
            raise ValueError("an id or a round stands there twice")
        self._batch, self._is_answered = self._batch + self._is_answered, False
        self.batches[round_] = Batch(size, points, origins)
        self.ids |= dict(zip(ids, texts, strict=True))
        self.batch_of |= dict.fromkeys(points, self._batch)

    def _take_results(self, row: Fields) -> None:
        round_now, self._is_answered = row.whole("told", BEFORE), bool(self.batches)
        if round_now not in self.batches and round_now != BEFORE:
            raise ValueError(f"its results came after round {round_now}, which was never handed out")
        for one in row.rows("results"):
            text = self._spelled.get(one.text("smiles"), one.text("smiles"))
            round_ = self._round_of.setdefault(text, round_now)
            values = tuple(one.numbers("values", self._shape[0]))
            bounds = one.bounds("bounds", len(values))
            reason = one.text("reason", may_be_empty=True)
            known = self.results.setdefault(round_, {}).get(text)
            own_id = one.text("id") if "id" in one.row else known.id if known else ""
            self.results[round_][text] = Measurement(text, values, reason, bounds, own_id)

    def _spelling(self, written: str) -> str:
        """The one spelling of a molecule that was handed out, however the record has it."""
        found = identify(written)
        if found is None:
            raise ValueError(f"'{written[:40]}' is no molecule")
        self._spelled[written] = _as_on_record(written, found, self.batch_of)
        return self._spelled[written]


def _as_on_record(written: str, found: str, known: Container[str]) -> str:
    """The spelling of a molecule: its one spelling, but where an older record has handed it out by two."""
    return written if found in known and written not in known else found


def read_ids(path: Path) -> dict[str, str]:
    """Id -> canonical SMILES of all that a record says was handed out, read beside whoever works with it.

    Nothing where there is no record. What is damaged is left out: :class:`Ledger` complains of it.
    """
    found: dict[str, str] = {}
    lines = path.read_bytes().decode("utf-8", "replace").splitlines() if path.is_file() else []
    for line in lines[1:]:
        try:
            rows = json.loads(line).get("molecules", ())
            pairs = [(str(row["id"]), str(row["smiles"])) for row in rows]
        except (ValueError, AttributeError, KeyError, TypeError, RecursionError):
            continue
        known = set(found.values())
        spelled = ((key, text, identify(text)) for key, text in pairs)
        found |= {key: _as_on_record(text, one, known) for key, text, one in spelled if one is not None}
    return found


def _kind(before: Measurement | None, now: Measurement) -> str:
    """How a result is to be taken, given what was told of the molecule before."""
    if before is None:
        return "failed" if now.failed else "values"
    is_same = (now.values, now.bounds) == (before.values, before.bounds)
    return "unchanged" if now.failed or is_same else "corrected"


def _as_json(one: Measurement) -> dict[str, Any]:
    """A result as a record holds it; bounds and an id only where there are any."""
    bounds = {"bounds": list(one.bounds)} if one.bounds else {}
    own_id = {"id": one.id} if one.id else {}
    return {"smiles": one.smiles, "values": as_numbers(one.values), "reason": one.reason, **bounds, **own_id}
