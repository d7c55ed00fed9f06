"""Draw rate-distortion.png from result.json: rate against distortion, and validity against rate.

    python experiments/06-family/figure.py [RESULT]

The line is the plain VAE as beta falls. A member below it in the first picture writes molecules at a lower price; one above it
in the second is a better language model at the same rate. Validity is that of the prior that is sampled from, temperature 1;
its distinct share is the size of a point.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PLAIN = "plain"
LARGEST_POINT = 60.0  # points squared, where every molecule is distinct


def main(path: str | None = None) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    source = Path(path or HERE / "result.json")
    rows = by_row(json.loads(source.read_text(encoding="utf-8")))
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.6), layout="constrained")
    for number, (name, points) in enumerate(rows.items()):
        style = (
            {"color": "black", "linewidth": 1.2, "zorder": 3}
            if name == PLAIN
            else {"color": f"C{number % 10}", "linewidth": 0.5}
        )
        marker = "os^Dv"[number // 10 % 5]
        left.plot(
            [p["rate"] for p in points], [p["distortion"] for p in points], marker=marker, markersize=4, label=name, **style
        )
        drawn = [p for p in points if p["validity"] is not None]
        right.plot([p["rate"] for p in drawn], [p["validity"] for p in drawn], **style)
        sizes = [LARGEST_POINT * p["unique"] for p in drawn]
        right.scatter([p["rate"] for p in drawn], [p["validity"] for p in drawn], s=sizes, marker=marker, color=style["color"])
    left.set(xlabel="rate, nats per molecule", ylabel="distortion, nats per molecule", title="Rate against distortion")
    right.set(xlabel="rate, nats per molecule", ylabel="valid, temperature 1", title="Validity against rate (size: distinct)")
    figure.legend(*left.get_legend_handles_labels(), loc="outside right center", fontsize=8)
    figure.savefig(source.parent / "rate-distortion.png", dpi=110)


def by_row(result: dict[str, Any]) -> dict[str, list[dict[str, float | None]]]:
    """Points of each row that has a rate, in the order of their rates; the plain VAE first."""
    rows: dict[str, list[dict[str, float | None]]] = {PLAIN: []}
    for name, facts in result["runs"].items():
        value = {key: result["metrics"].get(f"{name}/{key}", {}).get("mean") for key in ("rate", "distortion")}
        if None not in value.values():
            rows.setdefault(facts["row"], []).append({**value, **of_samples(result["metrics"], name)})
    return {name: sorted(points, key=lambda point: point["rate"]) for name, points in rows.items() if points}


def of_samples(metrics: dict[str, Any], name: str) -> dict[str, float | None]:
    """Validity and distinct share from the learned prior, or from the family's own where none was fitted."""
    for prior in ("learned", "normal"):
        if f"{name}/validity_{prior}_sampled" in metrics:
            keys = {"validity": f"validity_{prior}_sampled", "unique": f"unique_10k_{prior}_sampled"}
            return {short: metrics.get(f"{name}/{key}", {}).get("mean") or 0.0 for short, key in keys.items()}
    return {"validity": None, "unique": None}


if __name__ == "__main__":
    main(*sys.argv[1:])
