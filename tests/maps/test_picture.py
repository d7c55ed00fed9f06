"""The picture: right colours in the right places."""

import matplotlib.image
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb

from chemvae.errors import UnknownNameError
from chemvae.maps import Trajectory, write_png
from chemvae.maps.palette import CATEGORIES, MISSING, TRAJECTORIES

SQUARE = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])


def pixels_near(image, colour, alpha=1.0):
    """Rows and columns [M, 2] of the pixels of a colour laid on white, and of nothing else."""
    wanted = 1 - alpha * (1 - np.array(to_rgb(colour)))
    return np.argwhere(np.abs(image[:, :, :3] - wanted).max(axis=2) < 0.02)


def test_points_stand_where_they_should_in_their_colour(tmp_path):
    path = write_png(tmp_path / "map.png", SQUARE, pd.DataFrame({"side": ["left", "left", "right", "right"]}), color="side")
    image = matplotlib.image.imread(path)
    left, right = (pixels_near(image, CATEGORIES["light"][code], alpha=0.85) for code in (0, 1))
    assert len(left) and len(right)
    left, right = (found[found[:, 0] > image.shape[0] / 2] for found in (left, right))  # below the legend
    assert left[:, 1].max() < right[:, 1].min()
    assert left[:, 0].mean() == pytest.approx(right[:, 0].mean(), abs=1)


def test_missing_values_are_grey_and_unplaced_molecules_absent(tmp_path):
    xy = np.vstack([SQUARE, [[np.nan, 0.0]]])
    path = write_png(tmp_path / "map.png", xy, pd.DataFrame({"logP": [1, 2, np.nan, np.nan, 9]}))
    image = matplotlib.image.imread(path)
    grey = pixels_near(image, MISSING["light"], alpha=0.85)
    assert len(grey) and grey[:, 1].min() > image.shape[1] * 0.4


def test_a_path_is_drawn(tmp_path):
    path = write_png(tmp_path / "map.png", SQUARE, trajectories=[Trajectory(SQUARE[[0, 3]], "a path with $ and _")])
    red = pixels_near(matplotlib.image.imread(path), TRAJECTORIES["light"][0])
    assert np.ptp(red, axis=0).min() > 200


def test_dollar_signs_are_no_formulas_and_other_suffixes_work(tmp_path):
    columns = pd.DataFrame({"$x_{": [1.0, 2.0, 3.0, 4.0], "$": ["$a", "$b", "$a", "$b"]})
    for color in columns:
        path = write_png(
            tmp_path / "map.svg", SQUARE, columns, "$title^", units={"$x_{": "$%"}, color=color, axis_labels=("$", "_")
        )
        assert b"<svg" in path.read_bytes()
    with pytest.raises(UnknownNameError):
        write_png(tmp_path / "map.png", SQUARE, columns, color="y")
