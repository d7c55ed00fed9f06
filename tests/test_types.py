"""Types are for others too: they reach whoever installs the package, and nothing keeps mypy from looking."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

import chemvae
import chemvae.parallel

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PACKAGE = Path(chemvae.__file__).parent
PROJECT = PACKAGE.parent / "pyproject.toml"
IGNORED = re.compile(r"#\s*type:\s*ignore\b.*")


def told_to_checkers(path: Path) -> set[str]:
    """Names that a file imports for type checkers alone."""
    blocks = [node for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.If)]
    imports = [node for block in blocks for node in block.body if isinstance(node, ast.ImportFrom)]
    return {alias.asname or alias.name for node in imports for alias in node.names}


@pytest.mark.parametrize("face", [chemvae, chemvae.parallel], ids=lambda face: face.__name__)
def test_names_that_are_handed_on_late_are_known_to_type_checkers(face):
    assert told_to_checkers(Path(face.__file__)) == set(face.__all__) - {"__version__"}


def test_names_for_type_checkers_come_from_where_they_come_from():
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    homes = {alias.name: node.module for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert homes == chemvae._HOMES


def test_type_checkers_are_told_that_there_are_types():
    assert (PACKAGE / "py.typed").is_file()


def test_an_ignored_line_says_which_error_and_why():
    for path in sorted(PACKAGE.rglob("*.py")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if found := IGNORED.search(line):
                assert re.fullmatch(r"# type: ignore\[[a-z-]+\]  # .{10,}", found[0]), f"{path}: {line.strip()}"


@pytest.mark.skipif(not PROJECT.is_file(), reason="the tests run without the checkout's pyproject.toml")
def test_mypy_looks_at_everything():
    """Third-party modules may lack types, each by its name; of our own none is left out, and no kind of error is."""
    settings = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["tool"]["mypy"]
    assert settings.keys().isdisjoint({"exclude", "ignore_errors", "disable_error_code", "follow_imports"})
    assert settings["packages"] == ["chemvae"] and settings["disallow_untyped_defs"] and settings["check_untyped_defs"]
    for override in settings["overrides"]:
        assert override.keys() == {"module", "ignore_missing_imports"}
        assert not [name for name in override["module"] if name.startswith(("chemvae", "*"))]
