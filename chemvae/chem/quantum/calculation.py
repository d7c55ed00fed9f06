"""Calculate once: under a time limit, on one thread, and kept on disk as soon as a molecule is done.

A calculation runs in a process of its own, which is ended when it overruns; a program that is killed has lost one molecule.
Where the caller already is such a process (an oracle with a time limit), it runs there. A failure is kept with its reason.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rdkit import Chem, rdBase

from chemvae.cache import cache_folder, keeps_molecules
from chemvae.chem.conformers import CONFORMER_SEED
from chemvae.chem.descriptor_cache import DescriptorCache, PartWriter
from chemvae.chem.quantum.methods import METHODS, Method
from chemvae.chem.quantum.structure import CalculationError, Structure, heavy_smiles
from chemvae.parallel.timed import RemoteError, TimedFunction, TimeLimitError, describe_error
from chemvae.parallel.worker import ENVIRONMENT

DEFINITIONS = 1  # raise it when a method of the same name comes to give other values
TIMED_OUT = "timed out"
REASON, SECONDS = "reason", "seconds"


@dataclass(frozen=True)
class Record:
    """What a method said of a molecule."""

    values: Mapping[str, float]
    """Quantity -> value, as far as there are some."""
    reason: str = ""
    """Why others are missing."""
    seconds: float = 0.0
    """Wall time of the calculation."""

    def value(self, quantity: str) -> float:
        """One of the values.

        Raises
        ------
        CalculationError
            If there is none, with the reason.
        """
        if quantity not in self.values:
            raise CalculationError(self.reason)
        return self.values[quantity]


_KNOWN: dict[tuple[str, ...], dict[str, Record]] = {}  # facts of a method -> SMILES -> record, of this process
_OPENED: dict[Path, tuple[tuple[str, ...], DescriptorCache]] = {}
_WORKERS: dict[int, TimedFunction] = {}  # process -> its worker, started with its first calculation; a fork has its own


def calculate(method: Method, structure: Structure) -> Record:
    """Everything a method says of a molecule: remembered, or else calculated and kept.

    Raises
    ------
    MissingExtraError
        If the method's program is not installed.

    Examples
    --------
    >>> calculate(METHODS["xtb"], water).values["gap"]  # doctest: +SKIP
    11.2
    """
    method.require()
    record = recall(method, structure.smiles)
    if record is None:
        record = _measured(method, structure)
        _keep(method, structure.smiles, record)
    return record


def recall(method: Method, smiles: str) -> Record | None:
    """What is known of a canonical molecule, from this process or from disk; None if it is to be calculated.

    A time-out is no answer any more where the limit has grown.
    """
    method.require()
    known = _KNOWN.setdefault(method.facts(), {})
    record = known.get(smiles) or _read(method, smiles)
    if record is None or (record.reason.startswith(TIMED_OUT) and record.seconds < method.timeout_s):
        return None
    known[smiles] = record
    return record


@dataclass(frozen=True)
class QuantumProperty:
    """One quantity of one method as a function of a molecule with its conformer.

    Examples
    --------
    >>> QuantumProperty("xtb", "gap").known(Chem.MolFromSmiles("O")) is None  # doctest: +SKIP
    True
    """

    method: str
    """Of :data:`METHODS`."""
    quantity: str

    def __call__(self, mol: Chem.Mol) -> float:
        """The value; a CalculationError says why there is none."""
        return calculate(METHODS[self.method], Structure.from_mol(mol)).value(self.quantity)

    def known(self, mol: Chem.Mol) -> float | None:
        """The value if it is remembered, for a molecule without a conformer; None if it is to be calculated."""
        record = recall(METHODS[self.method], heavy_smiles(mol))
        return None if record is None else record.value(self.quantity)


# ---------------------------------------------------------------------- running


def perform(task: tuple[str, Structure]) -> tuple[dict[str, float], str]:
    """Calculate in this process, on one thread: values, and why some are missing, or "". What the worker does."""
    name, structure = task
    os.environ.update(ENVIRONMENT)  # read by what is first imported now
    try:
        with _one_thread():
            values = METHODS[name].compute(structure)
    except CalculationError as error:
        return error.values, str(error)
    except Exception as error:  # whatever a program raises is the reason why this molecule has no value
        return {}, describe_error(error)
    fine = {quantity: value for quantity, value in values.items() if np.isfinite(value)}
    bad = [quantity.name for quantity in METHODS[name].quantities if quantity.name not in fine]
    return fine, f"{name} gave no number for {', '.join(bad)}" if bad else ""


def _one_thread() -> AbstractContextManager[Any]:
    """A context in which the numerical libraries that are loaded use one thread."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(limits=1)


def _measured(method: Method, structure: Structure) -> Record:
    """Calculate, with the time it took."""
    if reason := method.refusal(structure):
        return Record({}, reason)
    started = time.perf_counter()
    values, reason = _within_limit(method, structure)
    return Record(values, reason, time.perf_counter() - started)


def _within_limit(method: Method, structure: Structure) -> tuple[dict[str, float], str]:
    task = (method.name, structure)
    if multiprocessing.current_process().daemon:  # it has a limit already, and may have no children
        return perform(task)
    worker = _WORKERS.setdefault(os.getpid(), TimedFunction(perform, method.timeout_s))
    worker.timeout_s = method.timeout_s
    try:
        return worker(task)
    except (TimeLimitError, RemoteError) as error:
        return {}, str(error)


# ---------------------------------------------------------------------- keeping


def results_folder(method: Method) -> Path:
    """Where the results of a method lie: what they depend on is in the name."""
    stamp = repr([method.facts(), CONFORMER_SEED, rdBase.rdkitVersion, DEFINITIONS])
    return cache_folder() / "quantum" / f"{method.name}-{hashlib.sha256(stamp.encode()).hexdigest()[:16]}"


def _keep(method: Method, smiles: str, record: Record) -> None:
    """Remember a record, and write it to disk; a worker that died may have died of something else, so that is not written."""
    _KNOWN.setdefault(method.facts(), {})[smiles] = record
    if not keeps_molecules() or (record.reason and record.reason.startswith("the worker process")):
        return
    numbers = {q.name: np.array([record.values.get(q.name, np.nan)]) for q in method.quantities}
    columns = {**numbers, SECONDS: np.array([record.seconds]), REASON: [record.reason]}
    with PartWriter({name: "text" if name == REASON else "number" for name in columns}, results_folder(method)) as writer:
        writer.add([smiles], columns)


def _read(method: Method, smiles: str) -> Record | None:
    """Look a molecule up on disk."""
    folder = results_folder(method)
    names = [quantity.name for quantity in method.quantities]
    found = _opened(folder).look_up([smiles], [*names, SECONDS, REASON]) if keeps_molecules() else {}
    cells = {name: pieces[0][1][0] for name, pieces in found.items() if pieces and len(pieces[0][1])}
    if len(cells) < len(names) + 2:
        return None
    values = {name: float(cells[name]) for name in names if np.isfinite(cells[name])}
    return Record(values, cells[REASON], float(cells[SECONDS]))


def _opened(folder: Path) -> DescriptorCache:
    """The parts of a folder, opened again when there are others."""
    names = tuple(sorted(path.name for path in folder.glob("*.parquet")))
    if folder not in _OPENED or _OPENED[folder][0] != names:
        _OPENED[folder] = names, DescriptorCache(folder)
    return _OPENED[folder][1]
