"""Where the labels of a predicted property come from, in words: the same quantity computed and measured is two properties."""

from __future__ import annotations

from collections.abc import Collection

from chemvae.data.catalog.cards import DATASETS

HOW = {
    "oled-dft": "DFT",
    "oled-measured": "measured",
    "donor-acceptor": "TD-DFT of donor-acceptor molecules",
    "chromophores": "measured in solvents",
    "dyes": "TD-DFT of dyes",
    "opv": "computed for solar cells",
    "opv-cep": "computed for solar cells",
}
"""Set of the catalog -> how its values were found, in a few words."""
SHORT = {
    "HOMO": "oled_dft_homo_eV",
    "LUMO": "oled_dft_lumo_eV",
    "S1": "oled_dft_S1_eV",
    "T1": "oled_dft_T1_eV",
    "dE_ST": "oled_dft_dEst_eV",
    "f": "oled_dft_osc_S1",
    "emission": "oled_measured_lambda_em_nm",
    "PLQY": "oled_measured_plqy_percent",
    "FWHM": "oled_measured_fwhm",
    "dE_ST_measured": "oled_measured_dEst_meV",
    "gap": "donor_acceptor_homo_lumo_gap_eV",
}
"""What the shipped model of emitters calls a property -> what it is called where several sets are one (its ``card.md``)."""


def source_of(name: str, names: Collection[str]) -> dict[str, str]:
    """How the labels of a property were found (``how``), and what they are (``about``); empty where that is not known.

    Parameters
    ----------
    name : str
    names : collection of str
        All properties of the model: short names mean something together.

    Examples
    --------
    >>> source_of("donor_acceptor_dEst_eV", ["donor_acceptor_dEst_eV"])["how"]
    'TD-DFT of donor-acceptor molecules'
    >>> source_of("dE_ST", SHORT)["about"]
    'S1 minus T1, from oled-dft: computed energies of 3,800 TADF emitters'
    >>> source_of("f", ["f"])
    {}
    """
    full = SHORT.get(name, name) if SHORT.keys() <= set(names) else name
    for key in sorted(HOW, key=len, reverse=True):
        column = full.removeprefix(f"{key.replace('-', '_')}_")
        for one in DATASETS[key].columns if column != full else ():
            if one.name == column:
                return {"how": HOW[key], "about": f"{one.meaning}, from {key}: {DATASETS[key].title}"}
    return {}


def possible(low: float, high: float, unit: str) -> tuple[float, float]:
    """Between which ends a quantity can lie, as far as its labels [low, high] and its unit say so; NaN: not known.

    What has no label below 0 is not below 0; a share of which labels reach the whole is not above it.

    Examples
    --------
    >>> possible(1.02, 100.0, "%"), possible(0.0, 2.1, "1"), possible(0.0, 1.0, "1"), possible(-140.0, 1250.0, "meV")
    ((0.0, 100.0), (0.0, inf), (0.0, 1.0), (-inf, inf))
    """
    whole = {"%": 100.0, "1": 1.0}.get(unit, float("inf"))
    return (0.0 if low >= 0 else float("-inf")), (whole if 0.9 * whole < high <= whole else float("inf"))
