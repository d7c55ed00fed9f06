"""chemvae demo."""

from __future__ import annotations

from pathlib import Path

from chemvae.commands.options import Folder, Seed, command


@command
def demo(output: Folder = Path("demo"), seed: Seed = 0) -> None:
    """Walk the whole path offline in a few minutes: make data, train, evaluate, design, map, and write a report.

    Open FOLDER/report.html when it is done.
    """
    from chemvae.demo import run_demo

    run_demo(out=output, seed=seed)
