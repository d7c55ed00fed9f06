"""Whatever form molecules and latent points are given in, the door reads the same; what is neither gets a sentence."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from rdkit import Chem

from chemvae.data.given import read_codes, read_molecules
from chemvae.errors import InputError

WRITTEN = ["OCC", "C1=CC=CC=C1O", "[NH3+]CC"]
CANONICAL = ["CCO", "Oc1ccccc1", "CC[NH3+]"]


@pytest.mark.parametrize(
    "form",
    [
        list, tuple, iter, np.array, pd.Series, pd.Index, pd.array,
        lambda x: np.array(x, dtype=object),
        lambda x: np.array(x)[:, None],
        lambda x: (one for one in x),
        lambda x: pd.Series(x, dtype="category"),
        lambda x: pd.Series(x, dtype="string[pyarrow]"),
        lambda x: pd.DataFrame({"id": ["a1", "a2", "a3"], "y": [1.0, 2.0, 3.0], "SMILES": x}),
        lambda x: pd.DataFrame({0: x}),
        lambda x: [Chem.MolFromSmiles(one) for one in x],
        lambda x: pd.DataFrame({"smiles": ["?"] * 3, "ROMol": [Chem.MolFromSmiles(one) for one in x]}),
        lambda x: [Chem.AddHs(Chem.MolFromSmiles(one)) for one in x],
        lambda x: [f" {one}\n" for one in x],
        lambda x: dict.fromkeys(x).keys(),
    ],
)  # fmt: skip
def test_every_form_of_a_list_reads_the_same_molecules(form):
    found = read_molecules(form(WRITTEN))
    assert found.smiles == CANONICAL and found.reasons == [None] * 3


def test_columns_of_arrow_and_one_molecule_alone_are_read():
    pyarrow = pytest.importorskip("pyarrow")
    assert read_molecules(pyarrow.array(WRITTEN)).smiles == CANONICAL
    assert read_molecules(pyarrow.table({"smiles": WRITTEN})).smiles == CANONICAL
    assert read_molecules("OCC").smiles == ["CCO"] == read_molecules(Chem.MolFromSmiles("OCC")).smiles
    assert read_molecules(np.str_("OCC")).smiles == ["CCO"] and read_molecules([]).smiles == []


def test_what_is_no_molecule_has_its_reason_and_its_place():
    broken = Chem.MolFromSmiles("C(C)(C)(C)(C)C", sanitize=False)
    entries = ["CCO", None, float("nan"), pd.NA, "", "C1CC", 3, b"CCO", "CCO |$;;R$|", broken, "C" * 3000, np.nan]
    found = read_molecules(entries)
    assert [i for i, one in enumerate(found.smiles) if one] == [0]
    assert all(bool(reason) == (one is None) for one, reason in zip(found.smiles, found.reasons, strict=True))
    assert found.reasons[1] == "the cell is empty" and "ring 1" in found.reasons[5] and "bytes" in found.reasons[7]
    assert read_molecules([None, None]).smiles == [None, None]


def test_text_is_taken_as_written_where_that_is_asked_for():
    found = read_molecules(["OCC", "C1CC", None], canonical=False)
    assert found.smiles == ["OCC", "C1CC", None]


@pytest.mark.parametrize(
    "given",
    [
        None, 3, 2.5, True, b"CCO", {"smiles": ["CCO"]}, {"CCO"}, Path("mols.csv"), [["CCO"], ["CCN"]], [("CCO", 1.0)],
        [1.0, 2.0], np.zeros((2, 3)), np.array([["CCO", "CCN"]]), torch.zeros(3), np.array(5), [{"smiles": "CCO"}], object(),
    ],
)  # fmt: skip
def test_what_is_no_list_of_molecules_gets_a_sentence(given):
    with pytest.raises(InputError, match=r"give a SMILES, a list"):
        read_molecules(given)


@pytest.mark.parametrize(
    "form",
    [
        np.array, torch.tensor, pd.DataFrame, list, lambda x: [tuple(row) for row in x], lambda x: [np.array(row) for row in x],
        lambda x: [torch.tensor(row) for row in x], lambda x: np.array(x, dtype=object),
        lambda x: np.array(x, dtype=np.float32),
        lambda x: pd.DataFrame(x, columns=["z_0", "z_1"]).assign(smiles="CCO"),
        lambda x: pd.DataFrame(x, columns=["z_0", "z_1"])[["z_1", "z_0"]], lambda x: pd.Series([np.array(row) for row in x]),
    ],
)  # fmt: skip
def test_every_form_of_latent_points_is_read(form):
    points = [[0.5, -1.0], [2.0, 3.0], [0.0, 0.25]]
    np.testing.assert_array_equal(np.asarray(read_codes(form(points)), dtype=float), points)


def test_one_point_is_a_point_and_molecules_are_none():
    for one in ([0.5, 1.0], np.array([0.5, 1.0]), torch.tensor([0.5, 1.0]), pd.Series([0.5, 1.0]), (1, 2), [np.float32(1), 2]):
        assert np.shape(read_codes(one)) == (2,)
    for other in (WRITTEN, "CCO", pd.DataFrame({"smiles": WRITTEN}), [None], [np.nan], ["C", 1.0], iter([1.0]), {"a": 1}, [[]]):
        assert read_codes(other) is None
    with pytest.raises(InputError, match="different lengths"):
        read_codes([[1.0, 2.0], [1.0]])


def test_two_columns_of_molecules_are_refused():
    with pytest.raises(InputError, match="2 columns called 'smiles'"):
        read_molecules(pd.DataFrame([["CCO", "CCN"]], columns=["smiles", "smiles"]))


def test_an_array_without_dimensions_is_no_list_of_molecules_and_no_point():
    assert read_codes(np.array("CCO")) is None
    with pytest.raises(InputError, match="no list of molecules"):
        read_molecules(np.array("CCO"))


def test_codes_that_are_masked_are_missing_and_others_than_real_ones_are_refused():
    masked = np.ma.masked_array([[1.0, 2.0], [3.0, 4.0]], mask=[[False, True], [False, False]])
    np.testing.assert_array_equal(read_codes(masked), [[1.0, np.nan], [3.0, 4.0]])
    whole = np.ma.masked_array([[1, 2]], mask=[[True, False]])
    np.testing.assert_array_equal(read_codes(whole), [[np.nan, 2.0]])
    tensors = torch.ones(2, 3, dtype=torch.cfloat), torch.eye(3).to_sparse(), torch.ones(2, device="meta")
    odd = [np.ones((2, 3), complex), *tensors]
    for given in odd:
        with pytest.raises(InputError, match="real numbers"):
            read_codes(given)
