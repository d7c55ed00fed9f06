"""Where chemvae may keep files: downloads, made data, compiled kernels. Deleting them loses time, never results."""

from __future__ import annotations

import os
import sys
from pathlib import Path

CACHE_VARIABLE = "CHEMVAE_CACHE"
PRIVATE_VARIABLE = "CHEMVAE_PRIVATE"


def cache_folder() -> Path:
    """The folder for downloads and made data: ``CHEMVAE_CACHE``, else ``chemvae`` in the platform's user cache.

    It is not created here.

    Examples
    --------
    >>> cache_folder().is_absolute()
    True
    """
    if chosen := os.environ.get(CACHE_VARIABLE):
        return Path(chosen).expanduser().absolute()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "chemvae" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "chemvae"
    chosen = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(chosen) if Path(chosen).is_absolute() else Path.home() / ".cache") / "chemvae"


def keeps_molecules() -> bool:
    """Whether what was computed of a user's molecules may be kept beside their SMILES; ``CHEMVAE_PRIVATE=1`` says no."""
    return os.environ.get(PRIVATE_VARIABLE, "") in ("", "0")
