"""Edits and analogies: the points are where they should be, and what is said of each is true."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

import chemvae
from chemvae.chem.fingerprints import morgan, tanimoto
from chemvae.chem.properties import compute
from chemvae.errors import InvalidMoleculeError, SettingsError, UnknownNameError
from chemvae.models.latent_space import FLAT, SPHERE
from chemvae.moving.analogies import analogy_path, carried_step, tangent_to
from chemvae.moving.editing import EditSettings, edit_molecule, part_to_keep
from chemvae.moving.labelled import LabelledCodes
from chemvae.moving.vectors import fit_vector
from tests.conftest import MOLECULES

FAR = {"steps": 6, "radius": 1.5}


@pytest.fixture
def vector(model):
    smiles = ["CCO", "CCN", "CC(C)O", "c1ccccc1", "C=CC", "CC(N)=O", "CC(O)CN", "Nc1ccccc1", "C=CCO"] * 3
    values = np.array([compute("logP", one) for one in smiles])
    return fit_vector(model, LabelledCodes("logP", model.encode(smiles), values, False, "nine molecules"))


def test_what_is_said_of_each_step_is_true(model, vector):
    found = edit_molecule(model, "CCO", vector, EditSettings(**FAR))
    assert found["step"].tolist() == list(range(7)) and found["radius"].iloc[-1] == 1.5
    given = morgan(["CCO"])
    for row in found[found["valid"]].itertuples():
        assert row.logP == pytest.approx(compute("logP", row.smiles))
        assert row.change == pytest.approx(row.logP - compute("logP", "CCO"))
        assert row.similarity == pytest.approx(float(tanimoto(morgan([row.smiles]), given)[0, 0]))
    assert found.loc[~found["valid"], ["logP", "similarity"]].isna().all().all()
    assert (found["usable"] == found["valid"]).all()


def test_down_is_up_the_opposite_direction(model, vector):
    down = edit_molecule(model, "CC(C)O", vector, EditSettings(direction="min", **FAR))
    opposite = replace(vector, direction=-vector.direction)
    pd.testing.assert_frame_equal(down, edit_molecule(model, "CC(C)O", opposite, EditSettings(**FAR)))


def test_a_part_that_is_to_be_kept_is_in_every_usable_molecule(model, vector):
    found = edit_molecule(model, "Nc1ccccc1", vector, EditSettings(keep="[NX3]", n_samples=40, **FAR))
    holds = part_to_keep("[NX3]", "CN")
    assert found["usable"].tolist() == [bool(row.valid) and holds(row.smiles) for row in found.itertuples()]
    assert found["usable"].any()
    with pytest.raises(SettingsError, match="CCO does not hold 'N' itself"):
        edit_molecule(model, "CCO", vector, EditSettings(keep="N"))
    with pytest.raises(SettingsError, match="not a SMARTS"):
        edit_molecule(model, "CCO", vector, EditSettings(keep="N("))


def test_settings_that_make_no_sense_are_refused_all_at_once():
    with pytest.raises(SettingsError) as refused:
        EditSettings(steps=0, radius=-1.0, direction="up", n_samples=-1)
    assert len(refused.value.complaints) == 4
    with pytest.raises(SettingsError, match="steps must be a whole number, got 'five'; radius must be a number"):
        EditSettings(steps="five", radius="far")


def test_in_flat_space_an_analogy_is_a_sum():
    a, b, c = torch.randn(3, 1, 5)
    torch.testing.assert_close(carried_step(FLAT, a, b, c), b - a)


def test_on_a_sphere_a_step_is_carried_with_its_length_along_the_surface():
    a, b, c = (SPHERE.project(one) for one in torch.randn(3, 200, 5, generator=torch.Generator().manual_seed(0)))
    step = carried_step(SPHERE, a, b, c)
    torch.testing.assert_close(step.norm(dim=1), tangent_to(a, b).norm(dim=1), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close((step * c).sum(dim=1), torch.zeros(200), atol=1e-4, rtol=0)
    torch.testing.assert_close(SPHERE.move(a, carried_step(SPHERE, a, b, a)), b, atol=1e-4, rtol=1e-4)


def test_the_way_to_a_point_of_the_sphere_leads_there():
    a, b = (SPHERE.project(one) for one in torch.randn(2, 50, 4, generator=torch.Generator().manual_seed(1)))
    torch.testing.assert_close(SPHERE.move(a, tangent_to(a, b)), b, atol=1e-4, rtol=1e-4)


def test_a_molecule_is_to_another_as_itself_is_to_it(model):
    found = analogy_path(model, "CCO", "CCN", "CCO", EditSettings(steps=4))
    ends = model.decode(model.encode(["CCO", "CCN"]))["smiles"]
    assert found["share"].tolist() == [0, 0.25, 0.5, 0.75, 1.0]
    assert [found["smiles"].iloc[0], found["smiles"].iloc[-1]] == ends.tolist()
    back = analogy_path(model, "CCN", "CCO", "CCO", EditSettings(steps=4, direction="min"))
    assert back["smiles"].tolist() == found["smiles"].tolist()


def test_public_function_says_what_is_missing(tiny_model):
    with pytest.raises(SettingsError, match="--along P.*--pair A B"):
        chemvae.edit("CCO", model=tiny_model)
    with pytest.raises(SettingsError, match="a pair is two molecules, got 1"):
        chemvae.edit("CCO", model=tiny_model, pair=["CCO"])
    with pytest.raises(InvalidMoleculeError):
        chemvae.edit("C1CC", model=tiny_model, pair=("CCO", "CCN"))
    with pytest.raises(UnknownNameError, match="qed"):
        chemvae.edit("CCO", "qet", tiny_model, fit=MOLECULES)
    with pytest.raises(UnknownNameError, match="field of EditSettings called 'stepps'"):
        chemvae.edit("CCO", "qed", tiny_model, fit=MOLECULES, stepps=3)


def test_the_property_of_a_table_alone_is_told_by_its_line(tiny_model):
    table = pd.DataFrame({"smiles": MOLECULES, "activity": np.arange(20.0)})
    found = chemvae.edit("CCO", "activity", tiny_model, fit=table, steps=2, n_samples=0)
    assert "activity" in found and found.attrs["properties"] == ["activity"]
    assert "regression of 20 molecules" in found.attrs["sentences"][0]


@pytest.mark.parametrize("smiles", ["CCO", "CC(N)=O", "c1ccccc1"])
def test_a_substitute_at_the_molecules_own_code_is_said(tiny_model, smiles):
    table = chemvae.edit(smiles, "qed", tiny_model, fit=MOLECULES, steps=2)
    first = table.iloc[0]
    is_other = bool(first["valid"]) and first["smiles"] != smiles
    assert any(f"does not write {smiles} back" in one for one in table.attrs["sentences"]) == is_other
