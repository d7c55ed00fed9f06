"""What ``chemvae optimize`` shows while it searches, and when it is done."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from chemvae.commands.shared import console
from chemvae.errors import InterruptedRunError, NothingUsableError, command_line

if TYPE_CHECKING:
    from chemvae.design import Progress, Result
    from chemvae.design.search import FolderSearch

LINE_EVERY_S = 60.0


@contextmanager
def progress(title: str, budget: int) -> Iterator[Callable[[Progress], None]]:
    """Give the callback that shows a search: live on a terminal, else a line a minute."""
    if not console.is_live():
        due = console.Every(LINE_EVERY_S)
        with console.soon(f"{title}: choosing the first molecules") as is_told:

            def take(now: Progress) -> None:
                is_told()
                if due():
                    console.say(f"{title}: {line(now)}")

            yield take
        return
    from rich.live import Live

    shown = _Shown(title)
    with Live(get_renderable=shown.picture, console=console.console(), transient=True, refresh_per_second=4):
        yield shown.take


class _Shown:
    """What was told last; its times go on until the next telling."""

    def __init__(self, title: str):
        self.title, self.told_at = title, 0.0
        self.now: Progress | None = None

    def take(self, now: Progress) -> None:
        self.now, self.told_at = now, time.monotonic()

    def picture(self) -> Any:
        if self.now is None:
            return f"{self.title}: choosing the first molecules"
        since_s = time.monotonic() - self.told_at
        left_s = self.now.remaining_s if since_s < 1.0 else max(self.now.remaining_s - since_s, 0.0)
        return picture(self.title, replace(self.now, elapsed_s=self.now.elapsed_s + since_s, remaining_s=left_s))


def line(now: Progress) -> str:
    """Where a search stands, in a line.

    Examples
    --------
    >>> from chemvae.design import Progress
    >>> line(Progress(120, 500, 0.9482, "CCO", 0.9321, 0.97, 65.0, 200.0, failed=3))
    '120 of 500 calls, 3 failed; best 0.9482, mean of top 10 0.9321; 97 % of points valid; 1:05 min, 3:20 min left'
    """
    failed = f", {now.failed:,} failed" if now.failed else ""
    best = f"best {console.figure(now.best)}, mean of top 10 {console.figure(now.mean_top10)}"
    times = f"{console.duration(now.elapsed_s)}, {console.duration(now.remaining_s)} left"
    return f"{now.calls:,} of {now.budget:,} calls{failed}; {best}; {now.valid:.0%} of points valid; {times}".replace("%", " %")


def picture(title: str, now: Progress) -> Any:
    """Two lines for a terminal: a bar with calls and times, then the best molecule and the figures."""
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    bar = Table.grid(padding=(0, 1), expand=False)
    calls = f"{now.calls:,}/{now.budget:,} calls" + (f", {now.failed:,} failed" if now.failed else "")
    times = f"{console.duration(now.elapsed_s)}, {console.duration(now.remaining_s)} left"
    words = Text(calls, no_wrap=True), Text(times, style="dim", no_wrap=True)
    bar.add_row(title, ProgressBar(now.budget, now.calls, width=16), *words)
    facts = Text("best ", style="dim", overflow="ellipsis", no_wrap=True)
    for label, value in (("", console.figure(now.best)), (", mean of top 10 ", console.figure(now.mean_top10))):
        facts.append(label, style="dim").append(value, style="bold")
    facts.append(f", {now.valid:.0%} of points valid  {now.best_smiles}", style="dim")
    return Group(bar, facts)


def show(found: FolderSearch) -> None:
    """Show the best molecules and say how the search ended.

    Raises
    ------
    InterruptedRunError
        If the user stopped it.
    NothingUsableError
        If nothing could be scored.
    """
    from chemvae.design.results.learned import sentences

    result, other, folder = found.result, found.baseline, found.folder
    n = len(result.history)
    if result.interrupted:
        raise InterruptedRunError(
            f"Interrupted after {n:,} calls; everything is saved. Go on with: "
            + command_line("optimize", "--resume", "-o", folder.path)
        )
    if result.best is None:
        raise NothingUsableError(f"No molecule could be scored: {why_nothing(result)} See {folder.path / 'proposals.csv'}.")
    show_best(result)
    for sentence in sentences(result.learned):
        console.say(sentence)
    if len(result.utility.goals) > 1:
        n_front = len(result.pareto)
        console.say(f"On the front, where no goal gains without another losing: {n_front:,}. See {folder.path / 'pareto.csv'}.")
    if other is not None and other.best is not None:
        console.say(f"Random sampling with the same budget: best {console.figure(float(other.best['score']))}.")
    console.say(f"Ended: {result.stopped}, after {console.duration(result.elapsed_s)}. Open {folder.report}.")


def show_best(result: Result) -> None:
    """A table of the five best."""
    title = f"Best of {len(result.history):,} molecules ({result.utility.describe()})"
    console.show(console.listing(result.molecules[_shown_columns(result)], title, most=5))


def _shown_columns(result: Result) -> list[str]:
    """The score, what is wanted as RDKit computes and the model predicts it, and novelty."""
    asked: list[str] = []
    for name in dict.fromkeys([*result.utility.columns, *result.utility.names]):
        is_learned = f"{name}_learned_low" in result.molecules
        asked += [name, *(f"{name}_learned_{end}" for end in ("low", "high") if is_learned)]
        asked += [] if is_learned and name in result.molecules else [f"{name}_predicted"]
    wanted = ["smiles", "score", "bound", *asked, "qed", "SAS", "MW", "novel"]
    return [name for name in dict.fromkeys(wanted) if name in result.molecules][:8]


def why_nothing(result: Result) -> str:
    """Why a search came to nothing, in a sentence."""
    failed = [reason for reason in result.history["reason"] if reason]
    if failed:
        return f"the oracle failed on all {len(failed):,}; the first time: {failed[0]}."
    refused = ", ".join(f"{name}: {count:,}" for name, count in result.rejections.items() if count)
    points, valid = result.counts["points"], result.counts["valid"]
    return f"of {points:,} decoded points {valid:,} were valid" + (f", and turned away were {refused}." if refused else ".")
