"""What settings classes and tables of names hold, read from their source: --help shows it all without importing torch."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2]
_LINE = re.compile(r"^(\w+) : (.+)$")


@dataclass(frozen=True)
class Field:
    """One field of a settings class."""

    name: str
    kind: str
    """int, float or str."""
    help: str
    """Its sentence."""
    choices: tuple[str, ...] = ()
    """Names it may have, where a table lists them."""


def settings_fields(
    module: str, class_name: str, leave_out: tuple[str, ...] = (), choices: Mapping[str, Sequence[str]] | None = None
) -> list[Field]:
    """List the fields of a settings dataclass with the sentence that describes each.

    Parameters
    ----------
    module : str
        Path of the file below the package.
    class_name : str
    leave_out : tuple of str
        Fields that a command has a flag of its own for.
    choices : mapping of str to sequence of str, optional
        By field, the names of its table (:func:`table_names`).

    Examples
    --------
    >>> settings_fields("training/settings.py", "TrainingSettings")[0]
    Field(name='epochs', kind='int', help='passes over the training molecules.', choices=())
    """
    choices = choices or {}
    tree = ast.parse((PACKAGE / module).read_text(encoding="utf-8"))
    body = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == class_name)
    in_docstring = _documented(ast.get_docstring(body) or "")
    found = []
    for node, following in zip(body.body, [*body.body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id not in leave_out:
            name = node.target.id
            words = _string(following) or in_docstring.get(name, "")
            found.append(Field(name, ast.unparse(node.annotation), words, tuple(choices.get(name, ()))))
    return found


def table_names(module: str, table: str, leave_out: tuple[str, ...] = ()) -> list[str]:
    """Names that a table holds: the keys of a dict or the members of a tuple, in the table's order.

    Parameters
    ----------
    module : str
        Path of the file below the package.
    table : str
        The table's name there; its names must be written out.
    leave_out : tuple of str
        Names that are not wanted.

    Raises
    ------
    LookupError
        If the file has no such table, or one whose names only running it would tell.

    Examples
    --------
    >>> table_names("maps/factory.py", "PROJECTIONS")
    ['pca', 'tsne', 'umap', 'pacmap']
    >>> table_names("models/priors/__init__.py", "PRIORS", leave_out=("normal", "vamp"))
    ['gaussian', 'mixture', 'flow', 'autoregressive']
    """
    for node in ast.parse((PACKAGE / module).read_text(encoding="utf-8")).body:
        if not isinstance(node, (ast.Assign, ast.AnnAssign)):
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if any(isinstance(target, ast.Name) and target.id == table for target in targets):
            members = getattr(node.value, "keys", None) or getattr(node.value, "elts", [])
            names = [member.value for member in members if isinstance(member, ast.Constant) and isinstance(member.value, str)]
            if names and len(names) == len(members):
                return [name for name in names if name not in leave_out]
    raise LookupError(f"{module} holds no table {table} whose names are written out")


def choices(module: str, table: str, *others: str) -> str:
    """What --help shows as the values of a flag: the names of a table (see :func:`table_names`), then others.

    Examples
    --------
    >>> choices("chem/molecules.py", "STANDARDIZE_MODES")
    'none|salts|neutral'
    """
    return "|".join((*table_names(module, table), *others))


def _documented(docstring: str) -> dict[str, str]:
    """Lines ``name : sentence`` of a docstring."""
    return {match[1]: match[2] for line in docstring.splitlines() if (match := _LINE.match(line.strip()))}


def _string(node: ast.stmt | None) -> str:
    """A string that stands alone under a field."""
    value = node.value if isinstance(node, ast.Expr) else None
    return " ".join(str(value.value).split()) if isinstance(value, ast.Constant) else ""
