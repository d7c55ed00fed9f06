"""What became of the results that a laboratory handed in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Receipt:
    """What became of a table of results: molecules counted by how they were taken."""

    values: int = 0
    """With a value for everything."""
    failed: int = 0
    """Recorded as failures."""
    extra: int = 0
    """Among both: molecules that nobody had asked for."""
    corrected: int = 0
    """Told before, and changed now."""
    unchanged: int = 0
    """Told before."""

    def describe(self) -> str:
        """Return the counts in a sentence.

        Examples
        --------
        >>> Receipt(values=20, failed=2, extra=1).describe()
        'taken: 20 with values, 2 as failures (1 had not been asked for)'
        """
        parts = [
            f"{self.values:,} with values",
            f"{self.failed:,} as failures" if self.failed else "",
            f"{self.corrected:,} corrected" if self.corrected else "",
            f"{self.unchanged:,} known before" if self.unchanged else "",
        ]
        unasked = f" ({self.extra:,} had not been asked for)" if self.extra else ""
        return f"taken: {', '.join(filter(None, parts))}{unasked}"
