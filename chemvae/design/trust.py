"""Whose search a folder holds: what it would run is run unasked only where this user began it, in this very folder.

A search's settings may name a program or a Python function. Going on with a folder that came by mail would run it, so settings
carry a seal: an HMAC of the oracle and the folder's number on its disk, under a key that only this user can read. A folder that
was copied has another number, one that was renamed the same.

References
----------
Krawczyk, Bellare & Canetti, HMAC: Keyed-Hashing for Message Authentication, 1997. https://www.rfc-editor.org/rfc/rfc2104
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import secrets
import stat
from pathlib import Path

from chemvae.cache import cache_folder
from chemvae.design.evaluators.laboratory import LABORATORY
from chemvae.design.oracles.desirability import Desirability
from chemvae.errors import SettingsError

logger = logging.getLogger(__name__)

KEY_BYTES = 32
HARMLESS = frozenset(
    {"similarity", "rediscovery", "substructure", "isomers", "alerts", "predicted", "model", "fit", "admet", "dock", LABORATORY}
)
"""Oracles with something behind a colon that is no code."""


def runs_code(oracle: str) -> bool:
    """Whether an oracle, as text, is somebody's program or Python function, or has one in it.

    Examples
    --------
    >>> [runs_code(text) for text in ("qed", "similarity:CCO", "cmd:./dock", "judge:score", "mpo:cmd:./dock=clip(1)")]
    [False, False, True, True, True]
    """
    head, colon, rest = oracle.partition(":")
    name = head.strip().lower()
    if name == "mpo":
        try:
            return any(runs_code(key) for key in Desirability.keys_of(rest))
        except SettingsError:
            return True
    return bool(colon) and name not in HARMLESS


def seal(folder: Path, oracle: str | None) -> str:
    """The seal of an oracle in a folder; "" where there is nothing to seal, or no key can be kept."""
    key = _key() if oracle and runs_code(oracle) else None
    if key is None:
        return ""
    return hmac.new(key, f"{folder.stat().st_ino}\n{oracle}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def is_trusted(folder: Path, oracle: str | None, found: object) -> bool:
    """Whether an oracle may be run on the word of a folder's settings, with the seal that was found in them."""
    if not (oracle and runs_code(oracle)):
        return True
    wanted = seal(folder, oracle)
    return bool(wanted) and isinstance(found, str) and hmac.compare_digest(found.encode("utf-8", "replace"), wanted.encode())


def _key() -> bytes | None:
    """This user's key, made where there is none; None where it cannot be kept from others."""
    path = cache_folder() / f"oracles-{os.getuid() if hasattr(os, 'getuid') else 'user'}.key"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(secrets.token_bytes(KEY_BYTES))
        except FileExistsError:
            pass
        return _read_key(path)
    except OSError as error:
        logger.info("No key can be kept at %s (%s): going on with a search will ask whether to run its oracle.", path, error)
        return None


def _read_key(path: Path) -> bytes | None:
    """The key, if the file is whole, ours, and nobody else's to read."""
    with os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb") as file:
        facts = os.fstat(file.fileno())
        key = file.read(KEY_BYTES + 1)
    private = not hasattr(os, "getuid") or (facts.st_uid == os.getuid() and not stat.S_IMODE(facts.st_mode) & 0o077)
    return key if private and stat.S_ISREG(facts.st_mode) and len(key) == KEY_BYTES else None
