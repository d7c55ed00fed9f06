"""What the card of a model says of it, to be quoted with its source."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from chemvae.models.storage import SHIPPED
from chemvae.runs import RunFolder

CARD = "card.md"
_ROW = re.compile(r"^\| `(\w+)` \| ([^|]+?) \| (.*) \|$", re.MULTILINE)  # what is in the third column may hold a |


@dataclass(frozen=True)
class ModelCard:
    """A model's card as it is written."""

    source: str
    """Where it stands: within the package for a shipped model, else its path."""
    about: str
    """Its first paragraph."""
    taken: str
    """The sentence above the figures: on what they were measured."""
    figures: dict[str, tuple[str, str]]
    """Name -> value and how it was taken, both as written."""
    limits: str
    """Its paragraph on limits; empty if it has none."""

    def share(self, name: str) -> float | None:
        """A figure as a number; None if the card does not give it."""
        try:
            return float(self.figures[name][0])
        except (KeyError, ValueError):
            return None


def read_card(run: RunFolder) -> ModelCard | None:
    """The card that lies in a model's folder; None where there is none, as in the run of a training.

    Examples
    --------
    >>> read_card(RunFolder(SHIPPED / "drug")).source
    'chemvae/weights/drug/card.md'
    """
    path = run.path / CARD
    return parse_card(path.read_text(encoding="utf-8"), _place(path)) if path.is_file() else None


def parse_card(text: str, source: str) -> ModelCard:
    """Take a card apart: its table has rows ``| `name` | value | how |``.

    Examples
    --------
    >>> text = "# a\\n\\nSmall.\\n\\nOn ten:\\n\\n| figure | value | how |\\n|---|---|---|\\n| `kl` | 9.5 | Mean. |"
    >>> card = parse_card(text, "a.md")
    >>> card.about, card.taken, card.figures
    ('Small.', 'On ten', {'kl': ('9.5', 'Mean.')})
    """
    blocks = [" ".join(block.split()) for block in text.split("\n\n")]
    tables = [i for i, block in enumerate(blocks) if block.startswith("|")]
    above = blocks[tables[0] - 1] if tables and tables[0] else ""
    limits = next((block for block in blocks if block.startswith("**Limits.**")), "")
    about = next((block for block in blocks if block and block[0] not in "#|-*"), "")
    figures = {name: (value, how) for name, value, how in _ROW.findall(text)}
    return ModelCard(source, about, above.rstrip(":"), figures, limits.removeprefix("**Limits.**").strip().replace("`", ""))


def _place(path: Path) -> str:
    """The path within the package if it is one, else as it is."""
    package = SHIPPED.parent
    return path.resolve().relative_to(package.parent).as_posix() if path.resolve().is_relative_to(package) else path.as_posix()
