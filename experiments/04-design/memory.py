"""Peak memory of one search of 10,000 calls with an oracle that costs nothing.

    python experiments/04-design/memory.py [--calls 1000 5000 10000] [--method auto]

Peak and present resident memory of the process (MB) when so many molecules were scored; one thread, no library, a remainder of
the heavy atoms as the oracle. Written to memory.json.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

HERE = Path(__file__).parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, nargs="+", default=[1000, 5000, 10000])
    parser.add_argument("--method", default="auto")
    options = parser.parse_args()
    write(options.method, measure(options.method, sorted(options.calls)))


def measure(method: str, marks: list[int]) -> dict[int, dict[str, float]]:
    """Calls -> peak and present memory (MB) and processor time (s)."""
    import torch

    from chemvae import api
    from chemvae.chem.molecules import parse

    torch.set_num_threads(1)
    found: dict[int, dict[str, float]] = {}

    def watch(progress) -> None:
        due = [mark for mark in marks if mark <= progress.calls and mark not in found]
        for mark in due:
            found[mark] = {"peak_mb": peak_mb(), "present_mb": present_mb(), "processor_s": round(time.process_time(), 1)}
            print(mark, found[mark], flush=True)

    api.optimize(
        api.load("drug"), lambda smiles: float(parse(smiles).GetNumHeavyAtoms() % 17), marks[-1], method=method, callback=watch
    )
    return found


def peak_mb() -> float:
    """Largest resident memory so far."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def present_mb() -> float | None:
    """Resident memory now; None where the system does not say."""
    path = Path("/proc/self/statm")
    return round(int(path.read_text().split()[1]) * resource.getpagesize() / 2**20, 1) if path.exists() else None


def write(method: str, found: dict[int, dict[str, float]]) -> None:
    """memory.json."""
    from chemvae.runs import environment, write_json

    origin = environment()
    facts = {"commit": origin["commit"], "device": f"{origin['processor']}, one thread", "versions": origin["versions"]}
    command = f"python experiments/04-design/memory.py --method {method} --calls {' '.join(map(str, found))}"
    write_json(HERE / "memory.json", {"command": command, **facts, "seed": 0, "calls": found})


if __name__ == "__main__":
    main()
