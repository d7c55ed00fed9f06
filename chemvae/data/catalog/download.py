"""Fetch files once: continue broken transfers, check sha256, and put a file in place only when it is whole."""

from __future__ import annotations

import http.client
import logging
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from chemvae.disk.checksums import file_sha256
from chemvae.disk.files import put_in_place
from chemvae.errors import InputError

logger = logging.getLogger(__name__)

BLOCK_BYTES = 1 << 18
TIMEOUT_S = 30.0
N_ATTEMPTS = 5
Progress = Callable[[int, "int | None"], None]


def fetch(
    url: str,
    target: Path,
    sha256: str | None = None,
    progress: Progress | None = None,
    attempts: int = N_ATTEMPTS,
    pause_s: float = 1.0,
) -> Path:
    """Download ``url`` to ``target``, continuing what an earlier transfer left in ``<target>.part``.

    Parameters
    ----------
    url : str
        http or https.
    target : Path
        Appears only when complete and, where ``sha256`` is given, right.
    sha256 : str, optional
        In hexadecimal.
    progress : callable, optional
        Called with bytes so far and bytes in all (None if the server does not say).
    attempts : int
        Tries before giving up; each continues where the last one broke off.
    pause_s : float
        Seconds between tries.

    Raises
    ------
    InputError
        If the server cannot be reached, or the file is not the expected one.
    """
    if not url.startswith(("https://", "http://")):
        raise InputError(f"{url} is not a web address.")
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    logger.info("Downloading %s", url)
    problem = ""
    for attempt in range(attempts):
        if attempt:
            logger.info("%s broke off (%s); trying again", url, problem)
            time.sleep(pause_s)
        problem = _transfer(url, part, progress)
        if not problem:
            _check_and_place(url, part, target, sha256)
            return target
    kept = part.stat().st_size if part.exists() else 0
    hint = f" The {kept:,} bytes that arrived are kept and will be continued." if kept else ""
    raise InputError(
        f"{url} could not be downloaded ({problem}).{hint} Without a network, name a copy with --from PATH, "
        "or put it in a folder named by CHEMVAE_DATA."
    )


def _transfer(url: str, part: Path, progress: Progress | None) -> str:
    """Append to ``part`` until the end; say what went wrong, "" if nothing did."""
    done = part.stat().st_size if part.exists() else 0
    headers = {"User-Agent": "chemvae", "Accept-Encoding": "identity"}
    if done:
        headers["Range"] = f"bytes={done}-"
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=TIMEOUT_S) as response:
            done = done if response.status == 206 else 0
            return _save(response, part, done, progress)
    except urllib.error.HTTPError as error:
        if error.code == 416:  # nothing after `done`: the part is whole, or not ours; the checksum decides
            return "" if _is_whole(error, done) else _discard(part)
        return f"the server answered {error.code} {error.reason}"
    except (OSError, http.client.HTTPException) as error:
        return str(getattr(error, "reason", None) or error) or type(error).__name__


def _save(response: http.client.HTTPResponse, part: Path, done: int, progress: Progress | None) -> str:
    length = response.headers.get("Content-Length")
    total = done + int(length) if length else None
    with part.open("ab" if done else "wb") as file:
        while block := response.read(BLOCK_BYTES):
            file.write(block)
            done += len(block)
            if progress:
                progress(done, total)
    return "" if total in (None, done) else f"the transfer ended after {done:,} of {total:,} bytes"


def _is_whole(error: urllib.error.HTTPError, done: int) -> bool:
    return error.headers.get("Content-Range", "").endswith(f"/{done}")


def _discard(part: Path) -> str:
    part.unlink(missing_ok=True)
    return "what was there did not fit the file on the server"


def _check_and_place(url: str, part: Path, target: Path, sha256: str | None) -> None:
    found = file_sha256(part)
    if sha256 and found != sha256:
        part.unlink()
        raise InputError(
            f"{url} is not the file chemvae knows: its sha256 is {found}, expected {sha256}. It was deleted. It may have "
            "changed upstream; a copy you trust can be used with --from PATH."
        )
    put_in_place(part, target)
