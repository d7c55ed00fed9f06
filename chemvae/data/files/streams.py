"""Bytes under the tables: look at the head without losing it, unpack gzip and zstd, tell text from anything else."""

from __future__ import annotations

import gzip
import io
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, BinaryIO, cast

from chemvae.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    import zstandard

HEAD_BYTES = 1 << 16
MOST_IN_MEMORY = 64 << 20  # bytes of a stream that is read twice; more go to a temporary file
LATIN = "latin-1"
_GZIP_MAGIC, _ZSTD_MAGIC = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_TEXT_CONTROLS = frozenset(b"\t\n\r\f\x1b")


def peek(stream: BinaryIO) -> tuple[bytes, BinaryIO]:
    """Read the head of a stream and give back a stream that still has it."""
    head = stream.read(HEAD_BYTES)
    return head, io.BufferedReader(_Joined(head, stream), HEAD_BYTES)


class _Joined(io.RawIOBase):
    """Some bytes, then the rest of a stream."""

    def __init__(self, head: bytes, rest: IO[bytes]):
        self.head, self.rest = head, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what io.BufferedReader gives it
        piece = self.head[: len(buffer)] if self.head else self.rest.read(len(buffer))
        self.head = self.head[len(buffer) :]
        buffer[: len(piece)] = piece
        return len(piece)


def decompress(head: bytes, stream: BinaryIO) -> BinaryIO:
    """Unpack gzip or zstd, whatever the file is called; anything else passes."""
    if head.startswith(_GZIP_MAGIC):
        return cast(BinaryIO, gzip.GzipFile(fileobj=stream))  # all that a reader asks of one
    if head.startswith(_ZSTD_MAGIC):
        return io.BufferedReader(_ZstdStream(stream), HEAD_BYTES)
    return stream


class _ZstdStream(io.RawIOBase):
    """Decompress zstd frames; unlike zstandard's own reader, it notices when the last one is cut off."""

    def __init__(self, stream: BinaryIO):
        try:
            import zstandard
        except ImportError as error:
            raise MissingExtraError("zstandard", "zstd", "Reading .zst files") from error
        self.stream, self.zstandard, self.ready = stream, zstandard, b""
        self.frame: zstandard.ZstdDecompressionObj | None = None
        self.packed = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what io.BufferedReader gives it
        while not self.ready and self._decompress_more():
            pass
        piece, self.ready = self.ready[: len(buffer)], self.ready[len(buffer) :]
        buffer[: len(piece)] = piece
        return len(piece)

    def _decompress_more(self) -> bool:
        packed = self.packed or self.stream.read(HEAD_BYTES)
        if not packed:
            if self.frame is not None:
                raise EOFError("the last zstd frame has no end")
            return False
        frame = self.frame or self.zstandard.ZstdDecompressor().decompressobj()
        try:
            self.ready = frame.decompress(packed)
        except self.zstandard.ZstdError as error:
            raise EOFError(str(error)) from error
        self.packed = frame.unused_data if frame.eof else b""
        self.frame = None if frame.eof else frame
        return True


@contextmanager
def spooled(stream: BinaryIO) -> Iterator[Callable[[], BinaryIO]]:
    """Keep the bytes of a stream, and give a function that returns them from their beginning, as often as it is called."""
    with tempfile.SpooledTemporaryFile(MOST_IN_MEMORY) as kept:
        shutil.copyfileobj(stream, kept, HEAD_BYTES)

        def rewind() -> BinaryIO:
            kept.seek(0)
            return io.BufferedReader(_Joined(b"", kept), HEAD_BYTES)

        yield rewind


def find_encoding(head: bytes, name: str) -> str:
    """Tell UTF-8, UTF-16 and Latin-1 text apart, and text from anything else."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if wide := _wide_without_mark(head):
        return wide
    if any(byte < 32 and byte not in _TEXT_CONTROLS for byte in set(head)):
        raise InputError(f"{name} is not a text table (it holds binary data). Is its ending right?")
    try:
        head[: len(head) - 4 if len(head) >= HEAD_BYTES else None].decode("utf-8")
    except UnicodeDecodeError as error:
        is_cut_character = error.end >= len(head) - 4
        return "utf-8-sig" if is_cut_character and len(head) >= HEAD_BYTES else LATIN
    return "utf-8-sig"


def _wide_without_mark(head: bytes) -> str:
    """UTF-16 that does not say so, known by the zeros in every other byte of plain letters."""
    if len(head) < 16 or any(0 < byte < 32 and byte not in _TEXT_CONTROLS for byte in set(head)):
        return ""
    zeros = [head[start::2].count(0) / max(1, len(head) // 2) for start in (0, 1)]
    if max(zeros) < 0.6 or min(zeros) > 0.05:
        return ""
    return "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"
