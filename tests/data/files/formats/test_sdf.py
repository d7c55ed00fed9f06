"""SDF records: structures and their data items; a damaged record costs itself and nothing else."""

import pytest
from rdkit import Chem
from rdkit.Chem import rdDepictor

from chemvae.chem.molecules import canonicalize
from chemvae.data.files.formats.sdf import read_sdf_records


def block(smiles: str, name: str = "") -> str:
    mol = Chem.MolFromSmiles(smiles)
    mol.SetProp("_Name", name)
    return Chem.MolToMolBlock(mol)


def records(text: str):
    return list(read_sdf_records(text.splitlines(keepends=True)))


@pytest.mark.parametrize("smiles", ["CCO", "c1ccccc1", "C[C@H](N)C(=O)[O-]", "C/C=C/C", "[13CH4]", "[Na+].[Cl-]"])
def test_a_structure_comes_back_with_charge_isotope_and_stereo(smiles):
    mol = Chem.MolFromSmiles(smiles)
    rdDepictor.Compute2DCoords(mol)  # the directions of double bonds are read from the drawing
    (record,) = records(Chem.MolToMolBlock(mol) + "$$$$\n")
    assert canonicalize(record.cells["smiles"]) == canonicalize(smiles) and not record.problem


def test_names_items_and_lines():
    first = block("CCO", "ethanol") + "> <logP>  (1)\n-0.3\n\n> <note>\ntwo\nlines\n\n$$$$\n"
    found = records(first + block("C") + ">  25 <logP>\n1.1\n\n$$$$\n")
    assert found[0].cells == {"smiles": "CCO", "name": "ethanol", "logP": "-0.3", "note": "two\nlines"}
    assert found[1].cells == {"smiles": "C", "name": "", "logP": "1.1"}
    assert found[0].line == first.count("\n") and found[1].line == found[0].line + block("C").count("\n") + 4


def test_items_called_like_our_own_columns_get_an_ending():
    (record,) = records(block("CCO", "a") + "> <smiles>\nOCC\n\n> <name>\nb\n\n$$$$\n")
    assert record.cells == {"smiles": "CCO", "name": "a", "smiles_sdf": "OCC", "name_sdf": "b"}


def test_an_empty_item_is_there_and_empty():
    (record,) = records(block("CCO") + "> <logP>\n\n> <MW>\n46.1\n\n$$$$\n")
    assert record.cells["logP"] == "" and record.cells["MW"] == "46.1"


def test_a_last_record_without_its_end_is_read_and_blank_lines_are_none():
    assert [record.cells["smiles"] for record in records(block("CCO") + "$$$$\n" + block("C"))] == ["CCO", "C"]
    assert len(records(block("CCO") + "$$$$\n\n  \n")) == 1
    assert records("") == []


def test_windows_line_ends_change_nothing():
    text = block("CCO", "ethanol") + "> <logP>\n-0.3\n\n$$$$\n"
    assert records(text.replace("\n", "\r\n"))[0].cells == records(text)[0].cells


@pytest.mark.parametrize("damage", ["broken\n\n\n  x  y\nM  END\n", "just one line\n", "a\n\n\n  9  9  0\nM  END\n"])
def test_a_damaged_record_costs_itself_only(damage):
    good = block("CCO", "ethanol") + "> <logP>\n-0.3\n\n$$$$\n"
    found = records(good + damage + "> <logP>\n7\n\n$$$$\n" + good)
    assert [record.problem for record in found] == ["", "its structure block cannot be read", ""]
    assert found[1].cells["smiles"] == "" and found[0].cells == found[2].cells


def test_a_structure_that_does_not_sanitise_stays_visible():
    mol = Chem.MolFromSmiles("CN(C)(C)C", sanitize=False)
    (record,) = records(Chem.MolToMolBlock(mol, kekulize=False) + "$$$$\n")
    assert record.cells["smiles"] == "CN(C)(C)C" and not record.problem


def test_a_structure_of_more_atoms_than_are_read_is_a_problem_of_its_row():
    first, second = records(block("C" * 600) + "$$$$\n" + block("CCO") + "$$$$\n")
    assert first.cells["smiles"] == "" and first.problem == "it has 600 heavy atoms; molecules of more than 500 are not read"
    assert second.cells["smiles"] == "CCO" and not second.problem


def test_names_with_angles_and_records_without_their_end_keep_their_items():
    block = Chem.MolToMolBlock(Chem.MolFromSmiles("CCO"))
    text = f"{block}> <IC50 (>10 uM)>\n1\n\n>  <y> (3)\n2\n\n> 4 <z> DT5\n3\n\n$$$$\n"
    cut = text.replace("M  END\n", "")
    whole, damaged = read_sdf_records((text + cut).splitlines(keepends=True))
    items = {"IC50 (>10 uM)": "1", "y": "2", "z": "3"}
    assert whole.cells == {"smiles": "CCO", "name": "", **items} and not whole.problem
    assert damaged.cells == {"smiles": "", "name": "", **items} and damaged.problem
