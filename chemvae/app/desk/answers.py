"""What the desk answers: what a text means, where a molecule lies on the map, its card, and what there is to choose from."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from rdkit import Chem

from chemvae.app.desk.campaigns import as_table, measured_names, stand_of, take_results, told_rows, waiting_rows, write_sheet
from chemvae.app.desk.checking import check_job
from chemvae.app.desk.choices import describe_choices
from chemvae.app.desk.exports import compare, export, rows_of
from chemvae.app.desk.names import examples_for, find_name, looks_like_name
from chemvae.app.desk.sources import possible, source_of
from chemvae.app.plain import as_rows
from chemvae.app.uploads import check_upload
from chemvae.chem.alerts import find_alerts
from chemvae.chem.drawing import laid_out, molecule_svg
from chemvae.chem.molecules import canonicalize, invalid_reason, parse, parse_known, quiet
from chemvae.chem.properties import PROPERTIES, compute_table
from chemvae.errors import InputError, InvalidMoleculeError
from chemvae.library import Query, search
from chemvae.library.manifest import read_manifest
from chemvae.maps import Projection, load_projection
from chemvae.maps.interactive import map_script
from chemvae.models.storage import open_model
from chemvae.models.training_facts import smiles_hash
from chemvae.models.vae import MolVAE

SHOWN = ("qed", "SAS", "logP", "MW", "TPSA", "HBD", "HBA", "rotatable_bonds", "rings")
"""Of a card, computed."""
NINETY = 1.645
"""Standard deviations on each side that hold nine in ten values of a normal distribution."""
N_NEAREST = 6
MOLFILE_END = "M  END"
FAR, NEAR = 2.0, 1.2
"""Distances to the training data, 1 being typical: where predictions are not to be trusted, and where they are."""


class Answers:
    """Answers with the model, the library and its map at hand.

    Parameters
    ----------
    settings : mapping
        ``model``, a name or run folder; ``library``, a folder or None; ``projector``, a file that need not be there yet.
    """

    def __init__(self, settings: dict[str, Any]):
        self.model_name = str(settings["model"])
        self.project = Path(settings["project"])
        self.show(settings)

    @cached_property
    def model(self) -> MolVAE:
        """The model, in eval mode; loaded where it is needed: who only reads tables does without."""
        return open_model(self.model_name, "cpu")

    @cached_property
    def _hashes(self) -> np.ndarray | None:
        """Of the training set, in order; None where the model does not know."""
        hashes = self.model.training_facts.hashes
        return None if hashes is None else np.sort(hashes)

    def show(self, settings: dict[str, Any]) -> None:
        """Answer by this library and this map from now on."""
        self.library = Path(settings["library"]) if settings.get("library") else None
        self.projector = Path(settings["projector"]) if settings.get("projector") else None
        self._projection: Projection | None = None
        self._names: dict[str, dict[str, Any]] | None = None

    def ready(self) -> bool:
        """Do once what the first of its kind takes long for: answers come at once from now on."""
        self.card("CCO")
        return True

    def map_script(self) -> str:
        """The scripts of the map as one."""
        return map_script()

    def choices(self) -> dict[str, Any]:
        """Properties, oracles and methods by name, and the library with a histogram of each of its columns."""
        return {**describe_choices(self.model, self.library), "examples": examples_for(self.model_name)}

    # ------------------------------------------------------------------------------------------------ what is asked for

    def check_job(self, kind: str, settings: dict[str, Any]) -> dict[str, Any]:
        """Settings of a job with everything spelled as it is known, and a title; refused if they mean nothing."""
        return check_job(self.model, kind, settings, self.project)

    def check_upload(self, path: str, name: str, most_rows: int) -> dict[str, Any]:
        """What is wrong with which line of a file."""
        return check_upload(path, name, most_rows)

    def rows_of(self, folder: str) -> list[dict[str, Any]]:
        """The rows of a job's table."""
        return rows_of(folder)

    def export(self, **about: Any) -> int:
        """Write a job's table, or some of its rows."""
        return export(**about)

    def compare(self, **about: Any) -> dict[str, Any]:
        """What two jobs found."""
        return compare(**about)

    def campaigns(self, folders: list[str]) -> list[dict[str, Any]]:
        """How campaigns stand."""
        return [stand_of(Path(one)) for one in folders]

    def batch(self, folder: str) -> list[dict[str, str]]:
        """What waits to be measured."""
        return waiting_rows(Path(folder))

    def take_results(self, folder: str, path: str | None = None, rows: list[dict[str, Any]] | None = None) -> dict[str, Any]:
        """Take what a laboratory has measured: a file, or rows."""
        given = as_table(path, rows, measured_names(Path(folder)))
        return take_results(Path(folder), given, typed=path is None)

    def told(self, folder: str) -> dict[str, Any]:
        """All that a campaign was told, and what each row counts as."""
        return told_rows(Path(folder))

    def write_sheet(self, folder: str, out: str) -> int:
        """Write what a campaign waits for as a workbook."""
        return write_sheet(Path(folder), out)

    # ------------------------------------------------------------------------------------------------ a text

    def read(self, text: str) -> dict[str, Any]:
        """A SMILES, a molfile, or the name of a molecule of the library or of :data:`chemvae.app.desk.names.KNOWN`.

        Raises
        ------
        InputError
            Saying why it is none of these.
        """
        text = text if MOLFILE_END in text else text.strip()
        mol, name, notes = self._meaning(text)
        smiles = canonicalize(Chem.MolToSmiles(mol))
        if smiles is None:
            raise InvalidMoleculeError(text[:60], "RDKit cannot write it as SMILES")
        known = self._row(smiles)
        return {
            "smiles": smiles, "name": name or (known or {}).get("id"), "molfile": _molfile(smiles),
            "notes": [*notes, *self._notes(smiles)],
        }  # fmt: skip

    def _meaning(self, text: str) -> tuple[Chem.Mol, str | None, list[str]]:
        if MOLFILE_END in text:
            return _read_molfile(text), None, []
        mol = parse(text)
        if mol is not None:
            return mol, None, []
        if (found := self._named(text)) is not None:
            return parse_known(found["smiles"]), found["id"], []
        if (known := find_name(text)) is not None:
            return parse_known(known[1]), known[0], []
        head, _, rest = text.partition(" ")
        if rest and (mol := parse(head)) is not None:
            return mol, rest.strip(), [f"'{rest.strip()}' was taken as its name."]
        if looks_like_name(text):
            raise InputError(
                f"No molecule is known here as '{text[:80]}': names of the examples and of the library are, and nothing is "
                "looked up elsewhere. Paste its SMILES."
            )
        reason = invalid_reason(text) or "RDKit cannot read it"
        where = " and no molecule of the library has that name" if self.library else ""
        raise InvalidMoleculeError(text[:80], reason + where)

    def _notes(self, smiles: str) -> list[str]:
        (reason,) = self.model.encode_reasons([smiles])
        found = [f"The model cannot encode it: {reason}."] if reason else []
        return found + (["It has several parts; the model was trained on molecules of one."] if "." in smiles else [])

    def _named(self, name: str) -> dict[str, Any] | None:
        """The row of the library with this name, whatever the case."""
        if self.library is None or not name:
            return None
        if self._names is None:
            self._names = names_in(self.library)
        return self._names.get(name.casefold())

    def _row(self, smiles: str) -> dict[str, Any] | None:
        """The library's row of a molecule."""
        found = self._nearest(smiles, 1)
        return found[0] if found and found[0]["similarity"] >= 1.0 and canonicalize(found[0]["smiles"]) == smiles else None

    # ------------------------------------------------------------------------------------------------ places

    def place(self, smiles: list[str]) -> dict[str, Any]:
        """Where molecules lie on the library's map; None, with the reason, for what has no place."""
        reasons = self.model.encode_reasons(smiles)
        usable = [i for i, reason in enumerate(reasons) if reason is None]
        xy = np.full((len(smiles), 2), np.nan)
        projection = self._open_projection()
        if projection is None:
            reasons = [reason or "the library's map is not ready yet" for reason in reasons]
        elif usable:
            xy[usable] = projection.transform(self.model.encode([smiles[i] for i in usable]))
        rows = zip(smiles, xy[:, 0], xy[:, 1], reasons, strict=True)
        return {"points": [{"smiles": one, "x": x, "y": y, "reason": reason} for one, x, y, reason in rows]}

    def _open_projection(self) -> Projection | None:
        if self._projection is None and self.projector is not None and self.projector.exists():
            self._projection = load_projection(self.projector)
        return self._projection

    # ------------------------------------------------------------------------------------------------ a card

    def card(self, smiles: str) -> dict[str, Any]:
        """Everything there is to say about one molecule.

        Raises
        ------
        InvalidMoleculeError
            Saying why it is none.
        """
        known = canonicalize(smiles)
        if known is None:
            raise InvalidMoleculeError(smiles[:80], invalid_reason(smiles) or "RDKit cannot read it")
        own, nearest = self._own_and_nearest(known)
        predicted, distance = self._predictions(known)
        return {
            "smiles": known,
            "svg": molecule_svg(known, 320, 240),
            "title": (own or {}).get("name") or known,
            "properties": _own_first(_computed(known), predicted),
            "distance": distance,
            "distance_note": _say_distance(distance),
            "nearest": nearest,
            "alerts": [{"name": one.name, "about": one.catalog} for one in find_alerts(known)],
            "in_library": own is not None,
            "is_known": self._is_known(known),
        }

    def _own_and_nearest(self, smiles: str) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
        """The library's row of a molecule, if it has one, and the most similar: itself, then others."""
        nearest = self._nearest(smiles, N_NEAREST + 1)
        own = next((one for one in nearest if canonicalize(one["smiles"]) == smiles), None)
        others = [one for one in nearest if one is not own][:N_NEAREST]
        return own, others if own is None else [own, *others]

    def _predictions(self, smiles: str) -> tuple[list[dict[str, Any]], float | None]:
        if self.model.encode_reasons([smiles])[0] is not None:
            return [], None
        row = self.model.predict([smiles]).iloc[0]
        ranges = dict(zip(self.model.property_names, self.model.label_ranges(), strict=True))
        shown = []
        for name in self.model.property_names:
            value, std = float(row[name]), float(row[f"{name}_std"])
            unit = self.model.property_units.get(name) or "1"
            least, most = possible(*ranges[name], unit)
            ends = {"low": max(value - NINETY * std, least), "high": min(value + NINETY * std, most)}
            about = source_of(name, self.model.property_names)
            shown.append(
                {"name": name, "value": min(max(value, least), most), **ends, "unit": unit, "source": "predicted", **about}
            )
        return shown, float(row["distance"])

    def _is_known(self, smiles: str) -> bool | None:
        """Whether it was in the training set: in order they are looked through at once, 240,000 take 0.1 s otherwise."""
        if self._hashes is None:
            return None
        (wanted,) = smiles_hash([smiles])
        place = int(np.searchsorted(self._hashes, wanted))
        return place < len(self._hashes) and bool(self._hashes[place] == wanted)

    def _nearest(self, smiles: str, n: int) -> list[dict[str, Any]]:
        """The most similar molecules of the library by ECFP4."""
        if self.library is None:
            return []
        hits = as_rows(search(self.library, Query(smiles, n, space="fingerprint"), jobs=1).table)
        return [
            {"smiles": one["smiles"], "name": one.get("id"), "id": one.get("id"), "similarity": one["similarity"],
             "row": one["row"]}
            for one in hits
        ]  # fmt: skip


def _own_first(computed: list[dict[str, Any]], predicted: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What only the model knows comes first: emitters are judged by S1 and T1, not by what RDKit computes of drugs."""
    own = [one for one in predicted if one["name"] not in PROPERTIES]
    return [*own, *computed, *(one for one in predicted if one not in own)]


def _computed(smiles: str) -> list[dict[str, Any]]:
    values = compute_table([smiles], SHOWN).iloc[0]
    return [
        {"name": name, "value": float(values[name]), "low": None, "high": None, "unit": PROPERTIES[name].unit,
         "source": "computed"}
        for name in SHOWN
    ]  # fmt: skip


def _say_distance(distance: float | None) -> str:
    if distance is None:
        return "The model cannot encode it: nothing is predicted."
    if not distance == distance:
        return "The model kept no statistics of its training data."
    if distance > FAR:
        return "Far from the training data: predictions are not to be trusted here."
    return "Like the training data." if distance < NEAR else "At the edge of the training data: predictions are less certain."


def _read_molfile(text: str) -> Chem.Mol:
    with quiet():
        mol = Chem.MolFromMolBlock(text)
    smiles = None if mol is None else Chem.MolToSmiles(mol)
    found = parse(smiles) if smiles else None
    if found is None:
        raise InvalidMoleculeError("the molfile", "RDKit cannot read it" if smiles is None else "it has no atoms")
    return found


def _molfile(smiles: str) -> str:
    return Chem.MolToMolBlock(laid_out(Chem.Mol(parse_known(smiles))), kekulize=False)


def names_in(library: Path) -> dict[str, dict[str, Any]]:
    """Name in lower case -> row of a library, for those that have one."""
    from chemvae.library.opening import read_shards
    from chemvae.library.shard import OWN_COLUMNS

    found: dict[str, dict[str, Any]] = {}
    for shard in read_shards(library, read_manifest(library)):
        with shard:
            table = shard.rows(np.arange(len(shard)), list(OWN_COLUMNS)).to_pandas()
        for row in table[table["id"].notna()].to_dict("records"):
            found.setdefault(str(row["id"]).casefold(), row)
    return found
