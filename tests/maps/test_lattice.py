"""A plane through the latent space, decoded: the points lie where they should, and the page says what the model says there."""

import json
import re

import numpy as np
import pytest

from chemvae import api
from chemvae.chem.molecules import canonicalize
from chemvae.errors import ChemVAEError, SettingsError, UnknownNameError
from chemvae.maps import LatticeSettings


@pytest.fixture(scope="module")
def model():
    return api.load("drug", "cpu")


@pytest.fixture(scope="module")
def lattice(model, molecules):
    return api.map_lattice(molecules, model, size=3, span=1.5, n_samples=2, device="cpu")


@pytest.fixture(scope="module")
def molecules():
    return ["CCO", "c1ccccc1", "CC(=O)Nc1ccc(O)cc1", "CCN(CC)CC", "O=C(O)c1ccccc1", "CCCCCC", "c1ccncc1", "CC(C)O"]


def test_the_points_lie_on_the_plane_of_the_two_leading_components(lattice, model, molecules):
    z = model.encode(molecules)
    axes = np.linalg.svd(z - z.mean(axis=0), full_matrices=False)[2]
    away = (lattice.z - lattice.z[4]) @ axes.T
    np.testing.assert_allclose(lattice.z[4], z.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(away[:, 2:], 0, atol=1e-4)
    spread = ((z - z.mean(axis=0)) @ axes[:2].T).std(axis=0)
    np.testing.assert_allclose(np.abs(away[0, :2]), 1.5 * spread, rtol=1e-3)
    np.testing.assert_allclose(away[0, 0], -away[2, 0], rtol=1e-3)  # one row: only the first axis changes
    np.testing.assert_allclose(away[0, 1], away[2, 1], rtol=1e-3)


def test_values_are_those_of_the_points_and_what_is_valid_is_a_molecule(lattice, model):
    for name in lattice.properties:
        np.testing.assert_allclose(lattice.points[name], model.predict(lattice.z)[name])
    for text, valid in zip(lattice.points["smiles"], lattice.points["valid"], strict=True):
        assert not valid or canonicalize(text) == text


def test_the_page_holds_every_point_and_refers_to_nothing_outside(lattice, tmp_path):
    page = lattice.write(tmp_path / "l.html", title="<script>x</script>").read_text("utf-8")
    assert page.count('class="cell') == 9 and page.count('class="cell none"') == (~lattice.points["valid"]).sum()
    facts = json.loads(re.search(r'id="facts">(.*?)</script>', page, re.S)[1])
    assert [text is not None for text in facts["smiles"]] == lattice.points["valid"].tolist()
    assert "<script>x" not in page and "default-src 'none'" in page
    assert not re.search(r'(?:src|href)="(?!data:,)', page.replace("xlink:", ""))


def test_mistakes_are_one_sentence(lattice, model, molecules, tmp_path):
    with pytest.raises(SettingsError, match="size must be from 2"):
        LatticeSettings(size=1)
    with pytest.raises(UnknownNameError, match="property"):
        lattice.write(tmp_path / "l.html", color="melting point")
    (tmp_path / "l.html").write_text("an earlier one")
    with pytest.raises(ChemVAEError, match="exists"):
        api.map_lattice(molecules, model, out=tmp_path / "l.html")
