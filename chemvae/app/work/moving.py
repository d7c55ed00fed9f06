"""Jobs that move about in latent space from one molecule: neighbours, a way to another, an edit along a property."""

from __future__ import annotations

import numpy as np
import pandas as pd

from chemvae.app.work.order import Order
from chemvae.chem.fingerprints import morgan, tanimoto
from chemvae.library import Query
from chemvae.library import search as search_library
from chemvae.moving.editing import EditSettings, say_substitute
from chemvae.moving.finding import find_edit
from chemvae.moving.surroundings import AroundSettings, around
from chemvae.sampling import interpolate
from chemvae.sampling.property_values import property_values, usual_properties


def do_neighbors(order: Order) -> str:
    """Known molecules of the library that are alike, and new ones decoded around it: as many as were asked for together."""
    smiles, n = order.settings["smiles"], order.settings["n"]
    order.progress(0, 2, stage="known")
    known = _known(order, smiles, n)
    order.progress(1, 2, stage="new")
    radius = order.settings.get("radius")
    settings = AroundSettings((radius,), n) if radius else AroundSettings(n_decodes=n)
    new = around(order.bench.model, smiles, settings)
    new = new[~new["smiles"].isin(known["smiles"])]
    n_new = min(len(new), max(n - len(known), n // 2))
    parts = [known.head(n - n_new), new.head(n_new).assign(known=False, row=None)]
    table = pd.concat([part for part in parts if len(part)] or parts, ignore_index=True)
    order.finish(_described(order, table))
    return f"{len(parts[0])} known ones of the library, and {n_new} new ones that the model wrote."


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
    """The way from one molecule to another, which stand at its ends as they are."""
    start, end = order.settings["smiles"], order.settings["to"]
    table = interpolate(order.bench.model, start, end, order.settings["steps"])
    ends = table.iloc[[0, -1]].to_dict("records")
    written = [
        say_substitute(smiles, row["smiles"] if row["valid"] else None, row[name])
        for smiles, row, name in zip((start, end), ends, ("similarity_start", "similarity_end"), strict=True)
    ]
    likeness = float(tanimoto(morgan([start]), morgan([end]))[0, 0])
    first = {"step": 0, "share": 0.0, "smiles": start, "valid": True, "similarity_start": 1.0, "similarity_end": likeness}
    last = {**first, "step": table["step"].max(), "share": 1.0, "smiles": end} | {
        "similarity_start": likeness, "similarity_end": 1.0,
    }  # fmt: skip
    between = _valid(table).loc[lambda rows: ~rows["smiles"].isin([start, end])]
    way = pd.concat([pd.DataFrame([first]), between, pd.DataFrame([last])], ignore_index=True)
    n_points = len(table)
    way = way.rename(columns={"similarity_start": "similarity"}).drop_duplicates("smiles", ignore_index=True)
    order.finish(_described(order, way))
    return " ".join([*filter(None, written), _say_once(n_points, len(way))])


def do_edit(order: Order) -> str:
    """A molecule changed step by step along a property; where nothing changes, and nobody said how far, twice as far."""
    asked = order.settings
    options = {name: asked[name] for name in ("steps", "keep", "direction") if asked.get(name) is not None}
    radii = [asked["radius"]] if asked.get("radius") is not None else [EditSettings.radius, 2 * EditSettings.radius]
    for radius in radii:
        order.cancel.check()
        table = find_edit(order.bench.model, asked["smiles"], asked["along"], radius=radius, **options)
        way = _from_itself(asked["smiles"], table)
        if len(way) > 2:
            break
    words = [*table.attrs.get("sentences", ()), _say_once(len(table), len(way))]
    order.finish(_described(order, way))
    return " ".join(words)


def _from_itself(smiles: str, table: pd.DataFrame) -> pd.DataFrame:
    """The steps of an edit that are molecules, each once, behind the molecule itself."""
    (name,) = table.attrs["properties"]
    own = (table[name] - table["change"]).dropna()
    first = {"step": 0, "radius": 0.0, "smiles": smiles, "valid": True, "usable": True, "change": 0.0, "similarity": 1.0}
    first[name] = own.iloc[0] if len(own) else np.nan
    return pd.concat([pd.DataFrame([first]), _valid(table)], ignore_index=True).drop_duplicates("smiles", ignore_index=True)


def _say_once(n_points: int, n_molecules: int) -> str:
    """How many molecules came of the points of a way."""
    return f"The {n_points} points of the way give {n_molecules} different molecules with the given; each is shown once."


def _valid(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["valid"]].reset_index(drop=True) if "valid" in table else table
