"""Saved projections are read back, and files that are none are one sentence."""

import json

import numpy as np
import pytest

from chemvae.errors import InputError
from chemvae.maps import PROJECTIONS, load_projection
from chemvae.maps.projection import FORMAT


@pytest.mark.parametrize("content", [b"", b"junk" * 100, b"\x80\x04K\x01."])
def test_a_damaged_file_is_one_sentence(tmp_path, content):
    path = tmp_path / "map.safetensors"
    path.write_bytes(content)
    with pytest.raises(InputError, match="cannot be read as a map projection"):
        load_projection(path)
    with pytest.raises(InputError, match="cannot be read"):
        load_projection(tmp_path / "missing.safetensors")


def test_another_safetensors_file_is_refused(tmp_path):
    from safetensors.numpy import save_file

    save_file({"weight": np.zeros(3)}, tmp_path / "model.safetensors")
    with pytest.raises(InputError, match="not a map projection"):
        load_projection(tmp_path / "model.safetensors")


@pytest.mark.parametrize("facts", [{"name": "volcano", "n_features": 3, "settings": {}}, {"name": "pca"}, {"settings": {}}])
def test_a_file_of_ours_that_names_no_projection_is_refused(tmp_path, facts):
    from safetensors.numpy import save_file

    metadata = {"format": FORMAT, "projection": json.dumps(facts)}
    save_file({"mean_": np.zeros(3)}, tmp_path / "map.safetensors", metadata=metadata)
    with pytest.raises(InputError, match="Fit and save the map again"):
        load_projection(tmp_path / "map.safetensors")


def test_a_flipped_bit_is_one_sentence_and_never_another_map(tmp_path):
    path = PROJECTIONS["pca"]().fit(np.random.default_rng(0).normal(size=(20, 3))).save(tmp_path / "map.safetensors")
    whole = path.read_bytes()
    path.write_bytes(whole[:-3] + bytes([whole[-3] ^ 4]) + whole[-2:])
    with pytest.raises(InputError, match="not those that were saved"):
        load_projection(path)
    path.write_bytes(whole)
    assert load_projection(path).n_features_in_ == 3


def test_names_of_the_table_are_those_of_its_classes():
    assert {kind.name: kind for kind in PROJECTIONS.values()} == PROJECTIONS
