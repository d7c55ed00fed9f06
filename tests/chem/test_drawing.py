"""Pictures are well-formed, self-contained, and say so when there is nothing to draw."""

from xml.etree import ElementTree

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem.Draw import rdMolDraw2D

from chemvae.chem.drawing import count_clashes, grid_svg, laid_out, molecule_svg


def test_picture_is_xml_of_the_size_asked_for():
    root = ElementTree.fromstring(molecule_svg("c1ccccc1O", width=300, height=200, legend="phenol"))
    assert (root.get("width"), root.get("height")) == ("300", "200")
    assert any(element.text == "phenol" for element in root.iter())
    assert sum(element.tag.endswith("path") for element in root.iter()) >= 9


def test_nothing_is_loaded_from_elsewhere():
    svg = molecule_svg("CCO")
    assert svg.count("http") == svg.count("http://www.w3.org")


def test_what_is_not_a_molecule_is_a_box_with_the_reason():
    svg = molecule_svg("C1CC", legend="<b>")
    ElementTree.fromstring(svg)
    assert "ring 1 is opened" in svg and "&lt;b&gt;" in svg


def test_highlight_by_smarts_and_by_index_agree():
    plain = molecule_svg("CCO")
    assert molecule_svg("CCO", highlight="[OX2]") == molecule_svg("CCO", highlight=[2]) != plain
    assert molecule_svg("CCO", highlight="[N]") == plain


def test_grid_places_cells_in_rows():
    root = ElementTree.fromstring(grid_svg(["C", "CC", "C1", "CCO", "CN"], list("abcde"), columns=2, width=100, height=80))
    cells = [element for element in root if element.tag.endswith("svg")]
    assert [(cell.get("x"), cell.get("y")) for cell in cells] == [
        ("0", "0"),
        ("100", "0"),
        ("0", "80"),
        ("100", "80"),
        ("0", "160"),
    ]
    assert (root.get("width"), root.get("height")) == ("200", "240")


def test_grid_refuses_legends_that_do_not_match():
    with pytest.raises(ValueError, match="one legend per molecule"):
        grid_svg(["C"], ["a", "b"])
    ElementTree.fromstring(grid_svg([]))


def test_the_better_of_two_layouts_is_drawn_where_atoms_lie_on_each_other():
    taxol = (
        "CC1=C2C(C(=O)C3(C(CC4C(C3C(C(C2(C)C)(CC1OC(=O)C(C(C5=CC=CC=C5)NC(=O)C6=CC=CC=C6)O)O)OC(=O)C7=CC=CC=C7)(CO4)"
        "OC(=O)C)O)C)OC(=O)C"
    )
    for smiles in (taxol, "C(c1ccccc1)(c1ccccc1)(c1ccccc1)C(c1ccccc1)(c1ccccc1)c1ccccc1"):
        mol = Chem.MolFromSmiles(smiles)
        usual = rdMolDraw2D.PrepareMolForDrawing(mol)
        assert count_clashes(usual) > count_clashes(laid_out(mol)) == 0


def test_the_usual_layout_stays_where_nothing_lies_on_anything():
    for smiles in ("CC(=O)Oc1ccccc1C(=O)O", "C[C@H](N)C(=O)O", "CN1CCC23c4c5ccc(O)c4OC2C(O)C=CC3C1C5"):
        mol = Chem.MolFromSmiles(smiles)
        usual = rdMolDraw2D.PrepareMolForDrawing(mol)
        np.testing.assert_array_equal(laid_out(mol).GetConformer().GetPositions(), usual.GetConformer().GetPositions())


def test_what_is_too_large_to_be_drawn_says_so_at_once():
    for smiles in (".".join(["C"] * 500), "C" * 500, "C1" + "C" * 300 + "1"):
        assert "too many to be drawn" in molecule_svg(smiles, legend="large")


def test_atoms_on_each_other_are_counted():
    mol = Chem.MolFromSmiles("CCO")
    conformer = Chem.Conformer(3)
    for i, place in enumerate([(0, 0, 0), (1, 0, 0), (0.1, 0, 0)]):
        conformer.SetAtomPosition(i, place)
    mol.AddConformer(conformer)
    assert count_clashes(mol) == 1


def test_what_two_molecules_share_lies_at_the_same_place_and_the_rest_is_named():
    """Aspirin and its chloride: all but the new atom lie as in aspirin, up to the scale of the drawing."""
    from chemvae.chem.alignment import aligned, differing_atoms
    from chemvae.chem.drawing import laid_out

    aspirin, chlorinated = "CC(=O)Oc1ccccc1C(=O)O", "CC(=O)Oc1ccc(Cl)cc1C(=O)O"
    mol = aligned(chlorinated, aspirin)
    assert differing_atoms(chlorinated, aspirin) == [8] and mol.GetAtomWithIdx(8).GetSymbol() == "Cl"
    ours = mol.GetConformer().GetPositions()[[0, 1, 2, 3, 4]]
    theirs = laid_out(Chem.MolFromSmiles(aspirin)).GetConformer().GetPositions()[[0, 1, 2, 3, 4]]
    np.testing.assert_allclose(ours, theirs, atol=0.1)


def test_molecules_that_share_little_are_drawn_as_usual():
    from chemvae.chem.alignment import aligned, differing_atoms

    for pair in (("CCCCCC", "c1ccncc1"), ("C", "CC"), ("C1CC", "CC"), ("C" * 100, "C" * 100)):
        assert aligned(*pair) is None and differing_atoms(*pair) == []


def test_what_both_ends_share_is_not_coloured_where_only_the_middle_is_new():
    from chemvae.chem.alignment import differing_atoms

    lead, design = "COc1cc2c(cc1OC)C(=O)CC2CC1CCN(Cc2ccccc2)CC1", "COc1cc2c(cc1OC)SCC1(CC2)CCN(Cc2ccccc2)CC1"
    assert differing_atoms(design, lead) == [10, 11, 13, 14]  # S and the carbons of the new ring; methoxy groups are the lead's
    assert differing_atoms(lead, lead) == []


def test_only_the_difference_is_coloured():
    from chemvae.pages import molecule_drawing

    assert "#FF7F7F" in molecule_drawing("Cc1ccccc1", beside="c1ccccc1")
    assert "#FF7F7F" not in molecule_drawing("c1ccccc1", beside="Cc1ccccc1")
