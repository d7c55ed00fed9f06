"""What a settings class holds, read from its source: --help shows every setting without waiting for torch to be imported."""

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
    """Names in a table, in its order, read from the source of the file that holds it.

    Parameters
    ----------
    module : str
        Path of the file below the package.
    table : str
        A dict that is written down there with its names as strings.
    leave_out : tuple of str

    Examples
    --------
    >>> table_names("models/priors.py", "PRIORS", leave_out=("normal",))
    ['gaussian', 'mixture', 'flow']
    """
    tree = ast.parse((PACKAGE / module).read_text(encoding="utf-8"))
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        if any(isinstance(one, ast.Name) and one.id == table for one in targets) and isinstance(node.value, ast.Dict):
            names = [str(key.value) for key in node.value.keys if isinstance(key, ast.Constant)]
            return [name for name in names if name not in leave_out]
    raise LookupError(f"{module} holds no table {table}")


def _documented(docstring: str) -> dict[str, str]:
    """Lines ``name : sentence`` of a docstring."""
    return {match[1]: match[2] for line in docstring.splitlines() if (match := _LINE.match(line.strip()))}


def _string(node: ast.stmt | None) -> str:
    """A string that stands alone under a field."""
    value = node.value if isinstance(node, ast.Expr) else None
    return " ".join(str(value.value).split()) if isinstance(value, ast.Constant) else ""
