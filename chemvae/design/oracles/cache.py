"""What an oracle has said, kept in a Parquet file and used again by later runs."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from chemvae.design.oracles.score import Score
from chemvae.disk.files import alone_in
from chemvae.disk.parquet_cache import ParquetCache
from chemvae.errors import InputError, SettingsError

if TYPE_CHECKING:
    import pyarrow

FORMAT = 1
KEY = b"chemvae_oracle"
OWN_COLUMNS = ("smiles", "reason", "seconds")
SAVE_EVERY_S = 5.0
LARGEST_SHARE = 0.05  # of the time, spent on saving


class ScoreCache:
    """Scores of one oracle on disk: ``smiles``, one column per name, ``reason``, ``seconds``.

    The file is read at the start. A new one is put in its place, whole, as soon as the scores not yet saved stand for five
    seconds of work, or five seconds have gone by; so a program that is killed loses no more than that. (A file so large that
    saving takes longer than a twentieth of that time is saved as much more rarely.) Several programs may share a file: each
    saves what the others have saved since.

    Parameters
    ----------
    path : path
        Need not exist yet; it is made at once, so that a wrong path costs no score.
    names : sequence of str, length P
        Of the oracle's values.
    oracle : str
        What tells this oracle from others with values of the same names.
    retry_failures : bool
        Do not offer scores that failed, so that they are asked for again.

    Attributes
    ----------
    known : dict of canonical SMILES to Score
        What was in the file at the start and can be used.

    Raises
    ------
    SettingsError
        If the file belongs to another oracle.
    InputError
        If the file is damaged, or is no memory.
    ChemVAEError
        If it cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "scores.parquet"
    >>> memory = ScoreCache(path, ["score"], "dock")
    >>> memory.add("CCO", Score((-7.5,)))
    >>> memory.save()
    >>> ScoreCache(path, ["score"], "dock").known["CCO"].values
    (-7.5,)
    """

    def __init__(self, path: str | Path, names: Sequence[str], oracle: str, retry_failures: bool = False):
        _check_names(names)
        self.path, self.names, self.oracle = Path(path).expanduser().absolute(), tuple(names), oracle
        self._unsaved_s = 0.0
        self._interval_s = SAVE_EVERY_S
        self._owner = os.getpid()
        self._file = ParquetCache(self.path)
        found = self._file.read()
        self._scores = {} if found is None else self._scores_of(found)
        self._is_saved = found is not None
        self.known = {text: one for text, one in self._scores.items() if not (retry_failures and one.failed)}
        self.save()
        self._saved_at = time.monotonic()

    def __len__(self) -> int:
        return len(self._scores)

    def add(self, smiles: str, score: Score) -> None:
        """Remember a score; a failure never replaces a success."""
        before = self._scores.get(smiles)
        if before is not None and not before.failed:
            return
        self._scores[smiles] = score
        self._is_saved = False
        self._unsaved_s += score.seconds
        if max(self._unsaved_s, time.monotonic() - self._saved_at) >= self._interval_s:
            self.save()

    def save(self) -> None:
        """Put everything on disk, if anything is new. In a forked process it does nothing: the file is its parent's."""
        if self._is_saved or os.getpid() != self._owner:
            return
        import pyarrow.parquet  # noqa: F401  (before the clock starts)

        started = time.monotonic()
        with alone_in(self.path.parent):
            self._take_from_others()
            self._file.write(self._table())
        self._is_saved, self._unsaved_s, self._saved_at = True, 0.0, time.monotonic()
        self._interval_s = max(SAVE_EVERY_S, (self._saved_at - started) / LARGEST_SHARE)

    def _take_from_others(self) -> None:
        """Add what another program has saved since this one last read or wrote the file."""
        found = self._file.read() if self._file.has_changed() else None
        for text, theirs in {} if found is None else self._scores_of(found).items():
            ours = self._scores.get(text)
            if ours is None or (ours.failed and not theirs.failed):
                self._scores[text] = theirs

    def _table(self) -> pyarrow.Table:
        import pyarrow

        scores = self._scores.values()
        columns = {"smiles": pyarrow.array(self._scores, pyarrow.string())}
        for i, name in enumerate(self.names):
            columns[name] = pyarrow.array([one.values[i] for one in scores], pyarrow.float64())
        columns["reason"] = pyarrow.array([one.reason for one in scores], pyarrow.string())
        columns["seconds"] = pyarrow.array([one.seconds for one in scores], pyarrow.float64())
        facts = json.dumps({"format": FORMAT, "oracle": self.oracle, "names": self.names})
        return pyarrow.table(columns).replace_schema_metadata({KEY: facts.encode()})

    def _scores_of(self, table: pyarrow.Table) -> dict[str, Score]:
        self._check(table)
        columns = [table[name].to_pylist() for name in ("smiles", "reason", "seconds", *self.names)]
        return {text: Score(tuple(values), why, s) for text, why, s, *values in zip(*columns, strict=True)}

    def _check(self, table: pyarrow.Table) -> None:
        """Raise unless the table is a memory of this oracle."""
        facts = json.loads((table.schema.metadata or {}).get(KEY, b"{}"))
        if facts.get("format") != FORMAT or not {*OWN_COLUMNS, *facts["names"]} <= set(table.column_names):
            raise InputError(f"{self.path} is not a memory that this version of chemvae can read. Give another file.")
        if tuple(facts["names"]) != self.names or facts["oracle"] != self.oracle:
            theirs, ours = (f"'{one}' ({', '.join(names)})" for one, names in self._identities(facts))
            raise SettingsError(f"{self.path} remembers the scores of {theirs}, not of {ours}; give each oracle its own file")

    def _identities(self, facts: dict) -> Iterator[tuple[str, Sequence[str]]]:
        yield facts["oracle"], facts["names"]
        yield self.oracle, self.names


def _check_names(names: Sequence[str]) -> None:
    if taken := sorted(set(names) & set(OWN_COLUMNS)):
        raise SettingsError(f"a value called '{taken[0]}' cannot be remembered, because a column is; give it another name")
