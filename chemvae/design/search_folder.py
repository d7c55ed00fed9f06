"""The folder of a search: the record that it goes on from, what was asked, and the tables and page that show what came of it.

``history.jsonl`` (the record), ``baseline.jsonl`` (that of a random search beside it), ``settings.json`` (what was asked),
``history.csv``, ``proposals.csv``, ``best.csv``, ``pareto.csv``, ``result.json``, ``report.html``; ``next.csv`` where a
laboratory measures; ``model``, a run folder, where the search has retrained the decoder.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from chemvae.data.files.reading import STDIN, read_records
from chemvae.design.results.result import Result
from chemvae.design.results.summary import summary
from chemvae.design.search_settings import SearchSettings, checked_words
from chemvae.design.trust import is_trusted, seal
from chemvae.disk.locks import held
from chemvae.disk.staging import Stage, all_at_once
from chemvae.errors import ChemVAEError, InputError
from chemvae.models.storage import save_model
from chemvae.runs import RunFolder, environment, write_json
from chemvae.tables import check_output, expand_latents, write_table

logger = logging.getLogger(__name__)

SHEET = "next.csv"
MODEL = "model"
OWN = (
    "history.jsonl", "baseline.jsonl", "settings.json", "history.csv", "proposals.csv", "best.csv", "pareto.csv", "result.json",
    "report.html", "model",
)  # fmt: skip
"""What a new search in the folder replaces; whatever else lies there stays, also what went to a laboratory."""
SEAL = "oracle_seal"
LONGEST_HEADER = 1 << 24


class SearchFolder:
    """One search on disk.

    Parameters
    ----------
    path : Path or str
        Need not exist yet.

    Examples
    --------
    >>> SearchFolder("hits").record.name, SearchFolder("hits").exists()
    ('history.jsonl', False)
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self._stage = Stage(self.path)

    def __repr__(self) -> str:
        return f"SearchFolder('{self.path}')"

    @property
    def record(self) -> Path:
        """Every call, as it is paid."""
        return self.path / "history.jsonl"

    @property
    def baseline_record(self) -> Path:
        """Every call of the random search beside it."""
        return self.path / "baseline.jsonl"

    @property
    def settings(self) -> Path:
        """What was asked."""
        return self.path / "settings.json"

    @property
    def sheet(self) -> Path:
        """What a laboratory is to measure next, where no other place is named."""
        return self.path / SHEET

    @property
    def report(self) -> Path:
        """The page."""
        return self.path / "report.html"

    def record_in_use(self) -> Path:
        """The record that a search goes on from: the successor's where one was begun."""
        with self._at_unfinished():
            return self.record

    def exists(self) -> bool:
        """Whether there is a search to go on with."""
        return self.record.exists()

    # ---------------------------------------------------------------- beginning and going on

    def start(self, asked: Mapping[str, Any], *, overwrite: bool = False) -> SearchSettings:
        """What a new search is asked for; nothing is written yet.

        Parameters
        ----------
        asked : mapping
            Fields of :class:`SearchSettings`; the others are as usual.
        overwrite : bool
            A search may be there: it makes room when the new one has begun (:meth:`opened`).

        Raises
        ------
        ChemVAEError
            If the folder holds a search already, unless ``overwrite``.
        """
        self._settle()
        if (self.exists() or self._has_successor()) and not overwrite:
            raise ChemVAEError(
                f"'{self.path}' already holds a search. Go on with it (--resume), replace it (--overwrite), or change -o."
            )
        return SearchSettings(**asked).anchored()

    def resume(self, asked: Mapping[str, Any]) -> SearchSettings:
        """What the search here was asked for, with what is changed now.

        The task must be the same: the record refuses another one when the search begins.

        Raises
        ------
        ChemVAEError
            If there is no search here.
        InputError
            If its settings cannot be read.
        """
        self._settle()
        if not self.exists() and not self._has_successor():
            raise ChemVAEError(f"'{self.path}' holds no search to go on with. Leave out --resume to begin one.")
        with self._at_unfinished():
            words = {**checked_words(self.read_settings(), self.settings), **asked}
            words["batch"] = words.get("batch") or self._batch_on_record()
        return SearchSettings(**words).anchored()

    def read_settings(self) -> dict[str, Any]:
        """What ``settings.json`` holds; nothing, with a warning, where there is no such file.

        Raises
        ------
        InputError
            If it cannot be read.
        """
        if not self.settings.exists():
            logger.warning("%s is gone: what is not said again with --resume is taken as usual.", self.settings)
            return {}
        try:
            found = json.loads(self.settings.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            reason = getattr(error, "strerror", None) or str(error)[:80]
        else:
            reason = "" if isinstance(found, dict) else "it holds no settings"
        if reason:
            raise InputError(
                f"{self.settings} cannot be read ({reason}). The record beside it is what counts: delete the settings, and say "
                "the flags of the search again with --resume."
            )
        return found

    def remember(self, settings: SearchSettings) -> None:
        """Write down what is asked, with a seal by which this user may go on unasked (:mod:`chemvae.design.trust`)."""
        write_json(self.settings, asdict(settings))
        mark = seal(self._stage.folder, settings.oracle)
        if mark:
            write_json(self.settings, {**asdict(settings), SEAL: mark})

    def trusts(self, oracle: str | None) -> bool:
        """Whether an oracle may be run on the word of the settings here: it is harmless, or this user began the search here."""
        with self._at_unfinished():
            found = self.read_settings().get(SEAL) if oracle else None
        return is_trusted(self._stage.folder, oracle, found)

    def _batch_on_record(self) -> int | None:
        """The batch size that the record says; None where it says none, or nothing yet."""
        try:
            with self.record.open(encoding="utf-8", errors="replace") as file:
                found = json.loads(file.readline(LONGEST_HEADER))["batch_size"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None  # of what is damaged, the record itself complains
        return found if isinstance(found, int) and not isinstance(found, bool) else None

    @contextmanager
    def opened(self, settings: SearchSettings, *, replace: bool = False) -> Iterator[None]:
        """Search inside the block, alone in the folder.

        With ``replace`` the earlier search stays until the block ends well; the new one gathers in a corner of the folder until
        then, and what was paid for there is gone on with by :meth:`resume` if the block does not end well.

        Raises
        ------
        BusyFolderError
            If another program searches here, naming it.
        """
        with held(self.path):
            self._stage.settle()
            if not replace and not self._has_successor():
                self._begin(settings)
                yield
                return
            if replace:
                self._stage.begin()
            with self._replacing():
                self._begin(settings)
                yield
            self._stage.finish(OWN)

    def _begin(self, settings: SearchSettings) -> None:
        if not self.exists():
            self.remember(settings)

    def _settle(self) -> None:
        """Put in order what a crash has left between two searches."""
        if not self._stage.is_settled:
            with held(self.path):
                self._stage.settle()

    def _has_successor(self) -> bool:
        """Whether a search was begun that is to replace the one here."""
        return (self._stage.making / self.record.name).exists()

    @contextmanager
    def _at_successor(self) -> Iterator[None]:
        """Mean the search that is to replace the one here."""
        place, self.path = self.path, self._stage.making
        try:
            yield
        finally:
            self.path = place

    def _at_unfinished(self) -> AbstractContextManager[None]:
        """Mean the search that is gone on with here: the successor where one was begun."""
        return self._at_successor() if self._has_successor() else nullcontext()

    @contextmanager
    def _replacing(self) -> Iterator[None]:
        """Work at the successor; without a paid call it is given up when the block fails."""
        try:
            with self._at_successor():
                yield
        except BaseException:
            record = self._stage.making / self.record.name
            if record.exists() and record.read_bytes().count(b"\n") > 1:
                said = "'%s' still holds the search it held; what the new one paid for is kept for --resume."
                logger.warning(said, self.path)
            else:
                self._stage.discard()
            raise

    # ---------------------------------------------------------------- what came of it

    def write(self, result: Result, baseline: Result | None = None) -> None:
        """Write tables, figures and the page, all of them or none.

        Parameters
        ----------
        result : Result
        baseline : Result, optional
            Of a random search with the same budget, shown beside it.
        """
        history = result.history.drop(columns="z").join(expand_latents(list(result.history["z"])))
        facts = describe_result(result, baseline)
        with all_at_once(self.path, "tables") as place:
            write_table(history, place / "history.csv")
            write_table(result.proposals, place / "proposals.csv")
            write_table(result.molecules, place / "best.csv")
            if len(result.utility.goals) > 1:
                write_table(result.pareto.drop(columns="z"), place / "pareto.csv")
            write_json(place / "result.json", facts)
            result.to_html(place / self.report.name, baseline)
            if result.is_retrained and result.model is not None:
                save_model(result.model, RunFolder(place / MODEL))


def describe_result(result: Result, baseline: Result | None = None) -> dict[str, Any]:
    """What ``result.json`` holds: the summary, goals, settings, refusals and counts, and where it was made."""
    facts = {**summary(result), "goals": result.utility.describe(), "settings": result.settings}
    facts |= {"rejections": result.rejections, "counts": result.counts, "environment": environment()}
    facts |= {"learned": result.learned} if result.learned else {}
    return facts | ({"baseline": summary(baseline)} if baseline is not None else {})


# the table that goes to a laboratory ----------------------------------------------------------------------------------------


def check_sheet(path: Path, results: Any = None) -> None:
    """Refuse to write over a table that somebody may have filled in.

    Parameters
    ----------
    path : Path
        Where the next batch is to be written.
    results : path, DataFrame or None
        What is read now; the same file may be written over.

    Raises
    ------
    SettingsError
        If the file's ending is no table's.
    ChemVAEError
        If the file is there, holds more than was written for this campaign, and is not what is read now.
    """
    check_output(path, overwrite=True)
    if str(path) == STDIN or not path.exists() or _is_file(results, path):
        return
    if not is_unfilled(path):
        raise ChemVAEError(
            f"'{path}' exists, and results may be filled in there. Tell them with --batch-in {path}, or choose another name."
        )


def _is_file(given: Any, path: Path) -> bool:
    return isinstance(given, (str, Path)) and Path(given).exists() and path.samefile(given)


def is_unfilled(path: Path) -> bool:
    """Whether a file is a table as it is handed out, with a column that nobody has written in."""
    try:
        table = pd.concat([chunk.frame for chunk in read_records(path)])
    except (ChemVAEError, ValueError):
        return False
    ours = list(table.columns[:3]) == ["id", "batch", "smiles"]
    return ours and bool((table.isna() | (table == "")).all().any())
