"""The fused gate kernels of gates.c: compiled once per machine where a C compiler is there, absent where not.

``kernels()`` returns the loaded library or None; :mod:`chemvae.models.gru` then computes the same numbers with torch
operations. Set ``CHEMVAE_NO_COMPILER=1`` to switch them off. The compiled file lives in the user's cache folder under a
name that holds a hash of source, compiler flags and processor, so a changed machine compiles anew.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import logging
import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

import torch

from chemvae.cache import cache_folder
from chemvae.errors import ChemVAEError

log = logging.getLogger(__name__)

SOURCE = Path(__file__).with_name("gates.c")
# Exactness: no -ffast-math. It would reorder the rounding trick in exp_float and flush denormals in the whole process.
FLAGS = ["-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast", "-shared", "-fPIC"]
COMPILE_TIMEOUT_S = 60


@functools.cache
def kernels() -> ctypes.CDLL | None:
    """Return the compiled kernels, or None where there is no compiler or it is switched off."""
    if os.environ.get("CHEMVAE_NO_COMPILER"):
        return None
    compiler = shutil.which(os.environ.get("CC", "")) or shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None or platform.system() == "Windows":
        return None
    try:
        return _declare(ctypes.CDLL(str(_compiled(compiler))))
    except (OSError, subprocess.SubprocessError, ChemVAEError) as error:
        log.warning("The fused gate kernels could not be built (%s); training runs without them, more slowly.", error)
        return None


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
    flags = FLAGS + _openmp_flags()
    fingerprint = "\n".join([SOURCE.read_text(), compiler, _processor(), torch.__version__, *flags])
    folder = cache_folder() / "kernels"
    library = folder / f"gates-{hashlib.sha256(fingerprint.encode()).hexdigest()[:16]}.so"
    if not library.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as work:
            built = Path(work) / "gates.so"
            done = subprocess.run(
                [compiler, *flags, "-o", str(built), str(SOURCE)], capture_output=True, text=True, timeout=COMPILE_TIMEOUT_S
            )
            if done.returncode != 0:
                raise ChemVAEError(f"{compiler} failed: {done.stderr.strip().splitlines()[-1:]}")
            os.replace(built, library)
    return library


def _declare(library: ctypes.CDLL) -> ctypes.CDLL:
    pointer, count = ctypes.c_void_p, ctypes.c_int64
    for suffix in ("bf16", "f32"):
        forward, backward = getattr(library, f"forward_{suffix}"), getattr(library, f"backward_{suffix}")
        forward.argtypes = [count] * 3 + [pointer] * 8
        backward.argtypes = [count] * 2 + [pointer] * 8
        forward.restype = backward.restype = None
    return library
