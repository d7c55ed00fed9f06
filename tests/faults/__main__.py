"""Act out every fault and write the scoreboard: ``python -m tests.faults [--short] [--only GROUP] [--output FILE]``."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.faults import groups
from tests.faults.fault import Fault

HEAD = """# What happens when things go wrong

{which}
A fault is held when nothing was lost, nothing went by in silence and no traceback was shown.

| group | faults | held |
|---|---|---|
"""
SHORT = """This is the short form, written by `python -m tests.faults --short --output docs/faults.md`: the {n_run} faults that
every run of the tests acts out. The {n_left} others (kills at random moments of whole commands, the same damage in processes of
their own) take many minutes: `python -m tests.faults` acts out all of them, `--only GROUP` one group."""
WHOLE = (
    "Written by `python -m tests.faults --output docs/faults.md`: all {n_run} faults; `--short` leaves out {n_long} of them."
)


def main() -> int:
    """Run the chosen groups; the exit code says whether every fault was held."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--short", action="store_true", help="only those that every run of the tests acts out")
    options.add_argument("--only", choices=sorted(groups.GROUPS), help="one group")
    options.add_argument("--output", type=Path, help="the scoreboard, in Markdown")
    asked = options.parse_args()
    chosen = {name: groups.GROUPS[name] for name in ([asked.only] if asked.only else groups.GROUPS)}
    results = {name: _act_out(name, [f for f in faults if f.short or not asked.short]) for name, faults in chosen.items()}
    if asked.output:
        n_run = sum(map(len, results.values()))
        n_long = sum(not fault.short for faults in chosen.values() for fault in faults)
        which = (SHORT if asked.short else WHOLE).format(n_run=n_run, n_left=n_long, n_long=n_long)
        asked.output.write_text(_scoreboard(results, which), encoding="utf-8")
    return int(any(found for rows in results.values() for found in rows.values()))


def _act_out(group: str, faults: list[Fault]) -> dict[str, list[str]]:
    """The findings of each fault, told on stderr as they come."""
    results = {}
    for fault in faults:
        began = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            results[fault.name] = fault.findings(Path(folder))
        word = "; ".join(results[fault.name]) or "held"
        print(f"{group}: {fault.name}: {word}  ({time.perf_counter() - began:.1f} s)", file=sys.stderr, flush=True)
    return results


def _scoreboard(results: dict[str, dict[str, list[str]]], which: str) -> str:
    counts = [f"| {name} | {len(rows)} | {sum(not found for found in rows.values())} |" for name, rows in results.items()]
    parts = [HEAD.format(which=which) + "\n".join(counts)]
    for name, rows in results.items():
        lines = [f"- {fault}: {'; '.join(found) if found else 'held'}" for fault, found in rows.items()]
        parts.append(f"## {name[0].upper()}{name[1:]}\n\n" + "\n".join(lines))
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    sys.exit(main())
