"""No more room, at every writer: what was there stays whole, one sentence says so, and nothing half made is left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from chemvae.chem.molecules import canonicalize
from chemvae.commands.shared.console import write_json as write_json_flag
from chemvae.data.prepare.preparation import prepare
from chemvae.data.tokens.tokenfiles import TokenWriter
from chemvae.data.tokens.vocabulary import Vocabulary
from chemvae.design.evaluators.journal import Journal
from chemvae.design.oracles.cache import ScoreCache
from chemvae.design.oracles.score import Score
from chemvae.disk.parquet_cache import ParquetCache
from chemvae.errors import ChemVAEError
from chemvae.maps.interactive import write_map
from chemvae.maps.picture import write_png
from chemvae.runs import RunFolder
from chemvae.tables import write_table
from chemvae.tables.path_page import write_path
from tests.faults.fault import Fault

ROOM = 2048
"""Bytes that a file may have: more than a lock, less than what is written here."""
MOLECULES = [canonicalize("C" * n + tail) for n in range(1, 60) for tail in ("O", "N", "F", "Cl", "c1ccccc1")]


@contextmanager
def no_room(size: int = ROOM) -> Iterator[None]:
    """A disk that takes no file of more than so many bytes; Python, Rust and C++ are all refused by the system."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def snapshot(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def complaint(write: Callable[[], Any]) -> tuple[str, str]:
    """What a writer says, and what is wrong with how it says it."""
    try:
        write()
    except ChemVAEError as error:
        return str(error), "" if "\n" not in str(error) else "more than a sentence"
    except Exception as error:  # any other is what we look for
        return "", f"{type(error).__name__} instead of a sentence: {error}"
    return "", "it went by in silence"


def full(write: Callable[[Path, int], Any], name: str = "") -> Callable[[Path], list[str]]:
    """Write once, and once more where there is no room: the first must stay, and nothing else."""

    def act(folder: Path) -> list[str]:
        write(folder / name, 1)
        before = snapshot(folder)
        with no_room():
            sentence, problem = complaint(lambda: write(folder / name, 2))
        found = [problem] if problem else []
        if not problem and "File too large" not in sentence and "only part of it" not in sentence:
            found.append(f"the reason is not said: {sentence}")
        after = snapshot(folder)
        return found + [f"lost or changed: {one}" for one in before if after.get(one) != before[one]] + [
            f"left behind: {one}" for one in after.keys() - before.keys()
        ]  # fmt: skip

    return act


def numbers(seed: int) -> np.ndarray:
    """Numbers that no compression makes small."""
    return np.random.default_rng(seed).normal(size=(2_000, 2))


def table(seed: int) -> pd.DataFrame:
    """A table of numbers."""
    return pd.DataFrame(numbers(seed), columns=["z_0", "z_1"])


def of_run(write: Callable[[RunFolder, int], Any]) -> Callable[[Path], list[str]]:
    """A file of a run folder."""
    return full(lambda folder, seed: write(RunFolder(folder), seed), "run")


RUN_FILES: dict[str, Callable[[RunFolder, int], Any]] = {
    "config.json": lambda run, seed: run.write_config({"numbers": numbers(seed)}),
    "vocabulary.json": lambda run, seed: run.write_vocabulary({"numbers": numbers(seed)}),
    "report.json": lambda run, seed: run.write_report({"numbers": numbers(seed)}),
    "model.safetensors": lambda run, seed: run.write_tensors("model.safetensors", {"a": torch.from_numpy(numbers(seed))}),
    "trainer.pt": lambda run, seed: run.write_trainer({"a": torch.from_numpy(numbers(seed)), "b": seed}),
    "metrics.csv": lambda run, seed: run.write_metrics(table(seed).to_dict("records")),
    "training_index.parquet": lambda run, seed: run.write_training_index(numbers(seed).ravel().view("<u8")),
}


def finished(run: RunFolder, seed: int) -> None:
    """Model, prior and index, which belong together."""
    with run.all_at_once() as together:
        together.write_report({"seed": seed})
        together.write_tensors("model.safetensors", {"a": torch.from_numpy(numbers(seed))})


def draw(write: Callable[..., Any], path: Path, seed: int) -> None:
    """A map of fifty molecules."""
    xy = numbers(seed)[:50]
    write(path, xy, *([MOLECULES[:50]] if write is write_map else []), columns=pd.DataFrame({"y": xy[:, 0]}))


def prepared(folder: Path, seed: int) -> None:
    """A data set."""
    prepare(pd.DataFrame({"smiles": MOLECULES, "y": numbers(seed)[: len(MOLECULES), 0]}), folder, overwrite=True)


def token_set(folder: Path, seed: int) -> None:
    """A token set, each time at another place."""
    with TokenWriter(folder / str(seed), Vocabulary.from_smiles(MOLECULES), ["y"]) as writer:
        for _ in range(5):
            writer.write(MOLECULES, numbers(seed)[: len(MOLECULES), :1])


def journal_keeps_its_lines(folder: Path) -> list[str]:
    """A record of a search that cannot grow keeps every line that it has, and goes on once there is room."""
    path = folder / "record.jsonl"
    record = Journal(path, {"seed": 0})
    with no_room(300):
        said = [complaint(lambda i=i: record.write({"call": i, "smiles": "C" * 50})) for i in range(5)]
    record.close()
    again = Journal(path, {"seed": 0})
    again.write({"call": 9})
    again.close()
    calls = [row["call"] for _, row in Journal(path, {"seed": 0}).rows]
    n_written = sum(problem == "it went by in silence" for _, problem in said)
    expected = [*range(n_written), 9]
    found = [f"the record holds {calls}, not {expected}"] if calls != expected else []
    return found + [problem for _, problem in said[n_written:] if problem]


def scores(path: Path, seed: int) -> None:
    """Scores that were paid for."""
    cache = ScoreCache(path, ["score"], "dock")
    for smiles in MOLECULES:
        cache.add(f"{smiles}{'.C' * seed}", Score((float(seed),), seconds=float(np.random.default_rng(len(smiles)).normal())))
    cache.save()


def cache_that_can_be_computed_again(folder: Path) -> list[str]:
    """What cannot be kept costs a warning, not the work: and no half file is left."""
    import pyarrow

    with no_room():
        writer = ParquetCache(folder / "a.parquet", "it is computed again").writer()
        for seed in range(4):
            writer.write(lambda seed=seed: pyarrow.Table.from_pandas(table(seed)))
        kept = writer.close()
    return (["it says that it was kept"] if kept else []) + [f"left behind: {one}" for one in snapshot(folder)]


def write_cache(path: Path, seed: int) -> None:
    """A whole Parquet cache at once."""
    import pyarrow

    ParquetCache(path, "it is computed again").write(pyarrow.Table.from_pandas(table(seed)))


def path_table(path: Path, seed: int) -> None:
    """A page of a path between molecules."""
    rows = pd.DataFrame({"step": range(9), "share": 0.1 * seed, "smiles": MOLECULES[:9], "valid": True})
    write_path(rows.assign(similarity_start=0.5, similarity_end=0.5), path, "C", "CC")


def json_flag(path: Path, seed: int) -> None:
    """What --json asks for."""
    write_json_flag(str(path), table(seed).to_dict())


TABLES = ("a.csv", "a.tsv", "a.csv.gz", "a.parquet", "a.npy")
SHORT = [
    *[Fault(f"no room for {name} of a run", of_run(write)) for name, write in RUN_FILES.items()],
    Fault("no room while a run is finished", of_run(finished)),
    *[Fault(f"no room for a table, {name}", full(lambda path, seed: write_table(table(seed), path), name)) for name in TABLES],
    Fault("no room for what --json asks for", full(json_flag, "a.json")),
    Fault("no room for a map", full(partial(draw, write_map), "map.html")),
    Fault("no room for a picture", full(partial(draw, write_png), "a.png")),
    Fault("no room for a prepared set", full(prepared, "set")),
    Fault("no room for a token set", full(token_set)),
    Fault("no room for a cache", full(write_cache, "a.parquet")),
    Fault("no room for scores that were paid for", full(scores, "scores.parquet")),
    Fault("no room for a page of a path", full(path_table, "a.html")),
    Fault("no room for a cache that grows", cache_that_can_be_computed_again),
    Fault("no room for the record of a search", journal_keeps_its_lines),
]  # fmt: skip


# whole commands ------------------------------------------------------------------------------------------------------------


def command(folder: Path, words: list[Any], kilobytes: int | None = None) -> subprocess.CompletedProcess:
    """Run a command where no file may have more than so many kilobytes."""
    limit = f"ulimit -f {kilobytes}; " if kilobytes is not None else ""
    line = ["bash", "-c", f'{limit}exec "$@"', "bash", sys.executable, "-m", "chemvae", *map(str, words)]
    return subprocess.run(
        line, cwd=folder, capture_output=True, text=True, timeout=300, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )


def overwriting(out: str, words: list[Any], sizes: tuple[int, ...]) -> Callable[[Path], list[str]]:
    """Do it once, and again with --overwrite where there is less and less room: the first stays."""

    def act(folder: Path) -> list[str]:
        pd.DataFrame({"smiles": MOLECULES, "y": numbers(0)[: len(MOLECULES), 0]}).to_csv(folder / "a.csv", index=False)
        first = command(folder, words)
        if first.returncode:
            return [f"it did not even work once: {first.stderr[-300:]}"]
        before, found = snapshot(folder), []
        for size in sizes:
            done = command(folder, [*words, "--overwrite"], size)
            after = snapshot(folder)
            found += [f"with {size} kB: exit code {done.returncode}: {done.stderr[-300:]}"] if done.returncode != 1 else []
            errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
            rude = "Traceback" in done.stderr or "should not have happened" in done.stderr or len(errors) != 1
            found += [f"with {size} kB: {done.stderr[-300:]}"] if rude else []
            kept = {name: after.get(name) for name in before}
            found += [f"with {size} kB, lost or changed: {name}" for name in before if kept[name] != before[name]]
        again = command(folder, [*words, "--overwrite"])
        left = [name for name in snapshot(folder) if name.endswith((".tmp", ".lock", ".old")) or ".unfinished" in name]
        found += [f"afterwards: {again.stderr[-300:]}"] if again.returncode else []
        return found + [f"left behind: {name}" for name in left if out in name]

    return act


TRAIN = [
    "train", "a.csv", "-p", "y", "-o", "out", "--preset", "tiny", "--epochs", 1, "--threads", 1, "--device", "cpu",
    "--min-kl", 0, "--min-active-units", 0,
]  # fmt: skip
SEARCH = ["optimize", "--maximize", "qed", "--method", "random", "--budget", 8, "--batch", 4, "-o", "out", "--device", "cpu"]
MAP, ENCODE = ["map", "a.csv", "-o", "out.html"], ["encode", "a.csv", "-o", "out.csv"]
PREPARE = ["data", "prepare", "a.csv", "-o", "out"]
EVALUATE = ["evaluate", "a.csv", "--split", "all", "-o", "out", "--n-molecules", 40, "--n-samples", 60]
COMMANDS = {
    "train": overwriting("out", TRAIN, (0, 2, 20, 300, 900, 2000)),
    "optimize": overwriting("out", SEARCH, (0, 1, 3, 20)),
    "map": overwriting("out.html", MAP, (0, 8, 60)),
    "prepare": overwriting("out", PREPARE, (0, 1, 2)),
    "encode": overwriting("out.csv", ENCODE, (0, 8, 60)),
    "evaluate": overwriting("out", EVALUATE, (0, 1, 20)),
}
PICTURES = ("a.svg", "a.pdf")
LONG = [
    *[Fault(f"no room for a picture, {name}", full(partial(draw, write_png), name), short=False) for name in PICTURES],
    *[Fault(f"{name} --overwrite without room", act, short=False) for name, act in COMMANDS.items()],
]

FAULTS = SHORT + LONG
