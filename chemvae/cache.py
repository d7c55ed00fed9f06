"""The user's cache folder: downloads, compiled kernels, computed properties. Deleting it loses time, never results."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def cache_folder() -> Path:
    """Return the platform's user cache folder for chemvae; ``CHEMVAE_CACHE`` moves it. It may not exist yet."""
    if moved := os.environ.get("CHEMVAE_CACHE"):
        return Path(moved).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "chemvae"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "chemvae" / "Cache"
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "chemvae"
