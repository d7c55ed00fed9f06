"""Properties, fingerprints and cleaned SMILES of many molecules: one pass over worker processes, remembered between calls.

A molecule is read once for everything that is missing of it. What was computed is kept in the user's cache folder
(:mod:`chemvae.chem.descriptor_cache`), keyed by the text as it was given, so that looking up needs no chemistry.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from rdkit import DataStructs

from chemvae.cache import keeps_molecules
from chemvae.chem.descriptor_cache import DescriptorCache, PartWriter, is_keepable
from chemvae.chem.fingerprints import N_BITS, morgan, scaffold
from chemvae.chem.molecules import STANDARDIZE_MODES, invalid_reason, parse, standardize
from chemvae.chem.properties import PROPERTIES, compute_values, job_limit
from chemvae.errors import SettingsError
from chemvae.parallel import Answer, Workers
from chemvae.registry import find

if TYPE_CHECKING:
    import pandas as pd

Piece = TypeVar("Piece")

FINGERPRINTS = ("morgan",)
SCAFFOLD = "scaffold"
CLEANED = {mode: f"cleaned:{mode}" for mode in STANDARDIZE_MODES}  # standardize mode -> name of the column
MORGAN_BYTES = N_BITS // 8
WINDOW = 8_192  # molecules that are looked up together
SHARE = 256  # molecules a worker takes at a time
LEAST_REMEMBERED = 2_000  # molecules; fewer are computed as soon as they are looked up
WAITING_PER_WORKER = 4
UNCHANGED, _FAILED = "=", "!"  # a cleaned text that is the one given; what a reason begins with


@dataclass(frozen=True)
class Descriptors:
    """What :func:`compute_many` found."""

    properties: pd.DataFrame
    """[N, P]; NaN where there is no molecule."""
    fingerprints: np.ndarray | None
    """[N, 256] uint8, eight bits a byte, the lowest bit first (``numpy.unpackbits(..., bitorder="little")``); a row of zeros
    where there is no molecule. None if they were not asked for."""


def compute_many(
    smiles: Sequence[str],
    properties: Iterable[str] = (),
    fingerprint: str | None = None,
    jobs: int = 1,
    *,
    cache: bool = True,
) -> Descriptors:
    """Compute properties and fingerprints of many molecules, or remember them.

    Parameters
    ----------
    smiles : sequence of str, length N
        What is not a molecule gives NaN and zeros.
    properties : iterable of str, length P
        Of :data:`chemvae.chem.properties.PROPERTIES`, case does not matter.
    fingerprint : {"morgan"} or None
        "morgan": 2,048 bits of radius 2, as :func:`chemvae.chem.fingerprints.morgan` makes them.
    jobs : int
        Worker processes; 1 works in this one, 0 takes one per core.
    cache : bool
        Look up and keep what is computed, from 2,000 molecules on.

    Raises
    ------
    UnknownNameError
        If there is no such property.
    SettingsError
        If there is no such fingerprint.

    Examples
    --------
    >>> found = compute_many(["CCO", "?"], ["hbd", "rings"], fingerprint="morgan")
    >>> found.properties
       HBD  rings
    0  1.0    0.0
    1  NaN    NaN
    >>> np.unpackbits(found.fingerprints, axis=1).sum(axis=1).tolist()
    [6, 0]
    """
    import pandas as pd

    if fingerprint is not None and fingerprint not in FINGERPRINTS:
        raise SettingsError(f"fingerprint must be one of {', '.join(FINGERPRINTS)}, got '{fingerprint}'")
    names = list(dict.fromkeys(find(PROPERTIES, name, "property")[0] for name in properties))
    smiles = list(smiles)
    wanted = {name: np.full(len(smiles), np.nan) for name in names}
    wanted |= {fingerprint: np.zeros((len(smiles), MORGAN_BYTES), dtype=np.uint8)} if fingerprint else {}
    _fill_columns(wanted, smiles, jobs, cache=cache)
    bits = wanted.pop(fingerprint) if fingerprint else None
    return Descriptors(pd.DataFrame(wanted, index=range(len(smiles)), columns=names), bits)


def _fill_columns(wanted: dict[str, np.ndarray], smiles: list[str], jobs: int, *, cache: bool) -> None:
    """Write each wanted column [N, ...] in place, a window of molecules at a time."""
    starts = range(0, len(smiles), WINDOW)
    windows = (smiles[start : start + WINDOW] for start in starts)
    for start, found in zip(starts, stream_columns(windows, list(wanted), jobs, cache=cache), strict=True):
        for name, column in wanted.items():
            column[start : start + WINDOW] = found[name]


def stream_columns(
    blocks: Iterable[Sequence[Any]], columns: Sequence[str], jobs: int = 1, *, cache: bool = True
) -> Iterator[dict[str, Any]]:
    """Compute columns of blocks of molecules, in order; only a few blocks are ever in memory.

    Parameters
    ----------
    blocks : iterable of sequences of str
        Cells that are not text count as no molecule. Whether the cache is worth asking is decided by the first block.
    columns : sequence of str
        Names of properties in the table's spelling, "morgan", :data:`SCAFFOLD`, or values of :data:`CLEANED`.

    Yields
    ------
    dict
        For each column the values of a block of n molecules: properties as an array [n], fingerprints as an array [n, 256], and
        cleaned SMILES and scaffolds as a list of n texts as :func:`read_text` takes them.
    """
    blocks = iter(blocks)
    first = list(itertools.islice(blocks, 2))
    if not first or not columns:
        yield from ({} for _ in itertools.chain(first, blocks))
        return
    if len(first) == 1 and len(first[0]) < LEAST_REMEMBERED and not _are_dear(columns):
        jobs = 1  # over before a process has started
    remembers = cache and keeps_molecules() and len(first[0]) >= LEAST_REMEMBERED
    with ExitStack() as stack:
        memory = _Memory(stack) if remembers else None
        jobs = job_limit([name for name in columns if name in PROPERTIES], jobs)
        workers = stack.enter_context(Workers(compute_columns, jobs))
        waiting: deque[_Block] = deque()
        for texts in itertools.chain(first, blocks):
            waiting.append(_Block(texts, columns, memory, workers))
            while waiting and (waiting[0].done() or _is_enough(waiting, workers.jobs)):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def with_columns(
    pieces: Iterable[Piece], texts_of: Callable[[Piece], Sequence[Any]], columns: Sequence[str], jobs: int = 1
) -> Iterator[tuple[Piece, dict[str, Any]]]:
    """Yield each piece of something with the columns of its texts, as :func:`stream_columns` computes them.

    Examples
    --------
    >>> [(piece, found["rings"].tolist()) for piece, found in with_columns([["C1CC1", "C"], ["?"]], list, ["rings"])]
    [(['C1CC1', 'C'], [1.0, 0.0]), (['?'], [nan])]
    """
    waiting: deque[Piece] = deque()

    def texts() -> Iterator[Sequence[Any]]:
        for piece in pieces:
            waiting.append(piece)
            yield texts_of(piece)

    for found in stream_columns(texts(), columns, jobs):
        yield waiting.popleft(), found


def _are_dear(columns: Sequence[str]) -> bool:
    """Whether some of the columns are properties of which each molecule is work enough for a process."""
    return any(PROPERTIES[name].is_dear for name in columns if name in PROPERTIES)


def _is_enough(waiting: deque[_Block], jobs: int) -> bool:
    """Whether to wait for the oldest block before the next is handed out: the workers have the one after it, too."""
    return len(waiting) > 1 and sum(block.n_asked for block in waiting) > WAITING_PER_WORKER * jobs


def clean_text(text: Any, mode: str = "none") -> str:
    """Standardise a cell and write the outcome as one text: the SMILES, "=" if nothing changed, "!" and a reason if it failed.

    Examples
    --------
    >>> clean_text("OCC"), clean_text("CCO"), clean_text("C1")
    ('CCO', '=', '!ring 1 is opened and never closed')
    """
    smiles = standardize(text, mode) if isinstance(text, str) else None
    if smiles is None:
        return _FAILED + (invalid_reason(text) or "nothing is left of it after standardising")
    return UNCHANGED if smiles == text else smiles


def read_text(text: str, value: str) -> tuple[str | None, str]:
    """Undo :func:`clean_text`: the SMILES, or None and the reason; ``text`` is what was given.

    Examples
    --------
    >>> read_text("CCO", "="), read_text("OCC", "CCO"), read_text("C1", "!ring 1 is opened and never closed")
    (('CCO', ''), ('CCO', ''), (None, 'ring 1 is opened and never closed'))
    """
    if value == UNCHANGED:
        return text, ""
    return (None, value[1:]) if value.startswith(_FAILED) else (value, "")


def compute_columns(task: tuple[Sequence[Any], Sequence[str]]) -> dict[str, Any]:
    """Compute columns of a few molecules, each read once; what a worker does."""
    texts, columns = task
    numbers = [name for name in columns if kind_of(name) == "number"]
    modes = [mode for mode, name in CLEANED.items() if name in columns]
    found: dict[str, Any] = {CLEANED[mode]: [clean_text(text, mode) for text in texts] for mode in modes}
    if len(found) < len(columns):
        mols = [parse(text) for text in texts]
        rows = [[np.nan] * len(numbers) if mol is None else compute_values(mol, numbers) for mol in mols]
        table = np.array(rows, dtype=float).reshape(len(texts), len(numbers))
        found |= {name: table[:, j] for j, name in enumerate(numbers)}
        if SCAFFOLD in columns:
            found[SCAFFOLD] = [f"{_FAILED}not a molecule" if mol is None else scaffold(mol) for mol in mols]
        if "morgan" in columns:
            found["morgan"] = _pack(morgan(mols))
    return found


def kind_of(column: str) -> str:
    """What a column holds, as :class:`~chemvae.chem.descriptor_cache.PartWriter` names it."""
    if column == "morgan":
        return f"bits:{MORGAN_BYTES}"
    return "text" if column == SCAFFOLD or column in CLEANED.values() else "number"


def _pack(fingerprints: Sequence[Any]) -> np.ndarray:
    """Bit vectors to bytes [n, 256]; zeros for None."""
    nothing = bytes(MORGAN_BYTES)
    packed = b"".join(nothing if bits is None else DataStructs.BitVectToBinaryText(bits) for bits in fingerprints)
    return np.frombuffer(packed, dtype=np.uint8).reshape(-1, MORGAN_BYTES)


def _is_kept_here(column: str) -> bool:
    """Whether a column belongs in this cache: a calculator remembers its own results, failures and what made them."""
    return column not in PROPERTIES or PROPERTIES[column].known is None


class _Memory:
    """The cache as one stream uses it: look up, and one new part for each set of columns."""

    def __init__(self, stack: ExitStack):
        self._stack, self._cache = stack, DescriptorCache()
        self._writers: dict[tuple[str, ...], PartWriter] = {}

    def look_up(self, texts: Sequence[Any], columns: Sequence[str]) -> dict[str, list[tuple[np.ndarray, Any]]]:
        places = np.array([i for i, text in enumerate(texts) if is_keepable(text)], dtype=np.int64)
        found = self._cache.look_up([texts[i] for i in places.tolist()], [name for name in columns if _is_kept_here(name)])
        return {name: [(places[where], values) for where, values in pieces] for name, pieces in found.items()}

    def keep(self, texts: Sequence[Any], values: dict[str, Any]) -> None:
        values = {name: column for name, column in values.items() if _is_kept_here(name)}
        columns = tuple(sorted(values))
        if not columns:
            return
        if columns not in self._writers:
            self._writers[columns] = self._stack.enter_context(PartWriter({name: kind_of(name) for name in columns}))
        chosen = [i for i, text in enumerate(texts) if is_keepable(text)]
        kept = {
            name: [column[i] for i in chosen] if isinstance(column, list) else column[chosen] for name, column in values.items()
        }
        self._writers[columns].add([texts[i] for i in chosen], kept)


class _Block:
    """One block: what is remembered of it, and what workers have been asked for."""

    def __init__(self, texts: Sequence[Any], columns: Sequence[str], memory: _Memory | None, workers: Workers):
        self.texts, self.columns, self._memory = texts, columns, memory
        self._values = {name: _empty(name, len(texts)) for name in columns}
        missing = np.ones((len(texts), len(columns)), dtype=bool)
        found = {} if memory is None else memory.look_up(texts, columns)
        for j, name in enumerate(columns):
            for places, values in found.get(name, ()):
                _fill(self._values[name], places, values)
                missing[places, j] = False
        self._asked = list(self._ask(missing, workers))

    def _ask(self, missing: np.ndarray, workers: Workers) -> Iterator[tuple[np.ndarray, Answer]]:
        """Molecules that lack the same columns go to the workers together."""
        for pattern in np.unique(missing, axis=0):
            if not pattern.any():
                continue
            places = np.flatnonzero((missing == pattern).all(axis=1))
            names = [name for name, lacking in zip(self.columns, pattern, strict=True) if lacking]
            size = 1 if _are_dear(names) else SHARE
            for share in np.split(places, range(size, len(places), size)):
                yield share, workers.submit([([self.texts[i] for i in share.tolist()], names)])

    @property
    def n_asked(self) -> int:
        return len(self._asked)

    def done(self) -> bool:
        return all(answer.done() for _, answer in self._asked)

    def result(self) -> dict[str, Any]:
        for share, answer in self._asked:
            (found,) = answer.result()
            for name, values in found.items():
                _fill(self._values[name], share, values)
            if self._memory is not None:
                self._memory.keep([self.texts[i] for i in share.tolist()], found)
        return self._values


def _empty(column: str, n: int) -> Any:
    kind = kind_of(column)
    if kind == "text":
        return [""] * n
    return np.full(n, np.nan) if kind == "number" else np.zeros((n, MORGAN_BYTES), dtype=np.uint8)


def _fill(column: Any, places: np.ndarray, values: Any) -> None:
    if isinstance(column, list):
        for place, value in zip(places.tolist(), values, strict=True):
            column[place] = value
    else:
        column[places] = values
