"""TOML, read on every Python."""

from __future__ import annotations

import sys
from typing import Any


def parse_toml(text: str) -> dict[str, Any]:
    """The tables of a TOML text.

    Raises
    ------
    ValueError
        If it is none, or nothing here can read it.

    Examples
    --------
    >>> parse_toml("[learn]\\nbeta = 0.1")
    {'learn': {'beta': 0.1}}
    """
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        try:
            import tomli as tomllib
        except ImportError:
            raise ValueError("reading TOML needs Python 3.11, or pip install tomli; or write it as JSON") from None
    return tomllib.loads(text)
