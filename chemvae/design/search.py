"""Search into a folder: begin or go on, search, write what came of it. What ``chemvae optimize`` does, as one function."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chemvae.design.campaign.run import Progress, run_campaign
from chemvae.design.evaluators.laboratory import LABORATORY, name_laboratory, read_results
from chemvae.design.results.result import Result
from chemvae.design.search_folder import SearchFolder, check_sheet
from chemvae.design.search_settings import SearchSettings, in_words, measured_starts
from chemvae.errors import SettingsError
from chemvae.progress import CancelToken
from chemvae.tables import write_table

if TYPE_CHECKING:
    from chemvae.models.vae import MolVAE

BASELINE = "random sampling"
Callback = Callable[[Progress], None]
Watch = Callable[[str, SearchSettings], AbstractContextManager[Callback | None]]
"""Opens what is told of a search's progress, given its title and what is asked; a baseline is a search of its own."""


@dataclass(frozen=True)
class FolderSearch:
    """A search in a folder."""

    folder: SearchFolder
    settings: SearchSettings
    """What was asked, after going on."""
    result: Result
    baseline: Result | None = None
    """Of a random search with the same budget, where that was asked for."""
    sheet: Path | None = None
    """Where the molecules are that a laboratory is to measure; None for other oracles."""


def search_in_folder(
    open_model: Callable[[str | None], Any],
    out: str | Path,
    asked: Mapping[str, Any],
    *,
    resume: bool = False,
    overwrite: bool = False,
    batch_in: Any = None,
    batch_out: str | Path | None = None,
    watch: Watch | None = None,
    cancel: CancelToken | None = None,
    may_run: bool | Callable[[str], bool] = False,
) -> FolderSearch:
    """Search, and keep record, tables and report in a folder; or go on with what is there.

    Parameters
    ----------
    open_model : callable
        Name in the settings (None: the usual one) -> MolVAE.
    out : path
        The folder.
    asked : mapping
        What is sought and how, by the names of the flags or of :func:`run_campaign`; see :func:`in_words`. Going on, what is
        not said is as it was.
    resume, overwrite : bool
        Go on with the search in the folder (a laboratory's goes on by itself); or replace it, once the new one has begun.
    batch_in, batch_out : path or DataFrame, path, optional
        What a laboratory has measured (else what tables of start molecules say), and where its next molecules are written.
    watch : callable, optional
        See :data:`Watch`.
    cancel : CancelToken that ends the search with what it has; the folder can be gone on with.
    may_run : bool or callable
        Whether the program or function that a folder of unknown origin names may be run; asked with the oracle as text.

    Returns
    -------
    FolderSearch

    Raises
    ------
    ChemVAEError
        If the folder holds a search and neither ``resume`` nor ``overwrite`` is said, or none where ``resume`` is.
    SettingsError
        If what is asked contradicts itself, or is another task than the record's; or if its oracle may not be run.
    """
    words, objects = in_words(asked)
    folder, hands_over = SearchFolder(out), batch_in is not None or batch_out is not None
    goes_on, is_object = resume or (hands_over and folder.exists() and not overwrite), "oracle" in objects
    settings = folder.resume(words) if goes_on else folder.start(words, overwrite=overwrite)
    if goes_on and "oracle" not in words:
        settings = _trusted(folder, settings, may_run, is_replaced=is_object)
    sheet = Path(batch_out or folder.sheet) if settings.is_laboratory(hands_over=hands_over) else None
    record = folder.record_in_use() if goes_on else None
    settings, batch_in = _check(settings, sheet, batch_in, record, is_object=is_object)  # before the model is loaded
    arguments = settings.arguments() | objects | ({} if batch_in is None else {"results": batch_in})
    task = _Task(folder, settings, open_model(settings.model), arguments, watch or (lambda *_: nullcontext()), cancel)
    with folder.opened(settings, replace=overwrite and not resume):
        return task.run() if sheet is None else task.hand_out(sheet)


def _trusted(
    folder: SearchFolder, settings: SearchSettings, may_run: bool | Callable[[str], bool], *, is_replaced: bool
) -> SearchSettings:
    """Refuse to run what a folder names that somebody else may have made; what is replaced by an object is not even kept."""
    if is_replaced:
        return replace(settings, oracle=None)
    named = settings.oracle or ""
    if folder.trusts(settings.oracle) or (may_run(named) if callable(may_run) else may_run):
        return settings
    raise SettingsError(
        f"the search in '{folder.path}' was not begun by you in this place, and would run {json.dumps(settings.oracle)}. "
        "If that is what you want, add --yes (in Python: may_run=True), or say --oracle again"
    )


def _check(
    settings: SearchSettings, sheet: Path | None, batch_in: Any, record: Path | None, *, is_object: bool
) -> tuple[SearchSettings, Any]:
    """Refuse goals that cannot be read, a sheet that may be filled in, and results that cannot be taken.

    A laboratory's settings gain what is usual there. Without results it takes what start molecules bring along. What is
    measured for an oracle given as an object is known to the campaign alone, which reads the results then.
    """
    goals = settings.goals()
    if sheet is None:
        return settings, batch_in
    check_sheet(sheet, batch_in)
    settings = settings.for_laboratory()
    laboratory = name_laboratory(settings.oracle, goals or None)
    if batch_in is None:
        batch_in = measured_starts(settings.start, laboratory.names)
    return settings, batch_in if is_object else read_results(batch_in, laboratory, record, settings.cleaning)


@dataclass(frozen=True)
class _Task:
    """A search that is ready to begin."""

    folder: SearchFolder
    settings: SearchSettings
    model: MolVAE
    arguments: dict[str, Any]
    """Of the campaign."""
    watch: Watch
    cancel: CancelToken | None

    @property
    def method(self) -> Any:
        """A name or a dict, or the object that was given."""
        return self.arguments.get("method", self.settings.method)

    def run(self) -> FolderSearch:
        """Search until the budget is spent, and once more at random where that is wanted."""
        result = self._search(_title(self.method), self.method, self.folder.record)
        baseline = None
        if self.settings.baseline and not result.interrupted and not (self.cancel and self.cancel.is_cancelled):
            baseline = self._search(BASELINE, "random", self.folder.baseline_record)
        self.folder.write(result, baseline)
        return FolderSearch(self.folder, self.settings, result, baseline)

    def hand_out(self, sheet: Path) -> FolderSearch:
        """Take in what was measured, and write what to measure next."""
        result = self._search(LABORATORY, self.method, self.folder.record)
        self.folder.write(result)
        if len(result.batch):
            write_table(result.batch, sheet)
        return FolderSearch(self.folder, self.settings, result, sheet=sheet)

    def _search(self, title: str, method: Any, record: Path) -> Result:
        ending: dict[str, Any] = {} if self.cancel is None else {"cancel": self.cancel}
        with self.watch(title, self.settings) as callback:
            oracle = self.settings.equip(self.arguments.get("oracle", self.settings.oracle), self.model)
            campaign = self.arguments | {"oracle": oracle, "method": method, "callback": callback}
            result = run_campaign(self.model, history_path=record, **campaign, **ending)
        self.folder.remember(self.settings)  # only now: what does not fit the record must not be remembered
        return result


def _title(method: Any) -> str:
    """A method in a word."""
    name = method.get("name") if isinstance(method, dict) else getattr(method, "__name__", None)
    return method if isinstance(method, str) else name or type(method).__name__
