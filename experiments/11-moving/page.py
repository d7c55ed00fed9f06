"""Put the figures of result.json into README.md, between its marks.

python experiments/11-moving/page.py
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

HERE = Path(__file__).parent
Figures = Mapping[str, Mapping[str, float | None]]
SHARES = ("valid", "the same molecule", "moved as asked", "moved against", "change, sd", "similarity", "near and changed")


def main() -> None:
    figures = json.loads((HERE / "result.json").read_text(encoding="utf-8"))["metrics"]
    path = HERE / "README.md"
    path.write_text(filled(path.read_text(encoding="utf-8"), figures), encoding="utf-8")


def filled(page: str, figures: Figures) -> str:
    """The page with a table for every part that has figures."""
    for part, make in TABLES.items():
        own = {key.removeprefix(f"{part}: "): value for key, value in figures.items() if key.startswith(f"{part}: ")}
        begin, end = f"<!-- {part} -->", f"<!-- end of {part} -->"
        before, found, rest = page.partition(begin)
        if found and own:
            page = f"{before}{begin}\n{make(own)}\n{end}{rest.partition(end)[2]}"
    return page


def edit_table(figures: Figures) -> str:
    """A row for every property, way and length."""
    ways = dict.fromkeys(key.rsplit(", ", 1)[0].removesuffix(", change") for key in figures)
    head = ["property, way, radius", *SHARES]
    return table(head, ([way, *(number(figures[f"{way}, {share}"]) for share in SHARES)] for way in ways))


def wide_table(figures: Figures) -> str:
    """A row for every way, a column for every figure of it; figures of no way stand below."""
    names = list(dict.fromkeys(key.rsplit(", ", 1)[1] for key in figures if ", " in key))
    ways = list(dict.fromkeys(key.rsplit(", ", 1)[0] for key in figures if ", " in key))
    rows = [
        [way, *(number(figures[f"{way}, {name}"]) if f"{way}, {name}" in figures else "" for name in names)] for way in ways
    ]
    others = [f"{key}: {number(value)}" for key, value in figures.items() if ", " not in key]
    return table(["", *names], rows) + ("\n\n" + "; ".join(others) + "." if others else "")


def table(head: list[str], rows: Iterable[list[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def number(value: Mapping[str, float | None]) -> str:
    """Three digits; a dash where nothing was measured."""
    mean = value["mean"]
    return "-" if mean is None else f"{mean:.3g}"


TABLES: dict[str, Callable[[Figures], str]] = {
    "edit": edit_table,
    "own": wide_table,
    "analogy": wide_table,
    "near": wide_table,
    "interpolate": wide_table,
    "complete": wide_table,
}

if __name__ == "__main__":
    main()
