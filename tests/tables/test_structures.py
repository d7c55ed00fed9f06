"""What is found goes into the form that the ending says."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from chemvae.errors import SettingsError
from chemvae.tables import read_blocks
from chemvae.tables.film import film_figure
from chemvae.tables.structures import check_structures, write_structures

FOUND = pd.DataFrame({"smiles": ["CCO", "C1CC", "CCN"], "valid": [True, False, True], "logP": [-0.1, np.nan, 0.2]})


def test_structures_come_back_from_an_sdf(tmp_path):
    write_structures(FOUND, tmp_path / "found.sdf", str)
    block = next(read_blocks(None, tmp_path / "found.sdf"))
    assert block.smiles == ["CCO", "CCN"] and block.frame["logP"].tolist() == ["-0.1", "0.2"]


def test_a_film_is_a_picture_with_a_curve_below(tmp_path):
    write_structures(FOUND, tmp_path / "film.png", str, ["a", "b", "c"], ["logP"])
    with Image.open(tmp_path / "film.png") as picture:
        assert picture.format == "PNG" and picture.width > picture.height
    figure = film_figure(["CCO"] * 12, [""] * 12, [True] * 12, {"logP": np.arange(12.0)})
    assert len(figure.axes) == 13
    np.testing.assert_array_equal(figure.axes[-1].lines[0].get_ydata(), np.arange(12.0))


def test_a_page_is_made_only_where_it_is_asked_for(tmp_path):
    def no_page():
        raise AssertionError

    write_structures(FOUND, tmp_path / "found.csv", no_page)
    assert pd.read_csv(tmp_path / "found.csv")["smiles"].tolist() == FOUND["smiles"].tolist()
    write_structures(FOUND, tmp_path / "found.html", lambda: "<p>page</p>")
    assert (tmp_path / "found.html").read_text() == "<p>page</p>"


def test_endings_that_cannot_be_written_are_refused_before_any_work(tmp_path):
    with pytest.raises(SettingsError, match="must end in"):
        check_structures(tmp_path / "found.png")
    check_structures(tmp_path / "found.png", film=True)
