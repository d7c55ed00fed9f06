"""kill -9 at any moment: nothing that was there is lost, no file is torn, and the same command goes on or begins again."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from chemvae.data.files.writing import new_folder
from chemvae.design.search_folder import SearchFolder
from chemvae.design.search_settings import SearchSettings
from chemvae.disk import files
from chemvae.disk.locks import held
from chemvae.errors import BusyFolderError
from chemvae.runs import NEEDED, RunFolder
from chemvae.tables import write_table
from tests.faults.fault import Fault

# at every renaming: the moments at which what others see changes -------------------------------------------------------------

MOST_RENAMINGS = 40


def killed_at(number: int, work: Callable[[], Any]) -> bool:
    """Do the work in a process that dies before its renaming of this number; whether it did."""
    child = os.fork()
    if child == 0:
        left, rename, swap = [number], files.put_in_place, files._swap

        def dying(*paths: Path) -> None:
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1

        files.put_in_place = lambda one, other: (dying(), rename(one, other))[1]
        files._swap = lambda one, other: (dying(), swap(one, other))[1]
        try:
            work()
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def at_every_renaming(
    begin: Callable[[Path], None], work: Callable[[Path], Any], read: Callable[[Path], str], *, is_tidy: bool = True
) -> Callable[[Path], list[str]]:
    """Have the work killed at each of its renamings: what is read then is the old or the new, and it can be done again."""

    def act(folder: Path) -> list[str]:
        found, first = [], folder / "first"
        first.mkdir()
        begin(first)
        for number in range(MOST_RENAMINGS):
            place = folder / str(number)
            shutil.copytree(first, place, symlinks=True)
            if not killed_at(number, lambda place=place: work(place)):
                return found if number else ["it renamed nothing"]
            if (seen := read(place)) not in ("old", "new"):
                found.append(f"killed at renaming {number}: {seen}")
            work(place)
            odd = _odd(place) if is_tidy else []
            if read(place) != "new" or odd:
                found.append(f"killed at renaming {number}, done again: {read(place)}; {', '.join(odd)}")
        return [*found, "it never ended"]

    return act


def _odd(folder: Path) -> list[str]:
    """What should not lie there afterwards."""
    endings = (".tmp", ".old", ".lock")
    return [path.name for path in folder.rglob("*") if path.name.endswith(endings) or path.name in (".unfinished", ".whole")]


EPOCHS = {"old": 1, "new": 2}
"""How a table of numbers says which run it is of."""


def write_run(run: RunFolder, word: str) -> None:
    """A run whose files all say which one they are of."""
    run.write_vocabulary({"of": word})
    run.write_config({"of": word})
    run.write_metrics([{"epoch": EPOCHS[word]}])
    run.write_trainer({"of": word})
    for name in ("model.safetensors", "prior.safetensors"):
        run.write_tensors(name, {word: torch.zeros(3)})


def replace_run(place: Path) -> None:
    """What training with --overwrite does."""
    run = RunFolder(place / "run")
    with run.locked():
        new = run.successor()
        new.begin()
        write_run(new, "new")
        new.take_over()


def read_run(place: Path) -> str:
    """Which run is in the folder; the words of all files, if they differ."""
    run = RunFolder(place / "run")
    words = [run.read_json(name)["of"] for name in ("config.json", "vocabulary.json")]
    epoch = run.read_metrics()["epoch"][0]
    words += [next(word for word, its in EPOCHS.items() if its == epoch), run.read_trainer()["of"]]
    words += [next(iter(run.read_tensors(name))) for name in ("model.safetensors", "prior.safetensors")]
    return words[0] if len(set(words)) == 1 else f"a mixture: {words}"


def finish_run(place: Path) -> None:
    """What the end of training does: weights and the prior fitted to them."""
    run = RunFolder(place / "run")
    with run.locked(), run.all_at_once() as together:
        for name in ("model.safetensors", "prior.safetensors"):
            together.write_tensors(name, {"new": torch.zeros(3)})


def read_finished(place: Path) -> str:
    """Of which moment weights and prior are."""
    run = RunFolder(place / "run")
    words = [next(iter(run.read_tensors(name))) for name in ("model.safetensors", "prior.safetensors")]
    return words[0] if len(set(words)) == 1 else f"a mixture: {words}"


def search(place: Path, word: str) -> None:
    """A search with its tables."""
    folder = SearchFolder(place / "hits")
    with folder.opened(SearchSettings(), replace=folder.exists()):
        folder.record.write_text(f"{word}\n{word}\n")
        for name in ("best.csv", "history.csv"):
            write_table(pd.DataFrame({"of": [word]}), folder.path / name)


def read_search(place: Path) -> str:
    """Of which search the record is, and the tables."""
    folder = SearchFolder(place / "hits")
    folder.start({}, overwrite=True)  # puts in order what a crash has left, and writes nothing
    words = {pd.read_csv(folder.path / name)["of"][0] for name in ("best.csv", "history.csv")}
    words |= set(folder.record.read_text().split())
    return next(iter(words)) if len(words) == 1 else f"a mixture: {words}"


def prepare_set(place: Path, word: str) -> None:
    """A prepared set of two files."""
    with new_folder(place / "set", overwrite=True) as folder:
        (folder / "card.json").write_text(word)
        (folder / "data.txt").write_text(word)


def read_set(place: Path) -> str:
    """Of which set both files are."""
    words = {(place / "set" / name).read_text() for name in ("card.json", "data.txt")}
    return next(iter(words)) if len(words) == 1 else f"a mixture: {words}"


def begin_table(place: Path) -> None:
    """A table, beside a file of the user's own and a link that somebody else has planted."""
    table(place, "old")
    (place / "a.csv.tmp").write_text("mine")
    (place / "theirs").write_text("theirs")
    (place / f"a.csv.{os.getpid()}-0.tmp").symlink_to(place / "theirs")


def table(place: Path, word: str) -> None:
    """A table."""
    write_table(pd.DataFrame({"of": [word] * 99}), place / "a.csv")


def read_table(place: Path) -> str:
    """The word of every row."""
    words = set(pd.read_csv(place / "a.csv")["of"])
    others = [(place / name).read_text() for name in ("a.csv.tmp", "theirs")]
    if others != ["mine", "theirs"]:
        return f"somebody else's files hold {others}"
    return words.pop() if len(words) == 1 else f"a mixture: {words}"


def a_dead_holder_does_not_block(folder: Path) -> list[str]:
    """A lock ends with its holder, and while it lives the holder is named."""
    ready, tell = os.pipe()
    child = os.fork()
    if child == 0:
        with held(folder / "run"):
            os.write(tell, b"x")
            time.sleep(60)
        os._exit(0)
    os.read(ready, 1)
    found = []
    try:
        with held(folder / "run"):
            found.append("two programs work in one folder")
    except BusyFolderError as error:
        found += [] if f"process {child} " in str(error) else [f"the holder is not named: {error}"]
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with held(folder / "run"):
        pass
    return found + [f"left behind: {path}" for path in folder.rglob("*") if path.is_file()]


SHORT = [
    Fault(
        "killed while a run takes the place of another",
        at_every_renaming(lambda place: write_run(RunFolder(place / "run"), "old"), replace_run, read_run),
    ),
    Fault(
        "killed while weights and prior are put in place",
        at_every_renaming(lambda place: write_run(RunFolder(place / "run"), "old"), finish_run, read_finished),
    ),
    Fault(
        "killed while a search takes the place of another",
        at_every_renaming(lambda place: search(place, "old"), lambda place: search(place, "new"), read_search),
    ),
    Fault(
        "killed while a prepared set takes the place of another",
        at_every_renaming(lambda place: prepare_set(place, "old"), lambda place: prepare_set(place, "new"), read_set),
    ),
    Fault(
        "killed while a table is replaced",
        at_every_renaming(begin_table, lambda place: table(place, "new"), read_table, is_tidy=False),
    ),
    Fault("killed while the holder of a lock", a_dead_holder_does_not_block),
]


# at random moments: whole commands ------------------------------------------------------------------------------------------

SMALL = [
    "--preset", "tiny", "--batch-size", 16, "--latent-dim", 4, "--decoder-dim", 16, "--encoder-dim", 8, "--min-kl", 0,
    "--min-active-units", 0, "--threads", 1, "--device", "cpu", "-q",
]  # fmt: skip
MOLECULES = ["C" * n + tail for n in range(1, 40) for tail in ("O", "N", "F", "Cl", "c1ccccc1")]
SEARCH = ["optimize", "--maximize", "qed", "--method", "random", "--batch", 4, "-o", "out", "--device", "cpu", "-q"]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def start(folder: Path, words: list[Any]) -> subprocess.Popen:
    """A command in a process of its own."""
    line = [sys.executable, "-m", "chemvae", *map(str, words)]
    return subprocess.Popen(line, cwd=folder, env=ENVIRONMENT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)


def run(folder: Path, words: list[Any]) -> str:
    """What a command complains about; "" if it ends well."""
    running = start(folder, words)
    _, said = running.communicate(timeout=300)
    return "" if running.returncode == 0 else f"exit code {running.returncode}: {said.strip()[-300:]}"


def kill_after(folder: Path, words: list[Any], has_begun: Callable[[], bool], seconds: float) -> bool:
    """Kill a command so many seconds after it has begun to write; whether it was still running."""
    running, started = start(folder, words), time.monotonic()
    while not has_begun() and running.poll() is None and time.monotonic() - started < 120:
        time.sleep(0.005)
    time.sleep(seconds)
    was_running = running.poll() is None
    running.kill()
    running.communicate()
    return was_running


def data(folder: Path) -> None:
    """The molecules that all of them read."""
    y = np.random.default_rng(0).normal(size=len(MOLECULES))
    pd.DataFrame({"smiles": MOLECULES, "y": y}).to_csv(folder / "a.csv", index=False)


def moments(seed: int, n: int, longest_s: float) -> list[float]:
    """Seconds after the beginning, sooner ones more often."""
    stream = random.Random(seed)
    return [longest_s * stream.random() ** 2 for _ in range(n)]


def train(folder: Path) -> list[str]:
    """Training reaches the numbers of a run that nobody killed."""
    data(folder)
    words = ["train", "a.csv", "-p", "y", *SMALL, "--epochs", 4, "--resume", "-o"]
    found = [run(folder, [*words, "whole"])]
    whole = RunFolder(folder / "whole").read_metrics()["valid_loss"].tolist()
    for number, seconds in enumerate(moments(1, 8, 3.0)):
        name = f"run{number}"
        kill_after(folder, [*words, name], (folder / name / "config.json").exists, seconds)
        said = run(folder, [*words, name])
        losses = [] if said else RunFolder(folder / name).read_metrics()["valid_loss"].tolist()
        found += [f"killed after {seconds:.2f} s: {said or losses}"] if losses != whole else []
        found += [f"killed after {seconds:.2f} s, left behind: {odd}" for odd in _odd(folder / name)]
    return list(filter(None, found))


def train_over(folder: Path) -> list[str]:
    """A model stays as it is until its successor is whole."""
    data(folder)
    words = ["train", "a.csv", "-p", "y", *SMALL, "-o", "out"]
    found, place = [run(folder, [*words, "--epochs", 1])], folder / "out"
    before = {name: (place / name).read_bytes() for name in NEEDED}
    for seconds in moments(2, 6, 2.0):
        again = [*words, "--epochs", 3, "--seed", 1, "--overwrite"]
        if kill_after(folder, again, (place / ".unfinished" / "config.json").exists, seconds):
            lost = [name for name in NEEDED if RunFolder(place).file(name).read_bytes() != before[name]]
            found += [f"killed after {seconds:.2f} s: other {', '.join(lost)}"] if lost else []
    found.append(run(folder, ["train", "--resume", "-o", "out", "-q"]))
    found += [f"left behind: {odd}" for odd in _odd(place)]
    return list(filter(None, found))


def paid(path: Path) -> list[str]:
    """The whole lines of a record, without its first."""
    text = path.read_text() if path.exists() else ""
    return text[: text.rfind("\n") + 1].splitlines()[1:]


def optimize(folder: Path) -> list[str]:
    """No molecule that was paid for is lost or paid for twice."""
    found = []
    for number, seconds in enumerate(moments(3, 6, 4.0)):
        words = [*SEARCH[:-5], "-o", f"out{number}", "--device", "cpu", "-q", "--budget", 200]
        record = folder / f"out{number}" / "history.jsonl"
        kill_after(folder, words, record.exists, seconds)
        before = paid(record)
        found.append(run(folder, [*words, "--resume"]))
        history = pd.read_csv(folder / f"out{number}" / "history.csv") if not found[-1] else pd.DataFrame({"smiles": []})
        kept = paid(record)[: len(before)] == before and history["smiles"].is_unique and len(history) == 200
        found += [] if kept else [f"killed after {seconds:.2f} s: {len(before)} paid, {len(history)} afterwards"]
    return list(filter(None, found))


def optimize_over(folder: Path) -> list[str]:
    """The record that was paid for stays until the new search is whole."""
    found = [run(folder, [*SEARCH, "--budget", 12])]
    place = folder / "out"
    before = {path.name: path.read_bytes() for path in place.iterdir()}
    for seconds in moments(4, 4, 4.0):
        words = [*SEARCH, "--budget", 200, "--seed", 1, "--overwrite"]
        if kill_after(folder, words, (place / ".unfinished" / "history.jsonl").exists, seconds):
            after = {name: (place / name).read_bytes() for name in before if (place / name).exists()}
            found += [f"killed after {seconds:.2f} s: the earlier search is not what it was"] if after != before else []
    found.append(run(folder, [*SEARCH, "--resume", "--budget", 200]))
    return list(filter(None, [*found, *(f"left behind: {odd}" for odd in _odd(place))]))


def over(words: list[Any], out: str, n: int) -> Callable[[Path], list[str]]:
    """What is replaced with --overwrite is the old or the new, at every moment."""

    def act(folder: Path) -> list[str]:
        pd.concat([pd.DataFrame({"smiles": MOLECULES})] * 20).assign(y=1.0).to_csv(folder / "a.csv", index=False)
        found, place = [run(folder, words)], folder / out
        before = contents(place)
        for seconds in moments(5, n, 4.0):
            kill_after(folder, [*words, "--overwrite"], lambda: False if not place.exists() else time.sleep(1) or True, seconds)
            found += [f"killed after {seconds:.2f} s: it is not what it was"] if contents(place) != before else []
        found.append(run(folder, [*words, "--overwrite"]))
        return list(filter(None, [*found, "" if contents(place) == before else "done again it is another"]))

    return act


def contents(path: Path) -> dict[str, bytes]:
    """A file or the files of a folder, as bytes."""
    paths = sorted(path.iterdir()) if path.is_dir() else [path]
    return {one.name: one.read_bytes() for one in paths}


PREPARE = ["data", "prepare", "a.csv", "-o", "out"]
LONG = [
    Fault("train killed at 8 moments", train, short=False),
    Fault("train --overwrite killed at 6 moments", train_over, short=False),
    Fault("optimize killed at 6 moments", optimize, short=False),
    Fault("optimize --overwrite killed at 4 moments", optimize_over, short=False),
    Fault("prepare --overwrite killed at 3 moments", over(PREPARE, "out", 3), short=False),
    Fault("predict --overwrite killed at 3 moments", over(["predict", "a.csv", "-o", "out.csv"], "out.csv", 3), short=False),
    Fault("map --overwrite killed at 2 moments", over(["map", "a.csv", "-o", "out.html"], "out.html", 2), short=False),
]

FAULTS = SHORT + LONG if hasattr(os, "fork") else []
