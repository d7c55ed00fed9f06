"""The compiled kernels' file: whole, our own, or built again."""

import os
import shutil

import pytest

from chemvae.models.gru import kernels as module
from chemvae.models.gru.kernels import is_trusted, load_kernels

pytestmark = pytest.mark.skipif(module.kernels() is None, reason="no C compiler")


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A kernel that is compiled in no time."""
    path = tmp_path_factory.mktemp("source") / "seven.c"
    path.write_text("int seven(void) { return 7; }\n")
    return path


@pytest.fixture
def loaded_from(source, monkeypatch, caplog):
    """Load the kernel with a cache; say what was logged."""

    def load(cache) -> str:
        monkeypatch.setenv("CHEMVAE_CACHE", str(cache))
        caplog.clear()
        library = load_kernels(source, "could not be built (%s)")
        assert library is not None and library.seven() == 7
        return caplog.text

    return load


@pytest.fixture
def cache(loaded_from, tmp_path):
    """The file of a kernel in a copy of the cache that it was built in, and what loads it from there."""
    assert loaded_from(tmp_path / "filled") == ""
    copy = shutil.copytree(tmp_path / "filled" / "kernels", tmp_path / "cache" / "kernels")
    (library,) = copy.glob("*.so")
    assert is_trusted(library)
    return library, lambda: loaded_from(copy.parent)


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


@pytest.mark.parametrize("content", [b"\xff\xfe junk", b"", b"0" * 64])
def test_a_checksum_that_is_none_is_not_believed(cache, content):
    library, _ = cache
    library.with_suffix(".sha256").write_bytes(content)
    assert not is_trusted(library)


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="no owners and modes here")
def test_a_kernel_below_a_folder_that_is_open_to_all_is_not_loaded(cache):
    """Others could put a folder of theirs in its place; with the sticky bit they could not."""
    library, load = cache
    above = library.parent.parent
    above.chmod(0o777)
    assert not is_trusted(library) and "built for this process only" in load()
    above.chmod(0o1777)
    assert is_trusted(library)


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize("which", ["library", "checksum", "folder", "cache"])
def test_a_kernel_of_another_user_is_not_loaded(cache, which):
    library, _ = cache
    path = {"library": library, "checksum": library.with_suffix(".sha256"), "folder": library.parent}.get(which)
    os.chown(path or library.parent.parent, 12345, -1)
    assert not is_trusted(library)


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root gives files away")
def test_a_link_that_another_user_planted_is_not_followed(cache, tmp_path):
    library, load = cache
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o755)
    library.parent.rename(tmp_path / "away")
    library.parent.symlink_to(elsewhere)
    os.chown(library.parent, 12345, -1, follow_symlinks=False)
    assert "built for this process only" in load()
    assert list(elsewhere.iterdir()) == [] and elsewhere.stat().st_mode & 0o777 == 0o755  # nothing put there, nothing closed


def test_a_cache_that_cannot_be_made_costs_a_compilation_of_ones_own(loaded_from, tmp_path):
    (tmp_path / "file").write_text("")
    assert "for this process only" in loaded_from(tmp_path / "file" / "cache")


def test_what_computes_is_described(monkeypatch):
    used = module.kernels_in_use()
    assert used["kind"] == "compiled" and len(used["sha256"]) == 64 and used["isa"]
    monkeypatch.setattr(module, "kernels", lambda: None)
    assert module.kernels_in_use() == {"kind": "eager", "isa": used["isa"], "small_products": [], "sha256": None}


def test_what_is_not_there_is_not_trusted(tmp_path):
    assert not is_trusted(tmp_path / "gates.so")
