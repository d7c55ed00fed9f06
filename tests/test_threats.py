"""docs/THREATS.md names what holds each promise: all of it exists; the network and pickles stay where they are said to be."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.faults.groups import GROUPS

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/THREATS.md").read_text(encoding="utf-8")
PROMISES = [
    line.strip("|").split(" | ") for line in PAGE.splitlines() if line.startswith("| ") and "`" in line.rpartition(" | ")[2]
]
TESTS = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)))
FAULTS = sorted({found for group in GROUPS for found in re.findall(rf"`({group}): ([^`]+)`", PAGE)})
CONNECTING = {"urllib.request", "http", "http.client", "requests", "ftplib", "smtplib", "httpx", "aiohttp"}
UNPICKLING = re.compile(r"(?:torch|pickle|joblib|dill)\.load\(|allow_pickle=True|weights_only=False|read_pickle\(")


def test_each_promise_is_held_by_something():
    assert len(PROMISES) > 20
    for promise in PROMISES:
        held_by = promise[-1]
        assert re.search(r"`tests/[\w/]+\.py::\w+`", held_by) or any(f"`{group}: " in held_by for group in GROUPS), promise[0]


@pytest.mark.parametrize(("path", "name"), TESTS, ids=[name for _, name in TESTS])
def test_the_tests_that_are_named_exist(path, name):
    defined = ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8")))
    assert name in {node.name for node in defined if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(("group", "name"), FAULTS)
def test_the_faults_that_are_named_exist(group, name):
    assert name in {fault.name for fault in GROUPS[group]}


def _imported(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    plain = {one.name for node in nodes if isinstance(node, ast.Import) for one in node.names}
    return plain | {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}


def test_one_module_opens_connections():
    connecting = [path for path in (ROOT / "chemvae").rglob("*.py") if _imported(path) & CONNECTING]
    assert [path.relative_to(ROOT).as_posix() for path in connecting] == ["chemvae/data/catalog/download.py"]


def test_files_are_never_unpickled():
    found = {}
    for path in (ROOT / "chemvae").rglob("*.py"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if UNPICKLING.search(line) and "weights_only=True" not in line:
                found[path.relative_to(ROOT).as_posix()] = line.strip()
    assert found == {}
