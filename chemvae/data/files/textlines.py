"""Lines of a text file, of bounded length and numbered, whatever ends them and however they are encoded."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator
from typing import BinaryIO

from chemvae.errors import InputError

logger = logging.getLogger(__name__)

LONGEST_LINE = 32_000_000  # characters; a hundred thousand columns of numbers need two million
_UNDECODED = re.compile("[\udc80-\udcff]+")


class TextLines:
    r"""Lines with their ends; bytes that do not fit the encoding are read as Latin-1, NULs are left out, and both are said.

    Attributes
    ----------
    number : int
        Of the last line that was given.
    ended : bool
        Whether a line was asked for and there was none.

    Examples
    --------
    >>> lines = TextLines(io.BytesIO(b"CCO\rCCN\n"), "utf-8", "a.smi")
    >>> list(lines), lines.number, lines.ended
    (['CCO\r', 'CCN\n'], 2, True)
    """

    def __init__(self, stream: BinaryIO, encoding: str, name: str):
        errors = "surrogateescape" if encoding.startswith("utf-8") else "replace"
        self._text = io.TextIOWrapper(stream, encoding=encoding, errors=errors, newline="")
        self.name, self.number, self.ended = name, 0, False
        self._told: set[str] = set()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._text.readline(LONGEST_LINE)
        if not line:
            self.ended = True
            raise StopIteration
        self.number += 1
        if len(line) >= LONGEST_LINE:
            raise InputError(
                f"{self.name}: line {self.number:,} has more than {LONGEST_LINE:,} characters. Is it a table, with line ends?"
            )
        return line if line.isascii() and "\0" not in line else self._mended(line)

    def _mended(self, line: str) -> str:
        if "\0" in line:
            line = line.replace("\0", "")
            self._tell("holds NUL characters, which are left out")
        if _UNDECODED.search(line):
            line = _UNDECODED.sub(lambda match: match[0].encode("utf-8", "surrogateescape").decode("latin-1"), line)
            self._tell("holds bytes that are no UTF-8, which are read as Latin-1; look at its letters with accents")
        if "\ufffd" in line:
            self._tell("holds characters that cannot be read and stand as \ufffd; save it as UTF-8")
        return line

    def _tell(self, what: str) -> None:
        if what not in self._told:
            logger.warning("%s: line %s %s.", self.name, f"{self.number:,}", what)
        self._told.add(what)
