"""Libraries: writers that are killed, disks that are full, files that are damaged; nothing is lost, doubled or believed."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from chemvae import library
from chemvae.errors import BusyFolderError, ChemVAEError
from chemvae.library.manifest import read_manifest
from chemvae.models.vae import MolVAE
from tests.conftest import MOLECULES, make_model
from tests.faults.fault import Fault
from tests.faults.kills import MOST_RENAMINGS, kill_after, killed_at, moments, run
from tests.library.conftest import files_of

FIRST, MORE = MOLECULES[:8], MOLECULES[5:16]


@functools.cache
def model() -> MolVAE:
    """A model that encodes them."""
    from chemvae.data.tokens.vocabulary import Vocabulary

    return make_model(Vocabulary.from_smiles(MOLECULES))


def build(place: Path) -> None:
    """A library in shards of four."""
    library.build(FIRST, place / "lib", model(), work=library.Work(shard_rows=4))


def append(place: Path) -> None:
    """More molecules, some of which are there."""
    library.append(place / "lib", MORE, model(), work=library.Work(shard_rows=4))


def rows_of(path: Path) -> list[str]:
    """The molecules that the manifest stands for, as anybody reads them."""
    shards = read_manifest(path).shards if (path / "manifest.json").exists() else ()
    return [one for shard in shards for one in pd.read_parquet(path / shard.name / "table.parquet")["smiles"]]


def killed_everywhere(
    work: Callable[[Path], None], begin: Callable[[Path], None], expected: list[str]
) -> Callable[[Path], list[str]]:
    """Have the work killed before each of its renamings: what is there is the beginning of what will be, and it can go on."""

    def act(folder: Path) -> list[str]:
        found: list[str] = []
        model()
        for number in range(MOST_RENAMINGS):
            place = folder / str(number)
            place.mkdir()
            begin(place)
            if not killed_at(number, lambda place=place: work(place)):
                return found if number else ["it renamed nothing"]
            seen = rows_of(place / "lib")
            found += [f"killed at renaming {number}: {seen}"] if seen != expected[: len(seen)] else []
            work(place)
            found += [f"done again after {number}: {rows_of(place / 'lib')}"] if rows_of(place / "lib") != expected else []
            found += [f"afterwards, {number}: {one}" for one in library.verify(place / "lib")]
            found += [f"left behind: {one}" for one in (place / "lib").iterdir() if one.name.endswith((".tmp", ".lock"))]
        return [*found, "it never ended"]

    return act


ALL = list(dict.fromkeys([*FIRST, *MORE]))


def damaged(name: str, damage: Callable[[Path], object], *, is_seen: bool) -> Callable[[Path], list[str]]:
    """Verification names the file; a search refuses what it can see without reading every byte."""

    def act(folder: Path) -> list[str]:
        build(folder)
        path = folder / "lib"
        damage(path / name)
        try:
            problems = library.verify(path)
        except ChemVAEError as error:
            problems = [str(error)]
        found = [] if any(Path(name).name in one for one in problems) else [f"not named: {problems}"]
        try:
            library.search(path, library.Query("CCO", where="logP<9"), model())
            found += ["a search went by in silence"] if is_seen else []
        except ChemVAEError:
            pass
        return found

    return act


def cut(path: Path) -> None:
    """Half of it is gone."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path: Path) -> None:
    """One bit is another."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def another_count(path: Path) -> None:
    """The manifest claims another number of rows."""
    content = json.loads(path.read_text())
    content["shards"][0]["n_rows"] += 1
    path.write_text(json.dumps(content))


def a_full_disk(folder: Path) -> list[str]:
    """What was there stays, and the same command goes on when there is room."""
    build(folder)
    before, save = files_of(folder / "lib"), np.save

    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    np.save = full
    try:
        append(folder)
        found = ["it went by in silence"]
    except ChemVAEError as error:
        found = [] if "No space left" in str(error) else [str(error)]
    finally:
        np.save = save
    found += [] if files_of(folder / "lib") == before else ["it is not what it was"]
    append(folder)
    return found + ([] if rows_of(folder / "lib") == ALL else ["it does not go on"])


def two_writers(folder: Path) -> list[str]:
    """The second is told who is the first."""
    from chemvae.disk.locks import held

    build(folder)
    with held(folder / "lib"):
        try:
            append(folder)
        except BusyFolderError:
            return [] if rows_of(folder / "lib") == FIRST else ["it wrote all the same"]
    return ["two programs write into one library"]


FILES = ("bit_counts.npy", "codes.npy", "points.npy", "morgan.npy", "pattern.npy", "table.parquet", "keys.npy")
SHORT = [
    Fault("a library's file is missing", damaged("000000/points.npy", Path.unlink, is_seen=True)),
    *[Fault(f"{name} of a library is cut", damaged(f"000001/{name}", cut, is_seen=True)) for name in FILES],
    *[Fault(f"a bit of {name} of a library is another", damaged(f"000000/{name}", flip, is_seen=False)) for name in FILES],
    *[
        Fault(f"manifest.json of a library is {word}", damaged("manifest.json", damage, is_seen=True))
        for word, damage in (("cut", cut), ("gone", Path.unlink), ("changed", another_count))
    ],
    Fault("no room for a shard of a library", a_full_disk),
    Fault("two programs write into a library", two_writers),
]
if hasattr(os, "fork"):
    SHORT += [
        Fault("killed while a library is built", killed_everywhere(build, lambda place: None, FIRST)),
        Fault("killed while a library is added to", killed_everywhere(append, build, ALL)),
    ]


# whole commands ------------------------------------------------------------------------------------------------------------


def commands(folder: Path) -> list[str]:
    """Build and append killed at random moments, then run again: every molecule once, and every file as it was written."""
    heads, tails = ("", "F", "N", "O", "C1CC1", "c1ccccc1"), ("O", "N", "F", "Cl", "c1ccccc1")
    chains = [f"{head}{'C' * n}{tail}" for n in range(1, 30) for head in heads for tail in tails]
    pd.DataFrame({"smiles": chains[:500]}).to_csv(folder / "a.csv", index=False)
    pd.DataFrame({"smiles": chains[300:]}).to_csv(folder / "b.csv", index=False)
    words, found = {"build": ["library", "build", "a.csv", "-q", "-o"], "append": ["library", "append"]}, []
    found.append(run(folder, [*words["build"], "whole"]))
    found.append(run(folder, [*words["append"], "whole", "b.csv", "-q"]))
    expected = rows_of(folder / "whole")
    for number, seconds in enumerate(moments(6, 4, 4.0)):
        name = f"lib{number}"
        kill_after(folder, [*words["build"], name], (folder / name / ".lock").exists, seconds)
        found.append(run(folder, [*words["build"], name]))
        kill_after(folder, [*words["append"], name, "b.csv", "-q"], (folder / name / ".lock").exists, seconds)
        found.append(run(folder, [*words["append"], name, "b.csv", "-q"]))
        found += [f"killed after {seconds:.2f} s: other molecules"] if rows_of(folder / name) != expected else []
        found += library.verify(folder / name)
    return list(filter(None, found))


FAULTS = [*SHORT, Fault("library build and append killed at 4 moments", commands, short=False)]
