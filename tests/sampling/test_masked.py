"""The grammar against RDKit's reader: what RDKit can read may be written, and what may be written it can read."""

import os
import re

import numpy as np
import pytest
import torch
from rdkit import Chem

from chemvae.chem.molecules import quiet
from chemvae.data.catalog.locate import load_dataset
from chemvae.data.tokens.vocabulary import EOS, Vocabulary
from chemvae.models.decoding import decode_tokens, finished
from chemvae.sampling.grammar import Grammar, GrammarState
from chemvae.sampling.masked import MaskedState, apply_mask, decode_masked, masked

needs_data = pytest.mark.skipif(not os.environ.get("CHEMVAE_DATA"), reason="CHEMVAE_DATA names no folder with the data sets")
TOKENS = (
    "C",
    "c",
    "N",
    "O",
    "Cl",
    "[",
    "]",
    "(",
    ")",
    "1",
    "2",
    "=",
    "-",
    "#",
    "/",
    "@",
    "H",
    "+",
    "%10",
    ".",
    ":",
    "<",
    ">",
    "*",
)
LONG_NUMBER = re.compile(r"\d{4}|@[A-Z]")  # numbers RDKit finds too large; stereo classes, whose numbers end somewhere


def reads(smiles):
    """Whether RDKit's reader takes each string, chemistry aside."""
    with quiet():
        mols = [Chem.MolFromSmiles(one, sanitize=False) for one in smiles]
    return np.array([mol is not None and mol.GetNumAtoms() > 0 for mol in mols])


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


def aimless(vocabulary):
    """A decoder that finds every token as good as any other, and an end rather better."""

    def step(state, tokens):
        logits = torch.zeros(len(tokens), len(vocabulary))
        logits[:, :4] = -torch.inf
        logits[:, EOS] = 2.0
        return logits

    return step


class Nothing:
    def keep(self, rows):
        pass


def test_whatever_is_written_under_the_mask_can_be_read():
    vocabulary = Vocabulary([token for token in TOKENS if token not in "@H"])
    state = MaskedState(Nothing(), GrammarState(Grammar(vocabulary), 400, 60))
    ids, _ = decode_tokens(masked(aimless(vocabulary)), state, 400, 60, temperature=1.0)
    ended = finished(ids)
    texts = [one for one in vocabulary.decode_rows(ids[ended].numpy()) if not LONG_NUMBER.search(one)]
    assert ended.float().mean() > 0.9 and len(texts) > 300
    assert [text for text, read in zip(texts, reads(texts), strict=True) if not read] == []


def test_an_end_that_may_not_be_goes_to_what_closes():
    vocabulary = Vocabulary(["C", "(", ")", "1", "="])
    grammar = Grammar(vocabulary)
    state = GrammarState(grammar, 3, 10)
    for texts in (("C", "C", "C"), ("C", "1", "("), ("C", "C", "C"), ("C", "C", "1"), ("C", "C", "C"), ("C", "(", "C")):
        state.advance(np.array([vocabulary.tokens.index(text) for text in texts]))
    # row 0 CCCCCC may end; row 1 C1CCC( ... is inside a branch; row 2 C(C1CC has a ring and a branch open
    p = torch.tensor([0, 0, 0.5, 0, 0.1, 0.1, 0.1, 0.1, 0.1]).expand(3, -1)
    given = apply_mask(p.log(), state).softmax(dim=1)
    end, close, ring, carbon = (vocabulary.tokens.index(token) for token in ("<end>", ")", "1", "C"))
    assert given[0, end] > 0.5 and given[0, close] == 0
    assert given[1, end] == 0 and given[1, carbon] > 0 and given[1, close] == 0 and given[1, ring] == 0
    assert given[2, end] == 0
    torch.testing.assert_close(given[2, [close, ring]], torch.full((2,), (0.1 + 0.25) / 1.0))
    torch.testing.assert_close(given[2, carbon], torch.tensor(0.1))


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


def test_decodes_of_a_model_keep_its_columns_and_say_the_raw_probability(tiny_model):
    z = np.random.default_rng(0).normal(size=(6, 6)).astype(np.float32)
    z[2] = np.nan
    found, raw = decode_masked(tiny_model, z, n_samples=3, temperature=1.0, seed=1), tiny_model.decode(z, n_samples=3)
    assert found.columns.tolist() == raw.columns.tolist() and found["row"].tolist() == raw["row"].tolist()
    lost = found["row"] == 2
    assert (found["smiles"][lost] == "").all() and not found["valid"][lost].any() and found["log_prob"][lost].isna().all()
    ended = found["log_prob"].notna()
    assert ended.sum() > 4
    texts = found["smiles"][ended].tolist()
    assert reads([text for text in texts if not LONG_NUMBER.search(text)]).all()
    again = tiny_model.log_likelihood(z[found["row"][ended]], texts)
    np.testing.assert_allclose(found["log_prob"][ended], again, rtol=1e-5)
    alone = decode_masked(tiny_model, z[:1], n_samples=3, temperature=1.0, seed=1)
    assert alone["smiles"].tolist() == found["smiles"][:3].tolist()
