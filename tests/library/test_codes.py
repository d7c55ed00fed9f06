"""What a code is said to rule out is ruled out: bounds hold for every point, query and size."""

import numpy as np
import pytest

from chemvae.library import scan
from chemvae.library.codes import distance_bounds, quantize


def points(kind, n=400, dim=17):
    rng = np.random.default_rng(0)
    found = rng.standard_normal((n, dim)).astype(np.float32)
    if kind == "one dimension is constant":
        found[:, 3] = 5.0
    if kind == "an outlier":
        found[7] *= 40
    if kind == "far from the origin":
        found += 1_000
    if kind == "tiny":
        found *= 1e-6
    if kind == "all equal":
        found[:] = found[0]
    if kind == "on a sphere":
        found /= np.linalg.norm(found, axis=1, keepdims=True)
    return found


KINDS = [
    "as usual", "one dimension is constant", "an outlier", "far from the origin", "tiny", "all equal", "on a sphere",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scale", [0.0, 1.0, 30.0, 1e5])
def test_no_distance_lies_outside_its_bounds(kind, scale):
    z = points(kind)
    codes, how = quantize(z)
    query = z[11].astype(float) + scale * np.random.default_rng(1).standard_normal(z.shape[1])
    lower, gap = distance_bounds(codes, how, query)
    exact = np.linalg.norm(z.astype(float) - query, axis=1)
    assert (lower <= exact).all() and (exact <= lower + gap).all()


@pytest.mark.parametrize("dim", [1, 2, 64, 300, 2048])
def test_bounds_hold_in_any_number_of_dimensions_and_are_narrow(dim):
    z = points("as usual", 200, dim)
    codes, how = quantize(z)
    lower, gap = distance_bounds(codes, how, z[0])
    exact = np.linalg.norm(z.astype(float) - z[0].astype(float), axis=1)
    assert (lower <= exact).all() and (exact <= lower + gap).all()
    assert gap < 0.03 * exact.max() + 2.5 * how.error


def test_a_code_stands_within_the_error_that_is_told():
    z = points("an outlier")
    codes, how = quantize(z)
    assert codes.dtype == np.int8 and np.abs(codes.astype(int)).max() == 127
    apart = np.linalg.norm(how.restore(codes) - z, axis=1)
    assert apart.max() == pytest.approx(how.error) and how.error <= how.step / 2 * np.sqrt(z.shape[1]) * 1.0001


@pytest.fixture
def without(monkeypatch):
    """Run without the compiled loops."""
    monkeypatch.setattr(scan, "kernels", lambda: None)


@pytest.mark.skipif(scan.kernels() is None, reason="no C compiler")
@pytest.mark.parametrize("n", [0, 1, 3, 8_193])
def test_compiled_loops_compute_what_numpy_and_torch_do(n, monkeypatch):
    rng = np.random.default_rng(n)
    codes, query = rng.integers(-127, 128, (n, 33)).astype(np.int8), rng.integers(-2000, 2000, 33).astype(np.int16)
    bits, wanted = rng.integers(0, 256, (n, 64)).astype(np.uint8), rng.integers(0, 4, 64).astype(np.uint8)
    compiled = (
        scan.squared_steps(codes, query, 8),
        scan.count_common(bits, wanted),
        scan.hold_all(bits, wanted & bits.min(0, initial=255)),
    )
    monkeypatch.setattr(scan, "kernels", lambda: None)
    plain = (
        scan.squared_steps(codes, query, 8),
        scan.count_common(bits, wanted),
        scan.hold_all(bits, wanted & bits.min(0, initial=255)),
    )
    truth = ((8 * codes.astype(np.int64) - query) ** 2).sum(axis=1)
    assert (compiled[0] == truth).all()
    np.testing.assert_allclose(plain[0], truth, rtol=1e-6)
    assert all((one == other).all() for one, other in zip(compiled[1:], plain[1:], strict=True))
    assert (compiled[1] == np.unpackbits(bits & wanted, axis=1).sum(axis=1)).all()


def test_bounds_hold_without_a_compiler_too(without):
    test_no_distance_lies_outside_its_bounds("as usual", 1.0)
