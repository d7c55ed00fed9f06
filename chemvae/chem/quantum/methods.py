"""The table of calculators: what each answers, what it costs, and which molecules it can take.

A new one is a function ``Structure -> {quantity: value}`` and one line in :data:`METHODS`; its quantities become properties
called ``<method>_<quantity>``. Every method stands there twice: on the force field's geometry, and with ``_opt`` behind its
name on the geometry that GFN2-xTB makes of it.

Excited states are vertical, in vacuum, at the geometry of the ground state. They are no emission energies: those lie lower by a
Stokes shift that is not estimated here.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.metadata import version

from rdkit import Chem

from chemvae.chem.quantum import dft, ris, tddftb, xtb
from chemvae.chem.quantum.structure import CalculationError, Structure
from chemvae.errors import MissingExtraError

OPTIMIZER = "tblite"  # of geometries


@dataclass(frozen=True)
class Quantity:
    """One number that a method answers."""

    name: str
    unit: str
    low: float
    """Lower end of the range most emitters fall in."""
    high: float
    """Upper end of that range."""


@dataclass(frozen=True)
class Method:
    """A calculator."""

    name: str
    source: str
    """What it is and who defined it."""
    function: Callable[[Structure], dict[str, float]]
    quantities: tuple[Quantity, ...]
    package: str
    """What it imports, as its distribution is called."""
    module: str
    """What it imports, as Python calls it."""
    extra: str
    """Which extra of chemvae brings the package."""
    seconds: float
    """Typical of an emitter of 35 heavy atoms, on one core."""
    timeout_s: float
    """A calculation that takes longer is ended, and has no value."""
    most_heavy_atoms: int
    """Larger molecules are not begun: memory and time grow with the third power or faster."""
    elements: frozenset[str] | None = None
    """That it has parameters for; None: all up to ``heaviest``."""
    heaviest: int = 86
    """Largest atomic number."""
    max_jobs: int | None = None
    """Calculations at once in one program, where memory is the limit."""
    geometry: str = "mmff"
    """"mmff" (ETKDG, then MMFF94, or UFF where that lacks parameters) or "gfn2" (that, optimised with GFN2-xTB)."""

    @property
    def packages(self) -> dict[str, tuple[str, str]]:
        """Distribution -> module and extra, of all that it needs."""
        own = {self.package: (self.module, self.extra)}
        return own if self.geometry == "mmff" else {OPTIMIZER: (OPTIMIZER, "qc"), **own}

    def require(self) -> None:
        """See to it that what it needs is installed.

        Raises
        ------
        MissingExtraError
            Naming the extra that brings it.
        """
        for package, (module, extra) in self.packages.items():
            if not _is_installed(module):
                raise MissingExtraError(package, extra, f"'{self.name}'")

    def facts(self) -> tuple[str, ...]:
        """What its values depend on besides the molecule: results are kept under this."""
        versions = (f"{package} {version(package)}" for package in self.packages)
        return self.name, self.geometry, *versions

    def refusal(self, structure: Structure) -> str:
        """Why a molecule is not begun; "" if it is.

        Examples
        --------
        >>> import numpy as np
        >>> METHODS["tddftb"].refusal(Structure("[SiH4]", np.array([14, 1, 1, 1, 1]), np.zeros((5, 3)), 0))
        'tddftb has no parameters for Si'
        """
        heaviest = Chem.GetPeriodicTable().GetElementSymbol(self.heaviest)
        strange = [
            symbol
            for symbol, number in zip(structure.symbols, structure.numbers, strict=True)
            if number > self.heaviest or number < 1 or (self.elements is not None and symbol not in self.elements)
        ]
        if strange:
            beyond = "" if self.elements is not None else f"; its parameters end with {heaviest}"
            return f"{self.name} has no parameters for {', '.join(dict.fromkeys(strange))}{beyond}"
        if structure.n_electrons % 2:
            return "it has an odd number of electrons; only closed shells are computed"
        if structure.n_heavy > self.most_heavy_atoms:
            return f"{structure.n_heavy} heavy atoms are more than the {self.most_heavy_atoms} that {self.name} takes"
        return ""

    def compute(self, structure: Structure) -> dict[str, float]:
        """All quantities of a structure, in this process.

        Raises
        ------
        CalculationError
            With the reason why there are none.
        """
        if reason := self.refusal(structure):
            raise CalculationError(reason)
        return self.function(xtb.optimized(structure) if self.geometry == "gfn2" else structure)


@lru_cache(maxsize=8)
def _is_installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _states(*, strength: bool) -> tuple[Quantity, ...]:
    energies = (Quantity("S1", "eV", 1.5, 4.5), Quantity("T1", "eV", 1.2, 4.0), Quantity("dE_ST", "eV", 0.0, 1.5))
    return (*energies, Quantity("f", "1", 0.0, 1.5)) if strength else energies


_BASE = (
    Method(
        "xtb",
        "GFN2-xTB, T1 as a difference of energies: Bannwarth et al. 2019, doi:10.1021/acs.jctc.8b01176; tblite",
        xtb.frontier,
        (
            Quantity("HOMO", "eV", -12.0, -8.0),
            Quantity("LUMO", "eV", -10.0, -5.0),
            Quantity("gap", "eV", 0.5, 5.0),
            Quantity("dipole", "D", 0.0, 15.0),
            Quantity("T1", "eV", 1.0, 4.5),
        ),
        "tblite", "tblite", "qc",
        seconds=0.5, timeout_s=300.0, most_heavy_atoms=300,
    ),
    Method(
        "tddftb",
        "TD-DFTB3/3ob: Niehaus et al. 2001, doi:10.1103/PhysRevB.63.085108; SCINE Sparrow",
        tddftb.excited_states,
        _states(strength=False),
        "scine-sparrow", "scine_sparrow", "qc",
        seconds=3.0, timeout_s=600.0, most_heavy_atoms=150, elements=tddftb.ELEMENTS,
    ),
    Method(
        "ris",
        "TDDFT-ris+p in the Tamm-Dancoff approximation, T1 with its kernel, over B3LYP/6-31G*: Zhou et al. 2023, "
        "doi:10.1021/acs.jpclett.2c03698; PySCF",
        ris.excited_states,
        _states(strength=True),
        "pyscf", "pyscf", "dft",
        seconds=600.0, timeout_s=4 * 3600.0, most_heavy_atoms=80, heaviest=dft.HEAVIEST, max_jobs=4,
    ),
    Method(
        "tda",
        "TDA-B3LYP/6-31G*: Hirata & Head-Gordon 1999, doi:10.1016/S0009-2614(99)01149-5; PySCF",
        dft.excited_states,
        _states(strength=True),
        "pyscf", "pyscf", "dft",
        seconds=7200.0, timeout_s=24 * 3600.0, most_heavy_atoms=60, heaviest=dft.HEAVIEST, max_jobs=4,
    ),
)  # fmt: skip
METHODS: dict[str, Method] = {
    method.name: method
    for base in _BASE
    for method in (base, replace(base, name=f"{base.name}_opt", geometry="gfn2", seconds=base.seconds + 10.0))
}
"""Calculators by name."""
