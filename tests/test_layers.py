"""The house: imports point up its list only, nothing goes round in a circle, and private names stay in their room."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import chemvae

PACKAGE = Path(chemvae.__file__).parent
ORDER = [
    "deprecation", "errors", "progress", "registry", "naming", "cache", "disk", "runs", "seeding", "parallel", "schedules",
    "gp", "chem", "data", "models", "qsar", "objectives", "training", "sampling", "pages", "tables", "evaluation", "design",
    "moving", "maps", "library", "citing", "app", "api", "doctor", "demo", "bench", "commands", "cli", "__main__",
]  # fmt: skip
ROOMS_WITHIN = {
    "data": ["labels", "splits", "files", "given", "tokens", "virtual", "catalog", "prepare"],
    "design": [
        "origin", "goals", "filters", "oracles", "surrogates", "optimizers", "evaluators", "results", "campaign",
        "search_settings", "trust", "search_folder", "search",
    ],
    "training": [
        "settings", "callbacks", "ema", "best_weights", "optim", "inputs", "data_parallel", "processes", "validation",
        "checkpoint", "trainer", "tuning", "posthoc", "session", "resuming", "recipes",
    ],
}  # fmt: skip
"""Rooms that have rooms of their own, in the same order: a file may use what stands before its room."""


def dotted(path: Path) -> str:
    """The module a file is; a folder's ``__init__`` is the folder."""
    parts = ["chemvae", *path.relative_to(PACKAGE).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


TREES = {
    dotted(path): ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted(PACKAGE.rglob("*.py"))
    if "assets" not in path.parts
}
FACES = {dotted(path) for path in PACKAGE.rglob("__init__.py")}


def imported(module: str) -> set[str]:
    """chemvae's modules that a module imports anywhere in it: inside functions and for type checkers too."""
    found = set()
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name in TREES}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "chemvae":
            within = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in TREES else node.module for name in within}
    return found


def room(module: str) -> str:
    """``design.oracles`` of a module within a room of rooms, ``chem`` of another."""
    parts = module.split(".")[1:]
    return ".".join(parts[:2] if parts and parts[0] in ROOMS_WITHIN else parts[:1])


def floor(module: str) -> tuple[int, int]:
    """The place of a module in the order of the house."""
    outer, _, inner = room(module).partition(".")
    assert outer in ORDER, f"{outer} has no place in the order of the house"
    if not inner:
        return ORDER.index(outer), len(ROOMS_WITHIN.get(outer, ()))
    assert inner in ROOMS_WITHIN[outer], f"{outer}.{inner} has no place in the order of its room"
    return ORDER.index(outer), ROOMS_WITHIN[outer].index(inner)


@pytest.mark.parametrize("module", [name for name in TREES if name != "chemvae"])
def test_imports_point_up(module):
    for other in imported(module) - {"chemvae"}:
        if room(other) != room(module):
            assert floor(other) < floor(module), f"{module} imports {other}, which stands below it"


def test_a_room_does_not_enter_by_its_own_door():
    """What an ``__init__`` hands out is for others: a file of the room imports the file where a name is defined."""
    for module in TREES.keys() - FACES:
        own = {".".join(module.split(".")[:depth]) for depth in range(2, module.count(".") + 1)}
        assert not own & imported(module) & FACES, module


def circles(graph: dict[str, set[str]]) -> Iterator[list[str]]:
    """Groups of nodes that can all reach each other, by Tarjan's algorithm (1972)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []

    def visit(node: str) -> Iterator[list[str]]:
        order[node] = low[node] = len(order)
        stack.append(node)
        for other in sorted(graph[node]):
            if other not in order:
                yield from visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], order[other])
        if low[node] == order[node]:
            group = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(group) > 1:
                yield sorted(group)

    for node in sorted(graph):
        if node not in order:
            yield from visit(node)


def test_a_circle_is_seen():
    assert list(circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}})) == [["b", "c"]]


def test_nothing_goes_round_in_a_circle():
    assert list(circles({module: imported(module) - {module} for module in TREES})) == []


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def defined(tree: ast.Module) -> set[str]:
    """Private names that a file defines: functions, classes, variables, attributes."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)):
            found.add(node.name)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            found.add(node.attr)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return {name for name in found if is_private(name)}


PRIVATE: dict[str, set[str]] = {}
for _module, _tree in TREES.items():
    PRIVATE.setdefault(room(_module), set()).update(defined(_tree))


@pytest.mark.parametrize("module", sorted(TREES))
def test_private_names_stay_in_their_room(module):
    own = PRIVATE[room(module)]
    foreign = set().union(*PRIVATE.values()) - own
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("chemvae"):
            taken = {alias.name for alias in node.names if is_private(alias.name)}
            assert not taken or room(node.module) == room(module), f"{module} imports {sorted(taken)} from {node.module}"
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and node.attr in foreign:
            raise AssertionError(f"{module} line {node.lineno} uses {ast.unparse(node)}, which is private to another room")


def test_chem_does_not_know_torch():
    for module in (name for name in TREES if room(name) == "chem"):
        for node in ast.walk(TREES[module]):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.split(".")[0] == "torch" for name in names), module


def test_importing_chemvae_is_light():
    code = "import sys, chemvae; print(sorted({'torch', 'rdkit', 'pandas', 'botorch'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
