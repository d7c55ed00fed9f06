"""Properties computed from the structure: one table, each with its unit, its usual range and its source.

A new property is a function ``Mol -> float`` and one line in :data:`PROPERTIES`. One that takes long says so (``seconds``, and
``max_jobs`` where several at once would get in each other's way), one that looks at shape asks for a conformer.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from types import ModuleType
from typing import TYPE_CHECKING

from rdkit import Chem
from rdkit.Chem import QED, Crippen, Descriptors, rdMolDescriptors

from chemvae.chem.conformers import conformer
from chemvae.chem.molecules import parse, quiet
from chemvae.chem.quantum.calculation import QuantumProperty
from chemvae.chem.quantum.methods import METHODS
from chemvae.errors import SettingsError
from chemvae.parallel import count_jobs, map_ordered
from chemvae.registry import find

if TYPE_CHECKING:
    import pandas as pd

CHUNK_ROWS = 512
DEAR_S = 0.1
"""Seconds per molecule above which a property is dear: it is computed where it is asked for, and never just to be shown."""
# Mean and standard deviation of logP, SAS and ring penalty over ZINC250k, as everyone who reports penalized logP uses them.
_ZINC_MOMENTS = {"logP": (2.4570953, 1.4343244), "SAS": (3.0525811, 0.8335207), "ring": (0.0485697, 0.2860212)}

_mol_logp: Callable[[Chem.Mol], float] = Crippen.MolLogP  # type: ignore[attr-defined]  # made at import: not in the stubs
_mol_mr: Callable[[Chem.Mol], float] = Crippen.MolMR  # type: ignore[attr-defined]  # made at import: not in the stubs
_mol_wt: Callable[[Chem.Mol], float] = Descriptors.MolWt  # type: ignore[attr-defined]  # made at import: not in the stubs


@dataclass(frozen=True)
class Property:
    """A number that follows from the structure alone."""

    name: str
    """As in the data and in every table."""
    unit: str
    """Unit of the value; "1" for a pure number."""
    low: float
    """Lower end of the range most drug-like molecules fall in (for axes and sanity checks, not a bound)."""
    high: float
    """Upper end of that range."""
    source: str
    """Who defined it."""
    function: Callable[[Chem.Mol], float]
    """RDKit molecule -> value."""
    exploitable: bool = False
    """Whether an optimizer can raise it without end by making nonsense."""
    seconds: float = 0.0
    """What it typically takes per molecule, seconds on one core; above :data:`DEAR_S` it is dear."""
    needs_conformer: bool = False
    """Whether the function wants the molecule with its hydrogen atoms and one conformer, see :func:`conformer`."""
    max_jobs: int | None = None
    """Worker processes that may compute it at once, in one program; None for as many as are asked for."""
    known: Callable[[Chem.Mol], float | None] | None = None
    """Molecule -> its value where that is remembered, else None; asked before a conformer is made. None where nothing is."""
    require: Callable[[], None] | None = None
    """Raises ``MissingExtraError`` where a program it needs is not installed. None where it needs none."""

    def __post_init__(self) -> None:
        if self.seconds < 0 or (self.max_jobs is not None and self.max_jobs < 1):
            raise SettingsError(
                f"property '{self.name}' must have seconds >= 0 and max_jobs >= 1 or None, "
                f"got {self.seconds} and {self.max_jobs}"
            )

    @property
    def is_dear(self) -> bool:
        """Whether it takes so long that it is only computed where it is asked for."""
        return self.seconds > DEAR_S


@lru_cache(maxsize=1)
def _sa_scorer() -> ModuleType:
    """Load the Ertl scorer that ships inside the RDKit wheel (its fragment table takes a moment, so only when asked)."""
    try:
        from rdkit.Contrib.SA_Score import sascorer
    except ImportError:  # wheels where Contrib is data beside the package
        import sys
        from pathlib import Path

        from rdkit import RDConfig

        sys.path.append(str(Path(RDConfig.RDContribDir) / "SA_Score"))
        import sascorer
    return sascorer


def drug_likeness(mol: Chem.Mol) -> float:
    """QED with the mean weights of its authors; remembered on the molecule, because filters and labels both ask for it.

    Examples
    --------
    >>> round(drug_likeness(parse("CC(=O)Oc1ccccc1C(=O)O")), 3)
    0.55
    """
    if not mol.HasProp("_chemvae_qed"):
        mol.SetDoubleProp("_chemvae_qed", QED.qed(mol, qedProperties=_qed_parts(mol)))
    return mol.GetDoubleProp("_chemvae_qed")


def _qed_parts(mol: Chem.Mol) -> QED.QEDproperties:
    """What QED weighs, as ``QED.properties`` counts it, but on the molecule itself where it has no hydrogen atoms to remove.

    RDKit works on a copy, which knows nothing of what was computed of the molecule before: its logP is a fifth of the time.
    """
    if any(atom.GetAtomicNum() == 1 for atom in mol.GetAtoms()):
        return QED.properties(mol)
    return QED.QEDproperties(
        MW=_mol_wt(mol),
        ALOGP=_mol_logp(mol),
        HBA=sum(len(mol.GetSubstructMatches(pattern)) for pattern in QED.Acceptors if mol.HasSubstructMatch(pattern)),
        HBD=rdMolDescriptors.CalcNumHBD(mol),
        PSA=rdMolDescriptors.CalcTPSA(mol),
        ROTB=rdMolDescriptors.CalcNumRotatableBonds(mol, rdMolDescriptors.NumRotatableBondsOptions.Strict),
        AROM=len(Chem.GetSSSR(Chem.DeleteSubstructs(Chem.Mol(mol), QED.AliphaticRings))),
        ALERTS=sum(mol.HasSubstructMatch(alert) for alert in QED.StructuralAlerts),
    )


def synthetic_accessibility(mol: Chem.Mol) -> float:
    """SA score of Ertl and Schuffenhauer: 1 easy to make, 10 hard.

    Examples
    --------
    >>> round(synthetic_accessibility(parse("CC(=O)Oc1ccccc1C(=O)O")), 2)
    1.58
    """
    return float(_sa_scorer().calculateScore(mol))


def ring_penalty(mol: Chem.Mol) -> float:
    """Atoms by which the largest ring exceeds six; 0 without such a ring."""
    largest = max((len(ring) for ring in mol.GetRingInfo().AtomRings()), default=0)
    return float(max(0, largest - 6))


def penalized_logp(mol: Chem.Mol) -> float:
    """LogP minus SA score minus ring penalty, each in ZINC250k standard deviations from its ZINC250k mean.

    Exploitable: long alkyl chains raise it without end. Use it to check an optimizer, with a size limit, not to design.
    """
    parts = {"logP": _mol_logp(mol), "SAS": synthetic_accessibility(mol), "ring": ring_penalty(mol)}
    scaled = {name: (parts[name] - mean) / std for name, (mean, std) in _ZINC_MOMENTS.items()}
    return scaled["logP"] - scaled["SAS"] - scaled["ring"]


def _stereocentres(mol: Chem.Mol) -> int:
    return len(Chem.FindMolChiralCenters(mol, includeUnassigned=True, useLegacyImplementation=False))


_ROWS = [
    Property("logP", "1", -1.0, 6.0, "Wildman & Crippen 1999, doi:10.1021/ci990307l", _mol_logp),
    Property("qed", "1", 0.0, 1.0, "Bickerton et al. 2012, doi:10.1038/nchem.1243", drug_likeness),
    Property("SAS", "1", 1.0, 6.0, "Ertl & Schuffenhauer 2009, doi:10.1186/1758-2946-1-8", synthetic_accessibility),
    Property("MW", "g/mol", 100.0, 600.0, "average molecular weight", _mol_wt),
    Property("TPSA", "A^2", 0.0, 150.0, "Ertl, Rohde & Selzer 2000, doi:10.1021/jm000942e", rdMolDescriptors.CalcTPSA),
    Property("HBD", "1", 0.0, 5.0, "hydrogen bond donors, RDKit", rdMolDescriptors.CalcNumHBD),
    Property("HBA", "1", 0.0, 10.0, "hydrogen bond acceptors, RDKit", rdMolDescriptors.CalcNumHBA),
    Property("rotatable_bonds", "1", 0.0, 10.0, "rotatable bonds, RDKit strict", rdMolDescriptors.CalcNumRotatableBonds),
    Property("rings", "1", 0.0, 6.0, "rings of the smallest set", rdMolDescriptors.CalcNumRings),
    Property("aromatic_rings", "1", 0.0, 5.0, "aromatic rings", rdMolDescriptors.CalcNumAromaticRings),
    Property("heavy_atoms", "1", 5.0, 45.0, "atoms other than hydrogen", Chem.Mol.GetNumHeavyAtoms),
    Property("fraction_csp3", "1", 0.0, 1.0, "Lovering et al. 2009, doi:10.1021/jm901241e", rdMolDescriptors.CalcFractionCSP3),
    Property("stereocentres", "1", 0.0, 6.0, "tetrahedral centres, specified or not", _stereocentres),
    Property("charge", "e", -1.0, 1.0, "net formal charge", Chem.GetFormalCharge),
    Property("molar_refractivity", "cm^3/mol", 40.0, 130.0, "Wildman & Crippen 1999, doi:10.1021/ci990307l", _mol_mr),
    Property(
        "penalized_logP",
        "1",
        -6.0,
        4.0,
        "Gomez-Bombarelli et al. 2018, doi:10.1021/acscentsci.7b00572, scaled as Kusner et al. 2017, https://arxiv.org/abs/1703.01925",
        penalized_logp,
        exploitable=True,
    ),
]
_CALCULATED = [
    Property(
        f"{method.name}_{quantity.name}", quantity.unit, quantity.low, quantity.high, method.source,
        function=(function := QuantumProperty(method.name, quantity.name)), known=function.known, require=method.require,
        seconds=method.seconds, needs_conformer=True, max_jobs=method.max_jobs,
    )
    for method in METHODS.values()
    for quantity in method.quantities
]  # fmt: skip
PROPERTIES: dict[str, Property] = {row.name: row for row in (*_ROWS, *_CALCULATED)}
_REASONS: OrderedDict[tuple[str, str], str] = OrderedDict()
"""Property and canonical SMILES -> why this process found no value, the last of them."""
MOST_REASONS = 4096


def job_limit(names: Iterable[str], jobs: int) -> int:
    """How many worker processes may compute some properties, where ``jobs`` are wanted (0: one per core).

    Examples
    --------
    >>> job_limit(["logP", "qed"], 4)
    4
    """
    limits = [limit for name in names if (limit := PROPERTIES[name].max_jobs) is not None]
    return min(count_jobs(jobs), *limits) if limits else jobs


def require_programs(names: Iterable[str]) -> None:
    """See to it that what some properties (in the table's spelling) need is installed.

    Raises
    ------
    MissingExtraError
        Naming the extra that brings it.

    Examples
    --------
    >>> require_programs(["logP", "qed"])
    """
    for name in names:
        if (require := PROPERTIES[name].require) is not None:
            require()


def missing_reason(name: str, smiles: str) -> str:
    """Why this process found no value of a property (in the table's spelling) of a canonical molecule; "" if it is not known.

    Examples
    --------
    >>> missing_reason("logP", "CCO")
    ''
    """
    return _REASONS.get((name, smiles), "")


def affordable(names: Iterable[str]) -> list[str]:
    """Those of the properties (in the table's spelling) that are not dear.

    Examples
    --------
    >>> affordable(["logP", "qed"])
    ['logP', 'qed']
    """
    return [name for name in names if not PROPERTIES[name].is_dear]


def compute(name: str, smiles: str) -> float:
    """Compute one property of one molecule; NaN if it is not a molecule.

    Raises
    ------
    UnknownNameError
        If there is no such property; case does not matter.

    Examples
    --------
    >>> round(compute("MW", "O"), 3), compute("logp", "C1CC")
    (18.015, nan)
    """
    name, prop = find(PROPERTIES, name, "property")
    require_programs([name])
    mol = parse(smiles)
    return math.nan if mol is None else _value(prop, mol)


def compute_table(smiles: Sequence[str], names: Iterable[str], jobs: int = 1) -> pd.DataFrame:
    """Compute several properties of many molecules, one row each, in order; a row of NaN for what is not a molecule.

    Parameters
    ----------
    smiles : sequence of str, length N
    names : iterable of str, length P
        Of :data:`PROPERTIES`, case does not matter; columns carry the table's spelling.
    jobs : int
        Worker processes, at most the ``max_jobs`` of each property; 1 works in this one.

    Returns
    -------
    DataFrame [N, P]

    Raises
    ------
    UnknownNameError
        If there is no such property.

    Examples
    --------
    >>> compute_table(["CCO", "?"], ["HBD", "rings"])
       HBD  rings
    0  1.0    0.0
    1  NaN    NaN
    """
    import pandas as pd

    columns = [find(PROPERTIES, name, "property")[0] for name in names]
    require_programs(columns)
    smiles = list(smiles)
    rows = CHUNK_ROWS if affordable(columns) == columns else 1
    chunks = [smiles[start : start + rows] for start in range(0, len(smiles), rows)]
    blocks = map_ordered(partial(compute_rows, names=tuple(columns)), chunks, jobs=job_limit(columns, jobs), chunk=1)
    return pd.DataFrame([row for block in blocks for row in block], columns=columns, dtype=float)


def compute_rows(smiles: Sequence[str], names: Sequence[str]) -> list[list[float]]:
    """Compute the named properties for each molecule: N lists of P values, NaN where it is not a molecule."""
    return [[math.nan] * len(names) if mol is None else compute_values(mol, names) for mol in map(parse, smiles)]


def compute_values(mol: Chem.Mol, names: Sequence[str]) -> list[float]:
    """Compute the named properties (in the table's spelling) of one molecule; what was computed once on it is reused."""
    return [_value(PROPERTIES[name], mol) for name in names]


def _value(prop: Property, mol: Chem.Mol) -> float:
    """Evaluate one property; RDKit's arithmetic fails on a few exotic molecules, a calculation on more, which count as NaN."""
    try:
        with quiet():
            found = None if prop.known is None else prop.known(mol)
            if found is None:
                found = prop.function(conformer(Chem.MolToSmiles(mol)) if prop.needs_conformer else mol)
            return float(found)
    except (RuntimeError, ValueError, ArithmeticError) as error:
        _REASONS[prop.name, Chem.MolToSmiles(mol)] = str(error)
        if len(_REASONS) > MOST_REASONS:
            _REASONS.popitem(last=False)
        return math.nan
