"""What is asked of a library: near what, and under which conditions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from rdkit import Chem, DataStructs

from chemvae.chem.descriptors import compute_many
from chemvae.chem.fingerprints import pattern
from chemvae.chem.molecules import canonicalize, invalid_reason
from chemvae.data.given import read_codes
from chemvae.design.filters.structure import Substructure
from chemvae.errors import InvalidMoleculeError, SettingsError
from chemvae.library.scan import hold_all
from chemvae.library.shard import Shard
from chemvae.library.where import Where

SPACES = ("latent", "fingerprint")


@dataclass(frozen=True)
class Query:
    """A question to a library; fields as ``chemvae search`` has flags.

    Raises
    ------
    SettingsError
        If it contradicts itself, with every complaint at once.
    InvalidMoleculeError
        If ``near`` is no molecule.
    """

    near: Any = None
    """A SMILES, or a latent point of D numbers. Without it hits come in the library's order."""
    n: int = 50
    """Hits at most."""
    space: str = "latent"
    """Near in "latent" space, or by "fingerprint": Tanimoto similarity of ECFP4, 2,048 bits."""
    where: Sequence[str] = ()
    """Conditions on columns, see :class:`chemvae.library.where.Where`; all must hold."""
    having: Sequence[str] = ()
    """SMARTS (or SMILES) that must be there, each."""
    without: Sequence[str] = ()
    """SMARTS (or SMILES) that must not be there, none."""
    min_similarity: float | None = None
    """Tanimoto similarity to ``near``, at least."""
    approximate: bool = False
    """By the index of ``chemvae library index``, which may miss some of the nearest, not by a look at every code."""

    def __post_init__(self) -> None:
        for name in ("where", "having", "without"):
            given = getattr(self, name)
            object.__setattr__(self, name, (given,) if isinstance(given, str) else tuple(given))
        complaints = [f"n must be >= 1, got {self.n}"] if self.n < 1 else []
        if self.space not in SPACES:
            complaints.append(f"space must be one of {', '.join(SPACES)}, got '{self.space}'")
        if self.min_similarity is not None and not 0.0 <= self.min_similarity <= 1.0:
            complaints.append(f"min_similarity must be in 0..1, got {self.min_similarity}")
        if self.near is None and (self.min_similarity is not None or self.space == "fingerprint"):
            complaints.append("similarity to what? name the molecule with near")
        if self.point is not None and (self.min_similarity is not None or self.space == "fingerprint"):
            complaints.append("a latent point has no fingerprint; give near as a SMILES")
        if self.approximate and (self.near is None or self.space != "latent"):
            complaints.append("approximate finds what is near a molecule in latent space; leave it out to search otherwise")
        if self.approximate and (self.where or self.having or self.without or self.min_similarity is not None):
            complaints.append("approximate knows no conditions; leave it out to search with them")
        if complaints:
            raise SettingsError(complaints)
        self._check_near()

    def _check_near(self) -> None:
        if isinstance(self.near, str) and self.smiles is None:
            raise InvalidMoleculeError(self.near, invalid_reason(self.near) or "RDKit cannot read it")
        if self.near is not None and not isinstance(self.near, str) and self.point is None:
            raise SettingsError(f"near must be a SMILES or a latent point, got a {type(self.near).__name__}")

    @cached_property
    def smiles(self) -> str | None:
        """``near`` as a canonical SMILES; None if it is none."""
        return canonicalize(self.near) if isinstance(self.near, str) else None

    @cached_property
    def point(self) -> np.ndarray | None:
        """``near`` as a latent point [D]; None if it is none."""
        codes = None if self.near is None or isinstance(self.near, str) else read_codes(self.near)
        return None if codes is None else np.asarray(codes, dtype=np.float64).reshape(-1)

    @cached_property
    def fingerprint(self) -> np.ndarray | None:
        """Bits of ``near`` as a molecule: uint8 [256]; None if it is none."""
        found = None if self.smiles is None else compute_many([self.smiles], fingerprint="morgan").fingerprints
        return None if found is None else found[0]

    @cached_property
    def conditions(self) -> list[Where]:
        """``where``, read."""
        return [Where(text) for text in self.where]

    @cached_property
    def structure(self) -> StructureFilter:
        """``having`` and ``without``, read."""
        return StructureFilter(
            [Substructure(text, wanted=True) for text in self.having],
            [Substructure(text, wanted=False) for text in self.without],
        )


@dataclass(frozen=True)
class StructureFilter:
    """Substructures that must be there, and that must not: looked for in fingerprints first, by RDKit where those allow it."""

    having: list[Substructure]
    without: list[Substructure]
    _screens: dict[str, list[np.ndarray]] = field(default_factory=dict, init=False, repr=False)

    def __bool__(self) -> bool:
        return bool(self.having or self.without)

    def may_pass(self, shard: Shard) -> np.ndarray | None:
        """Rows of a shard that may have all that is wanted: bool [n]; None for all of them."""
        if not self.having:
            return None
        bits = shard.array("pattern")
        return np.logical_and.reduce([self._may_match(one, bits) for one in self.having])

    def passes(self, shard: Shard, places: np.ndarray) -> np.ndarray:
        """Which rows of a shard (places [m]) have what is wanted and lack what is not: bool [m]."""
        bits = shard.array("pattern")[places]
        answer = np.ones(len(places), bool)
        smiles = shard.rows(places, ["smiles"])["smiles"].to_pylist()
        for one in (*self.having, *self.without):
            may_match = self._may_match(one, bits)
            doubtful = np.flatnonzero(answer & may_match)
            answer &= may_match | (not one.wanted)
            answer[doubtful] = one.allows([smiles[i] for i in doubtful.tolist()])
        return answer

    def _may_match(self, one: Substructure, bits: np.ndarray) -> np.ndarray:
        """Rows of fingerprints [n, 128] that a substructure may be in: bool [n]."""
        if one.smarts not in self._screens:
            self._screens[one.smarts] = [_bits_of(query) for query in one.patterns]
        return np.logical_or.reduce([hold_all(bits, screen) for screen in self._screens[one.smarts]])


def _bits_of(query: Chem.Mol) -> np.ndarray:
    """Bits that every molecule with this substructure has: uint8 [128].

    Hydrogens that are written out stand in no molecule of a library: such a pattern is looked for everywhere.
    """
    if any(atom.GetAtomicNum() == 1 for atom in query.GetAtoms()):
        query = Chem.Mol()
    query.UpdatePropertyCache(strict=False)
    (bits,) = pattern([query])
    return np.frombuffer(DataStructs.BitVectToBinaryText(bits), dtype=np.uint8)
