"""Numbers as the report writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chemvae.pages import Html


def fixed(value: float | None, decimals: int = 2) -> str:
    """A number with fixed decimals, a dash where there is none.

    Examples
    --------
    >>> fixed(0.5), fixed(None), fixed(float("nan"))
    ('0.50', '–', '–')
    """
    return "–" if value is None or value != value else f"{value:.{decimals}f}"


def percent(value: float | None, decimals: int = 0) -> str:
    """A fraction in percent, a dash where there is none.

    Examples
    --------
    >>> percent(0.914), percent(0.914, 1), percent(None)
    ('91 %', '91.4 %', '–')
    """
    return "–" if value is None or value != value else f"{100 * value:.{decimals}f} %"


def properties_line(row: Mapping[str, Any]) -> Html:
    """logP, QED and SAS of a molecule, a line each."""
    return Html(f"logP {fixed(row['logP'])}<br>QED {fixed(row['qed'])}<br>SAS {fixed(row['SAS'])}")
