"""What a campaign returns: what came of it, and the page that shows it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from chemvae.design.results.outcome import Outcome
from chemvae.design.results.report import write_report


@dataclass(frozen=True)
class Result(Outcome):
    """Everything a campaign found out."""

    def to_html(self, path: str | Path, baseline: Outcome | None = None) -> Path:
        """Write the report as one page that needs no network; ``baseline`` is drawn beside it."""
        return write_report(self, path, baseline)
