"""A job as it is handed to the function that does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from chemvae.app.work.bench import Bench
from chemvae.progress import CancelToken, Progress
from chemvae.tables import write_table

TABLE = "table.csv"
"""What came of a job, in its folder."""


@dataclass(frozen=True)
class Order:
    """One job."""

    bench: Bench
    folder: Path
    """Of the job."""
    settings: dict[str, Any]
    tell: Callable[[str, dict[str, Any]], None]
    """Told the name of an event, and its data."""
    cancel: CancelToken

    def progress(self, done: int, total: int | None, **more: Any) -> None:
        """Tell where the job stands."""
        self.tell("progress", {"done": done, "total": total, **more})

    def stages(self, progress: Progress) -> None:
        """Tell where a task of several stages stands."""
        self.progress(progress.done, progress.total, stage=progress.stage)

    def finish(self, table: pd.DataFrame, total: int | None = None) -> None:
        """Keep the table that came of the job, with the place of each molecule on the map; ``total`` is what was asked for."""
        write_table(self.bench.placed(table) if "x" not in table else table, self.folder / TABLE)
        self.progress(len(table), max(total or 0, len(table)))
