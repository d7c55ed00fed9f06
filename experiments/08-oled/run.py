"""How far emitters are judged without a quantum calculation of any rigour: trees on fingerprints, and cheap physics.

    CHEMVAE_DATA=FOLDER python experiments/08-oled/run.py [trees] [judges]

Takes the parts that are named (all of them unless told), and gathers the figures of all parts in result.json.
"""

from __future__ import annotations

import json
import sys

import judges
import trees
from results import CONFIG, HERE, describe

from chemvae.runs import write_json

PARTS = {"trees": trees.main, "judges": judges.main}


def main() -> None:
    for name in sys.argv[1:] or PARTS:
        PARTS[name]()
    write_json(HERE / "result.json", gathered())


def gathered() -> dict:
    """The figures of all parts, each with its part's name before it."""
    parts = {name: json.loads((HERE / f"{name}.json").read_text(encoding="utf-8")) for name in PARTS}
    metrics = {f"{name}: {key}": value for name, part in parts.items() for key, value in part["metrics"].items()}
    elapsed = {name: round(sum(part["elapsed_s"].values()), 1) for name, part in parts.items()}
    return describe("run", CONFIG, metrics, elapsed)


if __name__ == "__main__":
    main()
