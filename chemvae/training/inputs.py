"""From a clean table to what the trainer eats: split, vocabulary, token data sets."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chemvae.data.labels import check_labels
from chemvae.data.prepare.preparation import Table
from chemvae.data.splits import key_splits, smiles_keys
from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.data.tokens.tokenfiles import TokenArray
from chemvae.data.tokens.tokenizing import collect_vocabulary
from chemvae.data.tokens.vocabulary import Vocabulary
from chemvae.errors import NothingUsableError, SettingsError

log = logging.getLogger(__name__)
FEWEST_VALIDATION = 10  # molecules; with fewer, validation figures would be noise
VALIDATION_SHARE = 0.05


@dataclass(frozen=True)
class TrainingInputs:
    """Both data sets, their vocabulary, and how many molecules were left out for an unknown symbol."""

    train: SmilesDataset
    valid: SmilesDataset
    vocabulary: Vocabulary
    unwritable: dict[str, int] = field(default_factory=dict)


def choose_vocabulary(
    smiles: list[str], tokens: str = "character", kind: str = "data", base: Vocabulary | None = None
) -> Vocabulary:
    """Collect the vocabulary of a run.

    Parameters
    ----------
    smiles : list of str
        Training molecules.
    tokens : str
        "character" or "atom".
    kind : str
        "data": the symbols that occur; "superset": all of SMILES.
    base : Vocabulary or None
        Of the model training starts from; its tokens keep their ids, new ones follow.
    """
    if kind not in ("data", "superset"):
        raise SettingsError(f"vocabulary must be data or superset, got '{kind}'")
    if base is not None:
        found = collect_vocabulary(smiles, base.mode)
        new = [token for token in found.tokens if token not in base.tokens]
        return Vocabulary([*base.to_dict()["tokens"], *new], base.mode)
    if kind == "superset":
        if tokens != "character":
            raise SettingsError("the superset vocabulary is character level; leave --tokens at character")
        return Vocabulary.superset()
    return collect_vocabulary(smiles, tokens)


def choose_split(table: Table, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices of training and validation molecules.

    The data's own split is honoured; without one the hash rule decides. Test molecules are left alone. A set too small for
    validation is used for both, which is said aloud.

    Raises
    ------
    NothingUsableError
        If no molecule is left for training.
    """
    given = table.split is not None
    split = np.asarray(table.split if given else key_splits(smiles_keys(table.smiles)), dtype=object)
    train, valid = np.flatnonzero(split == "train"), np.flatnonzero(split == "valid")
    if given and len(train) == 0:
        raise NothingUsableError("The split column leaves no molecule for training. Mark training rows with 'train'.")
    if given and len(valid) == 0 and len(train) >= FEWEST_VALIDATION / VALIDATION_SHARE:
        shuffled = np.random.default_rng(seed).permutation(train)
        n_valid = round(len(train) * VALIDATION_SHARE)
        return np.sort(shuffled[n_valid:]), np.sort(shuffled[:n_valid])
    if len(valid) < FEWEST_VALIDATION:
        both = np.flatnonzero(split != "test") if given else np.arange(len(table.smiles))
        log.warning(
            "With so few molecules (%d) the same ones serve for training and validation: the figures flatter.", len(both)
        )
        return both, both
    return train, valid


def make_inputs(
    table: Table, split: tuple[np.ndarray, np.ndarray], vocabulary: Vocabulary, random_smiles: float, unlabelled: float = 1.0
) -> TrainingInputs:
    """Tokenise both parts; validation molecules with a symbol that training lacks are left out and counted.

    Raises
    ------
    InputError
        For a label that cannot be learned (:func:`chemvae.data.labels.check_labels`).
    NothingUsableError
        If no molecule is left.
    SettingsError
        If unlabelled molecules are to be thinned where no other ones are.
    """
    check_labels(table.labels, table.property_names, table.rows, table.name)
    smiles = np.asarray(table.smiles, dtype=object)
    unwritable: dict[str, int] = {}
    parts = []
    for name, index in zip(("train", "valid"), split, strict=True):
        tokens, usable = TokenArray.from_writable(smiles[index], vocabulary)
        if not usable.all():
            unwritable[f"unknown symbol ({name})"] = int((~usable).sum())
            log.warning("%d %s molecules hold a symbol the vocabulary lacks; left out.", (~usable).sum(), name)
        augment = random_smiles if name == "train" else 0.0
        parts.append(SmilesDataset.from_tokens(tokens, vocabulary, table.labels[index[usable]], augment))
    if len(parts[0]) == 0:
        raise NothingUsableError("No molecule is left for training. See `chemvae data check` for what is wrong with the file.")
    parts[0].thin_unlabelled(unlabelled)
    return TrainingInputs(parts[0], parts[1] if len(parts[1]) else parts[0], vocabulary, unwritable)


def data_fingerprint(table: Table) -> dict[str, Any]:
    """What tells a run's data from other data: counts, and hashes of molecules, labels and split, in their order.

    Examples
    --------
    >>> from chemvae.data.prepare.tables import load_table
    >>> ethanol, same, other = (data_fingerprint(load_table(smiles)) for smiles in (["CCO"], ["OCC"], ["CCN"]))
    >>> ethanol == same, changed_data(ethanol, other)
    (True, 'other molecules')
    """
    labels = np.where(np.isnan(table.labels), np.nan, table.labels).astype("<f8")  # one NaN out of many
    split = None if table.split is None else _hash("\n".join(map(str, table.split)).encode())
    molecules = hashlib.blake2b(digest_size=8)
    for smiles in table.smiles:
        molecules.update(smiles.encode() + b"\n")
    return {
        "n_molecules": len(table.smiles),
        "molecules": molecules.hexdigest(),
        "labels": _hash(np.ascontiguousarray(labels).tobytes()),
        "split": split,
    }


def _hash(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=8).hexdigest()


def changed_data(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """In what two fingerprints differ, in words; "" if in nothing."""
    if before.get("n_molecules") != now["n_molecules"]:
        return f"{now['n_molecules']:,} molecules instead of {before.get('n_molecules', 0):,}"
    if before.get("molecules") != now["molecules"]:
        return "other molecules"
    if before.get("labels") != now["labels"]:
        return "other labels"
    return "another split" if before.get("split") != now["split"] else ""
