"""Lines come whole and numbered, whatever ends them; bytes that do not fit are kept as letters, and said once."""

import io
import logging

import pytest

from chemvae.data.files import textlines
from chemvae.data.files.textlines import TextLines
from chemvae.errors import InputError


def lines_of(content, encoding="utf-8"):
    return list(TextLines(io.BytesIO(content), encoding, "a.csv"))


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_every_kind_of_end_ends_a_line(end):
    assert [line.strip() for line in lines_of(end.join([b"CCO", b"", b"CCN"]))] == ["CCO", "", "CCN"]


def test_lines_are_numbered_and_the_end_is_known():
    lines = TextLines(io.BytesIO(b"a\nb\nc"), "utf-8", "a.csv")
    assert (next(lines), lines.number, lines.ended) == ("a\n", 1, False)
    assert list(lines) == ["b\n", "c"] and (lines.number, lines.ended) == (3, True)


def test_bytes_that_are_no_utf8_are_letters_of_latin1_and_said_once(caplog):
    with caplog.at_level(logging.WARNING):
        assert lines_of("é,ö\n".encode() + b"caf\xe9\nna\xefve\n") == ["é,ö\n", "café\n", "naïve\n"]
    assert [record.getMessage().count("line 2") for record in caplog.records] == [1]


def test_nuls_are_left_out(caplog):
    with caplog.at_level(logging.WARNING):
        assert lines_of(b"C\x00CO\n\x00\n") == ["CCO\n", "\n"]
    assert "NUL" in caplog.text and len(caplog.records) == 1


def test_utf16_is_read_like_any_other_text():
    assert lines_of("smiles,µM\nCCO,1\n".encode("utf-16"), "utf-16") == ["smiles,µM\n", "CCO,1\n"]


def test_a_line_without_end_is_refused_before_it_fills_the_memory(monkeypatch):
    monkeypatch.setattr(textlines, "LONGEST_LINE", 100)
    assert lines_of(b"a" * 98 + b"\n") == ["a" * 98 + "\n"]
    with pytest.raises(InputError, match="line 2 has more than 100 characters"):
        lines_of(b"b\n" + b"a" * 500)
