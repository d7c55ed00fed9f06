"""Desirability curves against their closed forms."""

import math

import numpy as np
import pytest

from chemvae.chem.desirability import (
    CURVES,
    MEANS,
    Curve,
    above,
    arithmetic_mean,
    below,
    clip,
    gaussian,
    geometric_mean,
    parse_curve,
    ramp,
)
from chemvae.errors import SettingsError, UnknownNameError

X = np.linspace(-7.0, 9.0, 161)
SETTINGS = {"gaussian": (2.0, 1.5), "below": (2.0, 1.5), "above": (2.0, 1.5), "clip": (0.8,), "ramp": (1.0, 5.0)}


def test_gaussian_is_the_normal_density_over_its_maximum():
    mu, sigma = 2.0, 1.5
    density = np.exp(-((X - mu) ** 2) / (2 * sigma**2)) / (sigma * math.sqrt(2 * math.pi))
    np.testing.assert_allclose(gaussian(X, mu, sigma), density * sigma * math.sqrt(2 * math.pi))
    assert gaussian(mu + sigma, mu, sigma) == pytest.approx(math.exp(-0.5))


def test_one_sided_curves_are_one_on_their_side_and_gaussian_on_the_other():
    bell = gaussian(X, 2.0, 1.5)
    np.testing.assert_array_equal(below(X, 2.0, 1.5), np.where(X <= 2.0, 1.0, bell))
    np.testing.assert_array_equal(above(X, 2.0, 1.5), np.where(X >= 2.0, 1.0, bell))
    np.testing.assert_allclose(below(X, 2.0, 1.5) * above(X, 2.0, 1.5), bell)


def test_ramp_is_straight_between_its_ends_and_may_fall():
    assert ramp(np.array([0.0, 1.0, 2.0, 4.0, 5.0, 6.0]), 1.0, 5.0).tolist() == [0.0, 0.0, 0.25, 0.75, 1.0, 1.0]
    np.testing.assert_allclose(ramp(X, 5.0, 1.0), 1.0 - ramp(X, 1.0, 5.0))
    np.testing.assert_array_equal(clip(X, 0.8), ramp(X, 0.0, 0.8))
    np.testing.assert_array_equal(clip(X, 4.0, 1.0), ramp(X, 1.0, 4.0))


@pytest.mark.parametrize("name", CURVES)
def test_every_curve_stays_between_0_and_1_reaches_1_and_keeps_nan(name):
    values = CURVES[name](X, *SETTINGS[name])
    assert values.min() >= 0.0 and values.max() == pytest.approx(1.0) and values.shape == X.shape
    assert math.isnan(CURVES[name](math.nan, *SETTINGS[name]))


@pytest.mark.parametrize("name", CURVES)
def test_a_curve_in_words_is_the_function(name):
    curve = Curve(name, SETTINGS[name])
    np.testing.assert_array_equal(curve(X), CURVES[name](X, *SETTINGS[name]))
    assert parse_curve(str(curve)) == curve


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("gaussian", "no desirability curve"),
        ("gaussian(a, b)", "no desirability curve"),
        ("gaussian(2)", r"write gaussian\(mu, sigma\) with numbers"),
        ("clip(1, 2, 3)", r"write clip\(upper, lower\)"),
        ("gaussian(2, nan)", "with numbers"),
        ("below(2, 0)", "sigma must be > 0"),
        ("below(2, -1)", "sigma must be > 0"),
        ("ramp(3, 3)", "must differ"),
        ("clip(0)", "must differ"),
    ],
)
def test_mistakes_are_named(text, words):
    with pytest.raises(SettingsError, match=words):
        parse_curve(text)


def test_an_unknown_curve_names_the_choices():
    with pytest.raises(UnknownNameError, match="Did you mean 'gaussian'"):
        parse_curve("gausian(2, 1)")


def test_means_against_arithmetic():
    values = np.array([[0.2, 0.8, 0.5], [1.0, 1.0, 1.0], [0.0, 1.0, 1.0]])
    np.testing.assert_allclose(arithmetic_mean(values, [1, 1, 1]), [0.5, 1.0, 2 / 3])
    np.testing.assert_allclose(geometric_mean(values, [1, 1, 1]), [(0.2 * 0.8 * 0.5) ** (1 / 3), 1.0, 0.0])
    np.testing.assert_allclose(geometric_mean(values[:1], [2, 1, 1]), [(0.2 * 0.2 * 0.8 * 0.5) ** 0.25])
    np.testing.assert_allclose(arithmetic_mean(values[:1], [20, 10, 10]), [(0.2 * 2 + 0.8 + 0.5) / 4])


@pytest.mark.parametrize("mean", MEANS.values())
def test_a_missing_value_makes_the_mean_missing_even_beside_a_zero(mean):
    assert np.isnan(mean(np.array([[math.nan, 0.0]]), [1.0, 1.0])).all()
    with pytest.raises(SettingsError, match="weights must be > 0"):
        mean(np.ones((1, 2)), [1.0, 0.0])
