"""Every figure has its sentence."""

from chemvae.bench.protocol import PROTOCOL
from tests.bench.small import small_figures

__all__ = ["small_figures"]


def test_every_figure_explains_itself(small_figures):
    figures = small_figures
    assert set(figures["protocol"]) <= set(figures)
    measured = {key for key in PROTOCOL if figures.get(key) is not None}
    assert set(figures["protocol"]) == measured and len(measured) > 30
    assert all(words.endswith(".") for words in PROTOCOL.values())
