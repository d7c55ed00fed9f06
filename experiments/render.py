"""Render experiments/README.md from the result.json of every experiment.

python experiments/render.py
"""

from __future__ import annotations

import json
from pathlib import Path

HERE = Path(__file__).parent
INTRODUCTION = """# Experiments

Each folder holds one question: its settings (`config.toml`), the command that answers it (`run.py`), what came out
(`result.json`) and what we make of it (`README.md`). This page is rendered from those files by `python experiments/render.py`;
a test compares it with them.
"""


def render() -> str:
    """Return the page."""
    return "\n".join([INTRODUCTION, *(describe(path) for path in sorted(HERE.glob("*/result.json")))])


def describe(path: Path) -> str:
    """One experiment: where its figures come from, and the figures."""
    result = json.loads(path.read_text(encoding="utf-8"))
    seeds = ", ".join(map(str, result["seeds"]))
    hours = sum(result["elapsed_s"].values()) / 3600
    commit = (result["commit"] or "unknown")[:12]
    lines = [
        f"## [{path.parent.name}]({path.parent.name}/)",
        "",
        f"`{result['command']}` on {result['device']}, {hours:.1f} h, seed {seeds}, commit `{commit}`.",
        "",
        "| figure | mean | std | n |",
        "|---|---|---|---|",
    ]
    return "\n".join([*lines, *(row(name, metric) for name, metric in result["metrics"].items()), ""])


def row(name: str, metric: dict) -> str:
    """One line of the table."""
    std = "" if metric["std"] is None else f"{metric['std']:.4g}"
    value = metric["mean"]
    mean = "not measured" if value is None else f"{value:.4g}" if isinstance(value, float) else value
    return f"| {name} | {mean} | {std} | {metric['n']} |"


if __name__ == "__main__":
    (HERE / "README.md").write_text(render(), encoding="utf-8")
