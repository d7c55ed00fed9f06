"""Jobs on an upload: its place on the map, a property learned from it, a model trained on it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from chemvae.app.work.order import Order
from chemvae.data.prepare.tables import load_table, read_rows
from chemvae.library import Query
from chemvae.library import search as search_library
from chemvae.models.vae import MolVAE
from chemvae.runs import RunFolder
from chemvae.tables import fit_properties
from chemvae.training.callbacks import Callback
from chemvae.training.resuming import resume_run
from chemvae.training.session import RunSpec, start_run

MOST_PLACED = 20_000
MOST_PREDICTED = 2_000
RUN = "run"
"""Of a training job, in its folder: a run folder that every command takes with -m."""


def do_place(order: Order) -> str:
    """The molecules of an upload on the library's map, with their columns."""
    table = load_table(order.settings["source"], limit=MOST_PLACED)
    rows, column = read_rows(order.settings["source"], limit=MOST_PLACED)
    others = rows.drop(columns=column).rename(columns=lambda name: f"{name}_given" if name in ("smiles", "x", "y") else name)
    kept = others.loc[[row for row in table.rows if row in others.index]].reset_index(drop=True)
    order.finish(pd.concat([pd.DataFrame({"smiles": table.smiles}), kept], axis=1))
    left_out = sum(table.dropped.values())
    return f"{len(table):,} placed" + (f", {left_out:,} rows are no molecules" if left_out else "")


def do_fit(order: Order) -> str:
    """Learn a property from an upload, and predict the library's molecules (or the upload's own) by it."""
    source, column = order.settings["source"], order.settings["column"]
    order.progress(0, 2, stage="learn")
    ((name, fitted),) = fit_properties(order.bench.model, source, [column]).items()
    order.cancel.check()
    order.progress(1, 2, stage="predict")
    smiles = _known(order) or fitted.smiles[:MOST_PREDICTED]
    told = fitted.predict(smiles)
    columns = {"mean": name, "low": f"{name}_low", "high": f"{name}_high", "similarity": "similarity"}
    table = told.rename(columns=columns).reset_index(drop=True)[list(columns.values())]
    table.insert(0, "smiles", smiles)
    order.finish(table.sort_values(name, ascending=False, kind="stable"))
    facts = {"upload": order.settings["upload"], "column": column, "name": name, "n": len(fitted.smiles), "unit": fitted.unit}
    facts |= {"low": fitted.label_low, "high": fitted.label_high, "rmse": fitted.left_out_rmse, "spread": fitted.label_std}
    order.progress(len(table), len(table), fitted=facts)
    return say_fitted(name, facts)


def say_fitted(name: str, facts: dict[str, Any]) -> str:
    """How far a property that was learned can be trusted: its error on scaffolds that were left out, beside a mere mean's.

    Examples
    --------
    >>> say_fitted("pIC50", {"n": 40, "rmse": 0.62, "spread": 0.95, "unit": ""})[:105]
    "'pIC50' is learned from 40 molecules; those whose scaffold was left out are missed by 0.62 (root mean squ"
    """
    unit = f" {facts['unit']}" if facts["unit"] not in ("", "1") else ""
    told = (
        f"'{name}' is learned from {facts['n']:,} molecules; those whose scaffold was left out are missed by "
        f"{facts['rmse']:.2g}{unit} (root mean square), while the labels spread by {facts['spread']:.2g}{unit}"
    )
    if facts["rmse"] >= facts["spread"]:
        return f"{told}: it tells new scaffolds apart no better than their mean would, so measure more before you search by it."
    return f"{told}. A search can take it as a goal."


def _known(order: Order) -> list[str]:
    """Molecules of the library, those at even distances in its order where there are very many."""
    if order.bench.library is None:
        return []
    found = search_library(order.bench.library, Query(n=50 * MOST_PREDICTED), jobs=1).table["smiles"].tolist()
    chosen = np.unique(np.linspace(0, len(found) - 1, min(len(found), MOST_PREDICTED)).astype(int))
    return [found[i] for i in chosen]


class _Told(Callback):
    """Tells how training goes."""

    def __init__(self, order: Order):
        self.order = order

    def on_step(self, info: dict[str, float]) -> None:
        """Tell the step, and what is left."""
        self.order.progress(int(info["step"]), int(info["n_steps"]), loss=float(info["loss"]), remaining_s=float(info["eta_s"]))

    def on_epoch(self, row: dict[str, float], model: MolVAE) -> None:
        """Nothing: the run folder keeps metrics.csv."""


def do_train(order: Order) -> str:
    """Train a model on an upload, from the weights of the one that is served; or go on where it was ended."""
    asked, run = order.settings, RunFolder(order.folder / RUN)
    limit = {"time_limit_min": float(asked["minutes"])} if asked.get("minutes") else {}
    if run.unfinished().exists():
        resume_run(run, asked["source"], {"device": "cpu", **limit}, [_Told(order)], order.cancel)
    else:
        options = {"init": order.bench.model_name, "device": "cpu", "standardize": "salts", "threads": 1, **limit}
        if asked.get("preset"):
            options.pop("init")
        preset = asked.get("preset") or "cpu"
        start_run(RunSpec.of(asked["source"], asked["columns"], preset, 0, **options), run, [_Told(order)], order.cancel)
    return f"trained; use it with: chemvae serve --model {run.path}"
