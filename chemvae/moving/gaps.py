"""A SMILES with gaps, as a row of slots that a decoder must fill one after the other."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from chemvae.chem.molecules import LONGEST_SMILES
from chemvae.data.tokens.vocabulary import SPECIAL, Vocabulary, split_smiles
from chemvae.errors import SettingsError, UnknownTokenError

ANY = -1
"""The token of a slot that any symbol fills."""
MOST = 20
"""Symbols that ``__`` stands for at most, unless said otherwise."""
_GAP = re.compile(r"_\{(\d+)(?:,(\d+))?\}|_+")


@dataclass(frozen=True)
class Pattern:
    """S slots."""

    text: str
    tokens: np.ndarray
    """[S] the id each slot asks for, or :data:`ANY`."""
    optional: np.ndarray
    """[S] whether a slot may stay empty."""

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def n_fixed(self) -> int:
        """Slots whose symbol is given."""
        return int((self.tokens != ANY).sum())


def parse_pattern(text: str, vocabulary: Vocabulary, most: int = MOST) -> Pattern:
    """Read a SMILES with gaps: ``_`` is one missing symbol, ``_{3}`` three, ``_{1,6}`` one to six, ``__`` one to ``most``.

    A symbol is a token of the vocabulary: an atom outside brackets, a bond, a digit, a bracket's every character.

    Raises
    ------
    SettingsError
        If there is no gap, or one is written wrongly.
    UnknownTokenError
        If a symbol that is given is not one of the vocabulary.

    Examples
    --------
    >>> pattern = parse_pattern("CC_{1,2}O_", Vocabulary(["C", "O"]))
    >>> pattern.tokens.tolist(), pattern.optional.tolist()
    ([4, 4, -1, -1, 5, -1], [False, False, False, True, False, False])
    """
    if most < 1:
        raise SettingsError(f"most must be >= 1, got {most}")
    if not isinstance(text, str):
        raise SettingsError(f"a pattern is a SMILES with gaps, got a {type(text).__name__}")
    text = text.strip()
    if len(text) > LONGEST_SMILES:
        raise SettingsError(f"the pattern has {len(text):,} characters; molecules of more than {LONGEST_SMILES:,} are not read")
    if "_" not in text:
        raise SettingsError(f"'{text}' has no gap to fill; write _ for one missing symbol, or __ for any number")
    tokens: list[int] = []
    optional: list[bool] = []
    ids = {token: i for i, token in enumerate(vocabulary.tokens) if i >= len(SPECIAL)}
    for piece, least, largest, position in _pieces(text, most):
        if piece:
            for token in split_smiles(piece, vocabulary.mode):
                if token not in ids:
                    raise UnknownTokenError(text, token, position, len(vocabulary))
                tokens.append(ids[token])
                optional.append(False)
                position += len(token)
        else:
            tokens += [ANY] * largest
            optional += [False] * least + [True] * (largest - least)
    return Pattern(text, np.array(tokens, dtype=np.int64), np.array(optional, dtype=bool))


def _pieces(text: str, most: int) -> list[tuple[str, int, int, int]]:
    """The text as fixed pieces (text, 0, 0, position) and gaps ("", least, largest, position), in order."""
    found, at = [], 0
    for match in _GAP.finditer(text):
        if match.start() > at:
            found.append((text[at : match.start()], 0, 0, at))
        found.append(("", *_size_of(match, text, most), match.start()))
        at = match.end()
    if at < len(text):
        found.append((text[at:], 0, 0, at))
    if any(mark in piece for piece, *_ in found for mark in "{}"):
        raise SettingsError(
            f"'{text}' has a gap that cannot be read; write _{{3}} for three symbols or _{{1,6}} for one to six"
        )
    return found


def _size_of(match: re.Match[str], text: str, most: int) -> tuple[int, int]:
    """How many symbols a gap stands for."""
    if match[1] is None:
        return (1, 1) if len(match[0]) == 1 else (1, most)
    least, largest = int(match[1]), int(match[2] or match[1])
    if not 0 <= least <= largest or largest < 1:
        raise SettingsError(f"the gap {match[0]} of '{text}' stands for no symbols; write the smaller number first")
    if largest > 200:
        raise SettingsError(f"the gap {match[0]} of '{text}' is longer than any molecule; write 200 or less")
    return least, largest


class SlotStates:
    """How far each of R half-written strings may have come in its pattern: which slots it may have passed, [R, S + 1].

    Parameters
    ----------
    patterns : list of Pattern
        One for each row, padded to the longest.
    n_tokens : int
        V.
    """

    def __init__(self, patterns: list[Pattern], n_tokens: int):
        n_slots = max(len(one) for one in patterns)
        self.tokens = np.full((len(patterns), n_slots), -2, dtype=np.int64)  # -2 matches nothing
        self.optional = np.zeros((len(patterns), n_slots), dtype=bool)
        self.length = np.array([len(one) for one in patterns])
        for row, one in enumerate(patterns):
            self.tokens[row, : len(one)], self.optional[row, : len(one)] = one.tokens, one.optional
        fixed = (self.tokens >= 0).cumsum(axis=1)
        self.fixed_passed = np.concatenate([np.zeros((len(patterns), 1), dtype=int), fixed], axis=1)  # [R, S + 1]
        self.n_tokens = n_tokens
        self.passed = np.zeros((len(patterns), n_slots + 1), dtype=bool)
        self.passed[:, 0] = True
        self._skip()

    def _skip(self) -> None:
        """Slots that may stay empty may be passed at once."""
        for slot in np.flatnonzero(self.optional.any(axis=0)):
            self.passed[:, slot + 1] |= self.passed[:, slot] & self.optional[:, slot]

    def legal(self) -> np.ndarray:
        """Which tokens may come next [R, V]; special ones never."""
        legal = np.zeros((len(self.passed), self.n_tokens), dtype=bool)
        waiting = self.passed[:, :-1] & (self.tokens != -2)
        legal[:, len(SPECIAL) :] = (waiting & (self.tokens == ANY)).any(axis=1)[:, None]
        rows, slots = np.nonzero(waiting & (self.tokens >= 0))
        legal[rows, self.tokens[rows, slots]] = True
        return legal

    def complete(self) -> np.ndarray:
        """Which rows have filled their pattern [R]."""
        return self.passed[np.arange(len(self.passed)), self.length]

    def follow(self, rows: np.ndarray, tokens: np.ndarray) -> None:
        """Go on with some rows [n], a row as often as it is named, each by one token [n]."""
        for name in ("tokens", "optional", "length", "fixed_passed", "passed"):
            setattr(self, name, getattr(self, name)[rows])
        matches = (self.tokens == tokens[:, None]) | (self.tokens == ANY)
        after = np.zeros_like(self.passed)
        after[:, 1:] = self.passed[:, :-1] & matches
        self.passed = after
        self._skip()

    def stages(self, rows: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        """Given symbols passed at most [n] once a token [n] is written after some rows [n]."""
        matches = (self.tokens[rows] == tokens[:, None]) | (self.tokens[rows] == ANY)
        slots = np.arange(1, self.passed.shape[1])
        furthest = np.where(self.passed[rows, :-1] & matches, slots, 0).max(axis=1)
        return self.fixed_passed[rows, furthest]
