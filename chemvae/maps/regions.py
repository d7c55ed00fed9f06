"""Names for the regions of a map at every zoom: ring systems and groups that molecules of a region have and others have not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from rdkit import Chem

from chemvae.chem.molecules import parse
from chemvae.parallel.pool import map_ordered

LEVELS = (8, 32, 128, 512)
"""Regions at each zoom."""
SMALLEST_REGION = 12
"""Molecules, of those looked at, that a name is drawn from."""
MOST_LOOKED_AT = 6_000
COMMON, LIFTED = 0.35, 1.6
"""A name holds for this share of a region at least, and as many times as often as elsewhere."""

RINGS = {
    "carbazole": "c1ccc2c(c1)[nH0,nH1]c1ccccc12",
    "indolocarbazole": "c1ccc2c(c1)nc1ccc3nc4ccccc4c3c12",
    "acridine": "c1ccc2nc3ccccc3cc2c1",
    "acridan": "c1ccc2c(c1)[#6X4]c1ccccc1[#7]2",
    "phenoxazine": "c1ccc2c(c1)[#7]c1ccccc1[#8]2",
    "phenothiazine": "c1ccc2c(c1)[#7]c1ccccc1[#16]2",
    "triphenylamine": "c1ccccc1N(c1ccccc1)c1ccccc1",
    "dibenzofuran": "c1ccc2c(c1)oc1ccccc12",
    "dibenzothiophene": "c1ccc2c(c1)sc1ccccc12",
    "fluorene": "c1ccc2c(c1)Cc1ccccc12",
    "anthracene": "c1ccc2cc3ccccc3cc2c1",
    "pyrene": "c1cc2ccc3cccc4ccc(c1)c2c34",
    "perylene": "c1cc2cccc3c4cccc5cccc(c(c1)c23)c54",
    "BODIPY": "[B]1([F,C,O])n2cccc2C=C2C=CC=[N+]12",
    "triazine": "c1ncncn1",
    "pyridazine": "c1ccnnc1",
    "pyrimidine": "c1cncnc1",
    "pyrazine": "c1cnccn1",
    "quinoline": "c1ccc2ncccc2c1",
    "isoquinoline": "c1ccc2cnccc2c1",
    "quinazoline": "c1ccc2ncncc2c1",
    "quinoxaline": "c1ccc2nccnc2c1",
    "quinazolinone": "O=c1[nH0,nH1]cnc2ccccc12",
    "coumarin": "O=c1ccc2ccccc2o1",
    "chromone": "O=c1ccoc2ccccc12",
    "xanthene": "c1ccc2c(c1)Cc1ccccc1O2",
    "indole": "c1ccc2[nH0,nH1]ccc2c1",
    "oxindole": "O=C1Cc2ccccc2N1",
    "isoindolinone": "O=C1NCc2ccccc12",
    "phthalimide": "O=C1NC(=O)c2ccccc12",
    "benzimidazole": "c1ccc2[nH0,nH1]cnc2c1",
    "benzothiazole": "c1ccc2scnc2c1",
    "benzoxazole": "c1ccc2ocnc2c1",
    "benzothiadiazole": "c1ccc2nsnc2c1",
    "benzofuran": "c1ccc2occc2c1",
    "benzothiophene": "c1ccc2sccc2c1",
    "benzodioxole": "c1ccc2c(c1)OCO2",
    "benzodioxane": "c1ccc2c(c1)OCCO2",
    "purine": "c1ncc2ncnc2n1",
    "pyrazolopyrimidine": "c1cnc2ccnn2c1",
    "imidazopyridine": "c1ccn2ccnc2c1",
    "thienothiophene": "c1cc2sccc2s1",
    "bithiophene": "c1cc(sc1)-c1cccs1",
    "thiophene": "c1ccsc1",
    "furan": "c1ccoc1",
    "pyrrole": "c1cc[nH0,nH1]c1",
    "pyrazole": "c1cn[nH0,nH1]c1",
    "imidazole": "c1c[nH0,nH1]cn1",
    "thiazole": "c1cscn1",
    "oxazole": "c1cocn1",
    "isoxazole": "c1cnoc1",
    "1,2,3-triazole": "c1cnn[nH0,nH1]1",
    "1,2,4-triazole": "c1ncn[nH0,nH1]1",
    "oxadiazole": "[$(c1nnco1),$(c1ncno1),$(c1nocn1)]",
    "thiadiazole": "[$(c1nncs1),$(c1ncns1)]",
    "tetrazole": "c1nnn[nH0,nH1]1",
    "pyridine": "c1ccncc1",
    "pyridone": "O=c1cccc[nH0,nH1]1",
    "piperazine": "C1CNCCN1",
    "morpholine": "C1COCCN1",
    "thiomorpholine": "C1CSCCN1",
    "piperidine": "C1CCNCC1",
    "pyrrolidine": "C1CCNC1",
    "lactam": "[#6]1(=O)[#7;R][#6;R][#6;R]1",
    "azetidine": "C1CNC1",
    "tetrahydroisoquinoline": "c1ccc2c(c1)CCNC2",
    "indane": "c1ccc2c(c1)CCC2",
    "tetralin": "c1ccc2c(c1)CCCC2",
    "tropane": "C1CC2CCC(C1)N2",
    "adamantane": "C1C2CC3CC1CC(C2)C3",
    "steroid": "C1CC2CCC3C4CCCC4CCC3C2CC1",
    "sugar": "OC1[CX4][CX4]([OX2])[CX4]([OX2])[CX4]O1",
    "tetrahydrofuran": "C1CCOC1",
    "cyclopropane": "C1CC1",
    "cyclopentane": "C1CCCC1",
    "cyclohexane": "C1CCCCC1",
    "naphthalene": "c1ccc2ccccc2c1",
    "biphenyl": "c1ccccc1-c1ccccc1",
    "silole": "[Si]1C=CC=C1",
    "beta-lactam": "O=C1CCN1",
}
"""Ring systems, the most telling first."""

GROUPS = {
    "sulfonamide": "[SX4](=O)(=O)[#7]",
    "sulfone": "[#6][SX4](=O)(=O)[#6]",
    "urea": "[NX3;!$(N-S)]C(=O)[NX3]",
    "thiourea": "[NX3]C(=S)[NX3]",
    "carbamate": "[NX3]C(=O)[OX2][#6]",
    "hydrazide": "[NX3]-[NX3]C=O",
    "hydrazone": "[#6]=N-[NX3]",
    "hydroxamate": "C(=O)N[OX2]",
    "aryl amide": "c[CX3](=O)[NX3]",
    "anilide": "c[NX3;!$(N-S)]C(=O)[#6]",
    "amide": "[#6][CX3](=O)[NX3]",
    "carboxylic acid": "[CX3](=O)[OX2H1,OX1-]",
    "ester": "[#6][CX3](=O)[OX2][#6]",
    "ketone": "[#6][CX3](=O)[#6]",
    "aldehyde": "[CX3H1](=O)[#6]",
    "nitrile": "C#N",
    "nitro": "[NX3+](=O)[O-]",
    "alkyne": "C#C",
    "phosphate": "[PX4](=O)([OX2])[OX2]",
    "phosphine oxide": "[PX4](=O)([#6])([#6])[#6]",
    "boron": "[#5]",
    "silicon": "[#14]",
    "selenium": "[#34]",
    "trifluoromethyl": "[CX4](F)(F)F",
    "aryl bromide": "cBr",
    "aryl chloride": "cCl",
    "aryl fluoride": "cF",
    "iodide": "[#53]",
    "phenol": "[OX2H]c",
    "aryl ether": "c[OX2][CX4]",
    "diaryl ether": "c[OX2]c",
    "thioether": "[#6;!a][SX2][#6]",
    "alcohol": "[OX2H][CX4]",
    "ammonium": "[NX4+]",
    "tertiary amine": "[NX3;H0;!$(N-[C,S]=*);!$(N-a)]([CX4])([CX4])[CX4]",
    "aniline": "[NX3;H1,H2;!$(N-[C,S]=*)]c",
    "vinyl": "[CX3;!$(C=[O,N,S])]=[CX3]",
    "long alkyl chain": "[CH2][CH2][CH2][CH2][CH2][CH2]",
}
"""Functional groups."""

TERMS = (*RINGS, *GROUPS)
"""Names of the columns that :func:`term_table` fills."""


@lru_cache(maxsize=1)
def _queries() -> list[Chem.Mol]:
    return [Chem.MolFromSmarts(smarts) for smarts in (RINGS | GROUPS).values()]


def term_table(smiles: Sequence[str], jobs: int = 1) -> np.ndarray:
    """Return which terms hold for each molecule: bool [N, len(TERMS)].

    Examples
    --------
    >>> held = term_table(["O=S(=O)(N)c1ccccc1", "C1CNCCN1C", "not one"])
    >>> [[TERMS[i] for i in row.nonzero()[0]] for row in held]
    [['sulfonamide'], ['piperazine', 'tertiary amine'], []]
    """
    rows = map_ordered(_held, smiles, jobs, chunk=256)
    return np.array(rows, dtype=bool).reshape(len(smiles), len(TERMS))


def _held(smiles: str) -> list[bool]:
    mol = parse(smiles)
    return [False] * len(TERMS) if mol is None else [mol.HasSubstructMatch(query) for query in _queries()]


@dataclass(frozen=True)
class RegionLabel:
    """A name that stands on a map."""

    x: float
    y: float
    level: int
    """0 for the whole map, more for what is seen when it is near."""
    text: str


def region_labels(
    xy: np.ndarray, smiles: Sequence[str], *, jobs: int = 1, seed: int = 0, terms: np.ndarray | None = None
) -> list[RegionLabel]:
    """Cut a map into regions at several zooms and name each by the terms that set it apart.

    Parameters
    ----------
    xy : ndarray [N, 2]
        Rows with NaN are left out.
    smiles : sequence of str, N
    jobs : int
        Worker processes for RDKit.
    seed : int
        Of the molecules that are looked at, at most ``MOST_LOOKED_AT``, and of the regions.
    terms : ndarray of bool [n, len(TERMS)], optional
        Of the molecules that are looked at, where they are known.

    Returns
    -------
    list of RegionLabel
        Coarse ones first; a region whose molecules have nothing in common has none.

    References
    ----------
    McInnes, datamapplot, 2024. https://datamapplot.readthedocs.io (that maps name their clusters at each zoom)
    """
    placed = np.flatnonzero(np.isfinite(xy).all(axis=1))
    if len(placed) > MOST_LOOKED_AT:
        placed = np.sort(np.random.default_rng(seed).choice(placed, MOST_LOOKED_AT, replace=False))
    if len(placed) < 2 * SMALLEST_REGION:
        return []
    held = term_table([smiles[row] for row in placed.tolist()], jobs) if terms is None else terms
    found = []
    for level, n_regions in enumerate(LEVELS):
        n_regions = min(n_regions, len(placed) // SMALLEST_REGION)
        if level and n_regions < LEVELS[level - 1]:
            break
        found += _named_regions(xy[placed], held, n_regions, level, seed)
    return found


def _named_regions(xy: np.ndarray, held: np.ndarray, n_regions: int, level: int, seed: int) -> list[RegionLabel]:
    """The labels of one level."""
    from sklearn.cluster import KMeans

    region = KMeans(n_regions, n_init=1, random_state=seed, max_iter=30).fit_predict(xy)
    labels = []
    for number in range(n_regions):
        mine = np.flatnonzero(region == number)
        text = name_of(held[mine].mean(axis=0), held.mean(axis=0)) if len(mine) >= SMALLEST_REGION else ""
        if text:
            middle = np.median(xy[mine], axis=0)
            labels.append(RegionLabel(float(middle[0]), float(middle[1]), level, text))
    return labels


def name_of(share: np.ndarray, everywhere: np.ndarray) -> str:
    """Name a region by its most telling ring and its most telling group; "" if nothing sets it apart.

    A term tells p log(p / q), p its share in the region and q that on the whole map: its part of the divergence of the two.

    Parameters
    ----------
    share : ndarray [len(TERMS)]
        Of the region's molecules, that hold each term.
    everywhere : ndarray [len(TERMS)]
        Of all.

    Examples
    --------
    >>> share = np.zeros(len(TERMS))
    >>> share[[TERMS.index("piperazine"), TERMS.index("sulfonamide")]] = 0.9, 0.6
    >>> name_of(share, np.full(len(TERMS), 0.1)), name_of(np.full(len(TERMS), 0.1), np.full(len(TERMS), 0.1))
    ('piperazine sulfonamide', '')
    """
    telling = share * np.log(np.maximum(share, 1e-9) / np.maximum(everywhere, 1e-9))
    telling[(share < COMMON) | (share < LIFTED * everywhere)] = 0.0
    rings, groups = telling[: len(RINGS)], telling[len(RINGS) :]
    words = [table[int(part.argmax())] for part, table in ((rings, list(RINGS)), (groups, list(GROUPS))) if part.max() > 0]
    return " ".join(words)
