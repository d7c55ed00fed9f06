"""Files and folders appear whole or not at all; what was there stays until then."""

import os
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from chemvae.disk import files
from chemvae.disk.files import (
    Replacement,
    alone_in,
    clear_leftovers,
    put_in_place,
    refusals_explained,
    write_atomically,
)
from chemvae.errors import ChemVAEError
from chemvae.runs import write_json


class Stopped(Exception):
    pass


def half(path):
    path.write_text("ha")
    raise Stopped


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    return path


def names(folder):
    return sorted(one.name for one in folder.iterdir())


class TestWriteAtomically:
    def test_it_replaces_and_makes_folders(self, path):
        for target in (path, path.parent / "new" / "b.txt"):
            write_atomically(target, lambda temporary: temporary.write_text("new"))
            assert target.read_text() == "new" and names(target.parent)[0] == target.name
        assert names(path.parent) == ["a.txt", "new"]

    @pytest.mark.parametrize("error", [Stopped, KeyboardInterrupt])
    def test_an_error_leaves_the_old_file_and_nothing_else(self, path, error):
        def broken(temporary):
            temporary.write_text("ha")
            raise error

        with pytest.raises(error):
            write_atomically(path, broken)
        assert names(path.parent) == ["a.txt"] and path.read_text() == "old"

    def test_a_full_disk_is_a_sentence(self, path):
        def full(temporary):
            temporary.write_text("ha")
            raise OSError(28, "No space left on device")

        with pytest.raises(ChemVAEError, match="could not be written: No space left on device. Free space"):
            write_atomically(path, full)
        assert names(path.parent) == ["a.txt"] and path.read_text() == "old"

    def test_it_is_on_the_disk_before_it_has_its_name(self, path, monkeypatch):
        steps = []
        monkeypatch.setattr(files.os, "fsync", lambda handle: steps.append(os.readlink(f"/proc/self/fd/{handle}")))
        monkeypatch.setattr(files, "put_in_place", lambda a, b: steps.append((str(a), str(b))))
        write_atomically(path, lambda temporary: temporary.write_text("new"))
        assert steps == [steps[0], (steps[0], str(path))]

    def test_writers_at_the_same_time_do_not_meet(self, path):
        texts = [str(i) * 10_000 for i in range(8)]
        with ThreadPoolExecutor(4) as pool:
            for text in texts:
                pool.submit(write_atomically, path, lambda temporary, text=text: temporary.write_text(text))
        assert path.read_text() in texts and names(path.parent) == ["a.txt"]

    def test_json_that_cannot_be_written_leaves_the_old(self, path):
        with pytest.raises(TypeError):
            write_json(path, {"a": object()})
        assert path.read_text() == "old" and names(path.parent) == ["a.txt"]


class TestReplacement:
    def test_an_error_leaves_the_old_file_and_no_temporary(self, path):
        with pytest.raises(Stopped), Replacement(path) as temporary:
            half(temporary)
        assert names(path.parent) == ["a.txt"] and path.read_text() == "old"

    def test_a_folder_makes_way_only_once_the_new_one_is_whole(self, tmp_path):
        folder = tmp_path / "set"
        for content in "12":
            with Replacement(folder, make_way=True) as temporary:
                temporary.mkdir()
                (temporary / content).write_text(content)
        with pytest.raises(Stopped), Replacement(folder, make_way=True) as temporary:
            temporary.mkdir()
            half(temporary / "3")
        assert names(tmp_path) == ["set"] and names(folder) == ["2"]

    def test_a_full_folder_does_not_make_way_unless_it_is_told(self, tmp_path):
        (tmp_path / "set").mkdir()
        (tmp_path / "set" / "theirs").write_text("")
        with pytest.raises(OSError), Replacement(tmp_path / "set") as temporary:
            temporary.mkdir()
        assert names(tmp_path) == ["set"] and names(tmp_path / "set") == ["theirs"]

    def test_a_folder_that_cannot_be_exchanged_comes_back(self, tmp_path):
        (tmp_path / "set").mkdir()
        with pytest.raises(FileNotFoundError), Replacement(tmp_path / "set", make_way=True):
            pass  # nothing was made
        assert names(tmp_path) == ["set"]

    def test_names_are_never_given_twice(self, path):
        assert len({Replacement(path).temporary for _ in range(100)}) == 100
        assert Replacement(path).temporary.parent == path.parent


def test_putting_in_place_replaces_a_file(path):
    new = path.with_name("new")
    new.write_text("new")
    put_in_place(new, path)
    assert names(path.parent) == ["a.txt"] and path.read_text() == "new"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs folders that can be locked")
def test_one_program_at_a_time(tmp_path):
    def enter():
        with alone_in(tmp_path):
            (tmp_path / "inside").touch(exist_ok=False)  # fails if somebody else is
            count = int((tmp_path / "n").read_text()) if (tmp_path / "n").exists() else 0
            (tmp_path / "n").write_text(str(count + 1))
            (tmp_path / "inside").unlink()

    with ThreadPoolExecutor(4) as pool:  # each opens the folder anew, as another program would
        list(pool.map(lambda _: enter(), range(40)))
    assert (tmp_path / "n").read_text() == "40"


def test_a_folder_that_cannot_be_locked_is_entered_all_the_same(tmp_path):
    with alone_in(tmp_path / "nowhere"):
        pass


@pytest.mark.skipif(os.name == "nt", reason="no modes")
class TestTrust:
    @pytest.mark.parametrize("umask", [0o022, 0o077, 0o007])
    def test_modes_follow_the_umask_whatever_the_writer_does(self, tmp_path, umask):
        before = os.umask(umask)
        try:
            for name, mode in (("a", None), ("b", 0o600), ("c", 0o666)):

                def write(temporary, mode=mode):
                    assert stat.S_IMODE(temporary.stat().st_mode) == 0o666 & ~umask  # never more open on the way
                    temporary.write_text("x")
                    temporary.chmod(mode) if mode else None

                write_atomically(tmp_path / name, write)
                assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o666 & ~umask
        finally:
            os.umask(before)

    def test_a_planted_link_is_not_followed(self, path, monkeypatch):
        victim = path.with_name("victim")
        victim.write_text("theirs")
        monkeypatch.setattr(files.secrets, "token_hex", lambda n: "0" * 2 * n)  # as if the name had been guessed
        (path.parent / f"a.txt.{'0' * 16}.tmp").symlink_to(victim)
        with pytest.raises(ChemVAEError, match="File exists"):
            write_atomically(path, lambda temporary: temporary.write_text("new"))
        assert victim.read_text() == "theirs" and path.read_text() == "old"

    def test_a_user_s_own_file_is_none_of_ours(self, path):
        for name in ("a.txt.tmp", "a.txt.old", "a.txt.1-0.tmp", "a.txt.0123.tmp", "b.txt.0123456789abcdef.tmp"):
            path.with_name(name).write_text("mine")
        before = names(path.parent)
        Replacement(path).create()
        write_atomically(path, lambda temporary: temporary.write_text("new"))
        clear_leftovers(path)
        assert names(path.parent) == before

    def test_a_pipe_is_written_to_and_not_replaced(self, tmp_path):
        os.mkfifo(tmp_path / "pipe")
        read = []
        reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_text()))
        reader.start()
        write_atomically(tmp_path / "pipe", lambda temporary: temporary.write_text("new"))
        reader.join(10)
        assert read == ["new"] and stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)

    def test_where_standard_output_leads_is_not_replaced(self, tmp_path):
        code = (
            "from pathlib import Path; from chemvae.disk.files import write_atomically\n"
            "write_atomically(Path('/dev/stdout'), lambda path: path.write_text('new'))"
        )
        with (tmp_path / "a").open("w") as file:
            subprocess.run([sys.executable, "-c", code], stdout=file, check=True)
        assert (tmp_path / "a").read_text() == "new" and os.path.islink("/dev/stdout") and names(tmp_path) == ["a"]


class TestRefusals:
    def test_the_system_s_word_is_found_behind_a_library_s(self, tmp_path):
        for error in (
            RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)"),
            OSError(28, "x"),
        ):
            with pytest.raises(ChemVAEError, match="could not be written"), refusals_explained(tmp_path):
                raise error
        with pytest.raises(ChemVAEError, match="No space left"), refusals_explained(tmp_path):
            try:
                raise OSError(28, "No space left on device")
            except OSError:
                raise RuntimeError("unexpected pos 576 vs 534")  # noqa: B904 (as torch does)

    def test_what_is_no_refusal_stays_what_it_is(self, tmp_path):
        with pytest.raises(ValueError, match="mine"), refusals_explained(tmp_path):
            raise ValueError("mine")
        try:
            raise OSError(28, "of another time")
        except OSError:
            with pytest.raises(ValueError, match="mine"), refusals_explained(tmp_path):
                raise ValueError("mine")  # noqa: B904 (what is handled around the block is not its own)
        with pytest.raises(FileNotFoundError), refusals_explained(tmp_path, only_space=True):
            open(tmp_path / "nowhere")


@pytest.mark.parametrize("can_swap", [True, False])
def test_folders_change_places_in_one_step_where_the_system_can(tmp_path, monkeypatch, can_swap):
    if not can_swap:
        monkeypatch.setattr(files, "_swap", lambda one, other: False)
    for content in "12":
        with Replacement(tmp_path / "set", make_way=True) as temporary:
            temporary.mkdir()
            (temporary / content).write_text(content)
    assert names(tmp_path) == ["set"] and names(tmp_path / "set") == ["2"]


def test_a_folder_put_aside_by_a_killed_program_comes_back(tmp_path):
    for name in ("set.0123456789abcdef.old", "set.0123456789abcdef.tmp"):
        (tmp_path / name).mkdir()
    (tmp_path / "set.0123456789abcdef.old" / "a").touch()
    clear_leftovers(tmp_path / "set")
    assert names(tmp_path) == ["set"] and names(tmp_path / "set") == ["a"]
