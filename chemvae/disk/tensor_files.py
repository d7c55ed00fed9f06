"""Files of tensors, looked at before they are believed: what they say they hold first, then the numbers themselves."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

Facts = Mapping[str, tuple[str, tuple[int, ...]]]
"""Type and shape of each tensor, by its name."""

FLOATS = ("F64", "F32", "F16", "BF16")
"""Types that are read as one another: rounding is no damage."""
_TYPES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64",
    torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL",
}  # fmt: skip


def facts_of(tensors: Mapping[str, Tensor]) -> Facts:
    """Return the type and shape of tensors in memory.

    Examples
    --------
    >>> facts_of({"weight": torch.zeros(2, 3)})
    {'weight': ('F32', (2, 3))}
    """
    return {name: (_TYPES.get(one.dtype, str(one.dtype)), tuple(one.shape)) for name, one in tensors.items()}


def facts_in(path: Path) -> Facts:
    """Return what the header of a safetensors file says; no tensor is read.

    Raises
    ------
    OSError, SafetensorError
        If it cannot be read, or header and length do not go together.
    """
    with safe_open(path, framework="pt") as file:
        parts = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
        return {name: (part.get_dtype(), tuple(part.get_shape())) for name, part in parts.items()}


def misfit(found: Facts, expected: Facts) -> str | None:
    """Say what first sets tensors apart from those expected, or None: all there, no other, same shapes, types of one kind.

    Examples
    --------
    >>> misfit({"w": ("I8", (2,))}, {"w": ("F32", (2,))})
    "'w' holds I8 instead of F32"
    """
    for name, (dtype, shape) in expected.items():
        if name not in found:
            return f"'{name}' is missing"
        its_dtype, its_shape = found[name]
        if its_shape != shape:
            return f"'{name}' has the shape {list(its_shape)} instead of {list(shape)}"
        if its_dtype != dtype and not {its_dtype, dtype} <= set(FLOATS):
            return f"'{name}' holds {its_dtype} instead of {dtype}"
    other = next((name for name in found if name not in expected), None)
    return None if other is None else f"'{other}' belongs to another model"


def not_finite(tensors: Mapping[str, Tensor], gaps: Collection[str] = ()) -> str | None:
    """Name the first tensor that holds NaN or infinity, or None; those in ``gaps`` may hold rows of NaN beside others.

    Examples
    --------
    >>> rows = torch.tensor([[1.0, 2.0], [torch.nan, torch.nan]])
    >>> not_finite({"a": rows}), not_finite({"a": rows}, gaps=("a",))
    ('a', None)
    """
    for name, one in tensors.items():
        kept = one[~one.isnan().flatten(1).all(dim=1)] if name in gaps and one.ndim > 1 else one
        if one.is_floating_point() and one.numel() and (kept.numel() == 0 or not _is_finite(kept)):
            return name
    return None


def _is_finite(tensor: Tensor) -> bool:
    return all(bool(end.isfinite()) for end in tensor.aminmax())  # NaN is both ends'


def save_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: dict[str, str] | None = None) -> None:
    """Write a safetensors file.

    Raises
    ------
    OSError
        If the disk is full or the file cannot be made.
    """
    plain = {key: value.detach().cpu().contiguous().clone() for key, value in tensors.items()}
    system_errors(lambda: save_file(plain, path, metadata))


def system_errors(save: Callable[[], None]) -> None:
    """Let safetensors save; what the system refuses is an OSError, as with every other writer."""
    try:
        save()
    except SafetensorError as error:
        raise _as_os_error(str(error)) from error


def _as_os_error(words: str) -> OSError:
    """The system's error that safetensors wrote into its own."""
    number = re.search(r"os error (\d+)", words)
    return OSError(int(number[1]), words.split(" (os error")[0].rpartition(": ")[2]) if number else OSError(words)


def save_checkpoint(path: Path, state: dict) -> None:
    """Write a dict of tensors, numbers and texts with ``torch.save``.

    Raises
    ------
    OSError
        If the disk is full or the file cannot be made.
    """
    try:
        with open(path, "wb") as file:
            torch.save(state, file)
    except RuntimeError as error:  # torch trips over what it could not write
        if isinstance(error.__context__, OSError):
            raise error.__context__ from None
        raise OSError(str(error).splitlines()[0]) from error


def read_checkpoint(path: Path) -> dict:
    """Read what :func:`save_checkpoint` wrote, onto the CPU; nothing in the file is run.

    It is mapped first, so that a file that claims more than it holds takes no memory.

    Raises
    ------
    ValueError
        Saying why not: it is damaged, or holds something else than tensors, numbers and texts.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        state = torch.load(path, map_location="cpu", weights_only=True) if isinstance(state, dict) else state
    except pickle.UnpicklingError:
        raise ValueError("it holds something else than tensors and numbers, of which nothing was run") from None
    except Exception as error:  # torch raises several types for a damaged file
        raise ValueError(f"it is cut short or changed: {type(error).__name__}") from None
    if not isinstance(state, dict):
        raise ValueError(f"it holds a {type(state).__name__}, no checkpoint")
    return state
