"""The oracle every kind of oracle is made of: it deduplicates, remembers, counts, keeps order, and shares the work out.

A score that could not be had is NaN with its reason. It is never 0, and never the score of another molecule.
"""

from __future__ import annotations

import copy
import math
import time
import weakref
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from chemvae.chem.identity import identify
from chemvae.chem.molecules import invalid_reason
from chemvae.deprecation.names import Renamed, adopt_renamed
from chemvae.design.oracles.cache import ScoreCache
from chemvae.design.oracles.endings import survived
from chemvae.design.oracles.pools import ENGINES, WorkerPool, map_scores, split
from chemvae.design.oracles.score import NoScore, Score, is_usable
from chemvae.parallel.timed import describe_error
from chemvae.registry import find

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_NAME = "score"


class Oracle(ABC):
    """Scores molecules; write ``evaluate`` and inherit the rest.

    Parameters
    ----------
    memory : path, optional
        Parquet file of scores, as :meth:`use_cache`; a subclass with an ``__init__`` of its own calls ``use_cache`` instead.
    retry_failures : bool
        As in :meth:`use_cache`.

    Attributes
    ----------
    names : tuple of str, length P
        What the values are called. One name: ``evaluate`` returns [N]; several: [N, P].
    label : str
        For reports; the class's name unless set.
    timeout_s : float or None
        Seconds a molecule may take. With a limit each molecule is scored alone in a worker process (see
        :mod:`chemvae.parallel.timed` for what that asks of the oracle), and an overrun is NaN with that reason.
    chunk_size : int or None
        Molecules handed to ``evaluate`` at a time; None hands over all. Scores are recorded after each chunk, so a small
        chunk loses less when the program is killed.
    jobs : int
        Workers that share the molecules, each with a copy of the oracle; 1 scores in this process, 0 takes one per core. An
        oracle that draws random numbers should seed them from the molecule: which worker gets it is not fixed.
    engine : str
        Of :data:`chemvae.design.oracles.pools.ENGINES`: processes here ("local"), or Ray.
    n_ready : int
        Scores of a batch that are there and have not been handed on yet: whoever ends a search takes these first.

    Notes
    -----
    ``evaluate`` may draw from the global random streams of Python, numpy and torch: within a search they are seeded for it.
    With two searches in two threads of one process both draw from the same streams, which cannot be repeated; an oracle that
    is to be repeatable there has a generator of its own, or seeds one from the molecule. Each search in a thread should have an
    oracle of its own: its time limit and its workers belong to the search that began last.

    Examples
    --------
    >>> class Carbons(Oracle):
    ...     def evaluate(self, smiles):
    ...         return np.array([float(s.count("C")) for s in smiles])
    >>> oracle = Carbons()
    >>> oracle(["CCO", "OCC", "C1", "CC"]), oracle.n_calls
    (array([ 2.,  2., nan,  2.]), 2)
    """

    names: tuple[str, ...] = (DEFAULT_NAME,)
    label: str = ""
    timeout_s: float | None = None
    chunk_size: int | None = None
    jobs: int = 1
    engine: str = "local"
    pools: Mapping[str, Any] = ENGINES
    of_this_process: tuple[str, ...] = ("_known", "_file", "_n_read", "_pool")  # a copy or another process does without
    keeps_limit = False  # whether ``run`` itself ends what takes longer than ``timeout_s``
    n_ready = 0
    is_foreign = True  # somebody else's code: the same answer for every molecule is worth a word
    complaint = ""  # what it has said beside its scores, in a line
    shares_work = True  # whether workers can help; False where a batch is one computation, or the parts have workers

    keep = Renamed("use_cache")
    alone = Renamed("worker_copy")
    under = Renamed("renamed")
    follow = Renamed("iter_scores")

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        adopt_renamed(cls, Oracle)

    def __init__(self, memory: str | Path | None = None, retry_failures: bool = False):
        if memory is not None:
            self.use_cache(memory, retry_failures)

    @abstractmethod
    def evaluate(self, smiles: Sequence[str]) -> np.ndarray:
        """Score new, distinct, canonical molecules: [N], or [N, P] with several names; NaN where it failed.

        Never a number in place of NaN: 0 or 1e6 for a failure is believed, and the search learns to avoid or to seek what is
        like it (in a test with a quarter of failures, the ten best of 40 calls were worse by 0.5 of 11).

        If it raises, it is asked again one molecule at a time, so that only the molecule at fault loses its score. Where
        calls are dear, return NaN instead of raising. Raise :class:`NoScore` to give a reason in plain words.
        """

    # ------------------------------------------------------------------ asking

    def __call__(self, smiles: Sequence[str] | str) -> np.ndarray:
        """Score molecules in order, each distinct one once: [N], or [N, P] with several names."""
        values = np.array([score.values for score in self.score(smiles)], dtype=float).reshape(-1, len(self.names))
        return values[:, 0] if len(self.names) == 1 else values

    def score(self, smiles: Sequence[str] | str) -> list[Score]:
        """Score molecules in order and tell reasons and times; what is not a molecule is never sent."""
        smiles = [smiles] if isinstance(smiles, str) else list(smiles)
        keys = [identify(text) for text in smiles]
        for _ in self.stream([key for key in keys if key is not None]):
            pass
        return [self._known[k] if k is not None else self._not_a_molecule(s) for k, s in zip(keys, smiles, strict=True)]

    def stream(self, smiles: Sequence[str]) -> Iterator[tuple[str, Score]]:
        """Score canonical molecules not scored before, and yield each as soon as it is done (and remembered)."""
        new = [text for text in dict.fromkeys(smiles) if text not in self._known]
        for text, score in zip(new, self._score_new(new), strict=True):
            self.remember(text, score)
            yield text, score

    def iter_scores(self, smiles: Sequence[str]) -> Iterator[Score]:
        """Yield the scores of canonical molecules in order, known ones too, each as soon as it is there."""
        stream = self.stream(smiles)
        for text in smiles:
            while text not in self._known:
                next(stream)
            yield self._known[text]

    def run(self, smiles: Sequence[str]) -> Iterator[Score]:
        """Score a chunk, failures included. Override only where reasons come from elsewhere than an exception."""
        self.n_ready = 0
        if self.timeout_s is not None:
            yield from map_scores(self, self._workers(), smiles)
            return
        started = time.perf_counter()
        try:
            with survived():
                values = self._shaped(self.evaluate(smiles), len(smiles))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a failed score is an outcome with its reason, whatever was raised
            if len(smiles) > 1:
                for text in smiles:
                    yield from self.run([text])
            else:
                yield self.failure(_reason(error), time.perf_counter() - started)
            return
        seconds = (time.perf_counter() - started) / max(len(smiles), 1)
        for left, row in zip(range(len(values) - 1, -1, -1), values, strict=True):
            self.n_ready = left
            yield self._as_score(row, seconds)

    def _score_new(self, smiles: Sequence[str]) -> Iterator[Score]:
        """Score in order, by workers where there are some, else chunk by chunk."""
        if self.jobs != 1 and self.shares_work and smiles:
            yield from map_scores(self, self._workers(), smiles)
            return
        alone = self.timeout_s is not None and not self.keeps_limit
        for chunk in split(smiles, 1 if alone else self.chunk_size or max(len(smiles), 1)):
            yield from self.run(chunk)

    def failure(self, reason: str, seconds: float = 0.0) -> Score:
        """Return the score of a molecule that has none."""
        return Score((math.nan,) * len(self.names), reason, seconds)

    # ------------------------------------------------------------------ remembering

    def use_cache(self, path: str | Path, retry_failures: bool = False) -> Oracle:
        """Remember scores in a Parquet file, and take from it what earlier runs have paid for; see :class:`ScoreCache`.

        Parameters
        ----------
        path : path
            Need not exist yet.
        retry_failures : bool
            Ask again about molecules that failed before.

        Returns
        -------
        Oracle
            This one.

        Raises
        ------
        SettingsError
            If the file belongs to another oracle.
        InputError
            If it is damaged.
        """
        self._file = ScoreCache(path, self.names, self.identity(), retry_failures)
        weakref.finalize(self, self._file.save)  # at the end of the program, if close() was forgotten
        self._n_read = len(self._file.known.keys() - self._known.keys())
        for text, score in self._known.items():
            self._file.add(text, score)
        self._known = self._file.known | self._known
        return self

    def remember(self, smiles: str, score: Score) -> None:
        """Take a score paid for; the molecule will not be sent again. ``smiles`` is canonical."""
        self._known[smiles] = score
        if self._file is not None:
            self._file.add(smiles, score)

    def recall(self, smiles: str) -> Score | None:
        """Return the score of a canonical molecule if it is known."""
        return self._known.get(smiles)

    @property
    def n_calls(self) -> int:
        """Distinct molecules scored so far, failures included; those read from a file do not count."""
        return len(self._known) - self._n_read

    @property
    def table(self) -> pd.DataFrame:
        """Everything known so far: ``smiles``, one column per name, ``reason``, ``seconds``."""
        import pandas as pd

        rows = [(text, *score.values, score.reason, score.seconds) for text, score in self._known.items()]
        return pd.DataFrame(rows, columns=["smiles", *self.names, "reason", "seconds"])

    def describe(self) -> str:
        """Return the label, or the class's name."""
        return self.label or type(self).__name__

    def identity(self) -> str:
        """What tells its scores from those of another oracle with the same names; a memory is only read where it matches."""
        return self.describe()

    def renamed(self, name: str) -> Oracle:
        """This oracle with its one value called otherwise; what is known is known to both."""
        if len(self.names) != 1 or self.names == (name,):
            return self
        twin = copy.copy(self)
        twin.names, twin._known, twin._file, twin._n_read = (name,), self._known, self._file, self._n_read
        return twin

    # ------------------------------------------------------------------ workers

    @property
    def runs_here(self) -> bool:
        """Whether somebody else's code runs in this process, molecule by molecule, so that it can end it."""
        return self.is_foreign and self.timeout_s is None and self.jobs == 1 and not self.keeps_limit and self.chunk_size == 1

    def worker_copy(self, timeout_s: float | None = None) -> Oracle:
        """A copy for a worker: no memory, no workers of its own, and no time limit unless given."""
        twin = copy.copy(self)
        twin.timeout_s, twin.jobs = timeout_s, 1
        return twin

    def close(self) -> None:
        """End the workers, and save what is remembered."""
        _, pool = self.__dict__.pop("_pool", (None, None))
        if pool is not None:
            pool.close()
        if self._file is not None:
            self._file.save()

    def _workers(self) -> WorkerPool:
        """The pool for the present settings; kept until they change or :meth:`close`."""
        jobs = self.jobs if self.shares_work else 1
        settings = (jobs, self.engine, self.timeout_s)
        made, pool = self.__dict__.get("_pool", (None, None))
        if made != settings:
            if pool is not None:
                pool.close()
            pool = find(self.pools, "local" if jobs == 1 else self.engine, "engine")[1](self, jobs)
            self.__dict__["_pool"] = (settings, pool)
        return pool

    # What is made on first use, so that a subclass with its own __init__ need not know about it:

    _file: ScoreCache | None = None
    _n_read: int = 0

    @cached_property
    def _known(self) -> dict[str, Score]:
        return {}

    def _shaped(self, values: Any, n: int) -> np.ndarray:
        array = np.asarray(values, dtype=float)
        if array.size != n * len(self.names):
            raise ValueError(f"evaluate returned {array.size} values for {n} molecules and {len(self.names)} names")
        return array.reshape(n, len(self.names))

    def _as_score(self, row: np.ndarray, seconds: float) -> Score:
        bad = [f"{name} is {value}" for name, value in zip(self.names, row, strict=True) if not is_usable(value)]
        values = tuple(float(value) if is_usable(value) else math.nan for value in row)
        return Score(values, ", ".join(bad), seconds)

    def _not_a_molecule(self, smiles: str) -> Score:
        return self.failure(f"not a molecule: {invalid_reason(smiles)}")

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key not in self.of_this_process}


def _reason(error: BaseException) -> str:
    return str(error) if isinstance(error, NoScore) else describe_error(error)
