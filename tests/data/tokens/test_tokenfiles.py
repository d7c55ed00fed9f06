"""Token sets on disk give the batches that lists give, and leave the memory alone."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.data.tokens.tokenfiles import TokenWriter, read_token_set
from chemvae.data.tokens.vocabulary import Vocabulary
from chemvae.errors import InputError, SettingsError
from tests.data.random_tokens import LENGTH_MEAN, LENGTH_STD, LONGEST, SHORTEST, write_random_set


@pytest.fixture
def written(tmp_path, labelled, vocabulary):
    with TokenWriter(tmp_path / "set", vocabulary, ["a", "b"]) as writer:
        writer.write(labelled.smiles[:7], labelled.labels[:7])
        writer.write(labelled.smiles[7:], labelled.labels[7:])
    return tmp_path / "set"


def test_a_mapped_set_gives_the_batches_of_a_list(written, labelled):
    mapped = SmilesDataset.open(written)
    assert len(mapped) == len(labelled) and mapped.vocabulary == labelled.vocabulary
    assert list(mapped.smiles) == list(labelled.smiles) and read_token_set(written).label_names == ("a", "b")
    for batch, expected in zip(mapped.epoch(3, 4, seed=1), labelled.epoch(3, 4, seed=1), strict=True):
        assert torch.equal(batch.token_ids, expected.token_ids) and torch.equal(batch.lengths, expected.lengths)
        assert torch.equal(batch.labels.nan_to_num(-9), expected.labels.nan_to_num(-9))


def test_random_smiles_do_not_need_a_list(written, labelled):
    mapped, labelled.random_smiles = SmilesDataset.open(written, random_smiles=0.5), 0.5
    for batch, expected in zip(mapped.epoch(0, 6, seed=1), labelled.epoch(0, 6, seed=1), strict=True):
        assert torch.equal(batch.encoder_ids, expected.encoder_ids)
        assert torch.equal(batch.encoder_lengths, expected.encoder_lengths)


def test_molecules_the_vocabulary_cannot_write_are_left_out_with_their_labels(tmp_path):
    with TokenWriter(tmp_path / "set", Vocabulary(["C"]), ["y"]) as writer:
        assert writer.write(iter(["C", "N", "CC"]), np.array([[1.0], [2.0], [np.nan]])).tolist() == [True, False, True]
    found = read_token_set(tmp_path / "set")
    assert len(found.tokens) == 2
    np.testing.assert_array_equal(found.labels, [[1.0], [np.nan]])


def test_an_empty_set_and_one_without_labels(tmp_path):
    with TokenWriter(tmp_path / "none", Vocabulary(["C"])):
        pass
    with TokenWriter(tmp_path / "plain", Vocabulary(["C"])) as writer:
        writer.write(["CC"])
    assert len(SmilesDataset.open(tmp_path / "none")) == 0 and SmilesDataset.open(tmp_path / "plain").labels.shape == (1, 0)


def test_nothing_is_left_behind_by_a_failure(tmp_path):
    with pytest.raises(SettingsError, match=r"labels must have shape \[1, 1\], got \[1, 2\]"):
        with TokenWriter(tmp_path / "set", Vocabulary(["C"]), ["y"]) as writer:
            writer.write(["C"], [[1.0, 2.0]])
    assert list(tmp_path.iterdir()) == []


def test_damaged_and_missing_sets_are_one_sentence(written, tmp_path):
    with pytest.raises(InputError, match="exists"):
        TokenWriter(written, Vocabulary(["C"]))
    with pytest.raises(InputError, match="not a whole token set"):
        read_token_set(tmp_path)
    (written / "ids.bin").write_bytes(b"\x05" * 10)
    with pytest.raises(InputError, match="ids.bin has 10 bytes, expected"):
        read_token_set(written)
    facts = json.loads((written / "tokens.json").read_text())
    (written / "tokens.json").write_text(json.dumps({**facts, "format_version": 99}))
    with pytest.raises(InputError, match="another version"):
        read_token_set(written)


def test_random_sets_have_lengths_like_zinc_s_and_texts_that_split_into_their_tokens(tmp_path):
    write_random_set(tmp_path / "set", 3000, n_labels=2, seed=1)
    data = SmilesDataset.open(tmp_path / "set")
    lengths = data.tokens.lengths
    assert lengths.mean() == pytest.approx(LENGTH_MEAN, abs=1) and lengths.std() == pytest.approx(LENGTH_STD, abs=1)
    assert SHORTEST <= lengths.min() and lengths.max() <= LONGEST and data.labels.shape == (3000, 2)
    again = SmilesDataset(data.smiles[:100], data.vocabulary)
    np.testing.assert_array_equal(again.tokens.ids, data.tokens.ids[: len(again.tokens.ids)])


@pytest.mark.parametrize("name", ["ids.bin", "offsets.bin", "labels.bin"])
def test_one_flipped_bit_is_seen_on_opening(written, name):
    content = bytearray((written / name).read_bytes())
    content[len(content) // 2] ^= 4
    (written / name).write_bytes(content)
    with pytest.raises(InputError, match=f"{name} has changed since it was written"):
        read_token_set(written)


def test_a_set_of_before_has_no_checksums_and_opens(written):
    facts = json.loads((written / "tokens.json").read_text())
    assert sorted(facts.pop("sha256")) == ["ids.bin", "labels.bin", "offsets.bin", "tokens.json"]
    (written / "tokens.json").write_text(json.dumps(facts))
    assert len(read_token_set(written).tokens) == facts["n_molecules"]


TRAIN = """
import itertools, resource, sys
import torch
from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.models.vae import ModelSettings, MolVAE
from chemvae.training.settings import TrainingSettings
from chemvae.training.trainer import Trainer

torch.set_num_threads(1)
data = SmilesDataset.open(sys.argv[1])
valid = SmilesDataset(data.smiles[:200], data.vocabulary, data.labels[:200])
model = MolVAE(data.vocabulary, ModelSettings(8, 12, 16, 6, 8, precision="fp32"), ["a", "b", "c"])
model.predictor.fit_scale(torch.as_tensor(data.labels))
settings = TrainingSettings(epochs=1, time_limit_min=0.1, min_kl=0.0, min_active_units=0.0)
trainer = Trainer(model, data, valid, settings, device="cpu")
trainer.fit()
assert trainer.progress.step >= 5 and len(list(itertools.islice(data.epoch(1, 128, 0), 500))) >= 5
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in KiB on Linux only")
def test_ten_million_molecules_train_in_two_gibibytes_beyond_the_model(tmp_path):
    peaks = []
    for n in (1_000, 10_000_000):
        write_random_set(tmp_path / str(n), n)
        out = subprocess.run([sys.executable, "-c", TRAIN, tmp_path / str(n)], capture_output=True, text=True)
        assert out.returncode == 0, out.stderr
        peaks.append(int(out.stdout) * 1024)
    assert peaks[1] - peaks[0] < 2 * 1024**3
