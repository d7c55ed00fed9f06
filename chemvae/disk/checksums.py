"""Checksums: of a file's bytes, and of what a JSON file says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

BLOCK_BYTES = 1024**2


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file's bytes, in hex; read in pieces.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def json_sha256(content: Any) -> str:
    """Return the sha256 of what JSON says, in hex: however it is indented, and in whichever order its keys stand.

    Examples
    --------
    >>> json_sha256({"a": 1, "b": [2.5, None]}) == json_sha256({"b": [2.5, None], "a": 1})
    True
    """
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def arrays_sha256(arrays: Mapping[str, np.ndarray]) -> str:
    """Return the sha256 of numpy arrays, in hex: of their names, types, shapes and numbers.

    Examples
    --------
    >>> import numpy as np
    >>> arrays_sha256({"a": np.zeros(2)}) == arrays_sha256({"a": np.zeros((2, 1))})
    False
    """
    digest = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype.str} {array.shape} ".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
