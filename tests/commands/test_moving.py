"""neighbors, edit, complete and interpolate from the command line: what they write is what Python gives."""

import io

import pandas as pd
import pytest

from chemvae import api
from chemvae.chem.molecules import canonicalize

A, B = "CCCO", "NCCc1ccccc1"


@pytest.fixture(scope="module")
def model(tiny_run):
    return api.load(tiny_run, "cpu")


def table(text):
    return pd.read_csv(io.StringIO(text), keep_default_na=False, na_values=[""])


def is_page(path):
    text = path.read_text(encoding="utf-8")
    return "<svg" in text and "://" not in text.replace("http://www.w3.org", "")


def test_neighbors_are_those_of_python_and_can_be_a_page(chemvae, tiny_run, model, table_csv, tmp_path):
    words = ["neighbors", A, "-m", tiny_run, "--among", table_csv, "-n", 3, "--radius", 0.5, "--radius", 1.5, "--decodes", 20]
    shown = chemvae(*words)
    found = table(shown.stdout)
    asked = {"radii": (0.5, 1.5), "n_decodes": 20, "temperature": 0.0}
    expected = api.neighbors(A, table_csv, 3, model, **asked)
    assert found["smiles"].tolist() == expected["smiles"].tolist() and set(found["kind"]) == {"known", "new"}
    assert "radius 1.5: of 20 decodes" in shown.stderr
    assert chemvae(*words, "-o", "near.html").exit_code == 0 and is_page(tmp_path / "near.html")
    assert chemvae(*words, "-o", "near.sdf").exit_code == 0 and "$$$$" in (tmp_path / "near.sdf").read_text()


def test_edit_is_that_of_python_and_can_be_a_film(chemvae, tiny_run, model, table_csv, tmp_path):
    words = ["edit", B, "-m", tiny_run, "--along", "logP", "--fit", table_csv, "--steps", 3, "--keep", "N", "--radius", 0.8]
    shown = chemvae(*words)
    found = table(shown.stdout)
    expected = api.edit(B, "logP", model, fit=table_csv, steps=3, keep="N", radius=0.8)
    assert found["smiles"].tolist() == expected["smiles"].tolist() and list(found.columns) == list(expected.columns)
    assert "ridge regression of" in shown.stderr and "of 4 points give a usable molecule" in shown.stderr
    for name in ("edit.html", "edit.png", "edit.sdf"):
        assert chemvae(*words, "-o", name).exit_code == 0
    assert is_page(tmp_path / "edit.html") and (tmp_path / "edit.png").read_bytes()[1:4] == b"PNG"


def test_an_analogy_is_asked_with_a_pair(chemvae, tiny_run):
    shown = chemvae("edit", B, "-m", tiny_run, "--pair", "CCO", "CCN", "--steps", 2)
    assert table(shown.stdout)["share"].tolist() == [0.0, 0.5, 1.0]
    assert f"CCO is to CCN as {B} is to the last step." in shown.stderr


def test_complete_fills_gaps(chemvae, tiny_run, tmp_path):
    shown = chemvae("complete", "CCC_", "-m", tiny_run, "--draws", 2, "-n", 4)
    found = table(shown.stdout)
    assert 1 <= len(found) <= 4 and found["smiles"].map(canonicalize).tolist() == found["smiles"].tolist()
    assert f"{len(found)} molecules fit the pattern" in shown.stderr
    assert chemvae("complete", "CCC_", "-m", tiny_run, "--like", A, "-o", "filled.html").exit_code == 0
    assert is_page(tmp_path / "filled.html")


def test_interpolate_can_be_straight_tell_more_and_be_a_film(chemvae, tiny_run, tmp_path):
    words = ["interpolate", A, B, "-m", tiny_run, "--steps", 4]
    plain = table(chemvae(*words).stdout)
    assert list(plain.columns) == ["step", "share", "smiles", "valid", "similarity_start", "similarity_end"]
    several = table(chemvae(*words, "--decodes", 3, "--path", "linear", "-p", "MW").stdout)
    assert {"decode", "MW"} <= set(several.columns)
    shown = chemvae(*words, "-o", "path.png")
    assert shown.exit_code == 0 and "of 4 points decoded to a molecule" in shown.stderr and "logP" in shown.stderr
    assert (tmp_path / "path.png").read_bytes()[1:4] == b"PNG"
    assert chemvae(*words, "-o", "path.html").exit_code == 0 and is_page(tmp_path / "path.html")
