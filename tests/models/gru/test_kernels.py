"""The compiled kernels' file: whole, our own, or built again."""

import os
import subprocess
import sys

import pytest

from chemvae.models.gru import kernels as module
from chemvae.models.gru.kernels import is_trusted

PROGRAM = "from chemvae.models.gru.kernels import kernels; print(kernels() is not None)"
pytestmark = pytest.mark.skipif(module.kernels() is None, reason="no C compiler")


@pytest.fixture
def cache(tmp_path):
    """A cache with the kernels in it: their file, and a program that loads them from there."""

    def load() -> str:
        environment = {**os.environ, "CHEMVAE_CACHE": str(tmp_path)}
        done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "True"
        return done.stderr

    load()
    (library,) = (tmp_path / "kernels").glob("*.so")
    assert is_trusted(library)
    return library, load


def test_a_truncated_kernel_is_built_again(cache):
    library, load = cache
    whole = library.read_bytes()
    library.write_bytes(whole[: len(whole) // 2])
    assert not is_trusted(library)
    load()
    assert is_trusted(library) and len(library.read_bytes()) == len(whole)


def test_a_kernel_without_its_checksum_is_built_again(cache):
    library, load = cache
    library.with_suffix(".sha256").unlink()
    assert not is_trusted(library)
    load()
    assert is_trusted(library)


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="no owners and modes here")
def test_a_kernel_that_others_may_write_is_not_loaded(cache):
    library, load = cache
    library.chmod(0o777)
    assert not is_trusted(library)
    before = library.stat().st_mtime_ns
    assert "built for this process only" in load()
    assert library.stat().st_mtime_ns == before  # nor touched


def test_what_is_not_there_is_not_trusted(tmp_path):
    assert not is_trusted(tmp_path / "gates.so")
