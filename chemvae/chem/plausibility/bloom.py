"""Bloom filters: sets of texts in few bytes, which never deny a member and rarely take in a stranger.

The file is the one that molbloom writes: "BLOOM", a version, the number of hashes (uint32) and of bits (uint64), then the bits.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Collection
from pathlib import Path

MAGIC, VERSION = b"BLOOM", 2
HEADER = struct.Struct("<5sBIQ")
WORD = 2**64
FNV = (14695981039346656037, 1099511628211)
SECOND = (6281386704453804504, 245453790232)


class BloomFilter:
    """A set of texts that was filled once and can be asked about.

    Parameters
    ----------
    bits : bytes
        At least ``n_bits`` / 8, rounded down: some writers leave the last, unfinished byte out, and what is not known of it
        counts as set.
    n_bits : int
    n_hashes : int

    Raises
    ------
    ValueError
        If there are fewer bytes than bits.

    References
    ----------
    Bloom, Space/time trade-offs in hash coding, 1970. https://doi.org/10.1145/362686.362692. Kirsch & Mitzenmacher, Less
    hashing, same performance, 2008 (all hashes from two). https://doi.org/10.1002/rsa.20208

    Examples
    --------
    >>> rings = BloomFilter.of(["c1ccccc1", "C1CC1"], n_hashes=10)
    >>> "c1ccccc1" in rings, "c1ccncc1" in rings
    (True, False)
    """

    def __init__(self, bits: bytes, n_bits: int, n_hashes: int):
        if n_bits < 1 or len(bits) < n_bits // 8:
            raise ValueError(f"a Bloom filter of {n_bits:,} bits needs as many, got {8 * len(bits):,}")
        self.bits, self.n_bits, self.n_hashes = bits.ljust(math.ceil(n_bits / 8), b"\xff"), n_bits, n_hashes

    def __contains__(self, text: str) -> bool:
        first, second = fnv(text, *FNV), fnv(text, *SECOND)
        places = ((first + i * second) % WORD % self.n_bits for i in range(self.n_hashes))
        return all(self.bits[place >> 3] >> (place & 7) & 1 for place in places)

    @property
    def false_share(self) -> float:
        """Share of strangers that are taken for members, from the share of bits that are set."""
        return (sum(byte.bit_count() for byte in self.bits) / self.n_bits) ** self.n_hashes

    @classmethod
    def of(cls, texts: Collection[str], n_hashes: int) -> BloomFilter:
        """Fill a set: half of its bits are then set, so that one stranger in 2 ** n_hashes is taken for a member."""
        n_bits = 8 * max(1, math.ceil(len(texts) * n_hashes / math.log(2) / 8))
        bits = bytearray(n_bits // 8)
        for text in texts:
            first, second = fnv(text, *FNV), fnv(text, *SECOND)
            for i in range(n_hashes):
                place = (first + i * second) % WORD % n_bits
                bits[place >> 3] |= 1 << (place & 7)
        return cls(bytes(bits), n_bits, n_hashes)

    @classmethod
    def read(cls, path: Path) -> BloomFilter:
        """Read a file.

        Raises
        ------
        ValueError
            If it is none, or is cut off.
        """
        content = path.read_bytes()
        magic, version, n_hashes, n_bits = HEADER.unpack_from(content.ljust(HEADER.size, b"\0"))
        if magic != MAGIC or version != VERSION:
            raise ValueError(f"{path} is no Bloom filter of version {VERSION}")
        return cls(content[HEADER.size :], n_bits, n_hashes)

    def write(self, path: Path) -> None:
        """Write a file."""
        path.write_bytes(HEADER.pack(MAGIC, VERSION, self.n_hashes, self.n_bits) + self.bits)


def fnv(text: str, start: int, factor: int) -> int:
    """Hash a text with FNV-1a: 64 bits.

    Examples
    --------
    >>> hex(fnv("a", *FNV))
    '0xaf63dc4c8601ec8c'
    """
    value = start
    for byte in text.encode():
        value = (value ^ byte) * factor % WORD
    return value
