"""Excited states by density-functional theory in PySCF: B3LYP/6-31G*, density fitting, Tamm-Dancoff approximation."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from chemvae.chem.quantum.structure import HARTREE_EV, CalculationError, Structure

FUNCTIONAL, BASIS = "b3lyp", "6-31g*"
GRID_LEVEL = 1  # PySCF's; level 3 moves excitations of benzene by less than .0001 eV and takes 2.5 times as long
CONVERGED = 1e-7  # Hartree; PySCF's 1e-9 takes more cycles and moves excitations by less than .001 eV
N_STATES = 3
HEAVIEST = 36  # the basis ends with krypton
KERNELS = "OPENBLAS_CORETYPE"


def load_pyscf() -> None:
    """Import PySCF so that its linear algebra uses AVX2 where the processor has it.

    The OpenBLAS in PySCF's wheel takes a processor that came after it for one of 2007, and multiplies matrices without AVX. It
    is told here which kernels to take, unless a user told it or it is loaded already.
    """
    if "pyscf" in sys.modules or KERNELS in os.environ or not _has_avx2():
        return
    import scipy.linalg  # noqa: F401  its own OpenBLAS is newer, and chooses for itself

    os.environ[KERNELS] = "Haswell"
    try:
        import pyscf.lib  # noqa: F401
    finally:
        del os.environ[KERNELS]


def _has_avx2() -> bool:
    """Whether this is a Linux on such a processor; elsewhere nothing is known, and nothing is changed."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    flags = next((line.split() for line in lines if line.startswith("flags")), [])
    return "avx2" in flags and "fma" in flags


def ground_state(structure: Structure, functional: str = FUNCTIONAL, basis: str = BASIS) -> Any:
    """Converged restricted Kohn-Sham orbitals (a PySCF mean field).

    Raises
    ------
    CalculationError
        If they do not converge.
    """
    load_pyscf()
    from pyscf import dft, gto

    atoms = list(zip(structure.symbols, structure.positions.tolist(), strict=True))
    mol = gto.M(atom=atoms, unit="Angstrom", charge=structure.charge, basis=basis, verbose=0)
    field = dft.RKS(mol, xc=functional).density_fit()
    field.grids.level, field.conv_tol = GRID_LEVEL, CONVERGED
    field.kernel()
    if not field.converged:
        raise CalculationError(f"the Kohn-Sham orbitals did not converge in {field.max_cycle} cycles")
    return field


def excited_states(structure: Structure) -> dict[str, float]:
    """Vertical S1, T1 and their difference in eV, and the oscillator strength of S1, all with the full response.

    References
    ----------
    Hirata & Head-Gordon, Time-dependent density functional theory within the Tamm-Dancoff approximation, 1999.
    https://doi.org/10.1016/S0009-2614(99)01149-5

    Raises
    ------
    CalculationError
        If orbitals or states do not converge.
    """
    field = ground_state(structure)
    singlets, triplets = _solve(field, singlet=True), _solve(field, singlet=False)
    strength = float(singlets.oscillator_strength()[0])
    return energies(float(singlets.e[0]), float(triplets.e[0]), strength)


def energies(singlet: float, triplet: float, strength: float) -> dict[str, float]:
    """What the calculators here answer, from two excitation energies in Hartree.

    Examples
    --------
    >>> {name: round(value, 3) for name, value in energies(0.1, 0.08, 0.5).items()}
    {'S1': 2.721, 'T1': 2.177, 'dE_ST': 0.544, 'f': 0.5}
    """
    return {
        "S1": singlet * HARTREE_EV,
        "T1": triplet * HARTREE_EV,
        "dE_ST": (singlet - triplet) * HARTREE_EV,
        "f": strength,
    }


def _solve(field: Any, *, singlet: bool) -> Any:
    """PySCF's states of one spin."""
    response = field.TDA()
    response.singlet, response.nstates = singlet, N_STATES
    response.kernel()
    if not len(response.e) or not response.converged[0]:
        raise CalculationError(f"the lowest {'singlet' if singlet else 'triplet'} did not converge")
    return response
