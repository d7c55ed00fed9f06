"""Colours: even in lightness for numbers, told apart for categories, readable on their background."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from chemvae.maps.palette import CATEGORIES, RAMP_STEPS, TRAJECTORIES, number_ramp, page_palette


def luminance(colour):
    """CIE lightness L*, 0-100."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    y = float(np.dot([0.2126, 0.7152, 0.0722], linear))
    return 116 * y ** (1 / 3) - 16 if y > 0.008856 else 903.3 * y


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_ramp_rises_evenly_in_lightness(theme):
    lightness = np.array([luminance(colour) for colour in number_ramp(theme)])
    steps = np.diff(lightness[::11])
    assert (steps > 0).all() and steps.max() < 2 * steps.min()


def test_every_theme_has_every_colour():
    light, dark = page_palette()["light"], page_palette()["dark"]
    assert light.keys() == dark.keys()
    assert all(len(light[name]) == len(dark[name]) for name in light)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_categories_and_paths_are_different_colours(theme):
    for colours in (CATEGORIES[theme], TRAJECTORIES[theme]):
        apart = [np.abs(np.subtract(to_rgb(a), to_rgb(b))).max() for a, b in combinations(colours, 2)]
        assert min(apart) > 0.15


@pytest.mark.parametrize(("theme", "background"), [("light", "#ffffff"), ("dark", "#000000")])
def test_no_colour_is_swallowed_by_its_background(theme, background):
    shown = [*CATEGORIES[theme], *TRAJECTORIES[theme], *number_ramp(theme)]
    assert min(abs(luminance(colour) - luminance(background)) for colour in shown) > 9


def test_the_ramp_has_a_colour_for_every_step():
    for theme in ("light", "dark"):
        assert len(number_ramp(theme)) == RAMP_STEPS and number_ramp(theme)[0] != number_ramp(theme)[-1]
