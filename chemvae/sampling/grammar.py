"""The grammar of SMILES, as states and token roles that a mask can follow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from chemvae.data.tokens.vocabulary import AROMATIC_ELEMENTS, ELEMENTS, EOS, PAD, SPECIAL, Vocabulary

ORGANIC = {*"BCNOPSFI*", "Cl", "Br", *"bcnops"}  # atoms that need no bracket
ELEMENT_SYMBOLS = {*ELEMENTS, *AROMATIC_ELEMENTS, "*"} - {"H"}  # hydrogen has rules of its own
BONDS = {*"=#$:/\\~"}  # "-" is apart: it may become the arrow "->"
_BOND = {"bond": "bond", "-": "dash", "<": "left arrow", "atom": "atom", "[": "bracket"}
_CHARGES = {"+": "plus", "-": "minus", ":": "colon", "]": "atom"}
_NUMBER = {"digit": "hydrogens"}
RULES: dict[str, dict[str, str]] = {
    "start": {"atom": "atom", "[": "bracket"},
    "atom": {**_BOND, "ring": "atom", "(": "open", ")": "atom", ".": "dot", "end": "end"},
    "bond": {"atom": "atom", "[": "bracket", "ring": "atom"},
    "dash": {"atom": "atom", "[": "bracket", "ring": "atom", ">": "bond"},
    "left arrow": {"-": "bond"},
    "open": {**_BOND, "bond": "branch bond", "-": "branch dash", "<": "branch arrow"},
    "branch bond": {"atom": "atom", "[": "bracket"},
    "branch dash": {"atom": "atom", "[": "bracket", ">": "branch bond"},
    "branch arrow": {"-": "branch bond"},
    "dot": {"atom": "atom", "[": "bracket"},
    "end": {"end": "end"},
    # inside brackets: isotope, element or #number, chirality, hydrogens, charge, :map
    "bracket": {"digit": "isotope", "element": "element", "H": "hydrogen", "#": "hash"},
    "isotope": {"digit": "isotope", "element": "element", "H": "hydrogen", "#": "hash"},
    "hash": {"digit": "atomic number"},
    "atomic number": {"digit": "atomic number", "@": "at", "H": "hydrogens", **_CHARGES},
    "hydrogen": {"H": "hydrogens", **_CHARGES},
    "element": {"@": "at", "H": "hydrogens", **_CHARGES},
    "at": {"@": "chiral", "H": "hydrogens", "T": "at T", "A": "at A", "S": "at S", "O": "at O", **_CHARGES},
    "at T": {"H": "class", "B": "class"},
    "at A": {"L": "class"},
    "at S": {"P": "class"},
    "at O": {"H": "class"},
    "class": {"digit": "class number"},
    "class number": {"digit": "class number", "H": "hydrogens", **_CHARGES},
    "chiral": {"H": "hydrogens", **_CHARGES},
    "hydrogens": {"digit": "hydrogens", **_CHARGES},
    "plus": {"+": "charged", "digit": "charge", ":": "colon", "]": "atom"},
    "minus": {"-": "charged", "digit": "charge", ":": "colon", "]": "atom"},
    "charged": {":": "colon", "]": "atom"},
    "charge": {"digit": "charge", ":": "colon", "]": "atom"},
    "colon": {"digit": "map"},
    "map": {"digit": "map", "]": "atom"},
    "lost": {},  # a row that broke the grammar: nothing is forbidden any more
}
STATES = list(RULES)
START, ATOM, END, LOST = (STATES.index(name) for name in ("start", "atom", "end", "lost"))


def token_roles(token: str) -> set[str]:
    """What a token can be, outside and inside brackets.

    Examples
    --------
    >>> sorted(token_roles("1")), sorted(token_roles("[nH]")), sorted(token_roles("#"))
    (['1', 'digit', 'ring'], ['[nH]', 'atom'], ['#', 'bond'])
    """
    roles = {token}
    is_bracket = token.startswith("[") and token.endswith("]")
    roles |= {"atom"} if token in ORGANIC or is_bracket else set()
    roles |= {"element"} if token in ELEMENT_SYMBOLS else set()
    roles |= {"bond"} if token in BONDS else set()
    roles |= {"digit", "ring"} if token.isdigit() and len(token) == 1 else set()
    roles |= {"ring"} if token.startswith("%") and token.strip("%()").isdigit() and not token.startswith("%0") else set()
    return roles


class Grammar:
    """The rules as tables over a vocabulary's ids.

    Parameters
    ----------
    vocabulary : Vocabulary
        Character or atom tokens.

    Attributes
    ----------
    following : ndarray of int [S, V]
        The state after a token, -1 where it is not allowed.

    Examples
    --------
    >>> grammar = Grammar(Vocabulary.superset())
    >>> grammar.allows(["CC(=O)Oc1ccccc1C(=O)O", "C(", "C1CC", "CC)C", "C()C", "C11", "C1C1", "[13CH3-]", "[CH3"]).tolist()
    [True, False, False, False, False, False, False, True, False]
    """

    def __init__(self, vocabulary: Vocabulary):
        self.vocabulary = vocabulary
        roles = [
            {"end"} if i == EOS else set() if i < len(SPECIAL) else token_roles(t) for i, t in enumerate(vocabulary.tokens)
        ]
        self.following = np.full((len(STATES), len(roles)), -1, dtype=np.int8)
        for s, rules in enumerate(RULES.values()):
            for i, own in enumerate(roles):
                found = [STATES.index(after) for role, after in rules.items() if role in own]
                self.following[s, i] = found[0] if found else -1
        makes = {
            role: np.array([role in own for own in roles]) & (self.following >= 0) for role in ("atom", "]", "(", ")", ".")
        }
        self.makes_atom = (makes["atom"] | makes["]"]) & (self.following == ATOM)  # S in "[S" is not one yet
        self.opens, self.closes, self.dots = makes["("], makes[")"], makes["."]
        rings = [token.strip("%()") if "ring" in own else None for token, own in zip(vocabulary.tokens, roles, strict=True)]
        labels = sorted({ring for ring in rings if ring is not None})
        self.n_labels = len(labels)
        numbers = np.array([-1 if ring is None else labels.index(ring) for ring in rings])
        may_number = np.array(["ring" in rules for rules in RULES.values()])
        self.label = np.where(may_number[:, None], numbers, -1)  # [S, V] the ring that a token numbers there, -1 for none
        self.ring_ids = np.flatnonzero(numbers >= 0).tolist()
        self.close_id = vocabulary.tokens.index(")") if ")" in vocabulary.tokens else None
        self.following[LOST] = LOST

    def allows(self, smiles: Sequence[str]) -> np.ndarray:
        """Say of each whole string [N] whether it may be written."""
        rows = [[*self.vocabulary.encode(one), EOS] for one in smiles]
        length = max(map(len, rows), default=0)
        ids = np.array([row + [PAD] * (length - len(row)) for row in rows], dtype=np.int64).reshape(len(rows), length)
        state, allowed = GrammarState(self, len(rows), length), np.ones(len(rows), dtype=bool)
        for tokens in ids.T:
            legal = state.legal()
            allowed &= legal[np.arange(len(rows)), tokens] | (tokens == PAD)
            state.advance(tokens)
        return allowed


class GrammarState:
    """What each of R rows has written so far, as far as the grammar cares.

    Parameters
    ----------
    grammar : Grammar
    n_rows, max_length : int
        R, and the most tokens a row will have.
    """

    def __init__(self, grammar: Grammar, n_rows: int, max_length: int):
        self.grammar = grammar
        length = max_length + 2
        self.state = np.full(n_rows, START, dtype=np.int8)
        self.depth, self.n_atoms, self.n_closed = (np.zeros(n_rows, dtype=np.int32) for _ in range(3))
        self.current = np.full(n_rows, -1, dtype=np.int32)  # the atom that the next bond starts from
        self.branches = np.full((n_rows, length), -1, dtype=np.int16)  # atoms to come back to
        self.parent = np.full((n_rows, length), -1, dtype=np.int16)  # the atom each atom was bonded to when written
        self.open = np.full((n_rows, grammar.n_labels), -1, dtype=np.int16)  # the atom at which a ring number was opened
        self.closed = np.full((n_rows, length, 2), -1, dtype=np.int16)  # pairs of atoms that ring numbers have bonded

    def keep(self, rows: np.ndarray) -> None:
        """Go on with these rows only; a row may be named several times."""
        for name, value in vars(self).items():
            if name != "grammar":
                setattr(self, name, value[rows])

    def legal(self) -> np.ndarray:
        """Which tokens may come next: bool [R, V]. A row without any may write what it likes."""
        g = self.grammar
        legal = g.following[self.state] >= 0
        lost = self.state == LOST
        is_closed = (self.depth == 0) & (self.open < 0).all(axis=1)
        legal[:, EOS] &= is_closed | (self.state == END) | lost
        if g.close_id is not None:
            legal[:, g.close_id] &= (self.depth > 0) | lost
        partner_is_bonded = self._bonded()  # [R, labels]
        for i in g.ring_ids:
            rows, labels = self._numbered(i)
            legal[rows, i] &= ~partner_is_bonded[rows, labels]
        legal[~legal.any(axis=1)] = True
        return legal

    def closing(self) -> np.ndarray:
        """Which tokens would close a branch or a ring, if they are legal: bool [R, V]."""
        g = self.grammar
        closing = g.closes[self.state]
        for i in g.ring_ids:
            rows, labels = self._numbered(i)
            closing[rows, i] = self.open[rows, labels] >= 0
        return closing

    def _numbered(self, token: int) -> tuple[np.ndarray, np.ndarray]:
        """The rows in which a token would be a ring number now, and which."""
        label = self.grammar.label[self.state, token]
        rows = np.flatnonzero(label >= 0)
        return rows, label[rows]

    def _bonded(self) -> np.ndarray:
        """Whether an open ring's atom is the current one or bonded to it already: a bond twice is no bond. [R, labels]"""
        here = self.current[:, None]
        rows = np.arange(len(here))[:, None]
        bonded = (self.open == here) | (self.open == self.parent[rows, np.maximum(here, 0)])
        bonded |= self.parent[rows, np.maximum(self.open, 0)] == here
        if n := int(self.n_closed.max(initial=0)):
            pairs = self.closed[:, :n]
            for one, other in ((0, 1), (1, 0)):
                touching = pairs[:, :, one] == here  # [R, n]
                bonded |= (touching[:, :, None] & (pairs[:, :, other, None] == self.open[:, None])).any(axis=1)
        return bonded & (self.open >= 0)

    def advance(self, tokens: np.ndarray) -> None:
        """Write one token [R] in each row; one that is not allowed leaves its row lost."""
        g, s = self.grammar, self.state
        allowed = g.following[s, tokens] >= 0
        at = lambda table: np.flatnonzero(table[s, tokens] & allowed)  # noqa: E731
        ringed = np.flatnonzero((g.label[s, tokens] >= 0) & allowed)
        self._number_ring(ringed, g.label[s, tokens][ringed])
        if len(made := at(g.makes_atom)):
            self.parent[made, self.n_atoms[made]] = self.current[made]
            self.current[made] = self.n_atoms[made]
            self.n_atoms[made] += 1
        if len(opened := at(g.opens)):
            self.branches[opened, self.depth[opened]] = self.current[opened]
            self.depth[opened] += 1
        if len(shut := at(g.closes)):
            self.depth[shut] -= 1
            self.current[shut] = self.branches[shut, np.maximum(self.depth[shut], 0)]
        self.current[at(g.dots)] = -1
        self.state = np.where(allowed, g.following[s, tokens], LOST).astype(np.int8)

    def _number_ring(self, rows: np.ndarray, labels: np.ndarray) -> None:
        """Open or close ring number ``labels`` [n] at the current atom of ``rows`` [n]."""
        begun = self.open[rows, labels]
        closing = begun >= 0
        shut = rows[closing]
        self.closed[shut, self.n_closed[shut], 0] = begun[closing]
        self.closed[shut, self.n_closed[shut], 1] = self.current[shut]
        self.n_closed[shut] += 1
        self.open[rows, labels] = np.where(closing, -1, self.current[rows])
