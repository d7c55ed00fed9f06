"""The orders of a library search: similarities and distances are those of their definitions, bounds are never above them."""

from types import SimpleNamespace

import numpy as np
import pytest

from chemvae.library.codes import quantize
from chemvae.library.ranking import Best, ByDistance, BySimilarity, InOrder, similarities


class FakeShard:
    """Ten rows as :class:`chemvae.library.shard.Shard` hands them out; the last has no bit at all."""

    def __init__(self):
        rng = np.random.default_rng(0)
        self.points = rng.normal(size=(10, 4)).astype(np.float32)
        codes, how = quantize(self.points)
        morgan = (rng.integers(0, 256, (10, 256)) & rng.integers(0, 256, (10, 256))).astype(np.uint8)
        morgan[9] = 0
        counts = np.bitwise_count(morgan).sum(axis=1).astype(np.uint16)
        self.arrays = {"points": self.points, "codes": codes, "morgan": morgan, "bit_counts": counts}
        self.facts, self.first_row = SimpleNamespace(quantization=how), 70

    def array(self, name):
        return self.arrays[name]

    def __len__(self):
        return 10


@pytest.fixture
def shard():
    return FakeShard()


def as_set(fingerprint):
    return set(np.flatnonzero(np.unpackbits(fingerprint)).tolist())


def test_similarity_is_shared_bits_over_all_bits(shard):
    query = shard.array("morgan")[3] & 0x3C
    ours = as_set(query)
    expected = [len(ours & as_set(row)) / len(ours | as_set(row)) for row in shard.array("morgan")]
    np.testing.assert_allclose(similarities(shard, query), expected, rtol=1e-15)
    np.testing.assert_array_equal(similarities(shard, query, np.array([5, 2])), similarities(shard, query)[[5, 2]])


def test_two_molecules_without_a_bit_are_not_alike(shard):
    assert similarities(shard, np.zeros(256, np.uint8)).tolist() == [0.0] * 10


def test_similarity_is_ranked_by_what_is_lacking_to_one_and_known_exactly(shard):
    query = shard.array("morgan")[3]
    lower, gap = BySimilarity(query).bounds(shard)
    assert gap == 0.0 and lower.argmin() == 3 and lower[3] == 0.0
    np.testing.assert_array_equal(BySimilarity(query).values(shard, np.arange(10)), lower)


def test_distances_are_euclidean_and_lie_within_their_bounds(shard):
    ranking = ByDistance(np.array([0.3, -0.2, 0.5, 1.0]))
    exact = ranking.values(shard, np.arange(10))
    np.testing.assert_allclose(exact, ((shard.points.astype(float) - ranking.point) ** 2).sum(axis=1) ** 0.5, rtol=1e-12)
    lower, gap = ranking.bounds(shard)
    assert (lower <= exact).all() and (exact <= lower + gap).all()


def test_the_order_of_the_library_is_its_row_numbers(shard):
    assert InOrder().values(shard, np.array([0, 9])).tolist() == [70.0, 79.0] and InOrder().least(shard) == 70.0


def test_the_best_are_the_smallest_whatever_the_pieces_and_of_equal_ones_the_earlier_row():
    values = np.random.default_rng(1).integers(0, 20, 100).astype(float)
    best = Best(12)
    for rows in np.array_split(np.random.default_rng(2).permutation(100), 7):
        best.offer(values[rows], rows)
    expected = np.lexsort((np.arange(100), values))[:12]
    assert best.rows.tolist() == expected.tolist() and best.bound == values[expected[-1]]


def test_until_enough_are_met_nothing_is_too_far_away():
    best = Best(3)
    best.offer(np.array([1.0, 2.0]), np.array([0, 1]))
    assert best.bound == np.inf
