"""Checksums change with what is said and with nothing else."""

import hashlib

import numpy as np
import pytest

from chemvae.disk.checksums import BLOCK_BYTES, arrays_sha256, file_sha256, json_sha256


@pytest.mark.parametrize("n", [0, 1, BLOCK_BYTES, BLOCK_BYTES + 1])
def test_a_file_of_any_length_has_the_sum_of_its_bytes(tmp_path, n):
    content = bytes(range(256)) * (n // 256 + 1)
    (tmp_path / "a").write_bytes(content[:n])
    assert file_sha256(tmp_path / "a") == hashlib.sha256(content[:n]).hexdigest()


def test_json_is_summed_by_what_it_says():
    said = {"b": [1, 2.5, None], "a": {"d": "é", "c": True}}
    assert json_sha256(said) == json_sha256({"a": {"c": True, "d": "é"}, "b": [1, 2.5, None]})
    for other in ({**said, "b": [1, 2.5, 0]}, {**said, "b": [2.5, 1, None]}, {**said, "e": None}):
        assert json_sha256(other) != json_sha256(said)


def test_arrays_are_summed_with_name_type_shape_and_order():
    array = np.arange(6.0)
    one = arrays_sha256({"a": array, "b": array})
    assert arrays_sha256({"b": array, "a": array.copy()}) == one
    for others in ({"a": array}, {"a": array, "c": array}, {"a": array.reshape(2, 3), "b": array}):
        assert arrays_sha256(others) != one
    assert arrays_sha256({"a": array.astype(np.int64), "b": array}) != one
    assert arrays_sha256({"a": np.arange(6).reshape(2, 3).T}) == arrays_sha256({"a": np.arange(6).reshape(2, 3).T.copy()})
