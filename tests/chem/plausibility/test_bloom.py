"""Bloom filters: no member is denied, few strangers are taken in, and molbloom's files are read as molbloom reads them."""

import pytest

from chemvae.chem.plausibility.bloom import FNV, BloomFilter, fnv

MEMBERS = [f"C{'C' * (i % 7)}N{i}" for i in range(500)]
STRANGERS = [f"O{i}S" for i in range(20_000)]


def test_fnv_is_the_published_hash():
    assert fnv("", *FNV) == 0xCBF29CE484222325
    assert fnv("foobar", *FNV) == 0x85944171F73967E8


def test_no_member_is_denied_and_strangers_pass_as_often_as_said():
    table = BloomFilter.of(MEMBERS, n_hashes=6)
    assert all(text in table for text in MEMBERS)
    passed = sum(text in table for text in STRANGERS) / len(STRANGERS)
    assert table.false_share == pytest.approx(2**-6, rel=0.2)
    assert passed == pytest.approx(table.false_share, rel=0.35)


def test_an_empty_set_has_no_member():
    assert "C" not in BloomFilter.of([], n_hashes=3)


def test_a_file_comes_back_as_it_was(tmp_path):
    table = BloomFilter.of(MEMBERS, n_hashes=6)
    table.write(tmp_path / "members.bloom")
    again = BloomFilter.read(tmp_path / "members.bloom")
    assert (again.bits, again.n_bits, again.n_hashes) == (table.bits, table.n_bits, table.n_hashes)


def test_a_file_that_is_none_or_is_cut_off_says_so(tmp_path):
    path = tmp_path / "members.bloom"
    path.write_bytes(b"BLOOD")
    with pytest.raises(ValueError, match="no Bloom filter"):
        BloomFilter.read(path)
    BloomFilter.of(MEMBERS, n_hashes=6).write(path)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ValueError, match="needs as many"):
        BloomFilter.read(path)


def test_what_a_writer_left_out_at_the_end_denies_nobody():
    table = BloomFilter.of(["C"], n_hashes=4)
    assert "C" in BloomFilter(table.bits[:-1], table.n_bits - 1, 0)
    assert len(BloomFilter(b"\0", 9, 1).bits) == 2


def test_molbloom_reads_the_same():
    molbloom = pytest.importorskip("molbloom", reason="comes with the extra 'plausible'")
    from chemvae.chem.plausibility.known import ASSETS

    ours = BloomFilter.read(ASSETS / "chembl_rings.bloom")
    theirs = molbloom.BloomFilter(str(ASSETS / "chembl_rings.bloom"))
    texts = ["c1ccccc1", "C1=CC2=CC1=CC2", "C1CC1", "O=C1CCN1", *STRANGERS[:200]]
    assert [text in ours for text in texts] == [text in theirs for text in texts]
