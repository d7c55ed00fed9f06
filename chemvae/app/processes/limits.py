"""What a process may take."""

from __future__ import annotations

import contextlib


def limit_memory(n_bytes: int | None) -> None:
    """Let this process and those it starts take no more memory, where the system can see to that."""
    if n_bytes is None:
        return
    try:
        import resource
    except ImportError:  # Windows
        return
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_DATA, (n_bytes, n_bytes))
