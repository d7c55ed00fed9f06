"""Names that have changed: the old one works for one version more, and says which name to use."""

from __future__ import annotations

import inspect
import sys
import warnings
from collections.abc import Callable, Mapping
from typing import Any


def warn_renamed(old: str, new: str, stacklevel: int = 3) -> None:
    """Say that a name has changed, on the line of whoever used it (``stacklevel`` calls up from here)."""
    warnings.warn(f"{old} is called {new} now; the old name goes in the next version", DeprecationWarning, stacklevel)


def renamed_names(module: str, renamed: Mapping[str, str]) -> Callable[[str], Any]:
    """A module's ``__getattr__`` for names of it that have changed.

    Parameters
    ----------
    module : str
        Its ``__name__``.
    renamed : mapping
        Old name -> name in the same module.

    Examples
    --------
    >>> old = renamed_names("math", {"square_root": "sqrt"})
    >>> with warnings.catch_warnings(record=True) as said:
    ...     warnings.simplefilter("always")
    ...     old("square_root")(9.0), str(said[0].message)
    (3.0, 'math.square_root is called math.sqrt now; the old name goes in the next version')
    """

    def getattr_of_module(name: str) -> Any:
        if name not in renamed:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        warn_renamed(f"{module}.{name}", f"{module}.{renamed[name]}")
        return getattr(sys.modules[module], renamed[name])

    return getattr_of_module


class Renamed:
    """An attribute of a class that is called otherwise now: a method, a property or a field.

    Parameters
    ----------
    new : str
        Its present name in the same class.

    Examples
    --------
    >>> class Door:
    ...     def open(self):
    ...         return "open"
    ...     unlock = Renamed("open")
    >>> with warnings.catch_warnings(record=True) as said:
    ...     warnings.simplefilter("always")
    ...     Door().unlock(), str(said[0].message)
    ('open', 'Door.unlock is called Door.open now; the old name goes in the next version')
    """

    def __init__(self, new: str):
        self.new = new

    def __set_name__(self, owner: type, name: str) -> None:
        self.owner, self.old = owner, name

    def __get__(self, instance: Any, cls: type) -> Any:
        warn_renamed(f"{self.owner.__name__}.{self.old}", f"{self.owner.__name__}.{self.new}")
        if instance is None or inspect.getattr_static(cls, self.old) is self:
            return getattr(cls if instance is None else instance, self.new)
        return getattr(super(self._last_with_old_name(cls), instance), self.new)

    def _last_with_old_name(self, cls: type) -> type:
        """The class whose ``super()`` is asked: the last before this one's owner that defines the old name itself."""
        return [one for one in cls.__mro__ if self.old in vars(one) and one is not self.owner][-1]


def adopt_renamed(cls: type, base: type) -> None:
    """Let a class that overrides methods under their old names override them under the new ones.

    Parameters
    ----------
    cls : type
        A subclass, for instance in ``base.__init_subclass__``.
    base : type
        Where the old names stand as :class:`Renamed`.
    """
    for old, renamed in [(name, value) for name, value in vars(base).items() if isinstance(value, Renamed)]:
        if callable(vars(cls).get(old)) and renamed.new not in vars(cls):
            warn_renamed(f"{cls.__name__}.{old}", f"{cls.__name__}.{renamed.new}", stacklevel=4)
            setattr(cls, renamed.new, vars(cls)[old])
