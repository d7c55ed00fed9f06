"""How a worker ended that did not say so itself, in a sentence."""

from __future__ import annotations

import signal
from pathlib import Path

from chemvae.app.jobs.index import FAILED

LOG = "log.txt"
LAST_BYTES = 4_000


def say_ending(code: int, folder: Path) -> tuple[str, str]:
    """State and reason of a job whose process ended with an exit code and no word.

    Parameters
    ----------
    code : int
        Negative: the signal that ended it.
    folder : Path
        Of the job, with its log.
    """
    if "MemoryError" in _last_words(folder) or "can't allocate memory" in _last_words(folder):
        return FAILED, "Memory ran out: it may take no more (--memory-limit). Ask for less at once."
    if code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
        killed = name == "SIGKILL"
        why = "ended from outside, perhaps because memory ran out" if killed else "ended by a crash"
        return FAILED, f"Its process was {why} ({name}); what it had is kept. Go on with it, or ask for less."
    return FAILED, f"Its process ended with code {code} and no word; see {LOG} in its folder. Go on with it, or ask again."


def _last_words(folder: Path) -> str:
    try:
        return (folder / LOG).read_bytes()[-LAST_BYTES:].decode(errors="replace")
    except OSError:
        return ""
