"""Parts of the cache: found by text, put together when there are many, written by several at once."""

import logging
import subprocess
import sys

import numpy as np
import pytest

from chemvae.chem import descriptor_cache
from chemvae.chem.descriptor_cache import DescriptorCache, PartWriter, text_keys

TYPES = {"y": "number", "text": "text", "bits": "bits:2"}


def write(folder, texts, offset=0.0, types=TYPES):
    values = {
        "y": np.array([len(text) + offset for text in texts]),
        "text": [text[::-1] for text in texts],
        "bits": np.array([[len(text), 7] for text in texts], dtype=np.uint8),
    }
    with PartWriter(types, folder) as writer:
        writer.add(texts, {name: values[name] for name in types})


def known(folder, texts, column="y"):
    """Text -> value, for what is found."""
    pieces = DescriptorCache(folder).look_up(texts, [column])[column]
    return {texts[i]: value for places, values in pieces for i, value in zip(places.tolist(), values, strict=True)}


def test_values_come_back_as_they_were(tmp_path):
    texts = ["C" * i for i in range(1, 40)]
    write(tmp_path, texts)
    asked = ["N", *texts[::-3], "O"]
    assert known(tmp_path, asked) == {text: float(len(text)) for text in texts[::-3]}
    assert known(tmp_path, asked, "text") == {text: text for text in texts[::-3]}
    assert {text: row.tolist() for text, row in known(tmp_path, asked, "bits").items()} == {
        text: [len(text), 7] for text in texts[::-3]
    }
    assert known(tmp_path, asked, "z") == {} == known(tmp_path / "nowhere", asked)


def test_rows_are_found_in_any_row_group(tmp_path, monkeypatch):
    monkeypatch.setattr(descriptor_cache, "GROUP_ROWS", 10)
    monkeypatch.setattr(descriptor_cache, "HELD_BYTES", 100)
    texts = [f"C{i}" for i in range(95)]
    write(tmp_path, texts)
    order = np.random.default_rng(0).permutation(95)
    assert list(known(tmp_path, [texts[i] for i in order], "text").items()) != []
    assert known(tmp_path, [texts[i] for i in order]) == {text: float(len(text)) for text in texts}


def test_an_equal_key_is_not_an_equal_text(tmp_path, monkeypatch):
    monkeypatch.setattr(descriptor_cache, "text_keys", lambda texts: np.full(len(texts), 5, dtype=np.uint64))
    write(tmp_path, ["CC"])
    assert known(tmp_path, ["OO", "CC"]) == {"CC": 2.0}


def test_keys_are_the_same_in_every_process():
    code = "from chemvae.chem.descriptor_cache import text_keys; print(text_keys(['CCO', 'C']).tolist())"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == str(text_keys(["CCO", "C"]).tolist())


def test_many_parts_become_one_and_nothing_is_lost(tmp_path, monkeypatch):
    monkeypatch.setattr(descriptor_cache, "GROUP_ROWS", 7)
    for i in range(descriptor_cache.MOST_PARTS + 1):
        write(tmp_path, [f"C{i}", f"C{i + 1}", *(f"N{i}-{j}" for j in range(20))])
    write(tmp_path, ["O"], types={"y": "number"})  # other columns stay apart
    parts = list(tmp_path.glob("*.parquet"))
    assert len(parts) == 2 and not list(tmp_path.glob("*.tmp"))
    asked = [f"C{i}" for i in range(descriptor_cache.MOST_PARTS + 2)] + ["N3-19", "O"]
    assert known(tmp_path, asked) == {text: float(len(text)) for text in asked}
    rows = sum(len(part.keys) for part in DescriptorCache(tmp_path)._parts)
    assert rows == descriptor_cache.MOST_PARTS + 2 + 20 * (descriptor_cache.MOST_PARTS + 1) + 1, "each text once"


def test_the_oldest_go_when_the_folder_is_full(tmp_path, monkeypatch):
    write(tmp_path, ["old"])
    monkeypatch.setattr(descriptor_cache, "MOST_BYTES", next(tmp_path.glob("*.parquet")).stat().st_size + 10)
    write(tmp_path, ["new"])
    assert known(tmp_path, ["old", "new"]) == {"new": 3.0}


def test_a_part_that_another_process_put_away_is_no_fault(tmp_path, monkeypatch, caplog):
    write(tmp_path, ["C"])
    listed = list(tmp_path.glob("*.parquet"))
    monkeypatch.setattr(type(tmp_path), "glob", lambda *_: iter([*listed, tmp_path / "gone.parquet"]))
    with caplog.at_level(logging.WARNING):
        assert known(tmp_path, ["C"]) == {"C": 1.0}
    assert not caplog.records


WRITER = """
import sys
import numpy as np
from chemvae.chem.descriptor_cache import PartWriter
for i in range(6):
    texts = [f"C{sys.argv[2]}-{i}-{j}" for j in range(50)]
    with PartWriter({"y": "number"}, sys.argv[1]) as writer:
        writer.add(texts, {"y": np.array([float(len(text)) for text in texts])})
"""


def test_several_processes_may_write_at_once(tmp_path):
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, tmp_path, str(i)]) for i in range(3)]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    asked = [f"C{k}-{i}-{j}" for k in range(3) for i in range(6) for j in range(50)]
    assert known(tmp_path, asked) == {text: float(len(text)) for text in asked}
    assert not list(tmp_path.glob("*.tmp"))


def test_what_is_not_whole_is_not_there(tmp_path):
    writer = PartWriter({"y": "number"}, tmp_path)
    writer.add(["C"] * descriptor_cache.GROUP_ROWS, {"y": np.zeros(descriptor_cache.GROUP_ROWS)})
    assert known(tmp_path, ["C"]) == {}
    with pytest.raises(KeyboardInterrupt), writer:
        raise KeyboardInterrupt
    assert known(tmp_path, ["C"]) == {"C": 0.0}, "what was computed before an interruption is kept"
