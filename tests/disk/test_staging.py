"""Files that belong together appear together, or not at all."""

import pytest

from chemvae.disk.staging import Stage, all_at_once


class Stopped(Exception):
    pass


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    return path


def names(folder):
    return sorted(one.name for one in folder.iterdir())


class TestStage:
    def test_new_files_come_all_at_once_and_others_stay(self, tmp_path):
        for name in ("a", "b", "mine"):
            (tmp_path / name).write_text("old")
        (tmp_path / "logs").mkdir()
        (tmp_path / "logs" / "old").touch()
        stage = Stage(tmp_path)
        stage.begin()
        (stage.making / "a").write_text("new")
        (stage.making / "logs").mkdir()
        assert stage.find("a").read_text() == "old"
        stage.finish(["a", "b", "logs", "c"])
        assert (
            names(tmp_path) == ["a", "logs", "mine"] and stage.find("a").read_text() == "new" and not names(tmp_path / "logs")
        )

    def test_what_is_given_up_leaves_nothing(self, path):
        stage = Stage(path.parent)
        stage.begin()
        (stage.making / "a.txt").write_text("new")
        stage.discard()
        assert names(path.parent) == ["a.txt"] and path.read_text() == "old"


def test_files_that_belong_together_come_together_or_not_at_all(path):
    with pytest.raises(Stopped), all_at_once(path.parent, "two") as place:
        (place / "a.txt").write_text("new")
        raise Stopped
    assert names(path.parent) == ["a.txt"] and path.read_text() == "old"
    with all_at_once(path.parent, "two") as place:
        for name in ("a.txt", "b.txt"):
            (place / name).write_text("new")
        assert path.read_text() == "old"
    assert names(path.parent) == ["a.txt", "b.txt"] and path.read_text() == "new"
