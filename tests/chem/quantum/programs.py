"""Skips where a program is not installed."""

import pytest


def needs(module: str, extra: str):
    """Skip the tests of a file where a module is missing."""
    return pytest.importorskip(module, reason=f"{module} comes with the extra '{extra}'")
