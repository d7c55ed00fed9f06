"""Does the default still find what it found, with the weights that are shipped now? The ladder's last rung once more.

    CHEMVAE_DATA=FOLDER python experiments/04-design/again.py [--jobs N]

The campaigns of result.json ran with earlier weights. Here the default repeats those of 2,000 calls on one of the ladder's
tasks, three seeds; writes ``again.json``: mean and standard error then and now.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

import run
import tomllib

from chemvae.runs import environment, write_json

HERE = Path(__file__).parent
RUNG, TASK = "everything", "celecoxib_rediscovery"
FIGURES = ("auc_top10", "top10", "valid", "elapsed_s")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--jobs", type=int, default=1, help="campaigns at a time")
    options = asked.parse_args()
    config = tomllib.loads((HERE / "config.toml").read_text(encoding="utf-8"))
    ladder = config["campaigns"][0]
    wanted = [one for one in run.campaigns({**config, "campaigns": [ladder]}) if (one.rung, one.task) == (RUNG, TASK)]
    with tempfile.TemporaryDirectory() as folder:
        run.run_all({**config, "folder": folder}, wanted, options.jobs)
        found = [json.loads((Path(folder) / f"{one.name}.json").read_text()) for one in wanted]
    before = json.loads((HERE / "result.json").read_text(encoding="utf-8"))["metrics"]
    origin = environment()
    write_json(
        HERE / "again.json",
        {
            "command": " ".join(["python experiments/04-design/again.py", *sys.argv[1:]]),
            "commit": origin["commit"],
            "seeds": ladder["seeds"],
            "device": f"{origin['processor']}, one thread per campaign",
            "versions": origin["versions"],
            "task": TASK,
            "now": {name: run.spread([one[name] for one in found]) for name in FIGURES},
            "then": {name: before[key] for name in FIGURES if (key := f"{TASK}/{ladder['budget']}/{RUNG}/{name}") in before},
        },
    )


if __name__ == "__main__":
    main()
