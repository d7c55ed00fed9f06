"""What stands beside a SMILES is left out and told; the molecule itself is never touched."""

import pytest

from chemvae.chem.molecules import canonicalize
from chemvae.data.files.annotations import ATOM_MAPS, EXTENSION, LeftOut, bare_smiles, split_extension


@pytest.mark.parametrize(
    "smiles", ["CCO", "C[C@@H](N)C(=O)O", "[Na+].[Cl-]", "C/C=C/C", "[13CH4]", "C1CC%12CC1CC%12", "a|b", ":", "C:C", "[C:x]"]
)
def test_a_cell_with_nothing_beside_stays_as_it_is(smiles):
    assert bare_smiles(smiles) == (smiles, "")


@pytest.mark.parametrize("cell", [None, 5.0, float("nan"), b"CCO |a|"])
def test_what_is_no_text_is_not_read(cell):
    assert bare_smiles(cell)[0] is cell and bare_smiles(cell)[1] == ""


def test_an_extension_and_what_follows_it_is_left_out_with_blanks_around():
    for cell in ("C[C@H](O)CC |o1:1|", "  C[C@H](O)CC   |o1:1| a name", "C[C@H](O)CC\t|$;;R1$,c:0|"):
        assert bare_smiles(cell) == ("C[C@H](O)CC", EXTENSION)


def test_atom_maps_are_taken_out_and_the_molecule_is_the_same():
    mapped = "[CH3:1][C@@H:22]([NH2:3])[C:4](=[O:5])[OH:6]"
    bare, what = bare_smiles(mapped)
    assert what == ATOM_MAPS and ":" not in bare and canonicalize(bare) == canonicalize("C[C@@H](N)C(=O)O")
    assert bare_smiles("[CH3:1]O |a|") == ("[CH3]O", EXTENSION)


def test_a_line_of_a_list_is_split_into_extension_and_name():
    assert split_extension("|a, b| one two") == ("|a, b|", "one two") and split_extension("|a|") == ("|a|", "")
    assert split_extension("one |two|") == ("", "one |two|") and split_extension("") == ("", "")


def test_what_was_left_out_is_counted_with_an_example_of_each_kind():
    left = LeftOut()
    cells = ["CCO", None]
    assert left.read(cells) is cells and left.sentence() == ""
    assert left.read(["CCO |a|", "[CH4:1]", "CCN |b|", "CC"]) == ["CCO", "[CH4]", "CCN", "CC"]
    said = left.sentence()
    assert said.startswith("2 with a CXSMILES extension such as 'CCO |a|' and 1 with atom map numbers such as '[CH4:1]'")
