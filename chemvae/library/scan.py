"""The loops that read every molecule of a shard: distances of int8 codes, bits in common, bits that are all there.

Compiled from scan.c where there is a C compiler; otherwise torch and numpy compute the same, in blocks that fit the cache.
"""

from __future__ import annotations

import ctypes
import functools
from pathlib import Path

import numpy as np
import torch

from chemvae.models.gru.kernels import load_kernels

SOURCE = Path(__file__).with_name("scan.c")
COMPLAINT = "The kernels of library searches could not be built (%s); searches run without them, more slowly."
BLOCK = 8_192  # rows at a time without the kernels: they stay in the cache


@functools.cache
def kernels() -> ctypes.CDLL | None:
    """The compiled loops, or None where there is no compiler or CHEMVAE_NO_COMPILER is set."""
    library = load_kernels(SOURCE, COMPLAINT)
    if library is None:
        return None
    count, pointer = ctypes.c_int64, ctypes.c_void_p
    library.squared_steps.argtypes = [count] * 3 + [pointer] * 3
    library.count_common.argtypes = [count] * 2 + [pointer] * 3
    library.hold_all.argtypes = [count] * 2 + [pointer] * 3
    for function in (library.squared_steps, library.count_common, library.hold_all):
        function.restype = None
    return library


def squared_steps(codes: np.ndarray, query: np.ndarray, factor: int) -> np.ndarray:
    """Sum of squares of ``factor * codes - query`` over the dimensions.

    Parameters
    ----------
    codes : ndarray of int8 [n, D]
    query : ndarray of int16 [D]
    factor : int
        How many steps of the query a step of the codes is.

    Returns
    -------
    ndarray [n]
        int32, exact; without the kernels float32, exact to 1e-6 of itself.

    Examples
    --------
    >>> squared_steps(np.array([[1, 2], [0, 0]], dtype=np.int8), np.array([3, 4], dtype=np.int16), 2).tolist()
    [1, 25]
    """
    codes, query = np.ascontiguousarray(codes), np.ascontiguousarray(query, dtype=np.int16)
    library = kernels()
    if library is None:
        return _squared_steps_without(codes, query, factor)
    out = np.empty(len(codes), np.int32)
    library.squared_steps(len(codes), codes.shape[1], factor, codes.ctypes.data, query.ctypes.data, out.ctypes.data)
    return out


def _squared_steps_without(codes: np.ndarray, query: np.ndarray, factor: int) -> np.ndarray:
    out, wanted = np.empty(len(codes), np.float32), torch.from_numpy(query.astype(np.float32))
    buffer = torch.empty(BLOCK, codes.shape[1])
    for start in range(0, len(codes), BLOCK):
        block = np.array(codes[start : start + BLOCK])  # a copy: torch does not take a map that is read only
        steps = buffer[: len(block)].copy_(torch.from_numpy(block)).mul_(factor).sub_(wanted)
        out[start : start + len(block)] = steps.square_().sum(dim=1).numpy()
    return out


def count_common(bits: np.ndarray, query: np.ndarray) -> np.ndarray:
    """Bits that fingerprints have in common with a query.

    Parameters
    ----------
    bits : ndarray of uint8 [n, B]
        B a multiple of 8.
    query : ndarray of uint8 [B]

    Returns
    -------
    ndarray of uint16 [n]

    Examples
    --------
    >>> bits = np.array([[255, 1, 0, 0, 0, 0, 0, 0]], dtype=np.uint8)
    >>> count_common(bits, np.array([3, 0, 0, 0, 0, 0, 0, 9], dtype=np.uint8)).tolist()
    [2]
    """
    rows, wanted = _as_words(bits), _as_words(query)
    common = np.empty(len(rows), np.uint16)
    if library := kernels():
        library.count_common(len(rows), rows.shape[1], *(one.ctypes.data for one in (rows, wanted, common)))
        return common
    for start in range(0, len(rows), BLOCK):
        common[start : start + BLOCK] = count_bits(rows[start : start + BLOCK] & wanted)
    return common


def count_bits(bits: np.ndarray) -> np.ndarray:
    """Bits of fingerprints, given in bytes or words [n, B]: uint16 [n].

    Examples
    --------
    >>> count_bits(np.array([[255, 1], [0, 0]], dtype=np.uint8)).tolist()
    [9, 0]
    """
    return np.bitwise_count(bits).sum(axis=1, dtype=np.uint16)


def hold_all(bits: np.ndarray, query: np.ndarray) -> np.ndarray:
    """Whether fingerprints [n, B] have every bit of a query [B]: bool [n]; bytes are as in :func:`count_common`.

    Examples
    --------
    >>> bits = np.array([[3, 0, 0, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0, 0]], dtype=np.uint8)
    >>> hold_all(bits, bits[0]).tolist()
    [True, False]
    """
    rows, wanted = _as_words(bits), _as_words(query)
    out = np.empty(len(rows), np.uint8)
    if library := kernels():
        library.hold_all(len(rows), rows.shape[1], *(one.ctypes.data for one in (rows, wanted, out)))
        return out.view(bool)
    for start in range(0, len(rows), BLOCK):
        out[start : start + BLOCK] = ((rows[start : start + BLOCK] & wanted) == wanted).all(axis=1)
    return out.view(bool)


def _as_words(bits: np.ndarray) -> np.ndarray:
    """Bytes [..., B] as words of 64 bits [..., B / 8], in place where they lie one after the other."""
    return np.ascontiguousarray(bits, dtype=np.uint8).view(np.uint64)
