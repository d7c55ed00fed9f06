"""Jobs that make what the map shows: a library of a table, and the map of a library."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from chemvae.app.plain import library_word
from chemvae.app.work.order import Order
from chemvae.chem.properties import PROPERTIES
from chemvae.data.files.columns import find_id_column
from chemvae.data.prepare.checking import label_columns, usual_cleaning
from chemvae.data.prepare.tables import read_rows
from chemvae.disk.files import write_atomically
from chemvae.library import Reading, Work, build
from chemvae.library.manifest import read_manifest
from chemvae.library.opening import RESERVED, USUAL_PROPERTIES, open_own_model, read_shards
from chemvae.library.shard import OWN_COLUMNS
from chemvae.maps import PROJECTIONS, map_quality, region_labels
from chemvae.maps.factory import best_method
from chemvae.maps.payload import MapOptions, build_payload
from chemvae.models.storage import fingerprint
from chemvae.naming import name_columns
from chemvae.sampling import sample

MAP, PROJECTOR = "map.json.gz", "projector.safetensors"
SHOWN_PROPERTIES = ("qed", "SAS")
EMITTERS = "S1"
"""The property that tells a model of emitters, and colours its map."""
MOST_FITTED = 20_000
"""Molecules that shape a map; all others are placed between those that are most like them."""


def do_library(order: Order) -> str:
    """Make a library of a table, and then its map."""
    source, out = order.settings["source"], Path(order.settings["out"])
    smiles_column, id_column, numbers = _columns(source)
    reading = Reading(smiles_column, id_column, usual_cleaning(source))
    made = build(
        source, out, order.bench.model_name, [*SHOWN_PROPERTIES, *numbers], reading, Work(device="cpu"),
        progress=order.stages, cancel=order.cancel,
    )  # fmt: skip
    return f"{made.n_rows:,} molecules"


def _columns(source: str) -> tuple[str | None, str | None, list[str]]:
    """The columns of a table that hold molecules, names, and numbers worth searching by."""
    head, smiles_column = read_rows(source, limit=2_000)
    name = find_id_column([*map(str, head.columns)], {smiles_column})
    taken = {one.lower() for one in (*USUAL_PROPERTIES, *SHOWN_PROPERTIES, *RESERVED, *PROPERTIES)}
    numbers = [one for one in label_columns(head, (), (smiles_column, name)) if one.lower() not in taken]
    return smiles_column, name, numbers


def do_sample(order: Order) -> str:
    """Draw molecules from the model, as a first library where there is no other."""
    n, path = order.settings["n"], Path(order.settings["source"])
    order.progress(0, n, stage="sample")
    drawn = sample(order.bench.model, n, seed=0)
    drawn = drawn[drawn["valid"]].drop_duplicates("smiles")
    write_atomically(path, lambda temporary: drawn[["smiles"]].to_csv(temporary, index=False))
    return do_library(order)


def do_map(order: Order) -> str:
    """Find two dimensions for a library's codes, and write what the page draws."""
    library, folder = Path(order.settings["library"]), Path(order.settings["out"])
    folder.mkdir(parents=True, exist_ok=True)
    smiles, points, columns, units = read_library(library, order.bench.model)
    order.progress(0, len(smiles), stage="project")
    method = order.settings.get("method") or best_method()
    projection = PROJECTIONS[method](**({} if method == "pca" else {"max_fit": MOST_FITTED}), random_state=0)
    xy = projection.fit_transform(points)
    order.cancel.check()
    order.progress(len(smiles), len(smiles), stage="compare")
    quality = map_quality(points, xy)
    labels = region_labels(xy, smiles)
    note = _note(projection.used_name or method, len(smiles), quality)
    color = _first_colour(order.bench.model, [*columns])
    options = MapOptions(color=color, units=units, labels=labels, note=note, axis_labels=projection.axis_labels())
    payload = build_payload(xy, smiles, columns, options) | {
        "title": library_word(library), "note": note, "theme": "auto", "fills_page": True,
    }  # fmt: skip
    packed = gzip.compress(json.dumps(payload, allow_nan=False, separators=(",", ":")).encode(), 6, mtime=0)
    projection.save(folder / PROJECTOR, {"space": "latent", "model": fingerprint(order.bench.model), "data": library.name})
    write_atomically(folder / MAP, lambda temporary: temporary.write_bytes(packed))
    return note


def _first_colour(model: Any, columns: list[str]) -> str | None:
    """What colours a map at first: with a model of emitters, S1; else what the map takes by itself."""
    if EMITTERS not in model.property_names:
        return None
    return next((one for one in (EMITTERS, f"{EMITTERS}_predicted") if one in columns), None)


def _note(method: str, n: int, quality: dict[str, float]) -> str:
    words = f"{method} of {n:,} molecules' codes"
    trusted, kept = quality["trustworthiness"], quality["neighbours_kept"]
    return words + (f"; trustworthiness {trusted:.2f}, {kept:.0%} of the 15 nearest kept" if trusted == trusted else "")


def read_library(library: Path, model: Any) -> tuple[list[str], np.ndarray, pd.DataFrame, dict[str, str]]:
    """SMILES [N], codes [N, D], columns with what the model predicts, and units of a library, row after row."""
    manifest = read_manifest(library)
    open_own_model(library, manifest.settings, model)  # refuses another one, whose codes mean something else
    names = [*OWN_COLUMNS, *manifest.settings.properties]
    tables, points = [], []
    for shard in read_shards(library, manifest):
        with shard:
            tables.append(shard.rows(np.arange(len(shard)), names).to_pandas())
            points.append(np.asarray(shard.array("points")))
    table, z = pd.concat(tables, ignore_index=True), np.concatenate(points)
    own = table.drop(columns=["row", "smiles", *([] if table["id"].notna().any() else ["id"])])
    predicted = model.predict_encoded(z, table["smiles"].tolist()).astype(np.float32)
    predicted.columns = name_columns(model.prediction_stems(), own.columns)
    units = {**manifest.settings.properties, **{f"{name}_predicted": unit for name, unit in model.property_units.items()}}
    return table["smiles"].tolist(), z, pd.concat([own, predicted], axis=1), units
