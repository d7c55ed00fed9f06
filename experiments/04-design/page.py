"""The tables of README.md, written from result.json so that no figure is copied by hand.

python experiments/04-design/page.py      # run.py calls it as well
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"
BENCHMARK = {  # task -> what is published at 10,000 calls: Genetic GFN (Kim et al. 2024), REINVENT (Gao et al. 2022)
    "median1": (0.379, 0.356),
    "celecoxib_rediscovery": (0.802, 0.713),
    "amlodipine_mpo": (0.761, 0.635),
    "osimertinib_mpo": (0.860, 0.837),
    "mestranol_similarity": (0.708, 0.618),
}
LADDER = {
    "random": "draws from the learned prior",
    "global": "frozen VAE, a process on the codes, global confidence bound",
    "local": "+ moves around good molecules, crosses of two",
    "structures": "+ a Tanimoto process that chooses, generations against it",
    "everything": "+ a decoder retrained on what did well",
    "gradient": "+ gradient steps of a process on the codes",
}
FEW_CALLS = {
    "screening": "best of the library",
    "random": "draws from the learned prior",
    "graph_ga": "graph GA",
    "tanimoto_ga": "Tanimoto process, graph GA",
    "everything": "**the default** of version 0.2",
    "hybrid": "hybrid: that default, graph children among its candidates",
}
CONTROL = {
    "genetic": "children of graphs alone, no latent space (`genetic`)",
    "default": "**the default**: latent space, no graphs",
    "hybrid_default": "both",
}
LOWEST = {"random": "draws from the learned prior", "graph_ga": "graph GA", "everything": "**the default** of version 0.2"}


def main() -> None:
    result = json.loads((HERE / "result.json").read_text(encoding="utf-8"))
    path = HERE / "README.md"
    path.write_text(filled(path.read_text(encoding="utf-8"), result["metrics"]), encoding="utf-8")


def filled(page: str, metrics: dict[str, Any]) -> str:
    """The page with its tables as the figures are now."""
    before, _, rest = page.partition(BEGIN)
    tables = "\n\n".join([benchmark(metrics), ladder(metrics), control(metrics), few_calls(metrics), lowest(metrics)])
    return f"{before}{BEGIN}\n\n{tables}\n\n{END}{rest.partition(END)[2]}"


def benchmark(metrics: dict[str, Any]) -> str:
    rows = [
        [task, cell(metrics, f"{task}/10000/everything/auc_top10"), f"{theirs[0]:.3f}", f"{theirs[1]:.3f}"]
        for task, theirs in BENCHMARK.items()
    ]
    return "AUC top-10 at 10,000 calls:\n\n" + table(
        ["task", "the default of version 0.2", "Genetic GFN, published", "REINVENT, published"], rows
    )


def ladder(metrics: dict[str, Any]) -> str:
    tasks = ("median1", "celecoxib_rediscovery")
    rows = [[words, *(cell(metrics, f"{task}/2000/{rung}/auc_top10") for task in tasks)] for rung, words in LADDER.items()]
    return "The ladder, AUC top-10 at 2,000 calls:\n\n" + table(["rung", *tasks], rows)


def control(metrics: dict[str, Any]) -> str:
    """The same engine with and without latent space, and whence its best hundred came."""
    tasks = ("median1", "celecoxib_rediscovery")
    rows = [
        [words, *(cell(metrics, f"{task}/2000/{rung}/auc_top10") for task in tasks), streams(metrics, rung, tasks)]
        for rung, words in CONTROL.items()
    ]
    head = ["proposals", *tasks, "the best hundred, by stream"]
    words = "What latent space contributes, AUC top-10 at 2,000 calls; an empty cell is not measured yet:"
    return f"{words}\n\n{table(head, rows)}"


def streams(metrics: dict[str, Any], rung: str, tasks: Sequence[str]) -> str:
    """Mean share of each stream in the best hundred, the largest first."""
    shares: dict[str, list[float]] = {}
    for task in tasks:
        head = f"{task}/2000/{rung}/streams/"
        for name in (name for name in metrics if name.startswith(head)):
            shares.setdefault(name.removeprefix(head), []).append(metrics[name]["mean"])
    found = sorted(((sum(values) / len(tasks), stream) for stream, values in shares.items()), reverse=True)
    return ", ".join(f"{stream} {share:.0%}" for share, stream in found)


def few_calls(metrics: dict[str, Any]) -> str:
    tasks = (*BENCHMARK, "qed_minus_sas")
    rows = [[words, *(cell(metrics, f"{task}/500/{rung}/auc_top10") for task in tasks)] for rung, words in FEW_CALLS.items()]
    return "AUC top-10 at 500 calls (`qed_minus_sas` is 5 QED - SAS):\n\n" + table(["search", *tasks], rows)


def lowest(metrics: dict[str, Any]) -> str:
    name, rows = "qed_minus_sas from lowest/500", []
    for rung, words in LOWEST.items():
        shares = [metrics.get(f"{name}/{rung}/{figure}_percentile") for figure in ("best", "top10")]
        rows.append(
            [words, cell(metrics, f"{name}/{rung}/best"), *("" if one is None else f"{one['mean']:.4f}" for one in shares)]
        )
    head = ["search", "best 5 QED - SAS", "its percentile in ZINC250k", "of the ten best's mean"]
    return "5 QED - SAS from the lowest decile of ZINC250k, 500 calls:\n\n" + table(head, rows)


def cell(metrics: dict[str, Any], name: str) -> str:
    """Mean, standard error and number of seeds; nothing where nothing was run."""
    one = metrics.get(name)
    if one is None:
        return ""
    return f"{one['mean']:.3f}" + (f" ± {one['error']:.3f}" if one["error"] is not None else "") + f" ({one['n']})"


def table(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])


if __name__ == "__main__":
    main()
