"""Fill the tables of README.md from the figures.

python experiments/08-oled/page.py
"""

from __future__ import annotations

import json

from results import HERE

COLUMNS = ("MAE [eV]", "Spearman", "MAE of the mean [eV]", "failed")


def main() -> None:
    page = HERE / "README.md"
    figures = {name: json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))["metrics"] for name in ("judges", "trees")}
    page.write_text(filled(page.read_text(encoding="utf-8"), figures), encoding="utf-8")


def filled(page: str, figures: dict[str, dict]) -> str:
    """The page with both tables between their marks."""
    page = _between(page, "judges", _judges(figures["judges"]))
    return _between(page, "trees", _trees(figures["trees"]))


def _between(page: str, mark: str, rows: list[str]) -> str:
    before, _, rest = page.partition(f"<!-- {mark} -->")
    _, _, after = rest.partition(f"<!-- end of {mark} -->")
    return "\n".join([f"{before}<!-- {mark} -->", *rows, f"<!-- end of {mark} -->{after}"])


def _judges(metrics: dict) -> list[str]:
    names = [key.removesuffix(f" {COLUMNS[0]}") for key in metrics if key.endswith(f" {COLUMNS[0]}")]
    rows = [f"| judge | {' | '.join(COLUMNS)} |", "|---" * (1 + len(COLUMNS)) + "|"]
    return rows + [f"| {name} | {' | '.join(_cell(metrics[f'{name} {column}']) for column in COLUMNS)} |" for name in names]


def _trees(metrics: dict) -> list[str]:
    names = [key.removesuffix(" MAE") for key in metrics if key.endswith(" MAE")]
    rows = ["| target | trees | mean label | rows | folds |", "|---|---|---|---|---|"]
    for name in names:
        trees, mean, n = (metrics[f"{name} {key}"] for key in ("MAE", "MAE of the mean", "rows"))
        rows.append(f"| {name} | {_cell(trees)} | {_cell(mean)} | {n['mean']:,} | {trees['n']} |")
    return rows


def _cell(value: dict) -> str:
    if isinstance(value["mean"], int):
        return str(value["mean"])
    return f"{value['mean']:.3g}" + ("" if value["std"] is None else f" ({value['std']:.2g})")


if __name__ == "__main__":
    main()
