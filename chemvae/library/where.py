"""Conditions on columns as people write them: ``1 < logP < 3 and not (MW > 500 or qed <= 0.6)``. Nothing of a text is run.

Python's own grammar reads the text into a tree; what of it is no comparison of columns and numbers is refused by name.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, reduce

import numpy as np

from chemvae.errors import SettingsError
from chemvae.registry import find

LONGEST = 2_000
"""Characters of a condition."""
COMPARISONS: dict[type[ast.cmpop], Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}  # fmt: skip
ARITHMETIC: dict[type[ast.operator], Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
}  # fmt: skip
_QUOTED = re.compile(r"`([^`]+)`")
_SINGLE = re.compile(r"(?<![<>=!])=(?!=)")
_HELP = "write for instance: 1<logP<3, or: MW<=500 and not (qed<0.5 or rings>4); `a name` with blanks stands in backticks"
Columns = Mapping[str, np.ndarray]
Truth = tuple[np.ndarray, np.ndarray]
"""Where a condition is true, and where it is false; neither, where a value is missing."""


@dataclass(frozen=True)
class Where:
    """A condition on columns.

    A row with a missing value (NaN) fulfils neither a comparison nor its opposite.

    Parameters
    ----------
    text : str

    Raises
    ------
    SettingsError
        If it is no condition.

    Examples
    --------
    >>> Where("1 < logP < 3").holds({"logP": np.array([0.5, 2.0, np.nan])}).tolist()
    [False, True, False]
    >>> Where("not logP < 3").holds({"logP": np.array([0.5, 4.0, np.nan])}).tolist()
    [False, True, False]
    """

    text: str

    def __post_init__(self) -> None:
        try:
            self._check(self._tree)
        except RecursionError:
            raise SettingsError(f"'{self.text[:80]}' is nested too deeply for a condition; {_HELP}") from None
        if not self.columns():
            raise SettingsError(f"'{self.text}' asks about no column; {_HELP}")

    @cached_property
    def _names(self) -> list[str]:
        return _QUOTED.findall(self.text)

    @cached_property
    def _tree(self) -> ast.expr:
        """The text's tree, with ``_column_<i>_`` for the i-th name in backticks."""
        numbers = iter(range(len(self._names)))
        plain = _SINGLE.sub("==", _QUOTED.sub(lambda _: f"_column_{next(numbers)}_", self.text))
        try:
            if len(self.text) > LONGEST:
                raise ValueError(f"it has more than {LONGEST:,} characters")
            return ast.parse(plain.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise SettingsError(f"'{self.text[:80]}' cannot be read as a condition ({_reason(error)}); {_HELP}") from None

    def columns(self) -> list[str]:
        """Names of the columns it asks about, as written."""
        found = [self._name(node) for node in ast.walk(self._tree) if isinstance(node, ast.Name)]
        return list(dict.fromkeys(found))

    def matched(self, table: Mapping[str, object]) -> dict[str, str]:
        """Name as written -> the table's own spelling.

        Raises
        ------
        UnknownNameError
            If there is no such column, with the nearest one.
        """
        return {name: find(table, name, "column")[0] for name in self.columns()}

    def holds(self, columns: Columns) -> np.ndarray:
        """Where it is true: bool [n] for columns [n], by their names as written."""
        return self._judge(self._tree, columns)[0]

    def _name(self, node: ast.Name) -> str:
        numbered = re.fullmatch(r"_column_(\d+)_", node.id)
        return self._names[int(numbered[1])] if numbered and int(numbered[1]) < len(self._names) else node.id

    def _check(self, node: ast.expr) -> None:
        """Refuse what is no condition."""
        if isinstance(node, ast.BoolOp):
            for one in node.values:
                self._check(one)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            self._check(node.operand)
        elif isinstance(node, ast.Compare) and all(type(one) in COMPARISONS for one in node.ops):
            for one in (node.left, *node.comparators):
                self._check_number(one)
        else:
            raise self._refused(node)

    def _check_number(self, node: ast.expr) -> None:
        if isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
            self._check_number(node.left)
            self._check_number(node.right)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
            self._check_number(node.operand)
        elif not isinstance(node, ast.Name) and not _is_number(node):
            raise self._refused(node)

    def _refused(self, node: ast.expr) -> SettingsError:
        return SettingsError(f"'{ast.unparse(node)}' is no comparison of columns and numbers, in '{self.text}'; {_HELP}")

    def _judge(self, node: ast.expr, columns: Columns) -> Truth:
        if isinstance(node, ast.BoolOp):
            judged = [self._judge(one, columns) for one in node.values]
            trues, falses = (list(side) for side in zip(*judged, strict=True))
            both, either = (operator.and_, operator.or_) if isinstance(node.op, ast.And) else (operator.or_, operator.and_)
            return reduce(both, trues), reduce(either, falses)
        if isinstance(node, ast.UnaryOp):
            true, false = self._judge(node.operand, columns)
            return false, true
        assert isinstance(node, ast.Compare), "what else there is was refused"
        return self._compare(node, columns)

    def _compare(self, node: ast.Compare, columns: Columns) -> Truth:
        values = [self._value(one, columns) for one in (node.left, *node.comparators)]
        known = reduce(operator.and_, [~np.isnan(value) for value in values])
        pairs = zip(node.ops, values[:-1], values[1:], strict=True)
        true = reduce(operator.and_, [COMPARISONS[type(how)](left, right) for how, left, right in pairs])
        return true & known, ~true & known

    def _value(self, node: ast.expr, columns: Columns) -> np.ndarray:
        if isinstance(node, ast.BinOp):
            with np.errstate(all="ignore"):
                return ARITHMETIC[type(node.op)](self._value(node.left, columns), self._value(node.right, columns))
        if isinstance(node, ast.UnaryOp):
            value = self._value(node.operand, columns)
            return -value if isinstance(node.op, ast.USub) else value
        if isinstance(node, ast.Name):
            return columns[self._name(node)]
        assert isinstance(node, ast.Constant), "what else there is was refused"
        return np.asarray(node.value, dtype=np.float64)


def _is_number(node: ast.expr) -> bool:
    """Whether this is a number that float64 holds."""
    if not isinstance(node, ast.Constant) or isinstance(node.value, bool):
        return False
    return isinstance(node.value, (int, float)) and abs(node.value) < 1e300


def _reason(error: BaseException) -> str:
    return str(error.msg if isinstance(error, SyntaxError) else error or type(error).__name__).splitlines()[0]
