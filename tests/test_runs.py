"""A run folder knows its files by their checksums, at every moment of writing them, and says what it cannot read."""

import hashlib
import json
import logging
import os
import shutil

import numpy as np
import pytest
import torch

from chemvae.disk.tensor_files import facts_in, misfit, not_finite, read_checkpoint, save_checkpoint
from chemvae.errors import ChemVAEError, RunFolderError
from chemvae.models.gru.kernels import kernels_in_use
from chemvae.models.storage import SHIPPED, load_model, save_model
from chemvae.runs import RunFolder, environment
from tests.conftest import make_model

try:
    import resource
except ImportError:  # Windows
    resource = None

TENSOR_FILES = ("model.safetensors", "prior.safetensors", "training_index.parquet")


@pytest.fixture
def model(vocabulary):
    made = make_model(vocabulary).eval()
    made.latent_statistics.fit(torch.randn(9, 6, generator=torch.Generator().manual_seed(0)), torch.zeros(9))
    return made


@pytest.fixture
def run(model, tmp_path):
    folder = RunFolder(tmp_path / "run")
    save_model(model, folder)
    return folder


def sums(run):
    return json.loads((run.path / "config.json").read_text())["sha256"]


def test_config_json_holds_the_sha256_of_each_file_that_decides_answers(run):
    for name in ("model.safetensors", "prior.safetensors"):
        assert sums(run)[name] == hashlib.sha256((run.path / name).read_bytes()).hexdigest()
    assert sums(run).keys() >= {"vocabulary.json", "config.json"}
    run.write_trainer({"step": 1})
    run.write_training_index(np.arange(3, dtype=np.uint64))
    assert sums(run).keys() >= {"trainer.pt", "training_index.parquet"}


@pytest.mark.parametrize("name", sorted(path.name for path in SHIPPED.iterdir()))
def test_shipped_weights_have_theirs(name):
    run = RunFolder(SHIPPED / name)
    for file in TENSOR_FILES:
        assert sums(run)[file] == hashlib.sha256((run.path / file).read_bytes()).hexdigest()
    assert sums(run).keys() >= {"vocabulary.json", "config.json"}


def test_writing_config_json_again_keeps_them(run):
    before = sums(run)
    run.write_config({**run.read_config(), "note": "more epochs"})
    assert sums(run) == before and load_model(run) is not None


@pytest.mark.parametrize("older", [False, True], ids=["", "a folder of an earlier version"])
@pytest.mark.parametrize("write", ["put_in_place", "write_json"])
def test_a_kill_while_weights_are_exchanged_leaves_a_folder_that_loads(run, model, monkeypatch, write, older):
    """Whichever of the steps of writing is the last."""
    if older:
        config = json.loads((run.path / "config.json").read_text())
        del config["sha256"]
        (run.path / "config.json").write_text(json.dumps(config))
    module = "chemvae.disk.files.put_in_place" if write == "put_in_place" else "chemvae.runs.write_json"
    original = __import__(module.rpartition(".")[0], fromlist=["x"]).__dict__[write]
    for last in range(1, 5):
        calls = []

        def killed(*given, calls=calls, last=last):
            calls.append(1)
            if len(calls) == last:
                raise KeyboardInterrupt
            return original(*given)

        monkeypatch.setattr(module, killed)
        changed = {name: value + 1.0 for name, value in model.state_dict().items() if name.startswith("decoder.")}
        try:
            model.load_state_dict(changed, strict=False)
            run.write_tensors(
                "model.safetensors", {k: v for k, v in model.state_dict().items() if not k.startswith(("priors.", "latent_"))}
            )
        except KeyboardInterrupt:
            pass
        monkeypatch.setattr(module, original)
        assert load_model(run) is not None


def test_what_a_flipped_bit_changes_is_named(run):
    for name in ("model.safetensors", "prior.safetensors"):
        whole = (run.path / name).read_bytes()
        (run.path / name).write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        with pytest.raises(RunFolderError, match=f"{name} that is not the one it was saved with .*Copy"):
            load_model(run)
        (run.path / name).write_bytes(whole)
    assert load_model(run) is not None


def test_settings_changed_on_purpose_are_told_how(run):
    path = run.path / "config.json"
    path.write_text(path.read_text().replace('"max_tokens": 40', '"max_tokens": 41'))
    with pytest.raises(RunFolderError, match='delete "config.json" under its "sha256"'):
        load_model(run)
    config = json.loads(path.read_text())
    del config["sha256"]["config.json"]
    path.write_text(json.dumps(config))
    assert load_model(run).training_facts.max_tokens == 41


def test_what_was_lost_is_said_once_and_done_without(run, caplog):
    (run.path / "prior.safetensors").unlink()
    with caplog.at_level(logging.WARNING):
        loaded = load_model(run)
    assert not loaded.latent_statistics.is_fitted and len(caplog.messages) == 1 and "lacks prior.safetensors" in caplog.text


def test_loading_draws_no_random_numbers_and_all_parameters_are_those_saved(run, model):
    before = torch.get_rng_state()
    loaded = load_model(run)
    assert torch.equal(torch.get_rng_state(), before)
    for name, value in model.state_dict().items():
        assert torch.equal(value.nan_to_num(), loaded.state_dict()[name].nan_to_num()), name


@pytest.mark.skipif(resource is None, reason="no limit on file sizes here")
@pytest.mark.parametrize("write", ["write_tensors", "write_trainer", "write_training_index"])
def test_a_full_disk_is_one_sentence_and_the_old_file_stays(run, write):
    """A limit on the size of files, as good as a full disk."""
    name = {"write_tensors": "model.safetensors", "write_trainer": "trainer.pt"}.get(write, "training_index.parquet")
    large = {"x": torch.randn(60_000)}
    content = {"write_tensors": ("model.safetensors", large), "write_trainer": (large,)}.get(write)
    content = content or (np.random.default_rng(0).integers(0, 2**62, 30_000).astype(np.uint64),)
    run.write_trainer({"step": 1})
    run.write_training_index(np.arange(3, dtype=np.uint64))
    before, soft = (run.path / name).read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, soft[1]))
    try:
        with pytest.raises(ChemVAEError, match=f"{name}' could not be written: .*File too large.* Free space"):
            getattr(run, write)(*content)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, soft)
    assert (run.path / name).read_bytes() == before
    assert not [one for one in run.path.iterdir() if "tmp" in one.name] and load_model(run) is not None


def test_a_folder_that_is_copied_loads_wherever_it_lies(run, tmp_path):
    assert load_model(RunFolder(shutil.copytree(run.path, tmp_path / "elsewhere" / "copy"))) is not None


def test_a_checkpoint_comes_back_as_it_was(tmp_path):
    state = {"weights": {"a": torch.randn(3, 4)}, "step": 7, "rows": [{"loss": float("inf")}], "betas": (0.9, 0.999)}
    save_checkpoint(tmp_path / "c.pt", state)
    back = read_checkpoint(tmp_path / "c.pt")
    assert torch.equal(back.pop("weights")["a"], state.pop("weights")["a"]) and back == state


def test_headers_are_compared_without_reading(run, model):
    facts = facts_in(run.path / "model.safetensors")
    assert misfit(facts, facts) is None
    some = next(iter(facts))
    assert some in misfit({k: v for k, v in facts.items() if k != some}, facts)
    assert "instead of" in misfit({**facts, some: ("F32", (1, 2, 3))}, facts)
    assert misfit({**facts, some: ("BF16", facts[some][1])}, facts) is None  # rounded, and read as ever
    assert "I8" in misfit({**facts, some: ("I8", facts[some][1])}, facts)
    assert "another model" in misfit({**facts, "more": ("F32", (1,))}, facts)


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
def test_numbers_that_are_none_are_found_wherever_they_are(value):
    for place in range(7):
        tensor = torch.arange(7.0)
        assert not_finite({"x": tensor}) is None
        tensor[place] = value
        assert not_finite({"x": tensor}) == "x"
    assert not_finite({"x": torch.zeros(0), "i": torch.arange(3)}) is None
    assert not_finite({"x": torch.full((3, 2), torch.nan)}, gaps=("x",)) == "x"  # gaps beside numbers, not instead


def test_the_kernels_in_use_are_part_of_the_environment():
    recorded = environment()["kernels"]
    assert recorded == kernels_in_use() and recorded["isa"]
    assert (recorded["kind"] == "compiled") == (recorded["sha256"] is not None)


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read_is_named(run):
    (run.path / "vocabulary.json").chmod(0)
    with pytest.raises(RunFolderError, match=r"vocabulary.json that cannot be read \(Permission denied\)"):
        load_model(run)
