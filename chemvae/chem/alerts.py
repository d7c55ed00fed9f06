"""Structural alerts: groups that make molecules reactive, toxic or misleading in assays, from the catalogs RDKit ships."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from rdkit import Chem

from chemvae.chem.molecules import parse
from chemvae.registry import find

SOURCES = {
    "PAINS": "Baell & Holloway 2010, doi:10.1021/jm901137j: frequent hitters in assays",
    "BRENK": "Brenk et al. 2008, doi:10.1002/cmdc.200700139: reactive, toxic or unstable groups",
    "NIH": "Jadhav et al. 2010, doi:10.1021/jm901070c; Doveston et al. 2015, doi:10.1039/c4ob02287d: problematic groups",
}
"""The catalogs we name; RDKit has more (ZINC, CHEMBL_Dundee, ...), which :func:`catalog_table` lists."""
DEFAULT_CATALOGS = ("PAINS", "BRENK")


@dataclass(frozen=True)
class Alert:
    """One entry of a catalog that a molecule matches.

    Examples
    --------
    >>> str(Alert("azide", "NIH"))
    'azide (NIH)'
    """

    name: str
    """As in the catalog."""
    catalog: str
    """The set it belongs to, as RDKit writes it: PAINS_A, Brenk, NIH, ..."""

    def __str__(self) -> str:
        return f"{self.name} ({self.catalog})"


def catalog_table() -> dict[str, Any]:
    """RDKit's catalogs: name -> its enumeration value.

    Examples
    --------
    >>> set(SOURCES) <= set(catalog_table())
    True
    """
    from rdkit.Chem.FilterCatalog import FilterCatalogParams

    return dict(FilterCatalogParams.FilterCatalogs.names)


def catalog_names(catalogs: Sequence[str] | str) -> tuple[str, ...]:
    """Bring names of catalogs to RDKit's spelling; a text may hold several, with commas between them.

    Raises
    ------
    UnknownNameError
        If there is no such catalog.

    Examples
    --------
    >>> catalog_names("pains, NIH")
    ('PAINS', 'NIH')
    """
    given = catalogs.split(",") if isinstance(catalogs, str) else catalogs
    known = catalog_table()
    return tuple(dict.fromkeys(find(known, name.strip(), "alert catalog")[0] for name in given))


def find_alerts(molecule: str | Chem.Mol, catalogs: Sequence[str] | str = DEFAULT_CATALOGS) -> list[Alert]:
    """List the alerts a molecule matches; none for what is not a molecule.

    Parameters
    ----------
    molecule : SMILES or RDKit molecule
    catalogs : names of RDKit's catalogs

    Examples
    --------
    >>> [str(alert) for alert in find_alerts("CCN=[N+]=[N-]", ["NIH"])], find_alerts("CCO")
    (['azide (NIH)'], [])
    """
    mol = parse(molecule) if isinstance(molecule, str) else molecule
    if mol is None:
        return []
    return [Alert(hit.GetDescription(), hit.GetProp("FilterSet")) for hit in _catalog(catalog_names(catalogs)).GetMatches(mol)]


def has_alert(molecule: str | Chem.Mol, catalogs: Sequence[str] | str = DEFAULT_CATALOGS) -> bool:
    """Whether a molecule matches any alert; quicker than listing them."""
    mol = parse(molecule) if isinstance(molecule, str) else molecule
    return mol is not None and bool(_catalog(catalog_names(catalogs)).HasMatch(mol))


@lru_cache(maxsize=8)
def _catalog(names: tuple[str, ...]) -> Any:
    """Build a catalog once: reading its patterns takes longer than asking about a molecule."""
    from rdkit.Chem.FilterCatalog import FilterCatalog, FilterCatalogParams

    params = FilterCatalogParams()
    for name in names:
        params.AddCatalog(catalog_table()[name])
    return FilterCatalog(params)
