"""What a page carries comes back: coordinates within half a step, numbers exact, texts as they were."""

import json

import numpy as np
import pandas as pd
import pytest

from chemvae.errors import InputError, NothingUsableError, UnknownNameError
from chemvae.maps import Trajectory
from chemvae.maps.packing import (
    STEPS,
    pack,
    pack_axis,
    pack_lines,
    pack_numbers,
    unpack,
    unpack_axis,
    unpack_lines,
    unpack_numbers,
    unpack_planes,
)
from chemvae.maps.payload import build_payload, pack_column

SMILES = ["CCO", "c1ccccc1", "C[C@H](N)C(=O)O"]
XY = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 9.0]])


@pytest.mark.parametrize("low, high", [(-3.0, 5.0), (0.0, 1e-6), (1e6, 1e6 + 1), (-1e9, 1e9)])
def test_coordinates_are_within_half_a_step(low, high):
    values = np.random.default_rng(0).uniform(low, high, 5000)
    values[:2] = low, high
    back = unpack_axis(pack_axis(values, low, high))
    half_a_step = (high - low) / STEPS / 2
    assert np.abs(back - values).max() <= half_a_step * (1 + 1e-6) + np.spacing(max(abs(low), abs(high)))
    assert (back[0], back[1]) == (low, high)


def test_an_axis_without_extent_keeps_its_value():
    np.testing.assert_array_equal(unpack_axis(pack_axis(np.full(4, 2.5), 2.5, 2.5)), np.full(4, 2.5))


@pytest.mark.parametrize(
    "values, dtype",
    [
        ([1, 2, np.nan, 254], "uint8"),
        ([-100, 100], "uint8"),
        ([0, 255], "uint16"),
        ([0.1, 0.2, 0.3], "uint8"),
        ([-3.25, np.nan, 100.5], "uint16"),
        ([0.0, 1234.5678], "uint32"),
        ([0, 2.0**40 + 1], "float64"),
        ([np.nan, np.nan], "uint8"),
        ([-0.0, 1e300], "float64"),
    ],
)
def test_short_numbers_come_back_exact(values, dtype):
    spec = pack_numbers(np.array(values, dtype=float))
    assert spec["dtype"] == dtype
    np.testing.assert_array_equal(unpack_numbers(spec), values)


def test_long_numbers_keep_seven_digits_and_large_ones_are_not_rounded_to_integers():
    values = np.random.default_rng(0).normal(size=1000)
    np.testing.assert_allclose(unpack_numbers(pack_numbers(values)), values, rtol=6e-8)
    np.testing.assert_allclose(unpack_numbers(pack_numbers(1e9 + values)), 1e9 + values, rtol=6e-8)


def test_infinite_counts_as_missing():
    np.testing.assert_array_equal(unpack_numbers(pack_numbers(np.array([np.inf, 1.0, -np.inf]))), [np.nan, 1.0, np.nan])


@pytest.mark.parametrize("lines", [["a"], [""], ["", "", ""], ["é", "\U0001f9ea", "a\tb"], ["x" * 5000]])
def test_lines_round_trip(lines):
    assert unpack_lines(pack_lines(lines)) == lines


def test_line_breaks_and_missing_texts_do_not_shift_the_rows():
    assert unpack_lines(pack_lines(["a\nb", None, "c\r\nd", pd.NA, float("nan"), "e\u2028f"])) == [
        "a b",
        "",
        "c d",
        "",
        "",
        "e f",
    ]


@pytest.mark.parametrize(
    "values, kind",
    [
        (pd.Series([1, 2, 3]), "number"),
        (pd.Series([1, None, 3], dtype="Int64"), "number"),
        (pd.Series([1.5, None, 3], dtype=object), "number"),
        (pd.Series([True, False, True]), "category"),
        (pd.Series(["a", "b", None], dtype="string"), "category"),
        (pd.Series(pd.Categorical(["a", "b", "a"])), "category"),
        (pd.Series([f"id {i}" for i in range(100)]), "text"),
        (pd.Series([f"group {i % 20}" for i in range(100)]), "category"),
    ],
)
def test_kinds_of_columns(values, kind):
    assert pack_column("name", values, "1")["kind"] == kind


def test_categories_are_sorted_by_size_and_counted():
    column = pack_column("x", pd.Series(["b", "a", "b", None, "c", "b", "a"]), "eV")
    assert (column["names"], column["counts"], column["unit"]) == (["b", "a", "c"], [3, 2, 1], "eV")


def test_unplaced_molecules_are_left_out_and_counted():
    payload = build_payload(np.vstack([XY, [[np.nan, 1.0]]]), [*SMILES, "CC"], pd.DataFrame({"logP": [1, 2, 3, 4]}))
    assert (payload["n"], payload["n_unplaced"]) == (3, 1)
    assert unpack_lines(payload["smiles"]) == SMILES
    np.testing.assert_array_equal(unpack_numbers(payload["columns"][0]), [1, 2, 3])


def test_a_series_with_another_index_is_taken_by_position():
    smiles = pd.Series(SMILES, index=[7, 8, 9])
    columns = pd.DataFrame({"logP": [1.0, 2.0, 3.0]}, index=[2, 1, 0])
    payload = build_payload(XY, smiles, columns)
    assert unpack_lines(payload["smiles"]) == SMILES
    np.testing.assert_array_equal(unpack_numbers(payload["columns"][0]), [1, 2, 3])


def test_two_columns_of_one_name_are_both_kept():
    columns = pd.DataFrame([[1.0, 5.0], [2.0, 6.0], [3.0, 7.0]], columns=["logP", "logP"])
    first, second = build_payload(XY, SMILES, columns)["columns"]
    assert unpack_numbers(first)[0] == 1.0 and unpack_numbers(second)[0] == 5.0


def test_a_path_widens_the_map_and_keeps_its_texts():
    path = Trajectory([[0, 0], [np.nan, 1], [20, 30]], "best", ["C", "CC", "CCC"], ["a", "b", "c"])
    payload = build_payload(XY, SMILES, trajectories=[path, XY])
    assert (payload["x"]["high"], payload["y"]["high"]) == (20.0, 30.0)
    first, second = payload["trajectories"]
    assert first == {"name": "best", "xy": [[0, 0], [20, 30]], "smiles": ["C", "CCC"], "labels": ["a", "c"]}
    assert (second["name"], second["xy"]) == ("trajectory 2", XY.tolist())
    np.testing.assert_allclose(unpack_axis(payload["x"]), XY[:, 0], atol=20 / STEPS)


def test_the_colour_is_found_without_regard_to_case_and_defaults_to_the_first_number():
    columns = pd.DataFrame({"group": ["a", "b", "a"], "logP": [1, 2, 3], "qed": [1, 2, 3]})
    assert build_payload(XY, SMILES, columns)["color"] == 1
    assert build_payload(XY, SMILES, columns, color="QED")["color"] == 2
    assert build_payload(XY, SMILES, columns, color="group")["color"] == 0
    assert build_payload(XY, SMILES)["color"] == -1
    with pytest.raises(UnknownNameError, match="Did you mean 'logP'"):
        build_payload(XY, SMILES, columns, color="logQ")


def test_equal_input_gives_equal_text():
    columns = pd.DataFrame({"qed": [0.1, 0.2, 1 / 3]})
    assert json.dumps(build_payload(XY, SMILES, columns)) == json.dumps(build_payload(XY, SMILES, columns))


def test_mistakes_are_sentences():
    with pytest.raises(InputError, match="3 coordinates, 2 SMILES"):
        build_payload(XY, SMILES[:2])
    with pytest.raises(InputError, match=r"\[N, 2\]"):
        build_payload(XY[:, 0], SMILES)
    with pytest.raises(InputError, match="3 points but 1 labels"):
        build_payload(XY, SMILES, trajectories=[Trajectory(XY, labels=["a"])])
    with pytest.raises(NothingUsableError, match="None of the 3 molecules"):
        build_payload(np.full((3, 2), np.nan), SMILES)
    with pytest.raises(NothingUsableError):
        build_payload(np.empty((0, 2)), [])


def test_predictions_of_many_molecules_take_two_bytes_and_keep_what_can_be_seen():
    values = np.random.default_rng(0).normal(2.0, 1.5, size=25_000).astype(np.float32)
    packed = pack_column("logP", pd.Series(values), "1")
    assert packed["dtype"] == "uint16"
    assert np.abs(unpack_numbers(packed) - values).max() <= (packed["limits"][1] - packed["limits"][0]) / 5_000
    few = pack_column("logP", pd.Series(values[:100]), "1")
    np.testing.assert_array_equal(unpack_numbers(few), values[:100])
    own = pack_column("logP", pd.Series(values.astype(np.float64)), "1")  # a table's own numbers keep their digits
    np.testing.assert_allclose(unpack_numbers(own), values, rtol=1e-6)


def test_marks_tell_whose_each_placed_row_is():
    xy = np.array([[0.0, 0.0], [np.nan, 0.0], [1.0, 1.0], [2.0, 2.0]])
    payload = build_payload(xy, ["C"] * 4, marks={"a": [1, 2], "b": [3]})
    assert payload["marks"]["names"] == ["a", "b"]
    assert unpack(payload["marks"]["data"], "u1").tolist() == [0, 1, 2]
    with pytest.raises(InputError, match="row 4 of a map of 4 rows"):
        build_payload(xy, ["C"] * 4, marks={"a": [4]})


def test_arrays_of_pages_of_before_are_read_too():
    spec = pack_numbers(np.array([0.25, np.nan, 1.5]))
    before = {key: value for key, value in spec.items() if key != "planes"}
    before["data"] = pack(unpack_planes(spec["data"], "u1"))
    np.testing.assert_array_equal(unpack_numbers(before), [0.25, np.nan, 1.5])
