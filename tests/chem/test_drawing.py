"""Pictures are well-formed, self-contained, and say so when there is nothing to draw."""

from xml.etree import ElementTree

import pytest

from chemvae.chem.drawing import grid_svg, molecule_svg


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
