"""Which oracles a page may name: those that only compute. Programs, functions and paths stay with the command line."""

from __future__ import annotations

import re
from pathlib import Path

from chemvae.errors import SettingsError

SAFE = (
    "qed_minus_sas",
    "penalized_logP",
    "similarity",
    "rediscovery",
    "substructure",
    "isomers",
    "alerts",
    "predicted",
    "admet",
)
"""Of :data:`chemvae.design.oracles.factory.BUILTIN`: no program is run, nothing imported and no file read for these."""
FITTED = "fit:"
_UPLOAD = re.compile(r"fit:([0-9a-f]{12})#(.{1,200})", re.DOTALL)


def safe_oracle(text: str, project: Path) -> str:
    """An oracle that a page may name, as a search takes it; of an upload (``fit:ID#COLUMN``) with its path.

    Raises
    ------
    SettingsError
        For any other.

    Examples
    --------
    >>> safe_oracle("similarity:CCO", Path("."))
    'similarity:CCO'
    >>> safe_oracle("cmd:rm -r x", Path("."))
    Traceback (most recent call last):
    chemvae.errors.SettingsError: ...
    """
    from chemvae.app.uploads import find_upload

    if (found := _UPLOAD.fullmatch(text)) is not None:
        return f"{FITTED}{find_upload(project, found[1]).path}#{found[2]}"
    name, colon, _ = text.partition(":")
    by_lower = {one.lower(): one for one in SAFE}
    if name.strip().lower() in by_lower or not colon:
        return text
    raise SettingsError(
        f"the oracle '{name[:40]}:' cannot be named here, because it would run a program, import a module or read a file; use "
        f"chemvae optimize for that, or one of {', '.join(SAFE)}"
    )
