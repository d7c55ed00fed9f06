"""The process that does one job: the model is loaded before the job is known, so that it begins at once."""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import os
import sys
from pathlib import Path
from typing import Any

from chemvae.app.processes.endings import LOG
from chemvae.app.processes.limits import limit_memory
from chemvae.app.processes.lines import Lines, leave
from chemvae.errors import CancelledError, ChemVAEError
from chemvae.progress import CancelToken

logger = logging.getLogger(__name__)

NICENESS = 10
"""Jobs leave the cores to what must be answered at once."""


def main() -> None:
    """Get ready, do one job, and leave."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO)
    lines = Lines()
    messages = lines.read()
    settings = next(messages)
    limit_memory(settings.get("memory_bytes"))
    with contextlib.suppress(AttributeError, OSError):
        os.nice(NICENESS)
    from chemvae.app.work.bench import Bench

    bench = Bench(settings)
    order = next(messages)
    _log_into(Path(order["job"]["folder"]) / LOG)
    state, reason = do(bench, order["job"], lines, lines.token)
    lines.send({"end": {"state": state, "reason": reason}})
    leave()


def do(bench: Any, job: dict[str, Any], lines: Lines, token: CancelToken) -> tuple[str, str]:
    """Do a job; the state that it ends in, and why."""
    from chemvae.app.work.kinds import KINDS
    from chemvae.app.work.order import Order

    order = Order(
        bench, Path(job["folder"]), job["settings"], lambda kind, data: lines.send({"event": kind, "data": data}), token
    )
    try:
        reason = KINDS[job["kind"]](order)
        return ("cancelled" if token.reason == "cancelled" else "done"), reason
    except CancelledError as error:
        return "cancelled", error.reason
    except ChemVAEError as error:
        return "cancelled" if token.is_cancelled else "failed", str(error)
    except MemoryError:
        return "failed", "Memory ran out: it may take no more (--memory-limit). Ask for less at once."
    except OSError as error:
        return "failed", f"{error.filename or 'The system'}: {error.strerror or error}."
    except Exception as error:
        logger.exception("job %s", job["id"])
        if "can't allocate memory" in str(error):
            return "failed", "Memory ran out: it may take no more (--memory-limit). Ask for less at once."
        return (
            "failed",
            f"This should not have happened: {type(error).__name__}; {LOG} in its folder tells more. Please report it.",
        )


def _log_into(path: Path) -> None:
    """Let what is logged and printed go into the job's log, and what ends the process leave its trace there."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(handle, 2)
    os.dup2(handle, 1)
    os.close(handle)
    faulthandler.enable()
