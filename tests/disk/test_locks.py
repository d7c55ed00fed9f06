"""One writer to a folder: the second is told who the first is, and a dead one blocks nobody."""

import json
import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from chemvae.disk import locks
from chemvae.disk.locks import held
from chemvae.errors import BusyFolderError, ChemVAEError


def gone() -> int:
    """The number of a process that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


def test_the_second_is_told_who_the_first_is(tmp_path):
    with held(tmp_path / "run"), pytest.raises(BusyFolderError) as caught:
        with held(tmp_path / "run"):
            pass
    words = f"'{tmp_path / 'run'}' is being written by process {os.getpid()} on {socket.gethostname()} since 20"
    assert str(caught.value).startswith(words) and str(caught.value).endswith("Wait until it ends, or choose another folder.")
    with held(tmp_path / "run"):
        pass


def test_nothing_is_left_of_a_lock_and_a_folder_that_was_there_stays(tmp_path):
    (tmp_path / "mine").mkdir()
    for name in ("mine", "new"):
        with held(tmp_path / name):
            assert [path.name for path in (tmp_path / name).iterdir()] == [".lock"]
    with held(tmp_path / "whole later", beside=True):
        assert not (tmp_path / "whole later").exists()
    assert [path.name for path in tmp_path.rglob("*")] == ["mine"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": "x"}', '{"pid": -1}'])
def test_a_lock_that_was_left_lying_is_no_lock(tmp_path, content):
    (tmp_path / ".lock").write_text(content or json.dumps({"pid": gone(), "host": socket.gethostname(), "began": "7"}))
    with held(tmp_path):
        assert json.loads((tmp_path / ".lock").read_text())["pid"] == os.getpid()
    assert not (tmp_path / ".lock").exists()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a lock that a child inherits")
def test_what_a_dead_holder_has_left_running_does_not_hold_its_lock(tmp_path, monkeypatch):
    import fcntl

    monkeypatch.setattr(locks, "PATIENCE_S", 0.1)
    file = (tmp_path / ".lock").open("w")  # as a process that the holder has forked has it
    fcntl.flock(file, fcntl.LOCK_EX)
    file.write(json.dumps({"pid": gone(), "host": socket.gethostname(), "began": "7"}))
    file.flush()
    with held(tmp_path):
        pass
    file.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the file system of Windows can lock")
def test_where_files_cannot_be_locked_the_named_process_counts(tmp_path, monkeypatch):
    import fcntl

    def cannot(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", cannot)
    with held(tmp_path), pytest.raises(BusyFolderError):
        with held(tmp_path):
            pass
    (tmp_path / ".lock").write_text(json.dumps({"pid": gone(), "host": socket.gethostname(), "began": "7"}))
    with held(tmp_path):
        pass


def test_of_many_at_once_one_is_let_in(tmp_path):
    inside = []

    def enter(_):
        try:
            with held(tmp_path / "run"):
                inside.append(1)
                assert len(inside) == 1
                inside.pop()
                return 1
        except BusyFolderError:
            return 0

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(enter, range(64))) >= 1
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ChemVAEError, match="could not be written"), held(tmp_path / "file" / "run"):
        pass
