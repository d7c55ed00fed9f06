"""Decoding under the mask: what is written can be read, and probabilities go where they should."""

import numpy as np
import torch

from chemvae.data.tokens.vocabulary import EOS, Vocabulary
from chemvae.models.decoding import decode_tokens, finished
from chemvae.sampling.grammar import Grammar, GrammarState
from chemvae.sampling.masked import MaskedState, apply_mask, decode_masked, masked
from tests.sampling.reader import LONG_NUMBER, TOKENS, reads


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
    again = tiny_model.log_likelihood(z[found["row"][ended]], texts, canonicalize=False)
    np.testing.assert_allclose(found["log_prob"][ended], again, rtol=1e-5)
    alone = decode_masked(tiny_model, z[:1], n_samples=3, temperature=1.0, seed=1)
    assert alone["smiles"].tolist() == found["smiles"][:3].tolist()
