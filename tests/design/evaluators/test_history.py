"""The record: what is written comes back, what a crash cut short is dropped, what does not belong is refused."""

import json
import logging
import math
import sys

import numpy as np
import pytest

from chemvae.design.evaluators.history import Call, History
from chemvae.design.oracles import Score
from chemvae.errors import ChemVAEError, InputError, SettingsError

CALLS = [
    Call("CCO", Score((0.1,), "", 0.25), np.array([0.1, -2.0], dtype=np.float32)),
    Call("CCN", Score((math.nan,), "timed out after 1 s", 1.0), np.array([np.nan, np.nan], dtype=np.float32)),
]


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "deep" / "history.jsonl"
    history = History(path, {"seed": 0})
    for call in CALLS:
        history.append(call)
    return path


def test_what_is_written_comes_back_bit_for_bit(path):
    history = History(path, {"seed": 0})
    for call in CALLS:
        again = history.replay(call.smiles)
        np.testing.assert_array_equal(again.z, call.z)
        np.testing.assert_array_equal(again.score.values, call.score.values)
        assert (again.score.reason, again.score.seconds) == (call.score.reason, call.score.seconds)
    assert len(history) == 2 and not history.recorded and history.replay("CCO") is None


def test_every_line_is_strict_json(path):
    def refuse(text):
        raise AssertionError(f"{text} is not JSON")

    lines = [json.loads(line, parse_constant=refuse) for line in path.read_text().splitlines()]
    assert lines[0] == {"format": 1, "seed": 0} and [line["call"] for line in lines[1:]] == [1, 2]


def test_replaying_writes_nothing_and_going_on_appends(path):
    before = path.read_text()
    history = History(path, {"seed": 0})
    history.absorb()
    assert path.read_text() == before
    history.append(Call("CC", Score((1.0,)), np.zeros(2)))
    assert path.read_text().startswith(before) and json.loads(path.read_text().splitlines()[-1])["call"] == 3


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_a_line_cut_short_is_dropped_and_written_over(path, cut):
    path.write_bytes(path.read_bytes()[:-cut])
    history = History(path, {"seed": 0})
    assert list(history.recorded) == ["CCO"]
    history.replay("CCO")
    history.append(CALLS[1])
    history.close()
    assert list(History(path, {"seed": 0}).recorded) == ["CCO", "CCN"]


def test_an_empty_file_is_a_fresh_record(tmp_path):
    path = tmp_path / "history.jsonl"
    path.touch()
    History(path, {"seed": 0}).append(CALLS[0])
    assert list(History(path, {"seed": 0}).recorded) == ["CCO"]


def test_other_settings_are_refused_by_name(path):
    with pytest.raises(SettingsError, match=r"another seed \(0, now 1\)"):
        History(path, {"seed": 1})


@pytest.mark.parametrize("text", ["smiles,score\nCCO,1\n", "{}\n", "[1]\n"])
def test_a_foreign_file_is_refused_and_left_alone(tmp_path, text):
    path = tmp_path / "data.csv"
    path.write_text(text)
    with pytest.raises(InputError, match="is not a record"):
        History(path, {"seed": 0})
    assert path.read_text() == text


def test_binary_junk_is_refused(tmp_path):
    path = tmp_path / "junk"
    path.write_bytes(b"\xff\xfe\n\x00")
    with pytest.raises(InputError, match="cannot be read"):
        History(path, {"seed": 0})


def test_a_damaged_line_in_the_middle_is_named(path):
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], '{"smiles": "CCO"}', lines[2]]) + "\n")
    with pytest.raises(InputError, match="line 2"):
        History(path, {"seed": 0})


def test_without_a_path_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    History(None, {}).append(CALLS[0])
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="Linux only")
def test_one_program_at_a_time(path, monkeypatch):
    monkeypatch.setattr("chemvae.design.evaluators.journal.PATIENCE_S", 0.1)
    first = History(path, {"seed": 0})
    with pytest.raises(ChemVAEError, match="Another program is working with"):
        History(path, {"seed": 0})
    first.close()
    assert len(History(path, {"seed": 0}).recorded) == 2


def test_other_kernels_are_said_in_one_line_and_the_search_goes_on(tmp_path, caplog):
    path = tmp_path / "history.jsonl"
    first = History(path, {"seed": 0, "kernels": {"kind": "compiled", "isa": "AVX512", "sha256": "ab" * 32}})
    first.append(CALLS[0])
    first.close()
    with caplog.at_level(logging.WARNING):
        for kernels in (
            {"kind": "compiled", "isa": "AVX512", "sha256": "ab" * 32},
            {"kind": "eager", "isa": "AVX2", "sha256": None},
        ):
            again = History(path, {"seed": 0, "kernels": kernels})
            assert len(again.recorded) == 1
            again.close()
    (said,) = caplog.messages
    assert "begun with other kernels (compiled AVX512 abababababab, now eager AVX2)" in said


def test_a_record_from_before_kernels_were_noted_goes_on_in_silence(path, caplog):
    assert len(History(path, {"seed": 0, "kernels": {"kind": "eager"}}).recorded) == 2 and not caplog.messages
