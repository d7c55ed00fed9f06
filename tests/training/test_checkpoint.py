"""A checkpoint of another training is refused before any of it is taken over, in our own words."""

import pickle
import shutil
import zipfile

import pytest
import torch

from chemvae.errors import RunFolderError, SettingsError
from chemvae.models.settings import ModelSettings
from chemvae.runs import RunFolder
from chemvae.training.settings import TrainingSettings
from tests.conftest import some_labels
from tests.training.test_trainer import make_trainer, weights


@pytest.fixture(scope="module")
def begun(vocabulary, tmp_path_factory):
    """The folder of a run after an epoch; nobody writes there."""
    folder = tmp_path_factory.mktemp("checkpoint") / "run"
    make_trainer(some_labels(vocabulary), vocabulary, RunFolder(folder), epochs=1).fit()
    return folder


@pytest.fixture
def run(begun, tmp_path):
    shutil.copytree(begun, tmp_path / "run")
    return RunFolder(tmp_path / "run")


def resumed(run, labelled, vocabulary):
    trainer = make_trainer(labelled, vocabulary, run, epochs=1)
    before = weights(trainer.module).clone()
    return trainer, before


PARTS = ["model", "average", "optimizer", "generator", "progress", "n_steps"]


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("value", [None, 5, "text", [1.0], {"x": torch.zeros(2)}, torch.zeros(3)], ids=repr)
def test_each_part_is_looked_at_and_nothing_is_taken_over(run, labelled, vocabulary, part, value):
    if part == "n_steps" and isinstance(value, int):
        return  # as it was
    run.write_trainer({**run.read_trainer(), part: value})
    trainer, before = resumed(run, labelled, vocabulary)
    with pytest.raises(RunFolderError, match="trainer.pt that does not fit its config.json .*start anew"):
        trainer.resume()
    assert torch.equal(weights(trainer.module), before)


def test_what_is_whole_is_taken_over(run, labelled, vocabulary):
    trainer, before = resumed(run, labelled, vocabulary)
    trainer.resume()
    assert not torch.equal(weights(trainer.module), before) and trainer.progress.epoch == 1


def test_a_trainer_without_a_run_folder_says_that_it_cannot_resume(labelled, vocabulary):
    with pytest.raises(SettingsError, match="without a run folder has nothing to resume"):
        make_trainer(labelled, vocabulary).resume()


class Program:
    """What a hostile checkpoint would do."""

    def __reduce__(self):
        return print, ("run!",)


@pytest.mark.parametrize("how", ["archive", "plain pickle", "old format"])
def test_a_malicious_checkpoint_is_refused_in_our_own_words(run, capsys, how):
    path = run.path / "trainer.pt"
    if how == "plain pickle":
        path.write_bytes(pickle.dumps(Program()))
    else:
        torch.save({"model": Program()}, path, _use_new_zipfile_serialization=how == "archive")
    with pytest.raises(RunFolderError) as caught:
        run.read_trainer()
    assert "trainer.pt" in str(caught.value) and "run!" not in capsys.readouterr().out
    assert not any(word in str(caught.value) for word in ("weights_only", "torch.load", "PyTorch", "\n"))


def test_an_archive_of_something_else_is_refused(run):
    with zipfile.ZipFile(run.path / "trainer.pt", "w") as archive:
        archive.writestr("notes.txt", "mine")
    with pytest.raises(RunFolderError, match="damaged trainer.pt"):
        run.read_trainer()


@pytest.mark.parametrize("kind", [ModelSettings, TrainingSettings])
@pytest.mark.parametrize("value", [None, [3], {}, object(), 10**40, float("nan")], ids=lambda one: type(one).__name__)
def test_settings_of_any_kind_of_value_are_refused_or_kept_in_words(kind, value):
    """Not one of them is an error of Python's own."""
    from dataclasses import fields

    for item in fields(kind):
        try:
            kind(**{item.name: value})
        except SettingsError as error:
            assert item.name in str(error)
