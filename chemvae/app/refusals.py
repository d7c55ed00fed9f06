"""Why something that was asked for is not done, beside what is wrong with the question itself."""

from __future__ import annotations

import errno

from chemvae.errors import ChemVAEError


class NotFoundError(ChemVAEError):
    """Nothing of this name is in the project."""


class ConflictError(ChemVAEError):
    """It cannot be done in the state that things are in."""


class BusyError(ChemVAEError):
    """More is asked for at once than is done."""


class FullDiskError(ChemVAEError):
    """There is no room for it."""


STATUS: dict[type[ChemVAEError], int] = {NotFoundError: 404, ConflictError: 409, BusyError: 429, FullDiskError: 507}
"""Of HTTP; 400 for any other."""


def status_of(error: ChemVAEError) -> int:
    """The status that an error is answered with.

    Examples
    --------
    >>> status_of(NotFoundError("There is nothing.")), status_of(ChemVAEError("No."))
    (404, 400)
    """
    if is_full(error.__cause__):
        return 507
    return next((status for kind, status in STATUS.items() if isinstance(error, kind)), 400)


def is_full(error: BaseException | None) -> bool:
    """Whether the system had no more room."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
