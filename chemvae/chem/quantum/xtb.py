"""GFN2-xTB by tblite: frontier orbitals, dipole moment, a vertical triplet energy, and geometries.

Orbital energies rank molecules; the gap is not an optical gap. The triplet energy is a difference of two self-consistent
energies with spin polarization, a proxy to be calibrated before it is quoted.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from chemvae.chem.quantum.structure import BOHR_ANGSTROM, DEBYE_AU, HARTREE_EV, CalculationError, Structure

MOST_STEPS = 200
GRADIENT_TOLERANCE = 1e-3  # Hartree/Bohr, largest component


def frontier(structure: Structure) -> dict[str, float]:
    """HOMO, LUMO, gap and T1 in eV, dipole in debye.

    References
    ----------
    Bannwarth, Ehlert & Grimme, GFN2-xTB, 2019. https://doi.org/10.1021/acs.jctc.8b01176. Spin polarization: Neugebauer et al.,
    2023. https://doi.org/10.1002/jcc.27185

    Raises
    ------
    CalculationError
        If the charges do not become self-consistent.
    """
    ground = single_point(structure)
    triplet = single_point(structure, unpaired=2)
    energies = ground["orbital-energies"] * HARTREE_EV
    n_pairs = round(float(ground["orbital-occupations"].sum()) / 2)
    return {
        "HOMO": float(energies[n_pairs - 1]),
        "LUMO": float(energies[n_pairs]),
        "gap": float(energies[n_pairs] - energies[n_pairs - 1]),
        "dipole": float(np.linalg.norm(ground["dipole"])) * DEBYE_AU,
        "T1": float(triplet["energy"] - ground["energy"]) * HARTREE_EV,
    }


def single_point(structure: Structure, unpaired: int = 0) -> Any:
    """Tblite's result for a geometry; with unpaired electrons the spins are polarized.

    Raises
    ------
    CalculationError
        If the charges do not become self-consistent.
    """
    try:
        return new_calculator(structure, unpaired).singlepoint()
    except RuntimeError as error:
        raise CalculationError(f"GFN2-xTB found no self-consistent charges ({error})") from error


def optimized(structure: Structure) -> Structure:
    """The nearest geometry of lowest GFN2-xTB energy.

    Raises
    ------
    CalculationError
        If it is not reached in :data:`MOST_STEPS` steps.

    Examples
    --------
    >>> optimized(water)  # doctest: +SKIP
    Structure(smiles='O', ...)
    """
    from scipy.optimize import minimize

    calculator, last = new_calculator(structure), None

    def energy_and_gradient(flat: np.ndarray) -> tuple[float, np.ndarray]:
        nonlocal last
        calculator.update(positions=flat.reshape(-1, 3))
        last = calculator.singlepoint(last)  # from the charges of the step before
        return float(last["energy"]), last["gradient"].ravel()

    options = {"maxiter": MOST_STEPS, "gtol": GRADIENT_TOLERANCE, "ftol": 1e-10}
    try:
        found = minimize(energy_and_gradient, structure.positions_bohr.ravel(), jac=True, method="L-BFGS-B", options=options)
    except RuntimeError as error:
        raise CalculationError(f"GFN2-xTB found no self-consistent charges ({error})") from error
    if not found.success:
        raise CalculationError(f"the geometry was not optimised in {MOST_STEPS} steps")
    return replace(structure, positions=found.x.reshape(-1, 3) * BOHR_ANGSTROM)


def new_calculator(structure: Structure, unpaired: int = 0) -> Any:
    """Tblite's calculator of GFN2-xTB for a geometry, silent."""
    from tblite.interface import Calculator

    calculator = Calculator(
        "GFN2-xTB", structure.numbers, structure.positions_bohr, charge=float(structure.charge), uhf=unpaired
    )
    calculator.set("verbosity", 0)
    if unpaired:
        calculator.add("spin-polarization", 1.0)
    return calculator
