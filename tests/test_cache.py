"""Where files may be kept, on each platform."""

from pathlib import Path

from chemvae.cache import cache_folder


def test_the_cache_folder_follows_the_platform(monkeypatch):
    for name in ("CHEMVAE_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    expected = {
        "linux": Path.home() / ".cache" / "chemvae",
        "darwin": Path.home() / "Library" / "Caches" / "chemvae",
        "win32": Path.home() / "AppData" / "Local" / "chemvae" / "Cache",
    }
    for platform, folder in expected.items():
        monkeypatch.setattr("sys.platform", platform)
        assert cache_folder() == folder


def test_the_cache_folder_can_be_moved(monkeypatch, tmp_path):
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "chemvae"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # the standard says to ignore these
    assert cache_folder() == Path.home() / ".cache" / "chemvae"
    monkeypatch.setenv("CHEMVAE_CACHE", str(tmp_path / "mine"))
    assert cache_folder() == tmp_path / "mine"
