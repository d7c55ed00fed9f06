"""What is hard to make: the strained corner is named, not the plain chain; what is sold counts as bought."""

import pytest

from chemvae.chem.molecules import parse
from chemvae.chem.plausibility import catalogs
from chemvae.chem.plausibility.synthesis import atom_commonness, hardest_bond
from chemvae.chem.properties import compute
from chemvae.errors import MissingExtraError


@pytest.mark.parametrize("smiles", ["c1ccccc1CCCCC1(F)OO1", "O1OC1(F)CCCCc1ccccc1"])
def test_the_strained_corner_is_the_hardest_place_however_it_is_written(smiles):
    assert hardest_bond(smiles) == "CC1(F)OO1"


def test_what_has_no_bond_has_no_hardest_one():
    assert hardest_bond("C") == hardest_bond("C1CC") == hardest_bond("") == ""


def test_benzene_s_atoms_are_alike_and_more_common_than_those_of_a_dioxirane():
    benzene, dioxirane = (atom_commonness(parse(text)) for text in ("c1ccccc1", "C1(F)OO1"))
    assert benzene.tolist() == pytest.approx([benzene[0]] * 6)
    assert benzene.min() > dioxirane.max()


def test_building_blocks_need_an_extra_and_say_so(monkeypatch):
    monkeypatch.setattr(catalogs, "find_spec", lambda module: None)
    with pytest.raises(MissingExtraError, match=r"'building_blocks' needs molbloom.*chemvae\[plausible\]"):
        compute("building_blocks", "CCO")


def test_an_amide_of_sold_pieces_is_all_blocks_and_a_made_up_ring_is_none():
    pytest.importorskip("molbloom", reason="comes with the extra 'plausible'")
    assert compute("building_blocks", "O=C(NCc1ccccc1)c1ccccc1") == 1.0
    assert compute("building_blocks", "C1=CC2=CC1=CC2") == 0.0
