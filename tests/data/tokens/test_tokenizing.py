"""Blocks of SMILES become the very tokens that the definition gives for each, and texts again."""

import random

import numpy as np
import pytest

from chemvae.chem.molecules import randomize
from chemvae.data.tokens.tokenizing import BlockEncoder, Splitter, blocks_of, collect_vocabulary, join_rows, join_tokens
from chemvae.data.tokens.vocabulary import EOS, MASK, PAD, TOKEN_MODES, Vocabulary, split_smiles
from chemvae.data.virtual.enumeration import library_size, make_product
from tests.data.tokens.test_vocabulary import TRICKY

RARE = [
    *(
        "C%(100)CC%(100)",
        "C%(12)",
        "C%12%34",
        "%%12",
        "C%1",
        "[]",
        "C[]C",
        "[13]",
        "[C",
        "C]",
        "[C[N]",
        "[Cl",
        "[N%12]",
        "C]Cl[",
    ),
    *("[CCl]", "", " ", "C C", "C\nC", "\n", "ÅC", "[Å]", "[٣C]", "%٣٤", "Cl", "l", "r", "BrBr", "ClBrCl", "[Br-]", "[Co]Co"),
    *("[235U]", "[*:1]", "C\tC", "C\0C"),
]
ALPHABET = "[]CBlrScn%()0123456789@+-=#*HNOoesai\nα"


@pytest.fixture(scope="module")
def library() -> list[str]:
    """Some members of both virtual libraries, as they are and written from a random atom."""
    rng = np.random.default_rng(0)
    made = [
        make_product(name, int(i)).smiles
        for name, n in (("virtual-drugs", 150), ("virtual-oleds", 60))
        for i in rng.choice(library_size(name), n, replace=False)
    ]
    return made + [randomize(one, rng) for one in made]


def texts_of(splitter: Splitter, block: list[str]) -> list[list[str]]:
    codes, lengths = splitter.split(block)
    return [[splitter.tokens[code] for code in row] for row in np.split(codes, np.cumsum(lengths)[:-1])]


@pytest.mark.parametrize("mode", TOKEN_MODES)
def test_blocks_split_as_single_molecules_do(mode, library, molecules):
    block = [*library, *molecules, *TRICKY, *RARE]
    assert any("[" in one for one in library) and any("Cl" in one for one in library)
    assert texts_of(Splitter(mode), block) == [split_smiles(one, mode) for one in block]


@pytest.mark.parametrize("mode", TOKEN_MODES)
def test_any_text_splits_as_the_definition_says(mode):
    rng, splitter = random.Random(0), Splitter(mode)
    for _ in range(100):
        block = ["".join(rng.choices(ALPHABET, k=rng.randint(0, 20))) for _ in range(100)]
        assert texts_of(splitter, block) == [split_smiles(one, mode) for one in block]


def test_one_odd_molecule_among_many_changes_nothing_for_the_others(molecules):
    splitter = Splitter()
    assert texts_of(splitter, [*molecules, "C%(100)C", *molecules])[: len(molecules)] == texts_of(splitter, molecules)


@pytest.mark.parametrize("mode", TOKEN_MODES)
def test_ids_are_those_of_the_vocabulary(mode, library, molecules):
    vocabulary = Vocabulary.from_smiles([*library, *TRICKY], mode)
    block = [*molecules, *TRICKY, *library, *RARE]
    ids, lengths, writable = BlockEncoder(vocabulary).encode(block)
    assert writable.tolist() == [vocabulary.complaint(one) is None for one in block]
    usable = [one for one, ok in zip(block, writable, strict=True) if ok]
    assert 0 < len(usable) < len(block)
    np.testing.assert_array_equal(ids, np.concatenate([vocabulary.encode(one) for one in usable]))
    assert lengths.tolist() == [len(vocabulary.encode(one)) if ok else 0 for one, ok in zip(block, writable, strict=True)]


def test_a_vocabulary_of_more_than_256_tokens_takes_two_bytes():
    vocabulary = Vocabulary([f"[{i}C]" for i in range(300)], mode="atom")
    ids, _, _ = BlockEncoder(vocabulary).encode(["[299C][3C]"])
    assert ids.dtype == np.uint16 and ids.tolist() == vocabulary.encode("[299C][3C]").tolist()


@pytest.mark.parametrize("mode", TOKEN_MODES)
def test_the_vocabulary_collected_from_blocks_is_the_same(mode, library):
    block = [*library, *TRICKY, "C%(100)C"]
    assert collect_vocabulary(iter(block), mode) == Vocabulary.from_smiles(block, mode)


@pytest.mark.parametrize("mode", TOKEN_MODES)
def test_joining_gives_the_texts_back(mode, library):
    block = [*library, "", *TRICKY, ""]
    vocabulary = Vocabulary.from_smiles(block, mode)
    ids, lengths, _ = BlockEncoder(vocabulary).encode(block)
    assert join_tokens(ids, lengths, vocabulary) == block


def test_rows_are_joined_as_the_vocabulary_decodes_them(molecules):
    rng = np.random.default_rng(0)
    for tokens in (Vocabulary.from_smiles(molecules).tokens[4:], ["C", "Å", "Cl"]):  # the second is not ASCII
        vocabulary = Vocabulary(tokens)
        ids = rng.integers(0, len(vocabulary), size=(300, 12))
        assert join_rows(ids, vocabulary) == vocabulary.decode_rows(ids)
    assert EOS < MASK and join_rows(np.full((2, 3), PAD), vocabulary) == ["", ""] and join_rows(ids[:0], vocabulary) == []


def test_blocks_cover_the_stream():
    assert [len(block) for block in blocks_of(map(str, range(10)), 4)] == [4, 4, 2]
    assert list(blocks_of([])) == []
