"""Token sequences of many molecules in one flat array, in memory or mapped from files.

A token set is a folder: ``ids.bin`` (uint8 or uint16, molecule after molecule), ``offsets.bin`` (int64 [N + 1], where each
molecule begins), ``labels.bin`` (float64 [N, P]) and ``tokens.json`` (sizes, types, vocabulary, label names, and the sha256 of
each file and of the rest of itself). It is written in a stream and read by mapping, so neither takes memory that grows with
the molecules; opening it reads every byte once, to see that none has changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, overload

import numpy as np
import torch
from torch import Tensor

from chemvae.data.tokens.tokenizing import BLOCK, BlockEncoder, blocks_of, join_rows, join_tokens
from chemvae.data.tokens.vocabulary import PAD, Vocabulary
from chemvae.disk.checksums import file_sha256, json_sha256
from chemvae.disk.files import Replacement, refusals_explained
from chemvae.errors import InputError, SettingsError

IDS, OFFSETS, LABELS, FACTS = "ids.bin", "offsets.bin", "labels.bin", "tokens.json"
LABELS_TYPE, FORMER_LABELS_TYPE = "<f8", "<f4"
SUMS = "sha256"
FORMAT_VERSION = 1


@dataclass(frozen=True)
class TokenArray:
    """Many token sequences in one flat array: ids [sum of lengths], offsets [N + 1] int64; both may be mapped files."""

    ids: np.ndarray
    offsets: np.ndarray

    @classmethod
    def from_smiles(cls, smiles: Iterable[str], vocabulary: Vocabulary) -> TokenArray:
        """Encode each molecule.

        Raises
        ------
        UnknownTokenError
            At the first molecule the vocabulary cannot write.
        """
        return cls.from_writable(smiles, vocabulary, refuse=True)[0]

    @classmethod
    def from_writable(
        cls, smiles: Iterable[str], vocabulary: Vocabulary, *, refuse: bool = False
    ) -> tuple[TokenArray, np.ndarray]:
        """Encode the molecules that the vocabulary can write, and say which of all those are, bool [N]."""
        encoder = BlockEncoder(vocabulary)
        ids, lengths, writable = [np.zeros(0, encoder.dtype)], [np.zeros(1, np.int64)], [np.zeros(0, bool)]
        for block in blocks_of(smiles):
            found, counts, usable = encoder.encode(block)
            if refuse and not usable.all():
                vocabulary.encode(block[int(usable.argmin())])  # raises, in words
            ids.append(found)
            lengths.append(counts[usable])
            writable.append(usable)
        return cls(np.concatenate(ids), np.cumsum(np.concatenate(lengths))), np.concatenate(writable)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of every molecule [N], made anew at each call; ask :meth:`lengths_of` for some of them."""
        return np.diff(self.offsets)

    def lengths_of(self, index: np.ndarray) -> np.ndarray:
        """Tokens of the molecules at ``index`` [B]."""
        return self.offsets[index + 1] - self.offsets[index]

    def rows(self, index: np.ndarray) -> tuple[Tensor, Tensor]:
        """Gather molecules as padded ids [B, T] and lengths [B], int64."""
        starts = self.offsets[index]
        lengths = self.offsets[index + 1] - starts
        width = max(1, int(lengths.max(initial=0)))
        last = len(self.ids) - width  # where a row of this width can begin at the latest
        if int(starts.max(initial=0)) <= last:
            step = self.ids.itemsize
            windows = np.ndarray((last + 1, width), self.ids.dtype, self.ids, strides=(step, step))  # row i begins at id i
            found = windows[starts]
        else:  # a molecule at the very end
            found = np.full((len(lengths), width), PAD, dtype=self.ids.dtype)
            for row, start, length in zip(found, starts.tolist(), lengths.tolist(), strict=True):
                row[:length] = self.ids[start : start + length]
        padded = found * (np.arange(width) < lengths[:, None])  # PAD is 0
        return torch.from_numpy(padded.astype(np.int64)), torch.from_numpy(lengths)


class Texts(Sequence[str]):
    """The SMILES of a token array, written when asked for: a sequence of str that keeps none of them.

    Parameters
    ----------
    tokens : TokenArray
    vocabulary : Vocabulary

    Examples
    --------
    >>> words = Vocabulary(["C", "Cl"])
    >>> texts = Texts(TokenArray.from_smiles(["CCl", "C", "CC"], words), words)
    >>> texts[0], texts[1:], list(texts), texts.take(np.array([2, 0]))
    ('CCl', ['C', 'CC'], ['CCl', 'C', 'CC'], ['CC', 'CCl'])
    """

    def __init__(self, tokens: TokenArray, vocabulary: Vocabulary):
        self._tokens, self._vocabulary = tokens, vocabulary

    def __len__(self) -> int:
        return len(self._tokens)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            return self._between(start, stop) if step == 1 else self.take(np.arange(start, stop, step))
        if not -len(self) <= index < len(self):
            raise IndexError(f"molecule {index} of {len(self)}")
        return self._between(int(index) % len(self), int(index) % len(self) + 1)[0]

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self), BLOCK):
            yield from self._between(start, min(start + BLOCK, len(self)))

    def _between(self, start: int, stop: int) -> list[str]:
        offsets = self._tokens.offsets[start : max(start, stop) + 1]
        return join_tokens(self._tokens.ids[offsets[0] : offsets[-1]], np.diff(offsets), self._vocabulary)

    def take(self, index: np.ndarray) -> list[str]:
        """Write the molecules at ``index`` [B]."""
        return join_rows(self._tokens.rows(index)[0].numpy(), self._vocabulary) if len(index) else []


@dataclass(frozen=True)
class TokenSet:
    """What a folder of token files holds."""

    tokens: TokenArray
    """Mapped."""
    labels: np.ndarray
    """[N, P] float32, mapped; NaN where missing."""
    vocabulary: Vocabulary
    label_names: tuple[str, ...]


class _Hashed:
    """A file that is written by arrays, and the sha256 of what was meant to stand there."""

    def __init__(self, file: BinaryIO):
        self.file, self._digest = file, hashlib.sha256()

    def write(self, array: np.ndarray) -> None:
        """Append the numbers of an array."""
        content = np.ascontiguousarray(array)
        content.tofile(self.file)
        self._digest.update(content.data.cast("B") if content.size else b"")

    @property
    def sha256(self) -> str:
        """Of all that was written, in hex."""
        return self._digest.hexdigest()


class TokenWriter:
    """A token set that grows piece by piece and appears when it is whole.

    Parameters
    ----------
    folder : path
        Made; must not exist.
    vocabulary : Vocabulary
    label_names : sequence of str, length P

    Raises
    ------
    InputError
        If the folder exists.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with TokenWriter(Path(folder) / "set", Vocabulary(["C", "O"]), ["y"]) as writer:
    ...         writable = writer.write(["CCO", "N", "C"], [[1.0], [2.0], [3.0]])
    ...     found = read_token_set(Path(folder) / "set")
    ...     writable.tolist(), len(found.tokens), found.labels.tolist()
    ([True, False, True], 2, [[1.0], [3.0]])
    """

    def __init__(self, folder: str | Path, vocabulary: Vocabulary, label_names: Sequence[str] = ()):
        self.folder, self.vocabulary, self.label_names = Path(folder), vocabulary, list(label_names)
        if self.folder.exists():
            raise InputError(f"{self.folder} exists. Remove it, or choose another folder for the token set.")
        self._encoder = BlockEncoder(vocabulary)
        self._replacement = Replacement(self.folder)
        self._n = self._n_ids = 0

    def __enter__(self) -> TokenWriter:
        temporary = self._replacement.temporary
        temporary.mkdir(parents=True)
        self._ids, self._offsets, self._labels = (_Hashed((temporary / name).open("wb")) for name in (IDS, OFFSETS, LABELS))
        self._offsets.write(np.zeros(1, dtype="<i8"))
        return self

    def write(self, smiles: Iterable[str], labels: Any = None) -> np.ndarray:
        """Append molecules with labels [N, P]; those the vocabulary cannot write are left out, and False in the answer [N]."""
        written = []
        for number, block in enumerate(blocks_of(smiles)):
            ids, lengths, writable = self._encoder.encode(block)
            rows = None
            if labels is not None:
                rows = np.asarray(labels)[number * BLOCK : number * BLOCK + len(block)][writable]
            self.write_ids(ids, lengths[writable], rows)
            written.append(writable)
        return np.concatenate(written) if written else np.zeros(0, dtype=bool)

    def write_ids(self, ids: np.ndarray, lengths: np.ndarray, labels: Any = None) -> None:
        """Append molecules whose ids [sum of lengths] lie one after the other; lengths [N], labels [N, P]."""
        rows = np.full((len(lengths), len(self.label_names)), np.nan) if labels is None else np.asarray(labels)
        if rows.shape != (len(lengths), len(self.label_names)):
            raise SettingsError(f"labels must have shape {[len(lengths), len(self.label_names)]}, got {list(rows.shape)}")
        with refusals_explained(self.folder):
            self._ids.write(ids.astype(self._encoder.dtype.newbyteorder("<"), copy=False))
            self._offsets.write(self._n_ids + np.cumsum(lengths, dtype="<i8"))
            self._labels.write(rows.astype(LABELS_TYPE))
        self._n, self._n_ids = self._n + len(lengths), self._n_ids + len(ids)

    def __exit__(self, kind: type | None, *_: object) -> None:
        try:
            with refusals_explained(self.folder):
                for written in (self._ids, self._offsets, self._labels):
                    written.file.close()
                if kind is None:
                    self._finish()
        finally:
            self._replacement.discard()

    def _finish(self) -> None:
        facts = {
            "format_version": FORMAT_VERSION,
            "n_molecules": self._n,
            "n_ids": self._n_ids,
            "ids_type": self._encoder.dtype.newbyteorder("<").str,
            "labels": self.label_names,
            "labels_type": LABELS_TYPE,
            "vocabulary": self.vocabulary.to_dict(),
        }
        sums = {IDS: self._ids.sha256, OFFSETS: self._offsets.sha256, LABELS: self._labels.sha256, FACTS: json_sha256(facts)}
        facts = {**facts, SUMS: sums}
        (self._replacement.temporary / FACTS).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
        self._replacement.finish()


def read_token_set(folder: str | Path) -> TokenSet:
    """Map a token set's files.

    Raises
    ------
    InputError
        If the folder holds none, or its files do not have the sizes and checksums it names (sets of before have no checksums).
    """
    folder = Path(folder)
    try:
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        if facts["format_version"] != FORMAT_VERSION:
            raise InputError(f"{folder} was written by another version of chemvae. Write the token set again.")
        n, names = int(facts["n_molecules"]), tuple(facts["labels"])
        ids = _map(folder / IDS, facts["ids_type"], (int(facts["n_ids"]),))
        offsets = _map(folder / OFFSETS, "<i8", (n + 1,))
        labels = _map(folder / LABELS, facts.get("labels_type", FORMER_LABELS_TYPE), (n, len(names)))
        _check_sums(folder, facts)
        return TokenSet(TokenArray(ids, offsets), labels, Vocabulary.from_dict(facts["vocabulary"]), names)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{folder} is not a whole token set ({error}). Write it again.") from None


def _check_sums(folder: Path, facts: dict[str, Any]) -> None:
    """Raise ValueError at the first file whose bytes are not those that were written."""
    sums = dict(facts.get(SUMS, {}))
    own = sums.pop(FACTS, None)
    if own is not None and own != json_sha256({name: fact for name, fact in facts.items() if name != SUMS}):
        raise ValueError(f"{FACTS} has changed since it was written")
    for name in (name for name in (IDS, OFFSETS, LABELS) if name in sums):
        if sums[name] != file_sha256(folder / name):
            raise ValueError(f"{name} has changed since it was written")


def _map(path: Path, kind: str, shape: tuple[int, ...]) -> np.ndarray:
    """Map a file of numbers as a plain array (numpy's own class for it makes every slice slow)."""
    expected = int(np.prod(shape)) * np.dtype(kind).itemsize
    if path.stat().st_size != expected:
        raise ValueError(f"{path.name} has {path.stat().st_size:,} bytes, expected {expected:,}")
    if expected == 0:
        return np.zeros(shape, dtype=kind)
    return np.asarray(np.memmap(path, dtype=kind, mode="c", shape=shape))  # "c": torch wants writable arrays; the file stays
