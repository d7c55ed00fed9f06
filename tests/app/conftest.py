"""The fixtures of :mod:`tests.app.serving`, where what they need is installed; the tests say what else is missing."""

from __future__ import annotations

from importlib.util import find_spec

if find_spec("fastapi") is not None and find_spec("httpx") is not None:
    from tests.app.serving import client, in_threads, lib, run, serve  # noqa: F401
