"""A column that cannot colour a map says why, before anything is encoded; the others look as what they are."""

import logging

import numpy as np
import pandas as pd
import pytest

from chemvae import api
from chemvae.errors import SettingsError, UnknownNameError
from chemvae.maps.colour import check_colour, readable_dates, wants_logarithm
from chemvae.maps.interactive import read_map
from chemvae.maps.payload import build_payload, pack_column

CHAINS = ["C" * i + "O" for i in range(1, 41)]
TABLE = pd.DataFrame(
    {
        "smiles": CHAINS,
        "IC50": ["high" if i % 5 == 0 else f"{i}.5" for i in range(40)],
        "made": [f"2024-01-{i % 28 + 1:02d}" if i % 9 else "" for i in range(40)],
        "id": [f"x{i}" for i in range(40)],
        "kind": [["a", "b", None][i % 3] for i in range(40)],
        "empty": [""] * 40,
    }
)


class NoEncoder:
    """Fails where a molecule is encoded."""

    def __init__(self, model):
        self.model = model

    def __getattr__(self, name):
        assert name != "encode"
        return getattr(self.model, name)


@pytest.mark.parametrize(
    ("color", "words"),
    [
        ("IC50", "8 of 40 cells such as 'high' are no numbers"),
        ("ID", "nearly every cell is another text"),
        ("empty", "all its cells are empty"),
    ],
)
def test_a_column_that_cannot_colour_says_why_before_anything_is_encoded(tiny_model, color, words):
    with pytest.raises(SettingsError, match=words):
        api.map(TABLE, NoEncoder(tiny_model), color=color)


def test_an_unknown_column_is_named_before_anything_is_encoded(tiny_model):
    with pytest.raises(UnknownNameError, match="kinf.*kind"):
        api.map(TABLE, NoEncoder(tiny_model), color="kinf")


def test_many_names_are_told_by_their_number():
    with pytest.raises(SettingsError, match="100 different texts, and at most 64"):
        check_colour(pd.DataFrame({"name": [f"n{i % 100}" for i in range(400)]}), "name")
    check_colour(pd.DataFrame({"name": [f"n{i % 60}" for i in range(400)]}), "name")
    check_colour(pd.DataFrame({"y": [1.0]}), "logP", ["logP"])


def test_dates_colour_a_map_and_come_back_as_dates(tiny_model, tmp_path):
    api.map(TABLE, tiny_model, out=tmp_path / "map.html", png=tmp_path / "map.png", color="made")
    found = read_map(tmp_path / "map.html")["made"]
    assert found.iloc[1] == pd.Timestamp("2024-01-02") and found.isna().sum() == 5
    column = pack_column("made", readable_dates(TABLE)["made"], "")
    assert column["kind"] == "number" and column["date"] and column["limits"][0] == 19723


def test_text_that_is_no_date_stays_text():
    table = readable_dates(pd.DataFrame({"a": ["2024-01-02", "later"], "b": ["2024-13-40", ""], "c": ["12", "13"]}))
    assert not any(pd.api.types.is_datetime64_any_dtype(table[name]) for name in table)


def test_a_wide_range_of_positive_numbers_gets_a_logarithmic_scale():
    wide = 10.0 ** np.linspace(-3, 4, 60)
    assert wants_logarithm(wide, (wide[0], wide[-1])) and pack_column("IC50", pd.Series(wide), "nM")["log"]
    for other in (
        np.linspace(1, 2, 60),
        np.append(wide, -1.0),
        np.append(wide, 0.0),
        np.linspace(1, 5000, 60),
        np.full(5, np.nan),
    ):
        assert not pack_column("y", pd.Series(other), "")["log"]


def test_missing_cells_are_told_apart_from_other_names(tmp_path):
    payload = build_payload(np.zeros((40, 2)), CHAINS, TABLE[["kind"]], color="kind")
    assert payload["columns"][0]["names"] == ["a", "b"] and sum(payload["columns"][0]["counts"]) == 27


@pytest.mark.parametrize("method", ["pca", "tsne"])
@pytest.mark.parametrize("smiles", [["CCO"], ["CCO", "CCN"], ["CCO"] * 40, ["CCO"] * 38 + ["CCN", "CCC"]])
def test_maps_of_few_and_of_equal_molecules_are_drawn_and_name_what_was_done(tiny_model, method, smiles, tmp_path):
    found = api.map(smiles, tiny_model, method=method, out=tmp_path / "map.html", png=tmp_path / "map.png")
    assert np.isfinite(found.xy).all() and len(read_map(tmp_path / "map.html")) == len(smiles)
    assert found.note.startswith("pca of") and found.method_used == "pca" and "trustworthiness" not in found.note
    same = [i for i, one in enumerate(smiles) if one == "CCO"]
    assert np.allclose(found.xy[same], found.xy[same][0])


def test_bounds_among_numbers_leave_molecules_grey_and_do_not_end_the_map(tiny_model, tmp_path, caplog):
    table = TABLE.assign(IC50=[">10000" if i % 5 == 0 else f"{i}.5" for i in range(40)])
    with caplog.at_level(logging.WARNING, logger="chemvae"):
        api.map(table, tiny_model, out=tmp_path / "map.html", color="ic50")
    assert "8 cells of 'IC50' are bounds such as '>10000', and their molecules stay grey." in caplog.text
    found = read_map(tmp_path / "map.html")["IC50"]
    assert found.isna().sum() == 8 and found.iloc[1] == 1.5
