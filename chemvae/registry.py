"""Tables of named things: look one up, or build it from its name and settings."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Mapping
from dataclasses import fields, replace
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, TypeVar

from chemvae.errors import SettingsError, UnknownNameError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Spec = TypeVar("Spec", bound="DataclassInstance")


def find(table: Mapping[str, Any], name: str, kind: str) -> tuple[str, Any]:
    """Return the table's own spelling of ``name`` and its entry; case does not matter.

    Raises
    ------
    UnknownNameError
        Naming the valid choices and the nearest one.

    Examples
    --------
    >>> find({"logP": 1, "qed": 2}, "LOGP", "property")
    ('logP', 1)
    """
    if name in table:
        return name, table[name]
    by_lower = {key.lower(): key for key in table}
    if name.lower() in by_lower:
        key = by_lower[name.lower()]
        return key, table[key]
    nearest = difflib.get_close_matches(name.lower(), by_lower, n=1)
    raise UnknownNameError(kind, name, list(table), by_lower[nearest[0]] if nearest else None)


def build(table: Mapping[str, Any], spec: str | Mapping[str, Any] | Any, kind: str, **context: Any) -> Any:
    """Build ``table[name](**context, **settings)`` from a name, a dict with ``name`` and settings, or pass an instance.

    Parameters
    ----------
    table : mapping of name to class or factory
    spec : str, dict or instance
        ``"gaussian"``, ``{"name": "gaussian", "min_scale": 0.01}``, or an object that is returned as it is.
    kind : str
        What the table holds, for the error message.
    **context
        Arguments every entry of this table takes.

    Examples
    --------
    >>> build({"list": lambda n, fill=0: [fill] * n}, {"name": "list", "fill": 7}, "thing", n=2)
    [7, 7]
    """
    if isinstance(spec, str):
        spec = {"name": spec}
    if not isinstance(spec, Mapping):
        return spec
    settings = dict(spec)
    _, factory = find(table, settings.pop("name"), kind)
    return factory(**context, **settings)


def make_spec(kind: type[Spec], spec: Spec | None, options: Mapping[str, Any]) -> Spec:
    """Return ``spec``, or without one the defaults of ``kind``, with the fields that ``options`` names changed.

    Parameters
    ----------
    kind : frozen dataclass
        With a default for every field.
    spec : instance of ``kind``, optional
    options : mapping of field name to value

    Raises
    ------
    UnknownNameError
        If an option is no field, naming the nearest one.
    SettingsError
        If ``spec`` is something else, or the class refuses a value.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Look:
    ...     width: int = 8
    ...     title: str = ""
    >>> make_spec(Look, Look(title="new"), {"width": 9})
    Look(width=9, title='new')
    """
    if not isinstance(spec, (kind, type(None))):
        raise SettingsError(f"{spec!r:.60} is no {kind.__name__}; make one of its fields, or give those by name")
    known = {item.name: item for item in fields(kind)}
    chosen = {find(known, name, f"field of {kind.__name__}")[0]: value for name, value in options.items()}
    return replace(kind() if spec is None else spec, **chosen)


def _is_whole(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and abs(int(value)) < 2**64


def _is_number(value: Any) -> bool:
    if isinstance(value, Integral):
        return _is_whole(value)
    return isinstance(value, Real)


_KINDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "int": ("a whole number", _is_whole),
    "float": ("a number", _is_number),
    "str": ("a text", lambda value: isinstance(value, str)),
    "str | None": ("a text or nothing", lambda value: isinstance(value, (str, type(None)))),
    "bool": ("true or false", lambda value: isinstance(value, bool)),
}


def wrong_kinds(spec: Any, free: Collection[str] = ()) -> list[str]:
    """Say which fields of a dataclass hold something else than their annotations name: int, float, str or bool.

    Numpy's numbers are numbers, truth values are none, and a whole number must fit into 64 bits.

    Parameters
    ----------
    spec : dataclass whose annotations are texts (``from __future__ import annotations``)
    free : names of fields that may hold anything

    Examples
    --------
    >>> from dataclasses import make_dataclass
    >>> wrong_kinds(make_dataclass("Size", [("width", "int"), ("share", "float")])(2.5, 1))
    ['width must be a whole number, got 2.5']
    """
    found = []
    for item in fields(spec):
        words, is_right = _KINDS.get(str(item.type), ("", None))
        value = getattr(spec, item.name)
        if is_right is not None and item.name not in free and not is_right(value):
            found.append(f"{item.name} must be {words}, got {value!r:.60}")
    return found
