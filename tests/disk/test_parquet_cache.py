"""Files of what was computed: whole or not there; damage costs a warning, or a sentence where the content was paid for."""

import logging
import random

import pyarrow
import pyarrow.parquet
import pytest

from chemvae.disk.parquet_cache import ParquetCache
from chemvae.errors import ChemVAEError, InputError

TABLE = pyarrow.table({"smiles": ["C", "CC", "CCC"] * 50, "y": [1.0, 2.0, 3.0] * 50})
OTHER_TYPES = pyarrow.schema([("smiles", pyarrow.string()), ("y", pyarrow.int64())])
AGAIN = "it is computed again"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "cache" / "a.parquet"


def names(folder):
    return sorted(one.name for one in folder.iterdir())


def damage(path, how):
    """Write the table, and spoil the file in one of the ways files are spoilt."""
    ParquetCache(path).write(TABLE)
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[60] ^= 255
    path.write_bytes({"empty": b"", "cut": whole[:-20], "half": whole[: len(whole) // 2], "flipped": bytes(flipped)}[how])


of_damage = pytest.mark.parametrize("how", ["empty", "cut", "half", "flipped"])


def test_what_is_written_is_read_and_nothing_else_lies_there(path):
    assert ParquetCache(path).read() is None is ParquetCache(path, AGAIN).read()
    ParquetCache(path).write(TABLE)
    assert ParquetCache(path).read().equals(TABLE) and names(path.parent) == ["a.parquet"]


@of_damage
def test_what_can_be_computed_again_is_removed_with_one_warning(path, how, caplog):
    damage(path, how)
    with caplog.at_level(logging.WARNING):
        assert ParquetCache(path, AGAIN).read() is None is ParquetCache(path, AGAIN).read()
    (said,) = caplog.messages
    assert str(path) in said and "is damaged" in said and AGAIN in said and names(path.parent) == []


@pytest.mark.parametrize("kind", ["whole", "in pieces"])
def test_no_flipped_bit_goes_by_as_other_values(path, kind):
    cache = ParquetCache(path, AGAIN)
    if kind == "whole":
        cache.write(TABLE)
    else:
        writer = cache.writer()
        writer.write(lambda: TABLE)
        assert writer.close()
    whole, draw = path.read_bytes(), random.Random(0)
    for place in draw.sample(range(8 * len(whole)), 200):
        flipped = bytearray(whole)
        flipped[place // 8] ^= 1 << place % 8
        path.write_bytes(bytes(flipped))
        found = cache.read()
        assert found is None or found.equals(TABLE), place


def test_a_file_that_says_it_has_other_rows_or_columns_is_damaged(path):
    for told in (TABLE.slice(0, 9), TABLE.rename_columns(["smiles", "x"]), TABLE.cast(OTHER_TYPES)):
        cache = ParquetCache(path, AGAIN)
        cache.write(TABLE)
        notes = cache.read().schema.metadata
        pyarrow.parquet.write_table(told.replace_schema_metadata(notes), path)
        assert cache.read() is None and not path.exists()


def test_files_of_earlier_versions_are_read(path):
    path.parent.mkdir()
    pyarrow.parquet.write_table(TABLE, path)
    assert ParquetCache(path, AGAIN).read().equals(TABLE)


@of_damage
def test_what_was_paid_for_is_refused_and_never_touched(path, how):
    damage(path, how)
    before = path.read_bytes()
    with pytest.raises(InputError, match="a.parquet is damaged or no Parquet file .*Move it away"):
        ParquetCache(path).read()
    assert path.read_bytes() == before


@pytest.mark.parametrize("again", [None, AGAIN])
def test_a_file_that_the_system_does_not_hand_out_is_not_damaged(path, again, caplog):
    cache = ParquetCache(path, again)
    cache.write(TABLE)

    def forbidden(_):
        raise PermissionError(13, "Permission denied")

    if again is None:
        with pytest.raises(InputError, match=r"cannot be read \(Permission denied\)"):
            cache.attempt(forbidden)
    else:
        assert cache.attempt(forbidden) is None and "cannot be read (Permission denied)" in caplog.text
    assert cache.read().equals(TABLE)


def test_what_another_program_wrote_is_noticed(path):
    ours, theirs = ParquetCache(path), ParquetCache(path)
    assert not ours.has_changed()
    theirs.write(TABLE)
    assert ours.has_changed() and not theirs.has_changed()
    ours.read()
    assert not ours.has_changed()
    ours.write(TABLE.slice(0, 3))
    assert theirs.has_changed() and theirs.read().num_rows == 3


def test_a_table_that_cannot_be_written_leaves_the_old_one(path, monkeypatch):
    cache = ParquetCache(path)
    cache.write(TABLE)

    def full(table, path, **_):
        path.write_bytes(b"PAR1")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pyarrow.parquet, "write_table", full)
    with pytest.raises(ChemVAEError, match="No space left"):
        cache.write(TABLE.slice(0, 1))
    assert cache.read().equals(TABLE) and names(path.parent) == ["a.parquet"]


class TestWriter:
    @pytest.mark.parametrize("group_rows", [None, 64])
    def test_pieces_appear_together_when_it_is_closed(self, path, group_rows):
        writer = ParquetCache(path, AGAIN).writer()
        for _ in range(3):
            writer.write(lambda: TABLE, group_rows)
            assert not path.exists()
        assert writer.close() and names(path.parent) == ["a.parquet"]
        assert ParquetCache(path, AGAIN).read().equals(pyarrow.concat_tables([TABLE] * 3))
        facts = pyarrow.parquet.ParquetFile(path).metadata
        sizes = [facts.row_group(i).num_rows for i in range(facts.num_row_groups)]
        assert sizes == ([150] if group_rows is None else [64, 64, 22]) * 3

    def test_nothing_is_kept_that_is_not_wanted_or_was_never_written(self, path):
        writer = ParquetCache(path, AGAIN).writer()
        writer.write(lambda: TABLE)
        assert not writer.close(keep=False) and names(path.parent) == []
        assert not ParquetCache(path, AGAIN).writer().close() and names(path.parent) == []

    def test_cells_that_no_column_can_hold_cost_one_warning_and_the_file(self, path, caplog):
        ParquetCache(path, AGAIN).write(TABLE)
        writer, made = ParquetCache(path, AGAIN).writer(), []
        writer.write(lambda: TABLE)
        writer.write(lambda: pyarrow.table({"smiles": ["C"], "y": ["no number"]}))
        writer.write(lambda: made.append(1))
        assert not writer.close() and made == [] and len(caplog.messages) == 1
        assert "cannot be kept" in caplog.text and AGAIN in caplog.text
        assert ParquetCache(path, AGAIN).read().equals(TABLE) and names(path.parent) == ["a.parquet"]

    def test_so_does_a_folder_that_cannot_be_made(self, path, caplog):
        path.parent.write_text("a file")
        writer = ParquetCache(path, AGAIN).writer()
        writer.write(lambda: TABLE)
        assert not writer.close() and "cannot be kept" in caplog.text
