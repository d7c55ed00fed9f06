"""Gaps: what fits a pattern is what a regular expression says, and the best filling is the best of all of them."""

import itertools
import re

import numpy as np
import pytest
import torch

import chemvae
from chemvae.chem.molecules import canonicalize
from chemvae.data.tokens.vocabulary import SPECIAL, Vocabulary
from chemvae.errors import InvalidMoleculeError, NothingUsableError, SettingsError, UnknownTokenError
from chemvae.moving.completion import CompletionSettings, complete_all, crude_fillings, search_fillings
from chemvae.moving.gaps import SlotStates, parse_pattern
from chemvae.moving.pages import completions_page
from tests.moving.conftest import KNOWN

LETTERS = Vocabulary(["A", "B", "C"])
PATTERNS = {
    "A_B": "A[ABC]B", "_{2}": "[ABC]{2}", "A_{0,2}A": "A[ABC]{0,2}A", "__B__": "[ABC]{1,3}B[ABC]{1,3}",
    "_{1,2}A_{0,1}": "[ABC]{1,2}A[ABC]{0,1}",
}  # fmt: skip


@pytest.mark.parametrize("text", PATTERNS)
def test_a_string_fits_a_pattern_if_its_regular_expression_says_so(text):
    pattern, fits = parse_pattern(text, LETTERS, most=3), re.compile(PATTERNS[text])
    for n in range(1, 6):
        for letters in itertools.product("ABC", repeat=n):
            state, possible = SlotStates([pattern], len(LETTERS)), True
            for letter in letters:
                token = np.array([LETTERS.encode(letter)[0]])
                possible &= bool(state.legal()[0, token[0]])
                state.follow(np.array([0]), token)
            assert (possible and bool(state.complete()[0])) == bool(fits.fullmatch("".join(letters)))


def test_patterns_of_different_length_stand_side_by_side():
    short, long = (parse_pattern(text, LETTERS) for text in ("A_", "A_{1,4}B"))
    state = SlotStates([short, long], len(LETTERS))
    assert state.legal()[:, len(SPECIAL) :].tolist() == [[True, False, False]] * 2
    state.follow(np.array([1, 0, 0]), np.array([4, 4, 4]))
    assert state.complete().tolist() == [False, False, False]
    state.follow(np.array([0, 1, 2]), np.array([5, 5, 6]))
    assert state.complete().tolist() == [False, True, True]
    assert state.stages(np.array([0]), np.array([5])).tolist() == [2]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("CCO", "no gap to fill"), ("C_{2,1}", "stands for no symbols"), ("C_{0}", "stands for no symbols"),
     ("C_{x}", "cannot be read"), ("C_{1,900}", "longer than any molecule")],
)  # fmt: skip
def test_a_pattern_that_cannot_be_read_is_said(text, sentence):
    with pytest.raises(SettingsError, match=sentence):
        parse_pattern(text, Vocabulary(["C", "O"]))


def test_a_symbol_that_the_model_lacks_is_named_with_its_position():
    with pytest.raises(UnknownTokenError, match="holds 'U' at position 3"):
        parse_pattern("C__U", Vocabulary(["C"]))


@pytest.mark.parametrize("text", ["C_O", "CC_{1,2}", "_{2}O", "C(_)_"])
def test_the_best_fillings_are_the_best_of_all(model, text):
    """Against every string that fits, scored one by one."""
    z = torch.from_numpy(model.encode(["CCO"]))
    pattern = parse_pattern(text, model.vocabulary)
    settings = CompletionSettings(beam=2000, mask_syntax=False)
    found = search_fillings(model, [pattern], z, settings)[0]
    tokens = model.vocabulary.tokens[len(SPECIAL) :]
    slots = [[model.vocabulary.tokens[t]] if t >= 0 else list(tokens) for t in pattern.tokens]
    lists = [[*slot, ""] if maybe else slot for slot, maybe in zip(slots, pattern.optional, strict=True)]
    every = sorted({"".join(one) for one in itertools.product(*lists)})
    usable = [one for one in every if model.vocabulary.complaint(one) is None]
    scores = model.log_likelihood(z.expand(len(usable), -1), usable, canonicalize=False)
    order = torch.argsort(scores, descending=True)
    best = [usable[i] for i in order[:10]]
    assert [one for one, _ in found[:10]] == best
    np.testing.assert_allclose([p for _, p in found[:10]], scores[order[:10]], atol=1e-3)


def test_patterns_are_filled_side_by_side_as_alone(model):
    texts = ["C_O", "C__", "c1cc_cc1", "C_{1,3}N"]
    patterns = [parse_pattern(text, model.vocabulary) for text in texts]
    codes = model.encode(["CCO", "CCN", "c1ccccc1", "CCN"])
    together = complete_all(model, patterns, CompletionSettings(), codes)
    for i, pattern in enumerate(patterns):
        alone = complete_all(model, [pattern], CompletionSettings(), codes[[i]])[0]
        assert alone["smiles"].tolist() == together[i]["smiles"].tolist()
        np.testing.assert_allclose(alone["log_prob"], together[i]["log_prob"], atol=1e-3)


def test_a_molecule_is_found_again_from_its_own_code(model):
    """Of those that come back from it at all."""
    back = model.decode(model.encode(KNOWN))["smiles"]
    known = [own for own, text in zip(KNOWN, back, strict=True) if own == text]
    assert len(known) >= 2
    for own in known:
        found = chemvae.complete(f"{own[0]}_{own[2:]}", model, like=own)
        assert found["smiles"][0] == own
        assert found["log_prob"].is_monotonic_decreasing and found["rank"].tolist() == list(range(1, len(found) + 1))


def test_what_is_found_fits_and_is_a_molecule(model):
    found = chemvae.complete("C__", model, n=5, n_draws=3)
    assert 1 <= len(found) <= 5 and found["smiles"].is_unique
    assert all(one.startswith("C") for one in found["written"])
    assert [canonicalize(one) for one in found["written"]] == found["smiles"].tolist()
    assert chemvae.complete("C__", model, n=5, n_draws=3).equals(found)
    page = completions_page(found, "C<__")
    assert page.count("<svg") == len(found) and "C&lt;__" in page


def test_a_crude_filling_has_the_symbols_that_are_given(model):
    pattern = parse_pattern("C_{2}O_{0,3}", model.vocabulary)
    assert crude_fillings(pattern, model) == ["CCCO", "CccO"]


def test_what_cannot_be_filled_is_said(model):
    with pytest.raises(NothingUsableError, match="fits 'C\\)_'"):
        chemvae.complete("C)_", model)
    with pytest.raises(InvalidMoleculeError):
        chemvae.complete("C_", model, like="C1CC")
    with pytest.raises(SettingsError, match="beam must be >= 1, got 0; rounds must be >= 0"):
        CompletionSettings(beam=0, rounds=-1)


def test_a_pattern_as_long_as_a_molecule_that_is_not_read_is_refused(model):
    with pytest.raises(SettingsError, match="the pattern has 3,001 characters"):
        chemvae.complete("C" * 3_000 + "_", model)
