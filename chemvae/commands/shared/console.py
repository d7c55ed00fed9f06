"""What a person sees while a command runs: sentences, progress, tables. All of it goes to stderr; stdout is for data.

Nothing is animated where stderr is no terminal, and ``NO_COLOR`` is honoured (rich does that).
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

SOON_S = 1.5  # a person waits two seconds before they wonder
LOGGER = logging.getLogger("chemvae")
_STYLES = {logging.WARNING: "yellow", logging.ERROR: "red", logging.DEBUG: "dim"}
_FOREGROUND = ("chemvae.commands", "chemvae.demo")
"""Whose messages are what the user came for; those of other rooms are dimmed."""
_speaker = logging.getLogger("chemvae.commands")


class _Lines(logging.Handler):
    """Writes each record as one line, above a progress bar if there is one."""

    def __init__(self, console: Console):
        super().__init__()
        self.console = console
        self.told: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        if self._is_known(record):
            return
        style = _STYLES.get(record.levelno, "" if record.name.startswith(_FOREGROUND) else "dim")
        prefix = "warning: " if record.levelno == logging.WARNING else ""
        self.console.print(Text(prefix + record.getMessage(), style=style), soft_wrap=True)

    def _is_known(self, record: logging.LogRecord) -> bool:
        """Whether a room of the library has told the same in this command: a table may be read more than once."""
        text = record.getMessage()
        known = text in self.told
        if not record.name.startswith(_FOREGROUND):
            self.told.add(text)
        return known


@contextmanager
def talking(quiet: bool = False, verbose: bool = False) -> Iterator[Console]:
    """Show chemvae's log on stderr inside the block: warnings when ``quiet``, everything when ``verbose``."""
    handler, level = _Lines(Console(stderr=True, highlight=False)), LOGGER.level
    LOGGER.addHandler(handler)
    LOGGER.setLevel(logging.WARNING if quiet else logging.DEBUG if verbose else logging.INFO)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("default" if verbose else "ignore")
            yield handler.console
    finally:
        LOGGER.removeHandler(handler)
        LOGGER.setLevel(level)


def console() -> Console:
    """The console of the running command."""
    found = next((handler.console for handler in LOGGER.handlers if isinstance(handler, _Lines)), None)
    return found or Console(stderr=True, highlight=False)


def is_quiet() -> bool:
    """Whether the user asked for silence."""
    return not LOGGER.isEnabledFor(logging.INFO)


def is_live() -> bool:
    """Whether something may move: a terminal, and no ``-q``."""
    return console().is_terminal and not is_quiet()


def say(text: str = "") -> None:
    """Tell the user something, unless they asked for silence."""
    _speaker.info("%s", text)


def show(thing: Any) -> None:
    """Print a rich object (a table) on stderr, unless the user asked for silence; lines of text are left whole."""
    if not is_quiet():
        console().print(thing, soft_wrap=isinstance(thing, Text))


@contextmanager
def soon(text: str, after_s: float | None = None) -> Iterator[Callable[[], None]]:
    """Say what goes on if the block is not done in a second and a half; the function given says it is not needed any more."""
    timer = threading.Timer(SOON_S if after_s is None else after_s, say, [f"{text} ..."])
    timer.daemon = True
    timer.start()
    try:
        yield timer.cancel
    finally:
        timer.cancel()
        timer.join()


@contextmanager
def working(text: str) -> Iterator[None]:
    """Show that something goes on, and for how long, while the block runs; where nothing may move, in a line."""
    if not is_live():
        with soon(text):
            yield
        return
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, console=console(), transient=True) as progress:
        progress.add_task(text, total=None)
        yield


@contextmanager
def counting(text: str, unit: str = "molecules", every_s: float = 30.0) -> Iterator[Any]:
    """Give a function ``count(n)`` that shows how many are done: live on a terminal, else a line every ``every_s`` seconds."""
    if is_live():
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        words = TextColumn("{task.description} {task.completed:,.0f} " + unit)
        with Progress(SpinnerColumn(), words, TimeElapsedColumn(), console=console(), transient=True) as progress:
            task = progress.add_task(text, total=None)
            yield lambda n: progress.update(task, completed=n)
        return
    now_and_then = Every(every_s)
    with soon(text):
        yield lambda n: say(f"{text} {n:,} {unit}") if now_and_then() else None


@contextmanager
def stages(words: Mapping[str, str]) -> Iterator[Callable[[Any], None] | None]:
    """Give the callback that shows a task's stages one after the other; where nothing may move, each in a line once it is late.

    Parameters
    ----------
    words : mapping
        A stage's name -> what is being done.
    """
    if not is_live():
        first, text = next(iter(words.items()))
        with soon(text) as not_needed:
            yield _Spoken(words, first, not_needed).take
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console(), transient=True) as shown:
        first, name = next(iter(words.items()))
        tasks: dict[str, Any] = {first: shown.add_task(name, total=None)}

        def take(now: Any) -> None:
            if now.stage not in tasks:
                tasks[now.stage] = shown.add_task(words.get(now.stage, now.stage))
            shown.update(tasks[now.stage], completed=now.done, total=now.total)

        yield take


class _Spoken:
    """Says each stage as it begins, from a second and a half after the first on; ``soon`` says the first."""

    def __init__(self, words: Mapping[str, str], first: str, not_needed: Callable[[], None]):
        self.words, self.began, self.first, self.not_needed = words, time.monotonic(), first, not_needed
        self.seen = {first}

    def take(self, now: Any) -> None:
        if now.stage != self.first:
            self.not_needed()
        is_late = time.monotonic() - self.began >= SOON_S
        if now.stage not in self.seen and is_late:
            say(f"{self.words.get(now.stage, now.stage)} ...")
            self.seen.add(now.stage)


class Every:
    """True once every so many seconds, the first time after the first interval.

    Examples
    --------
    >>> due = Every(1000.0)
    >>> due(), Every(0.0)()
    (False, True)
    """

    def __init__(self, seconds: float):
        self.seconds, self.last = seconds, time.monotonic()

    def __call__(self) -> bool:
        now = time.monotonic()
        if now - self.last < self.seconds:
            return False
        self.last = now
        return True


def duration(seconds: float) -> str:
    """Write seconds as people do.

    Examples
    --------
    >>> duration(7.2), duration(75), duration(3725), duration(float("nan"))
    ('7 s', '1:15 min', '1:02 h', '-')
    """
    if seconds != seconds or seconds in (float("inf"), float("-inf")):
        return "-"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60}:{whole % 60:02d} min" if whole < 3600 else f"{whole // 3600}:{whole % 3600 // 60:02d} h"


def figure(value: Any, digits: int = 4) -> str:
    """Write a number for a table; a dash for what is missing.

    Examples
    --------
    >>> figure(0.98765), figure(12345), figure(None), figure("pca"), figure(float("nan"))
    ('0.9877', '12,345', '-', 'pca', '-')
    """
    if value is None or value != value:
        return "-"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.{digits}g}"


def pairs(rows: Mapping[str, Any] | list[tuple[str, Any]], title: str | None = None) -> Any:
    """A two-column table of names and values."""
    from rich.table import Table

    table = Table(title=title, box=None, show_header=False, title_justify="left", title_style="bold", padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows.items() if isinstance(rows, Mapping) else rows:
        table.add_row(Text(str(name), style="dim"), Text(figure(value)))
    return table


def listing(frame: Any, title: str | None = None, most: int = 20) -> Any:
    """The head of a DataFrame as a table; numbers flush right.

    Where it is wider than the terminal its SMILES stand last and whole: pieces of one in a narrow column cannot be copied.
    """
    cells = [list(map(str, frame.columns)), *([figure(value) for value in row] for row in frame.head(most).to_numpy(object))]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    if "smiles" in cells[0] and sum(widths) + 2 * len(widths) > console().width:
        return _smiles_last(cells, widths, title)
    return _table(frame, title, most)


def _smiles_last(cells: list[list[str]], widths: list[int], title: str | None) -> Text:
    """Rows of texts, of which the first names the columns, as lines that end in the SMILES."""
    place = cells[0].index("smiles")
    lines = Text(f"{title}\n" if title else "", style="bold")
    for number, row in enumerate(cells):
        before = "".join(cell.rjust(widths[i]) + "  " for i, cell in enumerate(row) if i != place)
        lines.append(before + row[place] + ("\n" if number < len(cells) - 1 else ""), style="dim" if not number else "none")
    return lines


def _table(frame: Any, title: str | None, most: int) -> Any:
    from pandas.api.types import is_bool_dtype, is_numeric_dtype
    from rich.table import Table

    table = Table(title=title, box=None, title_justify="left", title_style="bold", header_style="dim", padding=(0, 2, 0, 0))
    for name in frame.columns:
        is_number = is_numeric_dtype(frame[name]) and not is_bool_dtype(frame[name])
        table.add_column(Text(str(name)), justify="right" if is_number else "left", overflow="fold")
    for row in frame.head(most).itertuples(index=False):
        table.add_row(*(Text(figure(value)) for value in row))
    return table


def write_stdout(text: str) -> None:
    """Put data on stdout."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")


def write_json(target: str | None, content: Any) -> None:
    """Write what --json asks for: to a file, to stdout for "-", nothing for None."""
    if target == "-":
        write_stdout(json.dumps(content, indent=2, default=str))
    elif target is not None:
        from chemvae import runs

        runs.write_json(Path(target), content)
