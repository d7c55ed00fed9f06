"""Frontier orbitals in the report of a search that asked a quantum calculation: where an electron comes from and goes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from chemvae import pages
from chemvae.chem.properties import PROPERTIES
from chemvae.chem.quantum.calculation import QuantumProperty
from chemvae.chem.quantum.orbitals import frontier_orbitals
from chemvae.chem.quantum.structure import CalculationError
from chemvae.design.results.outcome import Outcome
from chemvae.errors import MissingExtraError

N_DRAWN = 6
CAPTION = (
    "HOMO (left) and LUMO of the best by GFN2-xTB on a force-field geometry: a circle's area is the atom's share, its colour "
    "the sign. Where the two lie on different parts, S1 and T1 lie close. Energies of this method are no measured ones."
)


def orbitals(result: Outcome) -> dict[str, Any] | None:
    """Drawings of the best molecules' orbitals, if a goal or a constraint of the search is a quantum calculation.

    Returns
    -------
    dict or None
        ``caption``; ``drawn``, rows of ``smiles``, ``homo_eV``, ``lumo_eV``, ``homo_svg``, ``lumo_svg``; ``failed``, rows of
        ``smiles`` and ``reason``. None where nothing quantum was asked for, nothing was found, or the extra ``qc`` is missing.
    """
    if not len(result.molecules) or not asks_quantum(
        (*result.molecules.columns, *(goal.name for goal in result.utility.goals))
    ):
        return None
    drawn, failed = [], []
    for smiles in result.molecules["smiles"].head(N_DRAWN):
        try:
            drawn.append(_row(smiles))
        except CalculationError as error:
            failed.append({"smiles": smiles, "reason": str(error)})
        except MissingExtraError:
            return None
    return {"caption": CAPTION, "drawn": pd.DataFrame(drawn), "failed": pd.DataFrame(failed)}


def asks_quantum(names: Iterable[str]) -> bool:
    """Whether one of some properties is a quantum calculation.

    Examples
    --------
    >>> asks_quantum(["qed", "xtb_gap"]), asks_quantum(["qed", "smiles"])
    (True, False)
    """
    return any(isinstance(PROPERTIES[name].function, QuantumProperty) for name in names if name in PROPERTIES)


def _row(smiles: str) -> dict[str, Any]:
    homo, lumo = frontier_orbitals(smiles)
    return {
        "smiles": smiles, "homo_eV": homo.energy, "lumo_eV": lumo.energy, "homo_svg": homo.svg(220, 165),
        "lumo_svg": lumo.svg(220, 165),
    }  # fmt: skip


def orbital_section(data: dict[str, Any] | None) -> list[pages.Html]:
    """The page's part about them."""
    if data is None:
        return []
    rows = data["drawn"].to_dict("records")
    legends = [
        pages.Html(
            f"HOMO {row['homo_eV']:.2f} eV, LUMO {row['lumo_eV']:.2f} eV, gap {row['lumo_eV'] - row['homo_eV']:.2f} eV"
            f"<br>{pages.copyable(row['smiles'])}"
        )
        for row in rows
    ]
    pictures = [(pages.drawing(row["homo_svg"]), pages.drawing(row["lumo_svg"])) for row in rows]
    failed = [pages.table(data["failed"].rename(columns={"smiles": "SMILES"}))] if len(data["failed"]) else []
    return [
        pages.section("Frontier orbitals", pages.paragraph(data["caption"], "note"), pages.pairs(pictures, legends), *failed)
    ]
