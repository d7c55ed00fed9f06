"""SDF that we write: what is read back is the table, whatever the cells hold."""

import pandas as pd
import pytest
from rdkit import Chem

from chemvae.chem.molecules import MOST_ATOMS, canonicalize
from chemvae.data.files.formats.sdf import read_sdf_records
from chemvae.data.files.formats.sdf import sdf_record as items_record
from chemvae.data.files.formats.sdf_writing import sdf_record
from chemvae.data.prepare.tables import load_table, read_rows
from chemvae.errors import SettingsError
from chemvae.tables import check_output, write_table

FRAME = pd.DataFrame({"id": ["m1", "m2", "m3"], "Structure": ["OCC", "C[C@H](N)O", "C1CC"]})
FRAME = FRAME.assign(pIC50=[6.5, None, 7.0], note=["> a", "", "$$$$"])


def test_structures_items_and_stereo_come_back(tmp_path):
    check_output(tmp_path / "a.sdf")
    write_table(FRAME, tmp_path / "a.sdf")
    frame, column = read_rows(tmp_path / "a.sdf")
    assert [canonicalize(one) for one in frame[column][:2]] == ["CCO", canonicalize("C[C@H](N)O")]
    assert frame["name"].tolist() == ["m1", "m2", "m3"] and frame["pIC50"].tolist() == ["6.5", "", "7.0"]
    assert load_table(tmp_path / "a.sdf", properties=["pIC50"]).labels[0, 0] == 6.5


def test_a_row_without_a_molecule_keeps_its_place_and_what_was_written_for_it(tmp_path):
    write_table(FRAME, tmp_path / "a.sdf")
    records = (tmp_path / "a.sdf").read_text().split("$$$$\n")
    assert len(records) == 4 and ">  <Structure>\nC1CC\n" in records[2] and "<Structure>" not in records[0]


def test_no_cell_ends_a_record(tmp_path):
    record = sdf_record({"smiles": "CCO", "note": "a\n$$$$\n> <b>\n\nc"}, "smiles", "two\nlines")
    assert record.count("$$$$") == 1 and record.startswith("two lines\n")
    assert ">  <note>\na\n$$ $$\n > <b>\nc\n\n" in record


def test_bounds_and_remarks_are_kept_whatever_they_begin_with(tmp_path):
    frame = pd.DataFrame({"smiles": ["CCO", "CCN"], "IC50": [">10", "<0.5"], "note": ["> 5 tested", "> <IC50> unsure"]})
    write_table(frame.assign(id=["a", None]), tmp_path / "a.sdf")
    found, _ = read_rows(tmp_path / "a.sdf")
    assert found["IC50"].tolist() == [">10", "<0.5"] and found["name"].tolist() == ["a", ""]
    assert [one.strip() for one in found["note"]] == ["> 5 tested", "> <IC50> unsure"]
    assert [mol.GetProp("IC50") for mol in Chem.SDMolSupplier(str(tmp_path / "a.sdf"))] == [">10", "<0.5"]


def test_the_largest_molecule_that_is_read_has_room():
    record = sdf_record({"smiles": "C" * MOST_ATOMS}, "smiles", "long")
    assert Chem.MolFromMolBlock(record.split("$$$$")[0]).GetNumAtoms() == MOST_ATOMS < 1000


def test_a_table_without_molecules_is_no_sdf(tmp_path):
    with pytest.raises(SettingsError, match="structures"):
        write_table(pd.DataFrame({"y": [1.0]}), tmp_path / "a.sdf")
    assert not (tmp_path / "a.sdf").exists()


def test_values_of_several_lines_make_no_other_items():
    record = items_record("CCO", "a", {"v": "x\n> <b>\n\ny"})
    (found,) = read_sdf_records(record.splitlines(keepends=True))
    assert found.cells == {"smiles": "CCO", "name": "a", "v": "x\n > <b>\ny"}
