"""Frontier orbitals as a chemist draws them: a circle on each atom, its area the share of the orbital, its colour the sign."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from rdkit import Chem
from rdkit.Chem.Draw import rdMolDraw2D

from chemvae.chem.conformers import conformer
from chemvae.chem.drawing import laid_out, named
from chemvae.chem.molecules import parse, quiet
from chemvae.chem.quantum import xtb
from chemvae.chem.quantum.structure import HARTREE_EV, CalculationError, Structure

PLUS, MINUS = (0.90, 0.62, 0.0), (0.34, 0.71, 0.91)  # orange and sky blue, told apart by every eye (Okabe & Ito 2008)
LARGEST_RADIUS = 0.75  # of a circle, in units of a bond
LEAST_SHARE = 0.004  # of an orbital on an atom that is drawn
S, P = 0, 1  # angular momenta


@dataclass(frozen=True)
class Orbital:
    """One orbital of a molecule, atom by atom."""

    smiles: str
    """As its heavy atoms are counted."""
    name: str
    """"HOMO" or "LUMO"."""
    energy: float
    """eV."""
    amplitudes: np.ndarray
    """[N heavy atoms]: squares are each atom's share of the squared coefficients, signs are those of the lobes above the local
    plane (of the s part where there is no p to speak of)."""

    @property
    def shares(self) -> np.ndarray:
        """[N] share of each heavy atom; hydrogens have what is missing to 1."""
        return self.amplitudes**2

    def svg(self, width: int = 260, height: int = 200) -> str:
        """Draw it on the structure."""
        return orbital_svg(self, width, height)


def frontier_orbitals(smiles: str) -> tuple[Orbital, Orbital]:
    """HOMO and LUMO of a closed-shell molecule by GFN2-xTB, on a force-field geometry.

    Parameters
    ----------
    smiles : str

    Raises
    ------
    CalculationError
        If there is no geometry, or no self-consistent charges.
    MissingExtraError
        Without the extra ``qc``.

    Notes
    -----
    Shares are squared coefficients of the minimal basis, normalised to one: overlap is left out, as drawings of this kind do.
    """
    mol = parse(smiles)
    if mol is None:
        raise CalculationError(f"'{smiles}' is not a molecule")
    spatial = conformer(Chem.MolToSmiles(mol))
    if spatial is None:
        raise CalculationError(f"no geometry was found for '{smiles}'")
    structure = Structure.from_mol(spatial)
    result = xtb.single_point(structure)
    n_pairs = round(float(result["orbital-occupations"].sum()) / 2)
    basis, normals = _basis(structure), local_normals(spatial)
    found = []
    for name, column in (("HOMO", n_pairs - 1), ("LUMO", n_pairs)):
        energy = float(result["orbital-energies"][column]) * HARTREE_EV
        amplitudes = _amplitudes(result["orbital-coefficients"][:, column], basis, normals)
        found.append((name, energy, amplitudes))
    plain, rows = _as_written(spatial)
    homo, lumo = (Orbital(plain, name, energy, amplitudes[rows]) for name, energy, amplitudes in found)
    return homo, lumo


def _as_written(spatial: Chem.Mol) -> tuple[str, np.ndarray]:
    """SMILES of the heavy atoms, and where in the geometry each of its atoms stands."""
    heavy = np.array([atom.GetIdx() for atom in spatial.GetAtoms() if atom.GetAtomicNum() > 1])
    bare = Chem.RemoveHs(spatial)
    plain = Chem.MolToSmiles(bare)
    return plain, heavy[[int(i) for i in bare.GetPropsAsDict(True, True)["_smilesAtomOutputOrder"]]]


@dataclass(frozen=True)
class Basis:
    """What tblite's coefficients belong to: for each function its atom, and its angular momentum."""

    atoms: np.ndarray
    momenta: np.ndarray


def _basis(structure: Structure) -> Basis:
    calculator = xtb.new_calculator(structure)
    shells = calculator.get("orbital-map")  # [functions] -> shell
    return Basis(calculator.get("shell-map")[shells], calculator.get("angular-momenta")[shells])


def _amplitudes(coefficients: np.ndarray, basis: Basis, normals: np.ndarray) -> np.ndarray:
    """Signed square roots of each atom's share [A]."""
    total = float((coefficients**2).sum())
    found = np.zeros(len(normals))
    for atom in range(len(normals)):
        own = coefficients[basis.atoms == atom]
        momenta = basis.momenta[basis.atoms == atom]
        share = float((own**2).sum()) / total
        p = own[momenta == P][:3]
        across = float(p[[2, 0, 1]] @ normals[atom]) if len(p) == 3 else 0.0  # tblite's order is y, z, x
        s = float(own[momenta == S].sum())
        found[atom] = np.sqrt(share) * (np.sign(across if abs(across) >= abs(s) else s) or 1.0)
    return found


def local_normals(mol: Chem.Mol) -> np.ndarray:
    """The direction across the plane of each atom and its neighbours [A, 3], on one side along all bonds.

    Where neighbours lie on a line, or there is one alone, it is the direction of the atom that it was reached from.

    Examples
    --------
    >>> flat = conformer("c1ccccc1")
    >>> normals = local_normals(flat)[:6]
    >>> bool((normals @ normals[0] > 0.95).all())
    True
    """
    places = np.array(mol.GetConformer().GetPositions())
    found = np.zeros((mol.GetNumAtoms(), 3))
    for start in range(mol.GetNumAtoms()):
        if found[start].any():
            continue
        found[start] = _normal(mol, places, start, np.array([0.0, 0.0, 1.0]))
        queue = deque([start])
        while queue:
            here = queue.popleft()
            for atom in mol.GetAtomWithIdx(here).GetNeighbors():
                if not found[atom.GetIdx()].any():
                    found[atom.GetIdx()] = _normal(mol, places, atom.GetIdx(), found[here])
                    queue.append(atom.GetIdx())
    return found


def _normal(mol: Chem.Mol, places: np.ndarray, atom: int, towards: np.ndarray) -> np.ndarray:
    near = [atom, *(other.GetIdx() for other in mol.GetAtomWithIdx(atom).GetNeighbors())]
    if len(near) < 3:
        return towards
    centred = places[near] - places[near].mean(axis=0)
    _, sizes, axes = np.linalg.svd(centred)
    if sizes[1] < 0.1:  # Angstrom: they lie on a line
        return towards
    return axes[2] * (1.0 if axes[2] @ towards >= 0 else -1.0)


def orbital_svg(orbital: Orbital, width: int = 260, height: int = 200) -> str:
    """Draw an orbital on its molecule: one ``<svg>``, named for those who hear a page."""
    mol = parse(orbital.smiles)
    assert mol is not None, "an orbital is that of a molecule"
    drawn = [int(i) for i in np.flatnonzero(orbital.shares >= LEAST_SHARE)]
    largest = float(np.abs(orbital.amplitudes).max())
    colours = {i: PLUS if orbital.amplitudes[i] > 0 else MINUS for i in drawn}
    radii = {i: LARGEST_RADIUS * float(abs(orbital.amplitudes[i])) / largest for i in drawn}
    drawer = rdMolDraw2D.MolDraw2DSVG(width, height)
    options = drawer.drawOptions()
    options.clearBackground = False  # type: ignore[assignment]  # RDKit's stubs give its properties their class's type
    options.prepareMolsBeforeDrawing = False  # type: ignore[assignment]  # likewise
    options.fillHighlights = True  # type: ignore[assignment]  # likewise
    with quiet():
        drawer.DrawMolecule(
            laid_out(mol), highlightAtoms=drawn, highlightBonds=[], highlightAtomColors=colours, highlightAtomRadii=radii
        )
    drawer.FinishDrawing()
    text = drawer.GetDrawingText()
    title = f"{orbital.name} {orbital.energy:.2f} eV"
    return named(text[text.index("<svg") :], f"{title} of {orbital.smiles}", title)
