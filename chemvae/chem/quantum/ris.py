"""TDDFT-ris: the response of the electrons in a minimal auxiliary basis, over orbitals of a full Kohn-Sham calculation.

In the Tamm-Dancoff approximation the excitation energies w solve A x = w x with

    (A x)_ia = (e_a - e_i) x_ia + 2 (ia|jb) x_jb [singlets] - c (ij|ab) x_jb,

c being the functional's share of exact exchange, and the exchange-correlation kernel left out. Each integral is written in
an auxiliary basis, (ia|jb) = sum_PQ (ia|P) (P|Q)^-1 (Q|jb), of one s Gaussian for each atom, and for the Coulomb part one p
shell for each atom but hydrogen ("ris+p"). The exponent is theta / R^2, theta = 0.2, R the atom's radius.

We depart from the paper for triplets. There is no Coulomb part that could make up for the kernel, and without it T1 is .5 to
1.1 eV too high (ethylene, formaldehyde, benzene, pyrrole). So the kernel of triplets is integrated on a coarse grid and their
exchange is that of the field: T1 is the one of the full Tamm-Dancoff calculation, started from the vectors of the cheap one.

Measured against the full response (B3LYP/6-31G*, ``pytest tests/chem/quantum/test_ris.py -m slow``): on benzene, pyrrole and
4-cyanopyridine the RMSE of S1 is .08 eV (.22 with s alone, so p is the default) and that of T1 .006 eV; S1 of ethylene and
formaldehyde is .19 and .20 eV too low. Carbazole: S1 4.18, T1 3.39, f .033; in full 4.18, 3.39 and .035. What follows the
orbitals takes 1 to 4 s of CPU where the full response takes 40 to 255, and S1 alone less than .1 s.

References
----------
Zhou, Della Sala & Parker, Minimal Auxiliary Basis Set Approach for the Electronic Excitation Spectra of Organic Molecules,
2023. https://doi.org/10.1021/acs.jpclett.2c03698. Radii: Ghosh et al., The wave mechanical evaluation of the absolute radii of
atoms, 2008. https://doi.org/10.1016/j.theochem.2008.06.020
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import numpy as np

from chemvae.chem.quantum.dft import energies, ground_state
from chemvae.chem.quantum.structure import CalculationError, Structure

THETA = 0.2
N_STATES = 3
KERNEL_GRID_LEVEL = 0  # PySCF's; level 1 moves T1 of four small molecules by less than .01 eV
TOLERANCE = 1e-7  # Hartree, of an excitation energy
SMALLEST_GAP = 1e-3  # Hartree, in the preconditioner
SHELLS_AT_A_TIME = 32
_FILLING = ((1, 2), (2, 8), (3, 8), (4, 2), (3, 10), (4, 6))  # shell, electrons; to krypton
_EFFECTIVE_SHELL = {1: 1.0, 2: 2.0, 3: 3.0, 4: 3.7}


def excited_states(structure: Structure) -> dict[str, float]:
    """Vertical S1, T1 and their difference in eV, and the oscillator strength of S1.

    Raises
    ------
    CalculationError
        If orbitals or states do not converge.
    """
    response = Response(ground_state(structure))
    singlets, vectors = response.singlets()
    return energies(float(singlets[0]), response.lowest_triplet(), response.strength(float(singlets[0]), vectors[0]))


def atomic_radius(number: int) -> float:
    """Where the outermost orbital of an atom is densest by Slater's rules, n*^2 / (Z - s), in Bohr; to krypton.

    These are the absolute radii of Ghosh et al.

    Examples
    --------
    >>> from chemvae.chem.quantum.structure import BOHR_ANGSTROM
    >>> [round(atomic_radius(number) * BOHR_ANGSTROM, 3) for number in (1, 6, 7, 8, 16)]  # Angstrom
    [0.529, 0.651, 0.543, 0.465, 0.874]
    """
    shells: Counter[int] = Counter()
    left = number
    for shell, room in _FILLING:
        shells[shell] += min(left, room)
        left -= min(left, room)
    outer = max(shell for shell, electrons in shells.items() if electrons)
    screening = (0.30 if outer == 1 else 0.35) * (shells[outer] - 1) + 0.85 * shells[outer - 1]
    screening += sum(electrons for shell, electrons in shells.items() if shell < outer - 1)
    return _EFFECTIVE_SHELL[outer] ** 2 / (number - screening)


class Response:
    """The response of a closed-shell Kohn-Sham field with I occupied and A empty orbitals.

    Parameters
    ----------
    field : PySCF mean field
        Converged, with density fitting; a functional without range separation.
    theta : float
        Of the exponents.
    with_p : bool
        Whether the Coulomb part has p shells too.
    """

    def __init__(self, field: Any, theta: float = THETA, *, with_p: bool = True):
        self.field, self.mol, self.theta, self.with_p = field, field.mol, theta, with_p
        occupied = field.mo_occ > 0
        self.occupied, self.empty = field.mo_coeff[:, occupied], field.mo_coeff[:, ~occupied]  # [N, I], [N, A]
        self.gaps = field.mo_energy[~occupied] - field.mo_energy[occupied][:, None]  # [I, A] Hartree
        self.exchange_share = field._numint.hybrid_coeff(field.xc)

    def singlets(self, n: int = N_STATES) -> tuple[np.ndarray, np.ndarray]:
        """Lowest singlets: energies [n] in Hartree, vectors [n, I, A] of unit length.

        Raises
        ------
        CalculationError
            If the lowest does not converge.
        """
        return self._lowest(lambda x: self.gaps * x + 2.0 * self._coulomb(x) - self._exchange(x), n)

    def triplets(self, n: int = N_STATES) -> tuple[np.ndarray, np.ndarray]:
        """Lowest triplets of the model as published, without the kernel; see :meth:`lowest_triplet`."""
        return self._lowest(lambda x: self.gaps * x - self._exchange(x), n)

    def lowest_triplet(self) -> float:
        """Energy of T1 in Hartree, with the kernel.

        Raises
        ------
        CalculationError
            If it does not converge, or lies below the ground state.
        """
        kernel = self._triplet_kernel()
        starts = self.triplets()[1]
        found, _ = self._lowest(lambda x: self.gaps * x + kernel(x), 1, starts)
        if found[0] <= 0.0:
            raise CalculationError("the closed shell is unstable: a triplet lies below it")
        return float(found[0])

    def strength(self, energy: float, vector: np.ndarray) -> float:
        """Oscillator strength of a singlet: 2/3 w |<0|r|x>|^2, the transition dipole being sqrt(2) sum_ia x_ia <i|r|a>."""
        dipoles = np.einsum("kmn,mi,na->kia", self.mol.intor("int1e_r"), self.occupied, self.empty, optimize=True)
        transition = np.sqrt(2.0) * np.einsum("kia,ia->k", dipoles, vector)
        return float(2.0 / 3.0 * energy * transition @ transition)

    # ------------------------------------------------------------------ integrals

    @cached_property
    def _ia(self) -> np.ndarray:
        """[P, I, A] with (ia|jb) = sum_P B_Pia B_Pjb."""
        (found,) = self._fitted(self._auxiliary(with_p=self.with_p), (self.occupied, self.empty))
        return found

    @cached_property
    def _ij_ab(self) -> list[np.ndarray]:
        """[P, I, I] and [P, A, A] with (ij|ab) = sum_P B_Pij B_Pab."""
        return self._fitted(self._auxiliary(with_p=False), (self.occupied, self.occupied), (self.empty, self.empty))

    def _auxiliary(self, *, with_p: bool) -> Any:
        """One Gaussian for each atom, and a p shell for each but hydrogen, as a PySCF molecule."""
        from pyscf import df, gto

        basis = {}
        for symbol in {self.mol.atom_pure_symbol(i) for i in range(self.mol.natm)}:
            exponent = self.theta / atomic_radius(gto.charge(symbol)) ** 2
            basis[symbol] = [[0, [exponent, 1.0]], *([[1, [exponent, 1.0]]] if with_p and symbol != "H" else [])]
        return df.make_auxmol(self.mol, basis)

    def _fitted(self, auxiliary: Any, *sides: tuple[np.ndarray, np.ndarray]) -> list[np.ndarray]:
        """(lr|P) for orbitals l and r of each pair of sides, times the inverse square root of (P|Q): [P, L, R] each."""
        from pyscf import df
        from scipy.linalg import solve_triangular

        parts: list[list[np.ndarray]] = [[] for _ in sides]
        for start in range(0, auxiliary.nbas, SHELLS_AT_A_TIME):
            last = min(start + SHELLS_AT_A_TIME, auxiliary.nbas)
            shells = (0, self.mol.nbas, 0, self.mol.nbas, start, last)
            integrals = df.incore.aux_e2(self.mol, auxiliary, "int3c2e", shls_slice=shells)  # [N, N, P]
            for part, (left, right) in zip(parts, sides, strict=True):
                part.append(np.einsum("mnP,mi,na->Pia", integrals, left, right, optimize=True))
        lower = np.linalg.cholesky(auxiliary.intor("int2c2e"))
        stacked = [np.concatenate(part) for part in parts]
        return [solve_triangular(lower, x.reshape(len(x), -1), lower=True).reshape(x.shape) for x in stacked]

    def _coulomb(self, x: np.ndarray) -> np.ndarray:
        """(ia|jb) x_jb: [I, A]."""
        return np.tensordot(np.tensordot(self._ia, x, 2), self._ia, 1)

    def _exchange(self, x: np.ndarray) -> np.ndarray:
        """c (ij|ab) x_jb: [I, A]."""
        ij, ab = self._ij_ab
        right = np.einsum("jb,Pab->Pja", x, ab, optimize=True)  # [P, I, A]
        return self.exchange_share * np.einsum("Pij,Pja->ia", ij, right, optimize=True)

    def _triplet_kernel(self) -> Callable[[np.ndarray], np.ndarray]:
        """x [I, A] to (f_aa - f_ab)(ia, jb) x_jb - c (ij|ab) x_jb, f the exchange-correlation kernel of the two spins."""
        from pyscf import dft

        field, numerics = self.field, self.field._numint
        grids = dft.gen_grid.Grids(self.mol)
        grids.level = KERNEL_GRID_LEVEL
        grids.build()
        spins = numerics.cache_xc_kernel(self.mol, grids, field.xc, field.mo_coeff, field.mo_occ, 1)[2]
        kernel = spins[0, :, 0] - spins[0, :, 1]

        def apply(x: np.ndarray) -> np.ndarray:
            density = self.occupied @ x @ self.empty.T  # [N, N]
            both = (density + density.T) / 2
            local = numerics.nr_rks_fxc(self.mol, grids, field.xc, None, both, hermi=1, fxc=kernel)
            return self.occupied.T @ local @ self.empty - self._whole_exchange(x)

        return apply

    def _whole_exchange(self, x: np.ndarray) -> np.ndarray:
        """c (ij|ab) x_jb in the field's own auxiliary basis: [I, A].

        The density of x has as many columns as there are occupied orbitals, not as the basis has functions, and costs so much
        less through these than PySCF's exchange of a density of any kind.
        """
        columns = x @ self.empty.T  # [J, N]
        found, first = np.zeros_like(columns), 0
        for integrals in self._whole_integrals():
            turned = np.matmul(columns, integrals)  # [P, J, N]
            last = first + len(turned)
            left = self._whole_ij[:, first:last].reshape(len(columns), -1)
            found += left @ turned.reshape(-1, turned.shape[2])
            first = last
        return self.exchange_share * found @ self.empty

    @cached_property
    def _whole_ij(self) -> np.ndarray:
        """[I, P, J] with (ij|..) = sum_P B_iPj B_P.. in the field's own auxiliary basis."""
        parts = [self.occupied.T @ np.matmul(block, self.occupied) for block in self._whole_integrals()]  # [P, I, J]
        return np.ascontiguousarray(np.concatenate(parts).transpose(1, 0, 2))

    def _whole_integrals(self) -> Iterator[np.ndarray]:
        """The field's own fitted integrals over basis functions, [P, N, N] at a time."""
        from pyscf import lib

        for packed in self.field.with_df.loop(SHELLS_AT_A_TIME):
            yield lib.unpack_tril(packed)

    # ------------------------------------------------------------------ eigenvalues

    def _lowest(
        self, apply: Callable[[np.ndarray], np.ndarray], n: int, starts: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Davidson's algorithm for the n lowest eigenvalues [n] and vectors [n, I, A] of a symmetric operator."""
        from pyscf import lib

        diagonal = self.gaps.ravel()
        n = min(n, len(diagonal))
        if starts is None:
            starts = np.zeros((min(n + 2, len(diagonal)), len(diagonal)))
            starts[np.arange(len(starts)), np.argsort(diagonal, kind="stable")[: len(starts)]] = 1.0

        def precondition(residual: np.ndarray, energy: float, *_: Any) -> np.ndarray:
            gap = diagonal - energy
            return residual / np.where(np.abs(gap) < SMALLEST_GAP, SMALLEST_GAP, gap)

        converged, found, vectors = lib.davidson1(
            lambda xs: [apply(np.asarray(x).reshape(self.gaps.shape)).ravel() for x in xs],
            list(starts.reshape(-1, len(diagonal))),
            precondition,
            tol=TOLERANCE,
            nroots=n,
            max_cycle=100,
            max_space=20 + 6 * n,
        )
        if not converged[0]:
            raise CalculationError("the lowest excited state did not converge")
        return np.asarray(found), np.array(vectors).reshape(-1, *self.gaps.shape)
