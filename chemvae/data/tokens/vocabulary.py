"""SMILES to tokens to ids and back, without loss.

Outside brackets only ``Cl``, ``Br`` and ring numbers such as ``%12`` join several characters; inside brackets the element
is one symbol and everything else goes character by character. So ``Sc1`` is sulfur and an aromatic carbon, ``[Sc]`` is
scandium. With ``tokens="atom"`` a whole bracket is one symbol.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from rdkit import Chem

from chemvae.errors import SettingsError, UnknownTokenError

SPECIAL = ("<pad>", "<start>", "<end>", "<mask>")
PAD, BOS, EOS, MASK = range(4)
TOKEN_MODES = ("character", "atom")

_TABLE = Chem.GetPeriodicTable()
ELEMENTS = tuple(_TABLE.GetElementSymbol(number) for number in range(1, 119))
AROMATIC_ELEMENTS = ("b", "c", "n", "o", "p", "s", "se", "as", "te", "si")
_ELEMENT = "|".join(sorted((*ELEMENTS, *AROMATIC_ELEMENTS, r"\*"), key=len, reverse=True))
_OUTSIDE = re.compile(r"\[[^\[\]]*\]|Cl|Br|%\d\d|%\(\d+\)|.", re.DOTALL)
_BRACKET = re.compile(rf"\[(\d*)({_ELEMENT})(.*)\]", re.DOTALL)


def split_smiles(smiles: str, mode: str = "character") -> list[str]:
    """Split a SMILES into tokens; joining them gives the SMILES back.

    Examples
    --------
    >>> split_smiles("C[C@@H](Cl)Sc1[nH]cc1[Sc]")
    ['C', '[', 'C', '@', '@', 'H', ']', '(', 'Cl', ')', 'S', 'c', '1', '[', 'n', 'H', ']', 'c', 'c', '1', '[', 'Sc', ']']
    >>> split_smiles("[13CH3][O-]", mode="atom")
    ['[13CH3]', '[O-]']
    """
    pieces = _OUTSIDE.findall(smiles)
    if mode == "atom" or "[" not in smiles:
        return pieces
    tokens: list[str] = []
    for piece in pieces:
        if len(piece) > 2 and piece[0] == "[":
            tokens.extend(_split_bracket(piece))
        else:
            tokens.append(piece)
    return tokens


def _split_bracket(bracket: str) -> list[str]:
    match = _BRACKET.fullmatch(bracket)
    if match is None:  # not an atom; character by character, and RDKit will say what is wrong with it
        return list(bracket)
    isotope, element, rest = match.groups()
    return ["[", *isotope, element, *rest, "]"]


class Vocabulary:
    """The tokens a model knows, in the order of their ids; ids 0 to 3 are padding, start, end and mask.

    Parameters
    ----------
    tokens : sequence of str
        Without the special ones. Order is kept.
    mode : str
        ``"character"`` (default) or ``"atom"``.

    Examples
    --------
    >>> vocabulary = Vocabulary.from_smiles(["CCO", "c1ccccc1Cl"])
    >>> vocabulary.decode(vocabulary.encode("OCCl"))
    'OCCl'
    """

    def __init__(self, tokens: Sequence[str], mode: str = "character"):
        if mode not in TOKEN_MODES:
            raise SettingsError(f"tokens must be one of {', '.join(TOKEN_MODES)}, got '{mode}'")
        self.mode = mode
        self.tokens = (*SPECIAL, *tokens)
        self._ids = {token: i for i, token in enumerate(self.tokens)}
        if len(self._ids) != len(self.tokens):
            raise SettingsError("the vocabulary lists a token twice")

    @classmethod
    def from_smiles(cls, smiles: Iterable[str], mode: str = "character") -> Vocabulary:
        """Collect the tokens that occur, sorted."""
        found: set[str] = set()
        for one in smiles:
            found.update(split_smiles(one, mode))
        return cls(sorted(found), mode)

    @classmethod
    def superset(cls) -> Vocabulary:
        """All of SMILES at character level: every element, ring number, bond, charge and stereo mark."""
        marks = "#$()*+-./0123456789:=@[\\]"
        rings = [f"%{number}" for number in range(10, 100)]
        return cls(sorted({*marks, *ELEMENTS, *AROMATIC_ELEMENTS, *rings, *"HDT"}))

    def __len__(self) -> int:
        return len(self.tokens)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and (self.tokens, self.mode) == (other.tokens, other.mode)

    def __hash__(self) -> int:
        return hash((self.tokens, self.mode))

    def encode(self, smiles: str) -> np.ndarray:
        """Return the ids of the molecule's tokens [T], int64, without start and end.

        Raises
        ------
        UnknownTokenError
            Naming the molecule, the symbol and its position in the string.
        """
        tokens = split_smiles(smiles, self.mode)
        try:
            return np.array([self._ids[token] for token in tokens], dtype=np.int64)
        except KeyError:
            raise self._unknown(smiles, tokens) from None

    def _unknown(self, smiles: str, tokens: list[str]) -> UnknownTokenError:
        index = next(i for i, token in enumerate(tokens) if token not in self._ids)
        return UnknownTokenError(smiles, tokens[index], sum(map(len, tokens[:index])), len(self))

    def complaint(self, smiles: str) -> str | None:
        """Say why this molecule cannot be written, or None if it can."""
        try:
            self.encode(smiles)
        except UnknownTokenError as error:
            return f"unknown symbol '{error.token}' at position {error.position}"
        return None

    def decode(self, ids: Iterable[int]) -> str:
        """Join the tokens up to the end token; padding, start and mask are left out."""
        text = []
        for i in ids:
            if i == EOS:
                break
            if i > MASK:
                text.append(self.tokens[i])
        return "".join(text)

    def decode_rows(self, ids: np.ndarray) -> list[str]:
        """Decode each row of ``ids`` [N, T] at once.

        Examples
        --------
        >>> Vocabulary(["C", "Cl"]).decode_rows(np.array([[4, 5, 2, 4], [4, 4, 4, 4]]))
        ['CCl', 'CCCC']
        """
        texts = np.array(["" if i <= MASK else token for i, token in enumerate(self.tokens)], dtype=object)
        ended = np.cumsum(ids == EOS, axis=1) > 0
        rows = np.where(ended, "", texts[ids])
        return ["".join(row) for row in rows]

    def to_dict(self) -> dict:
        """Return what ``vocabulary.json`` holds."""
        return {"mode": self.mode, "tokens": list(self.tokens[len(SPECIAL) :])}

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Vocabulary:
        """Make what :meth:`to_dict` described; SettingsError if it describes no vocabulary."""
        tokens = content.get("tokens") if isinstance(content, dict) else None
        if not isinstance(tokens, list) or not all(isinstance(token, str) and token for token in tokens):
            raise SettingsError("a vocabulary has 'tokens', a list of texts, and a 'mode'")
        return cls(tokens, content["mode"] if "mode" in content else "")
