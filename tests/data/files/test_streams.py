"""Bytes under the tables: a head that is not lost, packings that are known by their content, text told from the rest."""

import gzip
import io
import sys

import pytest

from chemvae.data.files.reading import read_records
from chemvae.data.files.streams import HEAD_BYTES, decompress, find_encoding, peek
from chemvae.errors import InputError, MissingExtraError

LONG = b"smiles,y\n" + b"CCO,1\n" * 40_000  # several times the head


def unpacked(packed: bytes) -> bytes:
    return decompress(*peek(io.BytesIO(packed))).read()


def compress_zstd(content: bytes) -> bytes:
    return pytest.importorskip("zstandard").ZstdCompressor().compress(content)


@pytest.mark.parametrize("content", [b"", b"CCO", LONG[:HEAD_BYTES], LONG], ids=["empty", "short", "exact", "long"])
def test_a_stream_that_was_looked_at_still_has_its_head(content):
    head, stream = peek(io.BytesIO(content))
    assert head == content[:HEAD_BYTES]
    assert stream.read(5) + stream.read(7) + stream.read() == content


def test_lines_cross_the_end_of_the_head_unharmed():
    _, stream = peek(io.BytesIO(LONG))
    assert list(stream) == LONG.splitlines(keepends=True)


@pytest.mark.parametrize("pack", [bytes, gzip.compress, compress_zstd], ids=["plain", "gzip", "zstd"])
@pytest.mark.parametrize("content", [b"CCO\n", LONG], ids=["short", "long"])
def test_unpacking_undoes_packing(pack, content):
    assert unpacked(pack(content)) == content


@pytest.mark.parametrize("pack", [gzip.compress, compress_zstd], ids=["gzip", "zstd"])
def test_packed_files_one_behind_the_other_are_one_file(pack):
    assert unpacked(pack(b"first\n") + pack(LONG) + pack(b"last\n")) == b"first\n" + LONG + b"last\n"


@pytest.mark.parametrize("pack", [gzip.compress, compress_zstd], ids=["gzip", "zstd"])
def test_what_is_cut_off_is_noticed(pack):
    whole = pack(LONG)
    for cut in (len(whole) - 1, len(whole) // 2):
        with pytest.raises(EOFError):
            unpacked(whole[:cut])


def test_zstd_without_its_library_names_the_extra(monkeypatch):
    packed = compress_zstd(b"CCO")
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(MissingExtraError, match=r"chemvae\[zstd\]"):
        unpacked(packed)


@pytest.mark.parametrize(
    ("head", "encoding"),
    [
        (b"smiles,y\nCCO,1\n", "utf-8-sig"),
        ("\u00e9thanol".encode(), "utf-8-sig"),
        ("\ufeffsmiles".encode(), "utf-8-sig"),
        ("\u00e9thanol".encode("latin-1"), "latin-1"),
        ("\u00e9thanol".encode("utf-16"), "utf-16"),
        (b"", "utf-8-sig"),
    ],
)
def test_encodings_are_told_apart(head, encoding):
    assert find_encoding(head, "a.csv") == encoding
    head.decode(encoding)  # does not raise


def test_a_character_cut_in_two_by_the_end_of_the_head_is_no_reason_for_latin():
    text = ("x" * (HEAD_BYTES - 1) + "\u00e9").encode()
    assert find_encoding(text[:HEAD_BYTES], "a.csv") == "utf-8-sig"


@pytest.mark.parametrize("head", [b"PK\x03\x04", b"\x00\x01", b"CCO\x00"])
def test_binary_data_is_refused_with_its_name(head):
    with pytest.raises(InputError, match="a.csv is not a text table"):
        find_encoding(head, "a.csv")


def test_a_file_read_as_latin_1_says_so_in_one_line(caplog):
    frame = next(read_records(io.BytesIO("smiles,name\nCCO,Äthanol\nCCN,Ämin\n".encode("latin-1")))).frame
    assert frame["name"].tolist() == ["Äthanol", "Ämin"]
    assert sum("Latin-1" in record.message for record in caplog.records) == 1
