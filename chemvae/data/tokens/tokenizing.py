"""Tokenise many SMILES at once, and write them again: array operations over a block's characters, no Python for each.

The tokens are those of :func:`chemvae.data.tokens.vocabulary.split_smiles`, which stays the definition; what its grammar treats
specially and is rare (empty brackets, ``%(100)``, letters outside ASCII) is handed to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice, pairwise

import numpy as np

from chemvae.data.tokens.vocabulary import AROMATIC_ELEMENTS, ELEMENTS, EOS, MASK, TOKEN_MODES, Vocabulary, split_smiles
from chemvae.errors import SettingsError

BLOCK = 8192  # molecules; their arrays fit the cache, and what Python does once per block no longer counts
_N_ASCII = 128
_LINE, _OPEN, _CLOSE, _PERCENT, _ROUND, _ZERO = (ord(one) for one in "\n[]%(0")
_HALOGENS = (("C", "l"), ("B", "r"))
_PAIRS = [symbol for symbol in (*ELEMENTS, *AROMATIC_ELEMENTS) if len(symbol) == 2]
_RINGS = [f"%{number:02d}" for number in range(100)]


def blocks_of(smiles: Iterable[str], size: int = BLOCK) -> Iterator[list[str]]:
    """Cut a stream into lists of ``size``, the last one shorter.

    Examples
    --------
    >>> list(blocks_of(iter("CNO"), 2))
    [['C', 'N'], ['O']]
    """
    rest = iter(smiles)
    while block := list(islice(rest, size)):
        yield block


class Splitter:
    """Tokens of blocks of molecules, as codes: code c stands for ``tokens[c]``; tokens not met before get the next code.

    Parameters
    ----------
    mode : str
        "character" or "atom", as in :class:`~chemvae.data.tokens.vocabulary.Vocabulary`.

    Examples
    --------
    >>> splitter = Splitter()
    >>> codes, lengths = splitter.split(["CCl", "[Na+]"])
    >>> [splitter.tokens[code] for code in codes], lengths.tolist()
    (['C', 'Cl', '[', 'Na', '+', ']'], [2, 4])
    """

    def __init__(self, mode: str = "character"):
        if mode not in TOKEN_MODES:
            raise SettingsError(f"tokens must be one of {', '.join(TOKEN_MODES)}, got '{mode}'")
        self.mode = mode
        self.tokens: list[str] = [chr(i) for i in range(_N_ASCII)]  # the code of a character is its ASCII number
        self._codes = {token: code for code, token in enumerate(self.tokens)}
        self._elements = np.zeros((_N_ASCII, _N_ASCII), dtype=np.int32)  # code of a two-letter element; 0: it is none
        for symbol in _PAIRS:
            self._elements[ord(symbol[0]), ord(symbol[1])] = self._code(symbol)
        self._rings = np.array([self._code(ring) for ring in _RINGS], dtype=np.int32)

    def _code(self, token: str) -> int:
        code = self._codes.setdefault(token, len(self.tokens))
        if code == len(self.tokens):
            self.tokens.append(token)
        return code

    def split(self, smiles: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Split a block of molecules.

        Parameters
        ----------
        smiles : sequence of str, length N

        Returns
        -------
        codes : ndarray of int32 [sum of lengths]
        lengths : ndarray of int64 [N]
            Tokens of each molecule.
        """
        text = "".join(f"{one}\n" for one in smiles)
        odd = np.zeros(len(smiles), dtype=bool)
        if not text.isascii() or text.count("\n") != len(smiles):
            odd[:] = [not one.isascii() or "\n" in one for one in smiles]
            text = "".join("\n" if strange else f"{one}\n" for one, strange in zip(smiles, odd, strict=True))
        codes, lengths, rare = self._split_lines(text)
        odd |= rare
        return self._replaced(codes, lengths, smiles, np.flatnonzero(odd)) if odd.any() else (codes, lengths)

    def _split_lines(self, text: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Codes and lengths of ASCII lines, and which lines hold something rare, so that theirs are not to be used."""
        chars = np.frombuffer(text.encode("ascii") + bytes(2), dtype=np.uint8)  # two more: looking ahead stays inside
        codes = chars[: len(text)].astype(np.int32)
        ends = np.flatnonzero(codes == _LINE)  # [N]
        brackets = _find_brackets(chars, ends)
        join = self._join_brackets if self.mode == "atom" else self._join_elements
        joined = [join(text, chars, codes, *brackets), self._join_halogens(chars, codes, *brackets)]
        rings, rare = self._join_rings(chars, codes, *brackets)
        dropped = np.concatenate([*joined, rings])  # characters that belong to the token before them
        keep = np.ones(len(codes), dtype=bool)
        keep[ends] = keep[dropped] = False
        lengths = np.diff(ends, prepend=-1) - 1 - np.bincount(np.searchsorted(ends, dropped), minlength=len(ends))
        odd = np.zeros(len(ends), dtype=bool)
        empty = brackets[0][brackets[1] == brackets[0] + 1]
        odd[np.searchsorted(ends, np.concatenate([rare, empty]))] = True
        return codes[keep], lengths, odd

    def _join_elements(self, text: str, chars: np.ndarray, codes: np.ndarray, opened: np.ndarray, _: np.ndarray) -> np.ndarray:
        """The element of a bracket atom is one token: after the bracket and the isotope's digits."""
        at = opened + 1
        while (is_digit := _is_digit(chars[at])).any():
            at = at + is_digit
        found = self._elements[chars[at], chars[at + 1]]
        at = at[found > 0]
        codes[at] = found[found > 0]
        return at + 1

    def _join_brackets(
        self, text: str, chars: np.ndarray, codes: np.ndarray, opened: np.ndarray, closed: np.ndarray
    ) -> np.ndarray:
        """A whole bracket is one token."""
        codes[opened] = [self._code(text[a : b + 1]) for a, b in zip(opened.tolist(), closed.tolist(), strict=True)]
        widths = closed - opened
        return np.repeat(closed - np.cumsum(widths), widths) + np.arange(widths.sum()) + 1

    def _join_halogens(self, chars: np.ndarray, codes: np.ndarray, opened: np.ndarray, closed: np.ndarray) -> np.ndarray:
        """Cl and Br, where they stand without brackets."""
        second = []
        for first, last in _HALOGENS:
            at = np.flatnonzero(chars == ord(last))
            at = at[chars[at - 1] == ord(first)]
            at = at[~_is_inside(at, opened, closed)]
            codes[at - 1] = self._codes[first + last]
            second.append(at)
        return np.concatenate(second)

    def _join_rings(
        self, chars: np.ndarray, codes: np.ndarray, opened: np.ndarray, closed: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Ring numbers such as %12; and where the rare %(...) begins."""
        at = np.flatnonzero(chars == _PERCENT)
        at = at[~_is_inside(at, opened, closed)]
        tens, ones = chars[at + 1], chars[at + 2]
        is_ring = _is_digit(tens) & _is_digit(ones)
        rare, at = at[tens == _ROUND], at[is_ring]
        numbers = 10 * (tens[is_ring].astype(np.int32) - _ZERO) + ones[is_ring] - _ZERO
        codes[at] = self._rings[numbers]
        return np.concatenate([at + 1, at + 2]), rare

    def _replaced(
        self, codes: np.ndarray, lengths: np.ndarray, smiles: Sequence[str], odd: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Put the definition's own tokens in place for the molecules numbered ``odd``."""
        rows = np.split(codes, np.cumsum(lengths)[:-1])
        for i in odd.tolist():
            rows[i] = np.array([self._code(token) for token in split_smiles(smiles[i], self.mode)], dtype=np.int32)
        return np.concatenate(rows), np.array([len(row) for row in rows])


class BlockEncoder:
    """Ids of blocks of molecules: what :meth:`Vocabulary.encode` gives for each, for many at once.

    Parameters
    ----------
    vocabulary : Vocabulary

    Examples
    --------
    >>> encoder = BlockEncoder(Vocabulary(["C", "O"]))
    >>> ids, lengths, writable = encoder.encode(["CCO", "N", "O"])
    >>> ids.tolist(), lengths.tolist(), writable.tolist()
    ([4, 4, 5, 5], [3, 0, 1], [True, False, True])
    """

    def __init__(self, vocabulary: Vocabulary):
        self.vocabulary = vocabulary
        self.dtype = np.dtype(np.uint8 if len(vocabulary) <= 256 else np.uint16)
        self._ids = {token: i for i, token in enumerate(vocabulary.tokens)}
        self._splitter = Splitter(vocabulary.mode)
        self._table = np.zeros(0, dtype=np.int32)  # id of each code; -1: the vocabulary lacks it

    def encode(self, smiles: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Encode a block.

        Parameters
        ----------
        smiles : sequence of str, length N

        Returns
        -------
        ids : ndarray of uint8 or uint16 [sum of lengths]
            Without start and end, molecule after molecule.
        lengths : ndarray of int64 [N]
            0 where the vocabulary lacks a token of the molecule.
        writable : ndarray of bool [N]
            False there.
        """
        codes, lengths = self._splitter.split(smiles)
        new = self._splitter.tokens[len(self._table) :]
        self._table = np.append(self._table, np.array([self._ids.get(token, -1) for token in new], dtype=np.int32))
        ids = self._table[codes]
        writable = np.ones(len(lengths), dtype=bool)
        unknown = np.flatnonzero(ids < 0)
        if len(unknown):
            writable[np.searchsorted(np.cumsum(lengths), unknown, side="right")] = False
            ids, lengths = ids[np.repeat(writable, lengths)], np.where(writable, lengths, 0)
        return ids.astype(self.dtype), lengths, writable


def collect_vocabulary(smiles: Iterable[str], mode: str = "character") -> Vocabulary:
    """Collect the tokens that occur, sorted: what :meth:`Vocabulary.from_smiles` gives, sooner.

    Examples
    --------
    >>> collect_vocabulary(["CCO", "c1ccccc1Cl"]) == Vocabulary.from_smiles(["CCO", "c1ccccc1Cl"])
    True
    """
    splitter = Splitter(mode)
    found: set[int] = set()
    for block in blocks_of(smiles):
        found.update(np.unique(splitter.split(block)[0]).tolist())
    return Vocabulary(sorted(splitter.tokens[code] for code in found), mode)


def join_rows(ids: np.ndarray, vocabulary: Vocabulary) -> list[str]:
    """Write rows of ids [N, T] up to the end token: what :meth:`Vocabulary.decode_rows` gives, sooner.

    Examples
    --------
    >>> join_rows(np.array([[4, 5, 2, 4], [4, 4, 0, 0]]), Vocabulary(["C", "Cl"]))
    ['CCl', 'CC']
    """
    is_end = ids == EOS
    written = np.where(is_end.any(axis=1), is_end.argmax(axis=1), ids.shape[1]) if ids.shape[1] else np.zeros(len(ids), int)
    used = (np.arange(ids.shape[1]) < written[:, None]) & (ids > MASK)
    return join_tokens(ids[used], used.sum(axis=1), vocabulary)


def join_tokens(ids: np.ndarray, lengths: np.ndarray, vocabulary: Vocabulary) -> list[str]:
    """Write molecules whose ids [sum of lengths] lie one after the other, without special ones; lengths [N].

    Examples
    --------
    >>> join_tokens(np.array([4, 5, 4]), np.array([2, 0, 1]), Vocabulary(["C", "Cl"]))
    ['CCl', '', 'C']
    """
    letters, widths = _letters(vocabulary)
    if letters is None:
        text = "".join(vocabulary.tokens[i] for i in ids.tolist())
    else:
        spread = letters[ids].reshape(-1)  # [sum of lengths * widest]
        text = spread[spread != 0].tobytes().decode("ascii")
    ends = np.append(0, np.cumsum(widths[ids]))[np.append(0, np.cumsum(lengths))].tolist()  # in characters
    return [text[a:b] for a, b in pairwise(ends)]


@lru_cache(maxsize=4)
def _letters(vocabulary: Vocabulary) -> tuple[np.ndarray | None, np.ndarray]:
    """The tokens' characters [V, widest], 0 where a token is shorter, and widths [V]; None where they are not plain ASCII."""
    texts = ["" if i <= MASK else token for i, token in enumerate(vocabulary.tokens)]
    widths = np.array([len(text) for text in texts])
    if not all(text.isascii() and "\0" not in text for text in texts):
        return None, widths
    letters = np.array([text.encode() for text in texts], dtype=bytes)
    return letters.view(np.uint8).reshape(len(texts), -1), widths


def _find_brackets(chars: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where bracket atoms open and close: a [ whose next bracket, in the same line, is a ]."""
    at = np.flatnonzero((chars == _OPEN) | (chars == _CLOSE))
    opened, closed = at[:-1], at[1:]
    is_pair = (chars[opened] == _OPEN) & (chars[closed] == _CLOSE)
    is_pair &= np.searchsorted(ends, opened) == np.searchsorted(ends, closed)
    return opened[is_pair], closed[is_pair]


def _is_inside(at: np.ndarray, opened: np.ndarray, closed: np.ndarray) -> np.ndarray:
    """Whether each position lies in a bracket."""
    if len(opened) == 0:
        return np.zeros(len(at), dtype=bool)
    before = np.searchsorted(opened, at) - 1
    return (before >= 0) & (closed[before] > at)


def _is_digit(chars: np.ndarray) -> np.ndarray:
    return (chars >= _ZERO) & (chars < _ZERO + 10)
