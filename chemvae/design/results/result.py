"""What a campaign returns: what came of it, as a page and as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chemvae.deprecation.names import Renamed
from chemvae.design.results.notebook import result_html
from chemvae.design.results.outcome import Outcome
from chemvae.design.results.plain import plain
from chemvae.design.results.report import write_report
from chemvae.design.results.summary import summary
from chemvae.disk.files import write_atomically


@dataclass(frozen=True, repr=False)
class Result(Outcome):
    """Everything a campaign found out."""

    objective = Renamed("utility")

    def to_html(self, path: str | Path, baseline: Outcome | None = None) -> Path:
        """Write the report as one page that needs no network; ``baseline`` is drawn beside it."""
        return write_report(self, path, baseline)

    def __repr__(self) -> str:
        """A line: what was scored, the best, why it ended, and where the tables are."""
        best = "no molecule could be scored"
        if self.best is not None:
            best = f"best {self.utility.describe()}: {float(self.best['score']):.4g}, {self.best['smiles']}"
        return f"<Result: {len(self.history):,} molecules scored; {best}; {self.stopped}; see .best, .molecules, .history>"

    def _repr_html_(self) -> str:
        """What a notebook shows: the lead and the best designs, drawn."""
        return result_html(self)

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the model in JSON types; NaN becomes None, a table a list of rows.

        Returns
        -------
        dict
            ``settings``, ``goals`` (with the ``range`` of each), ``summary`` (see :func:`summary`), ``stopped``, ``elapsed_s``,
            ``counts``, ``rejections``, ``receipt`` (None without a laboratory), ``learned``, and the tables ``history`` (``z``
            as a list), ``pareto`` (without ``z``), ``molecules``, ``proposals``, ``batch`` and ``leads``.
        """
        goals = [
            plain(goal) | {"range": list(reach)} for goal, reach in zip(self.utility.goals, self.utility.ranges, strict=True)
        ]
        names = (
            "settings",
            "stopped",
            "elapsed_s",
            "counts",
            "rejections",
            "receipt",
            "learned",
            "history",
            "molecules",
            "proposals",
            "batch",
            "leads",
        )
        facts = {"goals": goals, "summary": summary(self), "pareto": plain(self.pareto.drop(columns="z"))}
        return {name: plain(getattr(self, name)) for name in names} | facts

    def to_json(self, path: str | Path | None = None) -> str:
        """Return :meth:`to_dict` as text, and write it to a file where a path is given; folders are made as needed."""
        text = json.dumps(self.to_dict(), ensure_ascii=False, allow_nan=False)
        if path is not None:
            write_atomically(Path(path), lambda temporary: temporary.write_text(text, encoding="utf-8"))
        return text
