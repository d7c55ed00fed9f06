"""Jobs that move about in latent space from one molecule: neighbours, a way to another, an edit along a property."""

from __future__ import annotations

import pandas as pd

from chemvae.app.work.order import Order
from chemvae.library import Query
from chemvae.library import search as search_library
from chemvae.moving.finding import find_edit
from chemvae.moving.surroundings import AroundSettings, around
from chemvae.sampling import interpolate
from chemvae.sampling.property_values import property_values, usual_properties


def do_neighbors(order: Order) -> str:
    """Known molecules of the library that are alike, and new ones decoded around it."""
    smiles, n = order.settings["smiles"], order.settings["n"]
    order.progress(0, 2, stage="known")
    parts = [_known(order, smiles, n)]
    order.progress(1, 2, stage="new")
    radius = order.settings.get("radius")
    settings = AroundSettings((radius,), n) if radius else AroundSettings(n_decodes=n)
    new = around(order.bench.model, smiles, settings)
    parts.append(new.head(n).assign(known=False, row=None))
    table = pd.concat([part for part in parts if len(part)] or parts, ignore_index=True)
    order.finish(_described(order, table))
    return ""


def _known(order: Order, smiles: str, n: int) -> pd.DataFrame:
    if order.bench.library is None:
        return pd.DataFrame({"smiles": []})
    hits = search_library(order.bench.library, Query(smiles, n + 1, space="fingerprint"), jobs=1).table
    hits = hits[hits["similarity"] < 1.0].head(n)
    names = [name for name in ("row", "id", "smiles", "similarity") if name in hits]
    return hits[names].assign(known=True)


def _described(order: Order, table: pd.DataFrame) -> pd.DataFrame:
    """The table with the usual properties of each molecule."""
    model = order.bench.model
    texts = [text if isinstance(text, str) and text else None for text in table["smiles"]]
    values = property_values(model, texts, [name for name in usual_properties(model) if name not in table])
    return table.reset_index(drop=True).join(values)


def do_interpolate(order: Order) -> str:
    """The way from one molecule to another."""
    start, end = order.settings["smiles"], order.settings["to"]
    table = interpolate(order.bench.model, start, end, order.settings["steps"])
    order.finish(_described(order, _valid(table.rename(columns={"similarity_start": "similarity"}))))
    return ""


def do_edit(order: Order) -> str:
    """A molecule changed step by step along a property."""
    asked = order.settings
    options = {name: asked[name] for name in ("steps", "keep", "direction", "radius") if asked.get(name) is not None}
    table = find_edit(order.bench.model, asked["smiles"], asked["along"], **options)
    words = " ".join(table.attrs.get("sentences", ()))
    order.finish(_described(order, _valid(table)))
    return words


def _valid(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["valid"]].reset_index(drop=True) if "valid" in table else table
