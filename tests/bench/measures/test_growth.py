"""Molecules made for measuring how cost grows."""

from chemvae.bench.measures.growth import synthetic


def test_synthetic_molecules_differ_and_have_the_length():
    made = synthetic(50, n=20, seed=1)
    assert {len(one) for one in made} == {50} and len(set(made)) == 20 and made == synthetic(50, n=20, seed=1)
