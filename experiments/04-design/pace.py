"""How long does a batch take? 100 proposals when 10,000 molecules have been scored, retraining apart.

    CHEMVAE_DATA=FOLDER python experiments/04-design/pace.py

10,000 molecules of ZINC250k with one of the tasks' scores are told to the default optimizer, as if it had paid for them; then
it proposes 100 in five rounds, on two threads. Writes ``pace.json``.
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import run
import tasks
import torch

from chemvae import api
from chemvae.design.campaign.goal_matching import make_utility
from chemvae.design.campaign.loop import Campaign
from chemvae.design.goals import Goal
from chemvae.design.oracles import make_oracle
from chemvae.runs import environment, write_json

HERE = Path(__file__).parent
TASK, TOLD, BATCH, ROUNDS, THREADS = "celecoxib_rediscovery", 10_000, 100, 5, 2


def main() -> None:
    torch.set_num_threads(THREADS)
    campaign = started_campaign()
    retraining = time_of(lambda: campaign.optimizer.retrainer.step(campaign.optimizer.archive))
    campaign.optimizer.retrainer = None  # 200 scores later it would be due again, within the second round
    seconds = [time_of(lambda: campaign.play_round(BATCH)) for _ in range(ROUNDS)]
    origin = environment()
    write_json(
        HERE / "pace.json",
        {
            "command": "python experiments/04-design/pace.py",
            "commit": origin["commit"],
            "device": f"{origin['processor']}, {THREADS} threads",
            "versions": origin["versions"],
            "protocol": __doc__.split("\n\n")[2],
            "batch_s": seconds,
            "batch_s_median": statistics.median(seconds),
            "retraining_s": retraining,
        },
    )
    print(f"{statistics.median(seconds):.1f} s per batch, retraining {retraining:.1f} s")


def started_campaign() -> Campaign:
    """A campaign that has seen 10,000 scores and does not retrain within the rounds that are timed."""
    model, oracle = api.load("drug"), make_oracle(tasks.TASKS[TASK])
    smiles = run.some_of_zinc(TOLD, seed=0)
    campaign = Campaign(
        model, oracle, make_utility([Goal("score")]), [], method="auto", seed=0, budget=TOLD + 10 * BATCH, batch_size=BATCH,
        starts=[], bound_to_start=False, history_path=None, results=None, time_limit_s=None, callback=None,
    )  # fmt: skip
    retrainer, campaign.optimizer.retrainer = campaign.optimizer.retrainer, None
    campaign.optimizer.tell(campaign.optimizer.region.encode(smiles), torch.from_numpy(oracle(smiles)), smiles)
    campaign.optimizer.retrainer = retrainer
    return campaign


def time_of(action) -> float:
    started = time.perf_counter()
    action()
    return round(time.perf_counter() - started, 2)


if __name__ == "__main__":
    main()
