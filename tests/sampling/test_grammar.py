"""The grammar against RDKit's reader: what RDKit can read may be written, and what may be written it can read."""

import os

import numpy as np
import pytest

from chemvae.data.catalog.locate import load_dataset
from chemvae.data.tokens.vocabulary import EOS, PAD, Vocabulary
from chemvae.sampling.grammar import RULES, STATES, Grammar, GrammarState, token_roles
from tests.sampling.reader import LONG_NUMBER, TOKENS, reads

needs_data = pytest.mark.skipif(not os.environ.get("CHEMVAE_DATA"), reason="CHEMVAE_DATA names no folder with the data sets")
SMALL = Vocabulary(["C", "(", ")", "1", "2", "=", "[", "]", "N", "H", "+", "."])


def after(*texts: str) -> GrammarState:
    """One row for each text, all of the same number of tokens, as far as they have been written."""
    ids = np.array([[SMALL.tokens.index(token) for token in text] for text in texts])
    state = GrammarState(Grammar(SMALL), len(texts), 20)
    for tokens in ids.T:
        state.advance(tokens)
    return state


def names(row: np.ndarray) -> set[str]:
    return {SMALL.tokens[i] for i in np.flatnonzero(row)}


def test_random_strings_are_allowed_exactly_if_rdkit_reads_them():
    rng = np.random.default_rng(0)
    vocabulary = Vocabulary(TOKENS)
    texts = {"".join(rng.choice(TOKENS, length)) for length in (1, 2, 3, 4, 5) for _ in range(4_000)}
    texts = sorted(text for text in texts if vocabulary.complaint(text) is None and not LONG_NUMBER.search(text))
    allowed, read = Grammar(vocabulary).allows(texts), reads(texts)
    assert [text for text, a, b in zip(texts, allowed, read, strict=True) if a != b] == []
    assert read.sum() > 200


def test_damaged_molecules_are_allowed_exactly_if_rdkit_still_reads_them(molecules):
    rng = np.random.default_rng(1)
    vocabulary = Vocabulary.from_smiles(molecules)
    tokens = vocabulary.tokens[4:]
    texts = set()
    for _ in range(3_000):
        ids = vocabulary.encode(molecules[rng.integers(len(molecules))]).tolist()
        place, token = rng.integers(len(ids)), 4 + int(rng.integers(len(tokens)))
        kind = rng.integers(3)
        new = ids[:place] + [token] * int(kind > 0) + ids[place + int(kind < 2) :]  # left out, replaced, put in
        texts.add(vocabulary.decode(new))
    texts = sorted(one for one in texts if one and vocabulary.complaint(one) is None and not LONG_NUMBER.search(one))
    allowed, read = Grammar(vocabulary).allows(texts), reads(texts)
    assert [text for text, a, b in zip(texts, allowed, read, strict=True) if a != b] == []
    assert 100 < read.sum() < len(texts)


@pytest.mark.parametrize("mode", ["character", "atom"])
def test_real_molecules_are_never_forbidden(molecules, mode):
    extra = [
        "[13CH3][C@@H](F)[O-]",
        "[2H]C",
        "[Na+].[Cl-]",
        "C1CC1.C1CC1",
        "[nH]1cccc1",
        "C%10CCCC%10",
        "[NH3]->[Pt]<-[NH3]",
        "[Cu+2]",
    ]
    vocabulary = Vocabulary.from_smiles([*molecules, *extra], mode)
    assert Grammar(vocabulary).allows([*molecules, *extra]).all()


@pytest.mark.parametrize("name", ["virtual-drugs", "virtual-oleds"])
def test_the_packaged_libraries_are_never_forbidden(name):
    smiles = load_dataset(name, limit=300)["smiles"].tolist()
    assert Grammar(Vocabulary.superset()).allows(smiles).all()


@needs_data
@pytest.mark.data
def test_zinc_is_never_forbidden():
    table = load_dataset("zinc250k")
    smiles = table["smiles"][table["split"] == "valid"].head(5_000).tolist()
    assert len(smiles) == 5_000 and Grammar(Vocabulary.superset()).allows(smiles).all()


def test_rows_can_be_left_and_repeated(molecules):
    vocabulary = Vocabulary.from_smiles(molecules)
    grammar = Grammar(vocabulary)
    rows = [vocabulary.encode(one)[:4] for one in molecules if len(vocabulary.encode(one)) >= 4]
    state = GrammarState(grammar, len(rows), 20)
    for tokens in np.array(rows).T:
        state.advance(tokens)
    before = state.legal()
    state.keep(np.array([3, 3, 0]))
    np.testing.assert_array_equal(state.legal(), before[[3, 3, 0]])


def test_every_rule_leads_to_a_state():
    assert {following for rules in RULES.values() for following in rules.values()} <= set(STATES)


def test_every_state_can_be_reached_and_left():
    reached = {"start", "lost"}
    while (more := {state for name in reached for state in RULES[name].values()} - reached) - reached:
        reached |= more
    assert reached == set(STATES) and all(RULES[name] for name in STATES if name != "lost")


@pytest.mark.parametrize(
    ("token", "roles"),
    [
        ("C", {"atom", "element"}),
        ("Cl", {"atom", "element"}),
        ("Si", {"element"}),
        ("c", {"atom", "element"}),
        ("H", set()),
        ("=", {"bond"}),
        ("-", set()),
        ("7", {"digit", "ring"}),
        ("%12", {"ring"}),
        ("%01", set()),
        ("[nH]", {"atom"}),
    ],
)
def test_what_a_token_can_be(token, roles):
    assert token_roles(token) == {token} | roles


@pytest.mark.parametrize(
    ("text", "following"),
    [
        ("", {"C", "N", "["}),
        ("C", {"C", "N", "[", "(", "=", "1", "2", ".", "<end>"}),
        ("C=", {"C", "N", "[", "1", "2"}),
        ("C(", {"C", "N", "[", "="}),
        ("C1", {"C", "N", "[", "(", "=", "2", "."}),  # not 1 again, and no end while a ring is open
        ("C1C", {"C", "N", "[", "(", "=", "2", "."}),  # the ring's atom is bonded to this one already
        ("C1CC", {"C", "N", "[", "(", "=", "1", "2", "."}),
        ("C1CC1", {"C", "N", "[", "(", "=", "1", "2", ".", "<end>"}),
        ("C(C", {"C", "N", "[", "(", ")", "=", "1", "2", "."}),
        ("C.", {"C", "N", "["}),
        ("[", {"C", "N", "H", "1", "2"}),
        ("[N", {"H", "+", "]"}),
        ("[N+", {"+", "1", "2", "]"}),
    ],
)
def test_what_may_follow(text, following):
    assert names(after(text).legal()[0]) == following


@pytest.mark.parametrize(
    ("text", "closing"), [("CC", set()), ("C(C", {")"}), ("C1CC", {"1"}), ("C1C2(CC", {")", "1", "2"}), ("C1CC1", set())]
)
def test_what_would_close(text, closing):
    state = after(text)
    assert names(state.closing()[0] & state.legal()[0]) == closing


def test_two_ring_numbers_may_not_bond_the_same_two_atoms():
    for text in ("C12CC1", "C12CCC1"):
        assert "2" not in names(after(text).legal()[0])
    assert "2" in names(after("C12CC1C").legal()[0])


def test_a_row_that_broke_the_grammar_is_free_and_others_are_not():
    state = after("C]", "CC")
    legal = state.legal()
    assert legal[0].all() and not legal[1].all()


def test_nothing_may_follow_the_end_but_filling():
    state = GrammarState(Grammar(SMALL), 1, 5)
    for token in (SMALL.tokens.index("C"), EOS):
        state.advance(np.array([token]))
    assert names(state.legal()[0]) == {"<end>"}
    assert PAD != EOS and Grammar(SMALL).allows([]).shape == (0,)
