"""Imports point up the house's list only."""

import ast
from pathlib import Path

import pytest

import chemvae

PACKAGE = Path(chemvae.__file__).parent
ORDER = [
    "errors", "registry", "cache", "runs", "parallel", "schedules", "chem", "data", "models", "objectives",
    "training", "sampling", "pages", "evaluation", "design", "maps", "api", "tables", "doctor", "demo", "bench", "commands",
    "cli", "__main__",
]  # fmt: skip
FILES = sorted(PACKAGE.rglob("*.py"))


def room(module: str) -> str:
    """The room of a dotted name below chemvae."""
    return module.split(".")[1] if "." in module else "__init__"


def imported(path: Path) -> set[str]:
    """Dotted chemvae modules that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.split(".")[0] == "chemvae"}
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "chemvae":
            found |= {node.module} if "." in node.module else {f"chemvae.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_up(path):
    name = ".".join(["chemvae", *path.relative_to(PACKAGE).with_suffix("").parts])
    own = room(name)
    if own == "__init__" or "assets" in path.parts:
        return
    assert own in ORDER, f"{own} has no place in the order of the house"
    for module in imported(path):
        other = room(module)
        if other not in ("__init__", "__version__") and other != own:
            assert ORDER.index(other) < ORDER.index(own), f"{name} imports {module}, which stands below it"


def test_chem_does_not_know_torch():
    for path in (PACKAGE / "chem").glob("*.py"):
        modules = {
            alias.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Import) for alias in node.names
        }
        modules |= {node.module for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)}
        assert not any(module and module.split(".")[0] == "torch" for module in modules), path.name


def test_importing_chemvae_is_light():
    import subprocess
    import sys

    code = "import sys, chemvae; print(sorted({'torch', 'rdkit', 'pandas', 'botorch'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
