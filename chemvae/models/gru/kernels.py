"""The GRU kernels of gates.c: compiled once per machine where a C compiler is there, absent where not.

``kernels()`` returns the loaded library or None; :mod:`chemvae.models.gru.layer` then computes the same numbers with torch
operations. ``small_product()`` hands those kernels torch's own matrix product for small blocks; where it is absent torch
multiplies between single steps. ``CHEMVAE_NO_COMPILER=1`` and ``CHEMVAE_NO_BRGEMM=1`` switch them off.

The compiled file lives in the user's cache folder under a name that holds a hash of source, compiler flags and processor, so
a changed machine compiles anew. It is loaded only if its checksum, kept beside it, is right and nobody else could have written
it or put it there; otherwise it is built again, in a folder of this process alone where the cache is somebody else's.
"""

from __future__ import annotations

import atexit
import ctypes
import functools
import hashlib
import logging
import os
import platform
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import torch

from chemvae.cache import cache_folder
from chemvae.disk.checksums import file_sha256
from chemvae.disk.files import put_in_place
from chemvae.errors import ChemVAEError
from chemvae.runs import FURTHER_FACTS

log = logging.getLogger(__name__)

SOURCE = Path(__file__).with_name("gates.c")
# Exactness: no -ffast-math. It would reorder the rounding trick in exp_float and flush denormals in the whole process.
# -O3 gives the same speed here and doubles the second that compiling takes.
FLAGS = [
    "-O2",
    "-ftree-vectorize",
    "-march=native",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-ffp-contract=fast",
    "-shared",
    "-fPIC",
]
LIBRARIES = ["-lm"]
COMPILE_TIMEOUT_S = 60


class Kernels(ctypes.CDLL):
    """The compiled library, with the checksum of its file for the record."""

    sha256: str


@functools.cache
def kernels() -> Kernels | None:
    """Return the compiled kernels, or None where there is no compiler or it is switched off."""
    if os.environ.get("CHEMVAE_NO_COMPILER"):
        return None
    compiler = shutil.which(os.environ.get("CC", "")) or shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None or platform.system() == "Windows":
        return None
    try:
        library = _compiled(compiler)
        loaded = _declare(Kernels(str(library)))
    except (OSError, subprocess.SubprocessError, ChemVAEError) as error:
        log.warning("The fused gate kernels could not be built (%s); training runs without them, more slowly.", error)
        return None
    loaded.sha256 = file_sha256(library)
    return loaded


def kernels_in_use() -> dict[str, Any]:
    """Say what computes the gates here, since seeded samples differ with it.

    Returns
    -------
    dict
        ``kind`` ("compiled", or "eager": torch's operations), ``isa`` (the instructions that torch's own products take, as
        "AVX512"), ``small_products`` (types for which torch's small-matrix product is used) and ``sha256`` of the compiled
        file, None where there is none.

    Examples
    --------
    >>> kernels_in_use()["kind"] in ("compiled", "eager")
    True
    """
    library = kernels()
    products = [str(dtype).removeprefix("torch.") for dtype in _PRODUCTS if library and small_product(dtype)]
    return {
        "kind": "eager" if library is None else "compiled",
        "isa": torch.backends.cpu.get_cpu_capability(),
        "small_products": products,
        "sha256": None if library is None else library.sha256,
    }


FURTHER_FACTS["kernels"] = kernels_in_use


def _openmp_flags() -> list[str]:
    """Run the rows on OpenMP threads where torch brings its own GNU runtime under the same name, so that both share one."""
    bundled = Path(torch.__file__).parent / "lib" / "libgomp.so.1"
    return ["-fopenmp"] if platform.system() == "Linux" and bundled.exists() else []


def _processor() -> str:
    """What ``-march=native`` depends on."""
    try:
        flags = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith(("flags", "Features"))]
        return flags[0] if flags else platform.processor()
    except OSError:
        return platform.processor()


def _compiled(compiler: str) -> Path:
    """The library in the cache, built now unless it is there, whole and our own."""
    flags = FLAGS + _openmp_flags()
    fingerprint = "\n".join([SOURCE.read_text(), compiler, _processor(), torch.__version__, *flags])
    library = cache_folder() / "kernels" / f"gates-{hashlib.sha256(fingerprint.encode()).hexdigest()[:16]}.so"
    if is_trusted(library):
        return library
    if not _is_private(library.parent) or (library.exists() and not _is_ours(library)):
        log.warning("%s is not this user's alone: the kernels are built for this process only.", library)
        library = Path(_own_folder()) / library.name
    _build([compiler, *flags], library)
    return library


def _is_private(folder: Path) -> bool:
    """Make a folder that only this user may write, if it is not there, and say whether it is one."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not _is_out_of_reach(folder):
            return False
        if hasattr(os, "getuid") and folder.stat().st_uid == os.getuid():
            folder.chmod(0o700)
        return _is_ours(folder)
    except OSError:
        return False


def _build(command: list[str], library: Path) -> None:
    """Compile into ``library`` and write its checksum beside it; each file is whole or not there."""
    with tempfile.TemporaryDirectory(dir=library.parent) as work:
        built = Path(work) / "gates.so"
        done = subprocess.run(
            [*command, "-o", str(built), str(SOURCE), *LIBRARIES], capture_output=True, text=True, timeout=COMPILE_TIMEOUT_S
        )
        if done.returncode != 0:
            raise ChemVAEError(f"{command[0]} failed: {done.stderr.strip().splitlines()[-1:]}")
        checksum = Path(work) / "gates.sha256"
        checksum.write_text(file_sha256(built))
        for file in (built, checksum):
            file.chmod(0o700 if file is built else 0o600)
        put_in_place(built, library)
        put_in_place(checksum, library.with_suffix(".sha256"))


def is_trusted(library: Path) -> bool:
    """Whether a compiled file may be loaded: there, as long and as written, nobody else's, and not to be exchanged by others.

    A truncated library would end the process when it is loaded, and a planted one would run.
    """
    checksum = library.with_suffix(".sha256")
    try:
        ours = all(_is_ours(path) for path in (library, checksum, library.parent)) and _is_out_of_reach(library.parent)
        return ours and checksum.read_text(encoding="ascii").strip() == file_sha256(library)
    except (OSError, ValueError):
        return False


def _is_ours(path: Path) -> bool:
    """Whether a file is owned by this user (or root) and others may not write it; where there are no owners, it is."""
    if not hasattr(os, "getuid"):
        return True
    facts = path.stat()
    return facts.st_uid in (os.getuid(), 0) and not facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _is_out_of_reach(folder: Path) -> bool:
    """Whether nobody else can put another folder in this one's place: no folder or link above it is open to all or another's.

    In a folder with the sticky bit, as /tmp, everyone exchanges only what is his own.
    """
    if not hasattr(os, "getuid"):
        return True
    trusted = {os.getuid(), 0, Path("/").stat().st_uid}
    for path in {folder, *folder.parents, *folder.resolve().parents}:
        facts = path.stat()
        is_open = facts.st_mode & stat.S_IWOTH and not facts.st_mode & stat.S_ISVTX
        if is_open or not {facts.st_uid, path.lstat().st_uid} <= trusted:
            return False
    return True


@functools.cache
def _own_folder() -> str:
    """A folder of this process, gone with it."""
    folder = tempfile.mkdtemp(prefix="chemvae-kernels-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _declare(library: Kernels) -> Kernels:
    pointer, count = ctypes.c_void_p, ctypes.c_int64
    signatures = {
        "step_forward": [count] * 2 + [pointer] * 8,
        "step_backward": [count] * 2 + [pointer] * 8,
        "run_forward": [count] * 5 + [pointer] * 10,
        "run_backward": [count] * 5 + [pointer] * 10,
        "run_decode": [count] * 3 + [pointer] * 2 + [ctypes.c_float, ctypes.c_uint64, count] + [pointer] * 4,
    }
    for name, arguments in signatures.items():
        for suffix in ("bf16", "f32"):
            function = getattr(library, f"{name}_{suffix}")
            function.argtypes = arguments
            function.restype = ctypes.c_int if name.startswith("run") else None
    return library


class DecoderWeights(ctypes.Structure):
    """``decoder`` in gates.c: sizes, tokens and addresses."""

    _fields_ = [
        *((name, ctypes.c_int64) for name in ("D", "H", "V", "V_panels", "panel", "panel_out", "start_token", "end_token")),
        *((name, ctypes.c_void_p) for name in ("table", "initial", "initial_bias", "context", "bias_hn", "output_bias")),
        *((name, ctypes.c_void_p) for name in ("weight", "output")),
    ]


# torch's small-matrix product C [M, N] (+)= A B, by the type of A and B, and what gives its tiles back; C++ names as compiled.
_PRODUCTS = {
    torch.bfloat16: "_ZN2at6native7cpublas6brgemmEllllllbPKN3c108BFloat16ES5_Pfb",
    torch.float32: "_ZN2at6native7cpublas6brgemmEllllllbPKfS3_Pfb",
}
_RELEASE = "_ZN2at6native7cpublas14brgemm_releaseEb"


@functools.cache
def small_product(dtype: torch.dtype) -> tuple[int, int] | None:
    """Return the addresses of torch's small-matrix product for this type and of its release, or None.

    None where the processor or this torch lacks it. It is no public interface of torch, so it is tried on a known product
    before it is trusted.
    """
    if os.environ.get("CHEMVAE_NO_BRGEMM") or dtype not in _PRODUCTS or not _has_brgemm():
        return None
    try:
        torch_library = ctypes.CDLL(str(Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"))
        found = [getattr(torch_library, name) for name in (_PRODUCTS[dtype], _RELEASE)]
    except (OSError, AttributeError):
        return None
    product, release = (ctypes.cast(one, ctypes.c_void_p).value for one in found)
    if product is None or release is None or not _is_right(product, release, dtype):
        return None
    return product, release


def _has_brgemm() -> bool:
    """Whether oneDNN builds these products for the processor; asked for elsewhere, it stops the program."""
    capability = torch.backends.cpu.get_cpu_capability()
    return torch.backends.mkldnn.is_available() and "AVX512" in capability and platform.machine() == "x86_64"


def _is_right(product: int, release: int, dtype: torch.dtype) -> bool:
    """Multiply two small known matrices."""
    a, b = torch.arange(64.0).view(2, 32) % 7, torch.arange(1024.0).view(32, 32) % 5
    left, right = a.to(dtype), pack_columns(b.to(dtype), 32)
    out = torch.empty(2, 32)
    count, flag, pointer = ctypes.c_int64, ctypes.c_bool, ctypes.c_void_p
    multiply = ctypes.CFUNCTYPE(None, *[count] * 6, flag, *[pointer] * 3, flag)(product)
    packed = dtype == torch.bfloat16
    try:
        multiply(2, 32, 32, 32, 32, 32, False, left.data_ptr(), right.data_ptr(), out.data_ptr(), packed)
    except OSError:
        return False
    ctypes.CFUNCTYPE(None, flag)(release)(packed)
    return torch.equal(out, a @ b)


def pack_columns(weight: torch.Tensor, panel: int) -> torch.Tensor:
    """Lay out a matrix [K, N] for :func:`small_product`: panels of ``panel`` columns, in bf16 two rows interleaved.

    Examples
    --------
    >>> pack_columns(torch.arange(4).view(2, 2).to(torch.bfloat16), 2).flatten().tolist()
    [0.0, 2.0, 1.0, 3.0]
    """
    K, N = weight.shape
    if weight.dtype == torch.bfloat16:
        return weight.reshape(K // 2, 2, N // panel, panel).permute(2, 0, 3, 1).contiguous()
    return weight.reshape(K, N // panel, panel).transpose(0, 1).contiguous()
