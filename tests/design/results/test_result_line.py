"""A result at the prompt of Python is a line that says what came of it, and no dump of its tables."""

import chemvae


def test_a_result_at_the_prompt_is_one_line(tiny_model):
    result = chemvae.optimize(tiny_model, lambda smiles: float(len(smiles)), budget=3, seed=0, method="random")
    text = repr(result)
    assert "\n" not in text and len(text) < 400
    assert f"{len(result.history)} molecules scored" in text and result.stopped in text
    assert result.best is None or result.best["smiles"] in text
