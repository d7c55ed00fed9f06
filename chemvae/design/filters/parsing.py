"""Collect filters from what flags and arguments ask for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from chemvae.design.filters.base import Filter
from chemvae.design.filters.novelty import WORD, Novel
from chemvae.design.filters.plausible import Plausible
from chemvae.design.filters.property_bounds import parse_constraint
from chemvae.design.filters.structure import Alerts, Similarity, Substructure
from chemvae.errors import SettingsError


def gather_constraints(
    constraints: Iterable[Filter | str] | Filter | str | None = None,
    *,
    start: Sequence[str] = (),
    min_similarity: float | None = None,
    scaffold: str | None = None,
    forbid: Sequence[str] | str = (),
    alerts: bool | str | Sequence[str] = False,
    plausible: str | None = None,
) -> list[Filter]:
    """Collect what flags and arguments ask for into one list.

    Parameters
    ----------
    constraints : Constraint, text such as "SAS<3" or "novel" (not in the training set), any Filter, or several of these
    start : sequence of str
        Molecules that ``min_similarity`` refers to.
    min_similarity : float, optional
        ECFP4 Tanimoto to the nearest start molecule.
    scaffold : str, optional
        SMARTS that must be kept.
    forbid : SMARTS or sequence of SMARTS
    alerts : bool, str or sequence of str
        Turn away what the catalogs flag: True for PAINS and BRENK, or the names of others.
    plausible : str, optional
        The table of known molecules that ring systems and bonds must be in: "chembl".

    Examples
    --------
    >>> [r.label for r in gather_constraints("SAS<3", scaffold="c1ccccc1", forbid="N=O")]
    ['SAS < 3', 'keeps c1ccccc1', 'without N=O']
    """
    given: list[Any] = [] if constraints is None else [constraints]
    if isinstance(constraints, Iterable) and not isinstance(constraints, str):
        given = list(constraints)
    if not all(isinstance(item, (Filter, str)) for item in given):
        raise SettingsError(f"constraints are texts such as 'SAS<3', filters, or a list of these; got {constraints!r}")
    found: list[Filter] = [_read(item) if isinstance(item, str) else item for item in given]
    if min_similarity is not None:
        found.append(Similarity(tuple(start), float(min_similarity)))
    if scaffold:
        found.append(Substructure(scaffold, wanted=True))
    found += [Substructure(text, wanted=False) for text in ([forbid] if isinstance(forbid, str) else forbid)]
    if alerts:
        found.append(Alerts() if alerts is True else Alerts(alerts if isinstance(alerts, str) else tuple(alerts)))
    if plausible:
        found.append(Plausible(plausible))
    return found


def _read(text: str) -> Filter:
    """A constraint in words."""
    return Novel() if text.strip().lower() == WORD else parse_constraint(text)
