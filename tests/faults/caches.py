"""Caches that were damaged behind our back: what they held is computed again, with a line, and no value changes."""

from __future__ import annotations

import functools
import logging
import os
import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from tests.faults.fault import Fault

MOLECULES = ["N" + "C" * (i % 7) + "O" * (i // 7 % 2) + "C(F)" * (i // 14) + "C" for i in range(40)]
PROPERTIES = ["logP", "qed", "MW"]
FLIPS = 3


@contextmanager
def cache_in(folder: Path) -> Iterator[None]:
    """Keep what is computed below a folder, however few molecules, and say nothing."""
    from chemvae.chem import descriptors

    before = os.environ.get("CHEMVAE_CACHE"), descriptors.LEAST_REMEMBERED
    os.environ["CHEMVAE_CACHE"], descriptors.LEAST_REMEMBERED = str(folder), 1
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
        descriptors.LEAST_REMEMBERED = before[1]
        os.environ.pop("CHEMVAE_CACHE")
        if before[0] is not None:
            os.environ["CHEMVAE_CACHE"] = before[0]


def values() -> np.ndarray:
    """Properties of the molecules [N, P], from the cache where it has them."""
    from chemvae.chem.descriptors import compute_many

    return compute_many(MOLECULES, PROPERTIES).properties.to_numpy()


@functools.cache
def truth() -> np.ndarray:
    """The same, computed."""
    with tempfile.TemporaryDirectory() as folder, cache_in(Path(folder)):
        return values()


def act(damage: Callable[[Path], None], folder: Path) -> list[str]:
    """Fill the cache, damage each of its files, and ask again, twice."""
    with cache_in(folder):
        values()
        paths = [path for path in folder.rglob("*") if path.is_file()]
        for path in paths:
            damage(path)
        found = ["other values" for _ in range(2) if not np.array_equal(values(), truth())]
    return found + ([] if paths else ["nothing was kept"])


def flip(seed: int, path: Path) -> None:
    """Flip one bit of a file."""
    content, draw = bytearray(path.read_bytes()), random.Random(seed)
    place = draw.randrange(8 * len(content))
    content[place // 8] ^= 1 << place % 8
    path.write_bytes(bytes(content))


def many_flips(seeds: range, folder: Path) -> list[str]:
    """One bit after the other, each in a cache of its own."""
    return [word for seed in seeds for word in act(functools.partial(flip, seed), _new(folder / str(seed)))]


def _new(folder: Path) -> Path:
    folder.mkdir()
    return folder


def as_folder(path: Path) -> None:
    """Put a folder in a file's place."""
    path.unlink()
    path.mkdir()


def exchanged(folder: Path) -> list[str]:
    """A part that holds other molecules under this one's name."""
    from chemvae.chem.descriptors import compute_many

    with cache_in(folder):
        compute_many([f"{one}Cl" for one in MOLECULES], PROPERTIES)
        (other,) = folder.rglob("*.parquet")
        content = other.read_bytes()
        values()
        for path in folder.rglob("*.parquet"):
            path.write_bytes(content)
        return [] if np.array_equal(values(), truth()) else ["other values"]


WAYS: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "cut in half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "noise": lambda path: path.write_bytes(random.Random(0).randbytes(3000)),
    "another Parquet file's ends around nothing": lambda path: path.write_bytes(b"PAR1" * 9),
    "a folder": as_folder,
    "a link to nothing": lambda path: (path.unlink(), path.symlink_to("nowhere")),
    "gone": lambda path: path.unlink(),
}
FAULTS = [
    *(Fault(f"a part of the descriptor cache is {name}", functools.partial(act, damage)) for name, damage in WAYS.items()),
    Fault("a part of the descriptor cache holds other molecules", exchanged),
    *(
        Fault(f"a bit of the descriptor cache is flipped ({start})", functools.partial(many_flips, range(start, start + FLIPS)))
        for start in (0, FLIPS)
    ),
    Fault("a hundred bits of the descriptor cache are flipped", functools.partial(many_flips, range(100, 200)), short=False),
]
