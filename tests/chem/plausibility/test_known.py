"""What is known in ChEMBL: drugs are, made-up rings are not, and neither charge nor configuration changes that."""

import json
import math

import pytest

from chemvae.chem.plausibility import catalogs, known
from chemvae.chem.plausibility.assets import convert
from chemvae.chem.plausibility.known import known_ring_share, strangeness
from chemvae.chem.properties import compute
from chemvae.errors import MissingExtraError

DRUGS = (
    "CC(=O)Oc1ccccc1C(=O)O", "CN1C=NC2=C1C(=O)N(C(=O)N2C)C", "CN(C)CCOC(c1ccccc1)c1ccccc1",
    "COc1cc(N(C)CCN(C)C)c(NC(=O)C=C)cc1Nc1nccc(n1)-c1cn(C)c2ccccc12", "CC1(C)S[C@@H]2[C@H](NC(=O)Cc3ccccc3)C(=O)N2[C@H]1C(=O)O",
)  # fmt: skip
MADE_UP = ("C1=CC2=CC1=CC2", "C1CC2=C1C1=C2N1", "C1CCCCCCCCCCCC2(C1)CCCCCCO2", "c1cc2c(cn1)C1=C2C=CN=N1")


@pytest.mark.parametrize("smiles", DRUGS)
def test_drugs_hold_nothing_strange(smiles):
    assert not strangeness(smiles)


@pytest.mark.parametrize("smiles", MADE_UP)
def test_made_up_rings_are_named(smiles):
    assert strangeness(smiles).rings and compute("unknown_rings", smiles) == 1.0
    assert strangeness(smiles).rings[0] in str(strangeness(smiles))


def test_a_charge_that_protons_take_away_is_not_strange():
    assert strangeness("C[NH+]1CCN(CC1)c1ccccc1") == strangeness("CN1CCN(CC1)c1ccccc1")


def test_a_ring_system_is_known_in_whatever_configuration():
    penam = ("CC1(C)S[C@@H]2CC(=O)N2[C@H]1C", "CC1(C)S[C@H]2CC(=O)N2[C@@H]1C", "CC1(C)SC2CC(=O)N2C1C")
    assert [strangeness(text).rings for text in penam] == [(), (), ()]


def test_rings_alone_can_be_asked_for():
    assert strangeness("OOOOC").bonds and not strangeness("OOOOC", "chembl-rings")
    assert strangeness(MADE_UP[0], "chembl-rings").rings == strangeness(MADE_UP[0]).rings


def test_chains_have_no_rings_to_be_unknown_and_no_molecule_is_not_strange():
    assert compute("unknown_rings", "CCCCO") == 0.0 and not strangeness("C1CC")
    assert math.isnan(compute("unknown_rings", "C1CC"))


def test_the_share_counts_molecules_not_rings():
    assert known_ring_share([*DRUGS[:3], MADE_UP[0]]) == 0.75
    assert known_ring_share([]) is None


def test_the_tables_are_those_of_their_card_and_small():
    card = json.loads(convert.CARD.read_text(encoding="utf-8"))
    assert {path.name for path in known.ASSETS.glob("*.bloom")} == set(card["files"])
    assert all(convert.digest(known.ASSETS / name) == facts["sha256"] for name, facts in card["files"].items())
    assert sum(path.stat().st_size for path in known.ASSETS.glob("*.bloom")) < 2**20


def test_no_pickle_that_names_a_function_is_read(tmp_path):
    import pickle

    (tmp_path / "table.pkl").write_bytes(pickle.dumps(print))
    with (tmp_path / "table.pkl").open("rb") as file, pytest.raises(pickle.UnpicklingError, match="print"):
        convert.PlainUnpickler(file).load()


@pytest.mark.parametrize(("name", "package"), [("purchasable", "molbloom"), ("known_scaffold", "chembl-gen-check")])
def test_what_an_extra_brings_is_named_where_it_is_missing(monkeypatch, name, package):
    monkeypatch.setattr(catalogs, "find_spec", lambda module: None)
    with pytest.raises(MissingExtraError, match=rf"'{name}' needs {package}.*chemvae\[plausible\]"):
        compute(name, "CCO")


def test_aspirin_is_sold_and_a_made_up_molecule_is_not():
    pytest.importorskip("molbloom", reason="comes with the extra 'plausible'")
    assert compute("purchasable", DRUGS[0]) == 1.0
    assert [compute("purchasable", text) for text in MADE_UP] == [0.0] * len(MADE_UP)


def test_scaffolds_of_drugs_are_known_and_made_up_ones_are_not():
    pytest.importorskip("chembl_gen_check", reason="comes with the extra 'plausible'")
    assert [compute("known_scaffold", text) for text in DRUGS] == [1.0] * len(DRUGS)
    assert compute("known_scaffold", MADE_UP[3]) == 0.0
    assert compute("known_scaffold", "CCO") == 1.0
