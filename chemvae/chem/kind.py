"""Whether molecules are of the kind that a model has seen: said before its numbers are, because they look like any others."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from chemvae.chem.molecules import parse

NONMETALS = frozenset("H B C N O F Si P S Cl Ge As Se Br Te I At He Ne Ar Kr Xe Rn *".split())
ORGANIC = frozenset("H C N O F P S Cl Br I".split())
MOST_NAMED = 3
LONGEST_NAMED = 80

FEWEST_LEARNED, SHARE_LEARNED = 20, 1e-4
_SYMBOL = re.compile(r"\[\d*([A-Z][a-z]?|[a-z]{1,2})[^\]]*\]|(Cl|Br|[A-Za-z])")  # within brackets the element comes first

SALT, METAL, ELEMENT, LONG, FAR = "salts or mixtures", "metals", "unusual elements", "long", "far"
_WORDS = {
    SALT: "are salts or mixtures and are taken whole (--standardize salts keeps the largest part)",
    METAL: "hold a metal",
    ELEMENT: "hold elements that hardly any molecule learned from has",
    LONG: "are longer than any molecule learned from",
    FAR: "are unlike the molecules learned from",
}


def elements_of(smiles: Iterable[str]) -> frozenset[str]:
    """The symbols of the elements in some molecules.

    Examples
    --------
    >>> sorted(elements_of(["CCO", "c1ccsc1", "no molecule"]))
    ['C', 'O', 'S']
    """
    mols = (parse(text) for text in smiles)
    return frozenset(atom.GetSymbol() for mol in mols if mol is not None for atom in mol.GetAtoms())


def common_elements(smiles: Iterable[str]) -> frozenset[str]:
    """The elements that enough of some canonical SMILES hold to have been learned: one in ten thousand, and twenty of them.

    The text alone is looked at, so that a million molecules take seconds.

    Examples
    --------
    >>> sorted(common_elements(["CCCl", "c1cc[se]c1", "C[Si](C)C"] * 20 + ["C[GeH3]"]))
    ['C', 'Cl', 'Se', 'Si']
    """
    counts: Counter[str] = Counter()
    n = 0
    for text in smiles:
        n += 1
        counts.update({(match[1] or match[2]).capitalize() for match in _SYMBOL.finditer(text)})
    return frozenset(name for name, count in counts.items() if count >= max(FEWEST_LEARNED, SHARE_LEARNED * n))


def oddities(smiles: str, usual: frozenset[str] = ORGANIC) -> dict[str, str]:
    """What sets a molecule apart from organic ones: kind of oddity -> the elements it is about.

    Parameters
    ----------
    smiles : str
        What is no molecule has none.
    usual : frozenset of str
        Elements that are nothing special, metals among them too.

    Examples
    --------
    >>> oddities("[Na+].OB(O)c1ccccc1"), oddities("OB(O)C", frozenset("HBCO"))
    ({'salts or mixtures': '', 'metals': 'Na', 'unusual elements': 'B'}, {})
    """
    odd = elements_of([smiles]) - usual
    metals, others = sorted(odd - NONMETALS), sorted(odd & NONMETALS)
    found = {SALT: ""} if "." in smiles else {}
    found |= {METAL: ", ".join(metals)} if metals else {}
    return found | ({ELEMENT: ", ".join(others)} if others else {})


def _shortened(smiles: str) -> str:
    """A SMILES as an example in a sentence: of a long one the beginning."""
    return smiles if len(smiles) <= LONGEST_NAMED else f"{smiles[:LONGEST_NAMED]}…"


def n_symbols(smiles: str) -> int:
    """Length of a SMILES with Cl and Br as one symbol each.

    Examples
    --------
    >>> n_symbols("ClCBr")
    3
    """
    return len(smiles) - smiles.count("Cl") - smiles.count("Br")


class KindCheck:
    """Counts molecules that are not of a kind, over any number of tables.

    Parameters
    ----------
    usual : frozenset of str
        Elements that are nothing special.
    longest : int, optional
        Symbols of the longest molecule learned from.
    told : collection of str
        Oddities that somebody else tells the user of, such as the reader of a table of its salts.
    """

    def __init__(self, usual: frozenset[str] = ORGANIC, longest: int | None = None, told: Collection[str] = ()):
        self.usual, self.longest, self.told = usual, longest, told
        self.examples: dict[str, list[str]] = {}
        self.n_molecules = 0

    def look_at(self, smiles: Sequence[str], *, is_far: Sequence[bool] = ()) -> None:
        """Take note of canonical molecules, and of those that the caller has found to be far from what was learned."""
        self.n_molecules += len(smiles)
        for i, text in enumerate(smiles):
            found = [*oddities(text, self.usual)]
            found += [LONG] if self.longest is not None and n_symbols(text) > self.longest else []
            found += [FAR] if len(is_far) and bool(is_far[i]) else []
            for kind in (kind for kind in found if kind not in self.told):
                self.examples.setdefault(kind, []).append(text)

    def sentences(self) -> list[str]:
        """One for each oddity, with examples.

        Examples
        --------
        >>> check = KindCheck()
        >>> check.look_at(["CCO", "C[Hg]C"])
        >>> check.sentences()
        ['1 of 2 molecules hold a metal, so what is predicted of them is a guess: C[Hg]C.']
        """
        return [
            f"{len(texts):,} of {self.n_molecules:,} molecules {_WORDS[kind]}, so what is predicted of them is a guess: "
            f"{', '.join(map(_shortened, texts[:MOST_NAMED]))}{', ...' if len(texts) > MOST_NAMED else ''}."
            for kind, texts in self.examples.items()
        ]
