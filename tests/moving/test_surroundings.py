"""Known neighbours beside new ones: each at the radius where it first turned up, and counted."""

import numpy as np
import pytest

import chemvae
from chemvae.chem.fingerprints import morgan, tanimoto
from chemvae.chem.molecules import canonicalize
from chemvae.errors import InvalidMoleculeError, NothingUsableError, SettingsError, UnknownNameError
from chemvae.moving.pages import neighbors_page
from chemvae.moving.surroundings import AroundSettings, around
from tests.moving.conftest import KNOWN

SETTINGS = AroundSettings(radii=(2.0, 0.01, 0.7), n_decodes=60)


def test_every_new_molecule_stands_at_its_first_radius_and_is_not_the_centre(model):
    found = around(model, "OCC", SETTINGS)
    assert found["smiles"].is_unique and "CCO" not in found["smiles"].tolist()
    assert found["smiles"].map(canonicalize).tolist() == found["smiles"].tolist()
    assert found["radius"].is_monotonic_increasing and set(found["radius"]) <= {0.01, 0.7, 2.0}
    np.testing.assert_allclose(found["similarity"], tanimoto(morgan(found["smiles"].tolist()), morgan(["CCO"]))[:, 0])
    for _, part in found.groupby("radius"):
        assert part["similarity"].is_monotonic_decreasing


def test_decodes_are_counted_at_every_radius(model):
    found = around(model, "CCO", SETTINGS)
    nearest, *others = found.attrs["decodes"]
    assert nearest == {"radius": 0.01, "decodes": 60, "valid": 60, "same": 60}  # so near the code nothing changes
    assert all(one["same"] <= one["valid"] <= one["decodes"] == 60 for one in others)
    first = found[found["radius"] == 0.7]
    assert first["count"].sum() == others[0]["valid"] - others[0]["same"]


def test_known_and_new_ones_stand_in_one_table(model):
    found = chemvae.neighbors("CCO", KNOWN, n=3, model=model, radii=(0.7, 2.0), n_decodes=40)
    known, new = found[found["kind"] == "known"], found[found["kind"] == "new"]
    assert known["smiles"].tolist()[0] == "CCO" and len(known) == 3 and known["similarity"].is_monotonic_decreasing
    assert (new.groupby("radius")["rank"].max() <= 3).all() and len(new)
    page = neighbors_page(found, ["CCO"])
    assert page.count("<svg") == 1 + len(found) and "http" not in page.replace("http-equiv", "")


def test_without_a_table_only_new_ones_are_looked_for_and_with_it_alone_only_known_ones(model):
    assert set(chemvae.neighbors("CCO", model=model, n_decodes=20)["kind"]) <= {"new"}
    plain = chemvae.neighbors("CCO", ["CCN", "CCCO"], n=2)
    assert list(plain.columns) == ["query", "rank", "smiles", "row", "similarity"]


def test_several_molecules_have_their_own_neighbours(model):
    found = chemvae.neighbors(["CCO", "C=CC"], model=model, radii=(1.5,), n_decodes=30)
    assert set(found["query"]) <= {"CCO", "C=CC"} and list(found.attrs["decodes"]) == ["CCO", "C=CC"]


def test_nothing_found_is_an_empty_table_with_its_columns(model):
    found = chemvae.neighbors("CCO", model=model, radii=(1e-6,), n_decodes=2)
    assert not len(found) and {"query", "kind", "radius", "rank", "smiles", "similarity"} <= set(found.columns)
    assert "<svg" in neighbors_page(found, ["CCO"])


def test_what_makes_no_sense_is_refused(model):
    for wrong in ({"radii": ()}, {"radii": (0.3, -1.0)}, {"n_decodes": 0}, {"temperature": -1.0}, {"n": 0}):
        with pytest.raises(SettingsError):
            chemvae.neighbors("CCO", model=model, **wrong)
    assert AroundSettings(radii=0.3).radii == (0.3,)
    with pytest.raises(SettingsError, match="a radius must be a number, got 'far'"):
        AroundSettings(radii=("far",))
    with pytest.raises(UnknownNameError, match="Did you mean 'radii'"):
        chemvae.neighbors("CCO", model=model, radi=(0.3,))
    with pytest.raises(InvalidMoleculeError):
        chemvae.neighbors("C1CC", model=model)
    with pytest.raises(InvalidMoleculeError):
        chemvae.neighbors(["CCO", ""], model=model)
    with pytest.raises(NothingUsableError, match="no molecule to look around"):
        chemvae.neighbors([], model=model)
