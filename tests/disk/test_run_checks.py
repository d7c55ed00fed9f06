"""What a run folder must be before it is believed: each fault is a sentence that names the file and what to do."""

import json
import os

import pytest

from chemvae.disk.run_checks import (
    KINDS,
    check_config,
    deciding_sha256,
    first_line,
    is_count,
    plain_file,
    read_json,
    recorded_sums,
)
from chemvae.errors import RunFolderError

GOOD = {"format_version": 1, "model": {"latent_dim": 8}, "properties": {"logP": "1"}, "max_tokens": 40, "n_train": 3}


def test_a_plain_file_is_found_and_everything_else_is_refused(tmp_path):
    (tmp_path / "file").write_text("12345")
    assert plain_file(tmp_path, "file", largest=5) == tmp_path / "file"
    (tmp_path / "folder").mkdir()
    os.symlink(tmp_path / "nowhere", tmp_path / "link")
    os.mkfifo(tmp_path / "pipe")
    for name, words in (("none", "lacks none"), ("folder", "no file"), ("link", "link to nothing"), ("pipe", "no file")):
        with pytest.raises(RunFolderError, match=words):
            plain_file(tmp_path, name)
    with pytest.raises(RunFolderError, match="5 bytes, which is none of ours"):
        plain_file(tmp_path, "file", largest=4)


@pytest.mark.parametrize("text", ["", "{", "[1,", "[" * 100_000, "\ufffe{"])
def test_json_that_is_none_is_damaged(tmp_path, text):
    (tmp_path / "config.json").write_text(text, encoding="utf-8")
    with pytest.raises(RunFolderError, match="damaged config.json"):
        read_json(tmp_path, "config.json")


def test_counts_are_whole_numbers_from_zero_on_and_no_truth_values():
    assert [is_count(value) for value in (0, 7, -1, 1.0, True, "3", None)] == [True, True] + [False] * 5


def test_a_good_config_passes_with_and_without_its_sum(tmp_path):
    check_config(tmp_path, GOOD)
    check_config(tmp_path, {**GOOD, "sha256": {"config.json": deciding_sha256(GOOD)}, "a stranger's key": [1]})


@pytest.mark.parametrize("name", KINDS)
def test_a_value_of_the_wrong_kind_is_named(tmp_path, name):
    with pytest.raises(RunFolderError, match=f"damaged config.json .{name} is"):
        check_config(tmp_path, {**GOOD, name: 1.5})


@pytest.mark.parametrize(
    ("version", "words"), [(None, "no chemvae has written"), (0, "no chemvae"), (True, "no chemvae"), (2, "Update chemvae")]
)
def test_another_version_is_refused(tmp_path, version, words):
    with pytest.raises(RunFolderError, match=words):
        check_config(tmp_path, {**GOOD, "format_version": version})


@pytest.mark.parametrize("change", [{"model": {"latent_dim": 9}}, {"properties": {"logP": "eV"}}, {"max_tokens": 41}])
def test_a_change_that_would_pass_as_another_answer_is_refused(tmp_path, change):
    signed = {**GOOD, "sha256": {"config.json": deciding_sha256(GOOD)}}
    with pytest.raises(RunFolderError, match="its sha256 differs"):
        check_config(tmp_path, {**signed, **change})
    check_config(tmp_path, {**signed, "n_train": 4})  # what decides nothing may change
    both = [deciding_sha256({**GOOD, **change}), deciding_sha256(GOOD)]
    check_config(tmp_path, {**GOOD, **change, "sha256": {"config.json": both}})  # while one is exchanged for the other


def test_sums_are_read_from_whatever_stands_there():
    assert recorded_sums({"sha256": {"a": "1", "b": ["2", 3]}}, "a") == ["1"]
    assert recorded_sums({"sha256": {"b": ["2", 3]}}, "b") == ["2"]
    assert recorded_sums({}, "a") == recorded_sums([], "a") == recorded_sums({"sha256": "x"}, "a") == []


def test_the_first_line_of_an_error_is_short_and_never_empty():
    assert first_line(ValueError("no number.\nat line 3")) == "no number" and first_line(ValueError("")) == "ValueError"
    assert len(first_line("x" * 10_000)) == 200


def test_what_is_shown_of_a_value_is_short(tmp_path):
    for value in (10**400, "x" * 5_000, [0] * 5_000):
        with pytest.raises(RunFolderError) as caught:
            check_config(tmp_path, {**GOOD, "n_train": value if not isinstance(value, int) else -value})
        assert len(str(caught.value)) < 400


def test_every_kind_accepts_what_is_written(tmp_path):
    told = {
        "training": {}, "init": None, "n_valid": 0, "dropped": {"too long": 2}, "labels_missing": {},
        "labels_not_numeric": {"y": 1},
        "data": {"source": "a.csv", "smiles_column": None, "targets": ["y"]}, "sha256": {"config.json": deciding_sha256(GOOD)},
    }  # fmt: skip
    assert set(told) | set(GOOD) - {"format_version"} == set(KINDS)
    check_config(tmp_path, json.loads(json.dumps({**GOOD, **told})))
