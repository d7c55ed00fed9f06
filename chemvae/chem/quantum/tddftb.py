"""Excited states by time-dependent DFTB3 in SCINE Sparrow, parameters 3ob."""

from __future__ import annotations

from typing import Any

from chemvae.chem.quantum.structure import HARTREE_EV, CalculationError, Structure

ELEMENTS = frozenset("H C N O F P S Cl Br I Na K Mg Ca Zn".split())
N_STATES = 3  # the lowest of one state asked for is not always the lowest there is


def excited_states(structure: Structure) -> dict[str, float]:
    """Vertical S1, T1 and their difference, eV.

    References
    ----------
    Niehaus et al., Tight-binding approach to time-dependent density-functional response theory, 2001.
    https://doi.org/10.1103/PhysRevB.63.085108. Gaus, Goez & Elstner, 3ob, 2013. https://doi.org/10.1021/ct300849w

    Raises
    ------
    CalculationError
        If the charges do not become self-consistent, or a state is not found; it holds S1 where that is there.
    """
    found: dict[str, float] = {}
    try:
        calculator = _calculator(structure)
        found["S1"] = _lowest(calculator, "singlet")
        found["T1"] = _lowest(calculator, "triplet")
    except RuntimeError as error:
        raise CalculationError(f"TD-DFTB3 failed ({str(error).rstrip('.')})", found) from error
    return {**found, "dE_ST": found["S1"] - found["T1"]}


def _calculator(structure: Structure) -> Any:
    import scine_sparrow  # noqa: F401  registers the methods
    import scine_utilities

    modules = scine_utilities.core.ModuleManager.get_instance()
    atoms = scine_utilities.AtomCollection(len(structure.numbers))
    atoms.elements = [scine_utilities.ElementInfo.element_from_symbol(symbol) for symbol in structure.symbols]
    atoms.positions = structure.positions_bohr
    reference = modules.get("calculator", "DFTB3")
    calculator = modules.get("calculator_with_reference", "TD-DFTB")
    reference.log = calculator.log = scine_utilities.core.Log.silent()  # it writes to standard output
    reference.structure = atoms
    reference.settings["molecular_charge"] = structure.charge
    calculator.reference_calculator = reference
    calculator.reference_calculation()
    calculator.settings["number_eigenstates"] = N_STATES
    return calculator


def _lowest(calculator: Any, block: str) -> float:
    """Energy of the lowest state of a spin, eV."""
    calculator.settings["spin_block"] = block
    states = getattr(calculator.calculate().excited_states, block)
    return float(min(states.eigenstates.eigenvalues)) * HARTREE_EV
