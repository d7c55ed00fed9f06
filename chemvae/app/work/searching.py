"""Searches: jobs whose folder is one that ``chemvae optimize -o FOLDER --resume`` goes on with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd

from chemvae.app.work.order import Order
from chemvae.app.work.values import Values
from chemvae.chem.fingerprints import morgan, tanimoto
from chemvae.design.campaign.progress import Progress
from chemvae.design.results.result import Result
from chemvae.design.search import FolderSearch, search_in_folder
from chemvae.design.search_folder import SearchFolder
from chemvae.progress import CancelToken

SATISFIED = "satisfied"
LEFT_OUT = ("z", "seconds", "utility", "bound")


class Watcher:
    """Tells how a search goes: the best as it rises, the trace, and when it has found what is enough.

    Parameters
    ----------
    order : Order
    cancel : CancelToken
        Ends the search.
    """

    def __init__(self, order: Order, cancel: CancelToken):
        self.order, self.cancel = order, cancel
        self.stop_at: float | None = order.settings.get("stop_at")
        self.sign = -1.0 if is_lowered(order.settings) else 1.0
        self.values = Values(order.bench.model, order.settings)
        self._best = ""
        self._calls = -1

    def __call__(self, progress: Progress) -> None:
        """Take in where the search stands."""
        self._tell_best(progress)
        self.order.progress(
            progress.calls, progress.budget, best=progress.best, smiles=progress.best_smiles or None,
            best_smiles=progress.best_smiles or None, remaining_s=progress.remaining_s, failed=progress.failed,
            trace=[[progress.calls, progress.best]] if progress.calls != self._calls and progress.best_smiles else [],
        )  # fmt: skip
        self._calls = progress.calls
        if self.stop_at is not None and self.sign * progress.best >= self.sign * self.stop_at:
            self.cancel.cancel(SATISFIED)

    def _tell_best(self, progress: Progress) -> None:
        if progress.best_smiles and progress.best_smiles != self._best:
            self._best = progress.best_smiles
            x, y = self.order.bench.places([self._best])[0]
            about = {"call": progress.calls, "smiles": self._best, "score": progress.best}
            values = self.values.of([self._best]).iloc[0].to_dict()
            self.order.tell("molecule", {**about, **values, **about, "x": x, "y": y})


def is_lowered(settings: dict[str, Any]) -> bool:
    """Whether a search has one goal, and that is to be low."""
    goals = settings.get("goals") or []
    return len(goals) == 1 and goals[0]["direction"] == "min"


def do_optimize(order: Order) -> str:
    """Search, or go on with the search that was ended here."""
    found = search(order, asked_of(order.settings))
    order.finish(rows_of(order, found.result), found.settings.budget)
    return reason_of(found.result, order.settings)


def search(order: Order, asked: dict[str, Any], **how: Any) -> FolderSearch:
    """Begin or go on with a search in the job's folder (or ``out`` among ``how``)."""
    out = how.pop("out", order.folder)
    watcher = Watcher(order, order.cancel)
    goes_on = SearchFolder(out).exists() and not {"batch_in", "batch_out"} & how.keys()

    @contextmanager
    def watch(title: str, settings: Any) -> Iterator[Callable[[Progress], None]]:
        yield watcher

    return search_in_folder(
        lambda name: order.bench.model, out, {"model": order.bench.model_name, **asked}, resume=goes_on,
        watch=watch, cancel=order.cancel, **how,
    )  # fmt: skip


def asked_of(settings: dict[str, Any]) -> dict[str, Any]:
    """What a job asks for, in the words of ``chemvae optimize``."""
    goals = settings.get("goals") or []
    plain = [one for one in goals if one.get("target") is None]
    words = {
        "maximize": [one["name"] for one in plain if one["direction"] == "max"],
        "minimize": [one["name"] for one in plain if one["direction"] == "min"],
        "target": [f"{one['name']}={one['target']!r}" for one in goals if one.get("target") is not None],
        "weight": [f"{one['name']}={one['weight']!r}" for one in goals if one.get("weight", 1.0) != 1.0],
        "range": [f"{one['name']}={one['low']!r}..{one['high']!r}" for one in goals if one.get("low") is not None],
        "constraint": settings.get("constraints"),
        "time_limit": settings.get("minutes"),
    }
    names = ("start", "oracle", "method", "budget", "seed", "min_similarity", "batch", "diverse", "scaffold", "forbid",
             "neutral", "alerts", "patience")  # fmt: skip
    words |= {name: settings.get(name) for name in names}
    return {name: value for name, value in words.items() if value not in (None, [], False)}


def rows_of(order: Order, result: Result) -> pd.DataFrame:
    """Every molecule that was scored, the best first, with the properties that were asked about, how like the start it is, and
    where it lies."""
    history = Values(order.bench.model, order.settings).beside(result)
    xy = np.full((len(history), 2), np.nan)
    points = [np.asarray(z, dtype=float) for z in history["z"]]
    known = [i for i, z in enumerate(points) if z.size and np.isfinite(z).all()]
    if order.bench.projection is not None and known:
        xy[known] = order.bench.projection.transform(np.stack([points[i] for i in known]).astype(np.float32))
    table = history.assign(similarity=_similarity(order.settings.get("start") or [], history["smiles"].tolist()))
    table = table.assign(x=xy[:, 0], y=xy[:, 1]).sort_values("utility", ascending=False, na_position="last", kind="stable")
    return table.drop(columns=[name for name in LEFT_OUT if name in table])


def _similarity(start: list[str], smiles: list[str]) -> np.ndarray:
    """To the most similar molecule of the start: [N]."""
    if not start or not smiles:
        return np.full(len(smiles), np.nan)
    return np.asarray(tanimoto(morgan(smiles), morgan(start))).max(axis=1)


def reason_of(result: Result, settings: dict[str, Any]) -> str:
    """Why a search ended, in a sentence for its job."""
    if result.stopped == "cancelled":
        stop_at = settings.get("stop_at")
        return f"satisfied: {stop_at:g} was reached" if stop_at is not None and _reached(result, settings) else "cancelled"
    return result.stopped


def _reached(result: Result, settings: dict[str, Any]) -> bool:
    best, sign = result.best, -1.0 if is_lowered(settings) else 1.0
    return best is not None and sign * float(best["score"]) >= sign * settings["stop_at"]
