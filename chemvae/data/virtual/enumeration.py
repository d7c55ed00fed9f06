"""Two virtual libraries that chemvae makes itself: drug-like molecules and donor-bridge-acceptor emitters.

Every molecule is the product of named reactions on named building blocks (``drug_blocks.py``, ``oled_blocks.py``), carried
out by RDKit. A library is a list of routes; a route is a product space of blocks; so a library has a size, its members can
be made one by one in any order, and the order is a fixed shuffle: the first hundred already show every kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from itertools import combinations_with_replacement
from typing import NamedTuple

import numpy as np
from rdkit import Chem
from rdkit.Chem import rdChemReactions

from chemvae.chem.molecules import quiet
from chemvae.chem.properties import compute_values
from chemvae.data.virtual import drug_blocks as drugs
from chemvae.data.virtual import oled_blocks as oleds
from chemvae.errors import SettingsError
from chemvae.parallel import stream_ordered

BLOCK_ROWS = 64
MIN_QED, MIN_MW, MAX_MW = 0.5, 150.0, 500.0

_AMINE = "[N;!$(N~[!#6]);!$(N[C,S]=[O,S,N]);!$(NC#N)"
REACTIONS = {
    "amide coupling": f"[CX3:1](=[O:2])[OX2H1].{_AMINE};H1,H2;+0:3]>>[C:1](=[O:2])[N:3]",
    "sulfonamide formation": f"[S;$(S(=O)=O):1]Cl.{_AMINE};H1,H2;+0:3]>>[S:1][N:3]",
    "urea formation": f"[NX3;H2:1][c:2].{_AMINE};!$(Nc);H1,H2;+0:3]>>[c:2][NH:1]C(=O)[N:3]",
    "SNAr": f"[c:1]Cl.{_AMINE};!$(Nc);H1,H2;+0:3]>>[c:1][N:3]",
    "reductive amination": "[CX3;H1:1]=O.[NX3;H1;$(N([CX4])[CX4]):3]>>[CH2:1][NH+:3]",
    "Boc removal": "[N:1][$(C(=O)OC([CH3])([CH3])[CH3])]>>[N:1]",
    "Suzuki coupling": "[c:1][$(B([OH])[OH])].[c:2]Br>>[c:1][c:2]",
    "Buchwald-Hartwig amination": "[#7;H1;!$(N[C,S]=[O,S,N]):1].[c:2]Br>>[#7;H0:1][c:2]",
}


class Product(NamedTuple):
    """One member of a library."""

    smiles: str
    """Canonical."""
    recipe: str
    """Route and blocks."""


@dataclass(frozen=True)
class Route:
    """A way to make molecules: some lists of blocks, and what is done with one of each."""

    name: str
    """The steps in words."""
    parts: tuple[tuple[str, ...], ...]
    """For each position the names of the blocks to choose from."""
    make: Callable[..., str]
    """Names of the chosen blocks -> SMILES."""

    @property
    def size(self) -> int:
        """How many combinations there are."""
        return int(np.prod([len(part) for part in self.parts]))

    def __call__(self, index: int) -> Product:
        """Make combination number ``index``."""
        places = np.unravel_index(index, [len(part) for part in self.parts])
        names = [part[place] for part, place in zip(self.parts, places, strict=True)]
        return Product(self.make(*names), f"{self.name}: {' + '.join(names)}")


def enumerate_drugs(limit: int | None = None, seed: int = 0, jobs: int = 1) -> Iterator[str]:
    """Make drug-like molecules: amides, sulfonamides, ureas, biaryls, SNAr and reductive amination products.

    About a fifth is charged (amines that are protonated in water), a third has stereo centres or double bonds.
    Kept are those with QED >= 0.5 and a molecular weight of 150 to 500 g/mol.

    Parameters
    ----------
    limit : int, optional
        Stop after so many; all (more than 20,000) without.
    seed : int
        Order; the whole set is the same for every seed.
    jobs : int
        Worker processes.

    Yields
    ------
    str
        Canonical SMILES, all different, in a fixed order.

    Examples
    --------
    >>> first = list(enumerate_drugs(limit=5))
    >>> len(set(first)), first == list(enumerate_drugs(limit=5))
    (5, True)
    """
    return (row[0] for row in stream_library("virtual-drugs", limit=limit, seed=seed, jobs=jobs))


def enumerate_oleds(limit: int | None = None, jobs: int = 1) -> Iterator[str]:
    """Make donor-bridge-acceptor emitters with one or two donors, more than 100,000.

    Yields
    ------
    str
        Canonical SMILES, all different, in a fixed order.

    Examples
    --------
    >>> len(set(enumerate_oleds(limit=5)))
    5
    """
    return (row[0] for row in stream_library("virtual-oleds", limit=limit, jobs=jobs))


def stream_library(
    name: str, properties: Sequence[str] = (), limit: int | None = None, seed: int = 0, jobs: int = 1
) -> Iterator[tuple]:
    """Make a library row by row: (canonical SMILES, recipe, one value per property), all molecules different.

    Examples
    --------
    >>> smiles, recipe, weight = next(stream_library("virtual-oleds", ["MW"], limit=1))
    >>> weight > 200
    True
    """
    if limit is not None and limit < 0:
        raise SettingsError(f"limit must be >= 0, got {limit}")
    order = shuffled(library_size(name), seed)
    blocks = (order[start : start + BLOCK_ROWS] for start in range(0, len(order), BLOCK_ROWS))
    work = partial(make_rows, name, tuple(properties))
    return _distinct(stream_ordered(work, blocks, jobs=jobs, chunk=1), limit)


def make_rows(name: str, properties: tuple[str, ...], indices: Sequence[int]) -> list[tuple]:
    """Make the members with these numbers, without those that the library's filter turns away."""
    rows: list[tuple] = []
    for product in (make_product(name, int(index)) for index in indices):
        if not properties and name != "virtual-drugs":
            rows.append(tuple(product))
            continue
        mol = Chem.MolFromSmiles(product.smiles)
        if name != "virtual-drugs" or is_drug_like(mol):
            row: list[str | float] = [*product, *compute_values(mol, properties)]
            rows.append(tuple(row))
    return rows


def make_product(name: str, index: int) -> Product:
    """Make member number ``index`` of a library, before any filter."""
    for route in routes(name):
        if index < route.size:
            return route(index)
        index -= route.size
    raise IndexError(f"{name} has {library_size(name)} members, asked for one beyond")


def library_size(name: str) -> int:
    """Count the combinations of a library, before filters and duplicates."""
    return sum(route.size for route in routes(name))


@lru_cache(maxsize=2)
def routes(name: str) -> tuple[Route, ...]:
    """The routes of a library."""
    return tuple({"virtual-drugs": _drug_routes, "virtual-oleds": _oled_routes}[name]())


def is_drug_like(mol: Chem.Mol) -> bool:
    """Whether molecular weight and QED are those of a drug candidate."""
    weight, qed = compute_values(mol, ("MW", "qed"))
    return MIN_MW <= weight <= MAX_MW and qed >= MIN_QED


def shuffled(n: int, seed: int) -> np.ndarray:
    """A permutation of 0..n-1 that is the same on every machine and with every numpy (splitmix64 of the index)."""
    with np.errstate(over="ignore"):
        x = np.arange(n, dtype=np.uint64) + np.uint64(seed + 1) * np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.argsort(x ^ (x >> np.uint64(31)), kind="stable")


def react(reaction: str, *reactants: str) -> str:
    """Carry out one named reaction on SMILES and return the canonical product.

    Raises
    ------
    ValueError
        If the reactants do not fit the reaction, or fit in more than one way.

    Examples
    --------
    >>> react("amide coupling", "OC(=O)C", "NCc1ccccc1")
    'CC(=O)NCc1ccccc1'
    """
    products = react_all(reaction, *reactants)
    if len(products) != 1:
        raise ValueError(f"{reaction} of {' + '.join(reactants)} gives {len(products)} products, expected one")
    return products[0]


def react_all(reaction: str, *reactants: str) -> list[str]:
    """All different products of one named reaction, sorted."""
    products = set()
    with quiet():
        for (mol,) in _reaction(reaction).RunReactants(tuple(_mol(smiles) for smiles in reactants)):
            Chem.SanitizeMol(mol)
            products.add(Chem.MolToSmiles(mol))  # the same string as after reading it back: a test checks a sample
    return sorted(products)


_react_once = cache(react)  # for intermediates, which many products share


@cache
def _reaction(name: str) -> rdChemReactions.ChemicalReaction:
    reaction = rdChemReactions.ReactionFromSmarts(REACTIONS[name])
    reaction.Initialize()
    return reaction


@lru_cache(maxsize=2048)  # a molecule of an emitter takes about 40 kB
def _mol(smiles: str) -> Chem.Mol:
    return Chem.MolFromSmiles(smiles)


def _distinct(blocks: Iterator[list[tuple]], limit: int | None) -> Iterator[tuple]:
    seen: set[str] = set()
    for row in (row for block in blocks for row in block):
        if limit is not None and len(seen) >= limit:
            return
        if row[0] not in seen:
            seen.add(row[0])
            yield row


def _names(*tables: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(name for table in tables for name in table)


# drugs -------------------------------------------------------------------------------------------------------------------

_DRUG_SMILES = {name: smiles for table in vars(drugs).values() if isinstance(table, dict) for name, smiles in table.items()}
_CAPS = {
    "SNAr": drugs.HETEROARYL_CHLORIDES,
    "sulfonamide formation": drugs.SULFONYL_CHLORIDES,
    "reductive amination": drugs.ALDEHYDES,
}


def _couple(reaction: str, first: str, second: str) -> str:
    return react(reaction, _DRUG_SMILES[first], _DRUG_SMILES[second])


def _biaryl_amide(bromo_acid: str, boronic_acid: str, amine: str) -> str:
    acid = _react_once("Suzuki coupling", _DRUG_SMILES[boronic_acid], _DRUG_SMILES[bromo_acid])
    return react("amide coupling", acid, _DRUG_SMILES[amine])


def _capped_diamine(reaction: str, acid: str, diamine: str, cap: str) -> str:
    protected = _react_once("amide coupling", _DRUG_SMILES[acid], _DRUG_SMILES[diamine])
    return react(reaction, _DRUG_SMILES[cap], _react_once("Boc removal", protected))


def _drug_routes() -> Iterator[Route]:
    amines, anilines = _names(drugs.AMINES, drugs.CYCLIC_AMINES), _names(drugs.ANILINES)
    acids, cyclic = _names(drugs.ACIDS), _names(drugs.CYCLIC_AMINES)
    sulfonyls, chlorides = _names(drugs.SULFONYL_CHLORIDES), _names(drugs.HETEROARYL_CHLORIDES)
    yield Route("amide coupling", (acids, amines + anilines), partial(_couple, "amide coupling"))
    yield Route("sulfonamide formation", (sulfonyls, amines + anilines), partial(_couple, "sulfonamide formation"))
    yield Route("urea formation", (anilines, amines), partial(_couple, "urea formation"))
    yield Route("SNAr", (chlorides, amines), partial(_couple, "SNAr"))
    yield Route("reductive amination", (_names(drugs.ALDEHYDES), cyclic), partial(_couple, "reductive amination"))
    biaryls = (_names(drugs.BROMO_ACIDS), _names(drugs.BORONIC_ACIDS), amines)
    yield Route("Suzuki coupling, amide coupling", biaryls, _biaryl_amide)
    for reaction, caps in _CAPS.items():
        name = f"amide coupling, Boc removal, {reaction}"
        yield Route(name, (acids, _names(drugs.BOC_DIAMINES), _names(caps)), partial(_capped_diamine, reaction))


# emitters ----------------------------------------------------------------------------------------------------------------

_PAIR = " and "
_TWO_DONORS = tuple(_PAIR.join(pair) for pair in combinations_with_replacement(oleds.DONORS, 2))


def _aryl_donor(donor: str, bridge: str) -> str:
    return _react_once("Buchwald-Hartwig amination", oleds.DONORS[donor], oleds.BRIDGES[bridge])


def _donor_acceptor(donor: str, acceptor: str) -> str:
    return react("Buchwald-Hartwig amination", oleds.DONORS[donor], oleds.ACCEPTORS[acceptor])


def _donor_bridge_acceptor(donor: str, bridge: str, acceptor: str) -> str:
    return react("Suzuki coupling", _aryl_donor(donor, bridge), oleds.ACCEPTORS[acceptor])


@cache
def _half_coupled(donor: str, bridge: str, acceptor: str) -> str:
    return react_all("Suzuki coupling", _aryl_donor(donor, bridge), oleds.TWO_SIDED_ACCEPTORS[acceptor])[0]


def _donor_acceptor_donor(donors: str, bridge: str, acceptor: str) -> str:
    first, second = donors.split(_PAIR)
    return react("Suzuki coupling", _aryl_donor(second, bridge), _half_coupled(first, bridge, acceptor))


@cache
def _two_donor_half(donors: str, bridge: str) -> str:
    first, second = (oleds.DONORS[name] for name in donors.split(_PAIR))
    bromide = react_all("Buchwald-Hartwig amination", first, oleds.TWO_DONOR_BRIDGES[bridge])[0]
    return react("Buchwald-Hartwig amination", second, bromide)


def _two_donors_acceptor(donors: str, bridge: str, acceptor: str) -> str:
    return react("Suzuki coupling", _two_donor_half(donors, bridge), oleds.ACCEPTORS[acceptor])


def _oled_routes() -> Iterator[Route]:
    donors, bridges, acceptors = _names(oleds.DONORS), _names(oleds.BRIDGES), _names(oleds.ACCEPTORS)
    yield Route("donor, acceptor", (donors, acceptors), _donor_acceptor)
    yield Route("donor, bridge, acceptor", (donors, bridges, acceptors), _donor_bridge_acceptor)
    two_sided = (_TWO_DONORS, bridges, _names(oleds.TWO_SIDED_ACCEPTORS))
    yield Route("donor, bridge, acceptor, bridge, donor", two_sided, _donor_acceptor_donor)
    yield Route(
        "two donors on a bridge, acceptor", (_TWO_DONORS, _names(oleds.TWO_DONOR_BRIDGES), acceptors), _two_donors_acceptor
    )
