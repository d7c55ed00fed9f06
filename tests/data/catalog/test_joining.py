"""Sets joined as one: each source's labels apart, doubtful ones masked, every molecule in one part of the split."""

import gzip
import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from chemvae.chem.fingerprints import scaffold
from chemvae.data.catalog.cards import DATASETS
from chemvae.data.catalog.cards.joined import joined_name, taken_columns
from chemvae.data.catalog.joining import GAS, SOLID, clean_set, join_sets, refusal
from chemvae.data.catalog.locate import load_dataset, locate
from chemvae.data.prepare.preparation import prepare
from chemvae.data.prepare.tables import load_table
from chemvae.data.splits import hash_split
from chemvae.errors import InputError

CARBAZOLE, CBN = "c1ccc2c(c1)[nH]c1ccccc12", "N#Cc1ccc(-n2c3ccccc3c3ccccc32)cc1"


def rows(name, **columns):
    """Raw cells of a set as its file has them: text, empty where nothing is given."""
    n = len(next(iter(columns.values())))
    empty = {column.name: [""] * n for column in DATASETS[name].columns}
    return pd.DataFrame({**empty, **{key: [str(cell) for cell in cells] for key, cells in columns.items()}})


def join(**frames):
    frames = {name.replace("_", "-"): frame for name, frame in frames.items()}
    return join_sets(frames, DATASETS)


class TestCleaning:
    @pytest.mark.parametrize(
        ("smiles", "reason"),
        [
            ("c1ccc2c(c1)[Te]c1ccccc1N2", "elements"),
            ("[Cl-]", "elements"),
            ("[CH2]c1ccccc1", "radicals"),
            ("O=[SH](=O)c1ccccc1", r"odd group"),
            (None, "not a molecule"),
            (CBN, "^$"),
        ],
    )
    def test_what_is_no_emitter_is_left_out_with_the_reason(self, smiles, reason):
        assert re.search(reason, refusal(smiles, "dyes"))

    def test_of_a_salt_the_chromophore_stays(self):
        frame = rows("chromophores", smiles=["C[n+]1ccccc1.[Cl-]"], em_max_nm=[400], solvent_smiles=["O"])
        assert clean_set(frame, DATASETS["chromophores"])["smiles"].tolist() == ["C[n+]1ccccc1"]

    def test_a_literature_entry_without_labels_and_hardly_atoms_is_a_solvent(self):
        frame = rows("oled-measured", smiles=["Cc1ccccc1", "Cc1ccccc1C", CBN], lambda_em_nm=["", 300, ""])
        assert clean_set(frame, DATASETS["oled-measured"])["smiles"].tolist() == ["Cc1ccccc1C", CBN]

    def test_labels_that_are_not_believed_are_missing_and_the_molecule_stays(self):
        frame = rows(
            "oled-measured",
            smiles=[CBN, CARBAZOLE + ".O", "c1ccc(-c2ccccc2-c2ccccc2)cc1"],
            lambda_em_nm=[450, 460, 470], lambda_em_medium=["toluene", "simulation", "toluene"],
            plqy_percent=[0.7, 55, 60], fwhm=[60, 130, 60],
            S1_meV=[2900, 2900, 2900], T1_meV=[2700, 2700, ""], dEst_meV=[210, 350, 100],
        )  # fmt: skip
        found = clean_set(frame, DATASETS["oled-measured"]).set_index("smiles").filter(like="oled_measured_")
        at = lambda smiles, column: found.loc[smiles, f"oled_measured_{column}"]  # noqa: E731
        assert at(CBN, "lambda_em_nm") == 450 and np.isnan(at(CARBAZOLE, "lambda_em_nm")), "simulated, not measured"
        assert np.isnan(at(CBN, "plqy_percent")) and at(CARBAZOLE, "plqy_percent") == 55, "percent or fraction?"
        assert at(CBN, "fwhm") == 60 and np.isnan(at(CARBAZOLE, "fwhm")), "more likely meV"
        assert at(CBN, "dEst_meV") == 210 and np.isnan([at(CARBAZOLE, c) for c in ("S1_meV", "T1_meV", "dEst_meV")]).all()
        assert at("c1ccc(-c2ccccc2-c2ccccc2)cc1", "dEst_meV") == 100, "nothing contradicts it"

    def test_a_triplet_below_the_ground_state_is_a_failed_calculation(self):
        frame = rows("donor-acceptor", smiles=[CBN, CARBAZOLE], S1_eV=[3.0, 3.0], T1_eV=[2.5, -0.3], dEst_eV=[0.5, 3.3])
        found = clean_set(frame, DATASETS["donor-acceptor"]).set_index("smiles")["donor_acceptor_S1_eV"]
        assert found[CBN] == 3.0 and np.isnan(found[CARBAZOLE])

    def test_of_rows_that_repeat_a_molecule_the_first_value_there_is_counts(self):
        frame = rows("oled-dft", smiles=[CBN, CBN], S1_eV=["", 3.1], T1_eV=[2.6, 2.7])
        found = clean_set(frame, DATASETS["oled-dft"])
        assert found[["oled_dft_S1_eV", "oled_dft_T1_eV"]].values.tolist() == [[3.1, 2.6]]


class TestJoining:
    def test_sources_have_columns_of_their_own_and_a_molecule_one_row(self):
        table = join(
            oled_dft=rows("oled-dft", smiles=[CBN], S1_eV=[3.4]),
            donor_acceptor=rows("donor-acceptor", smiles=["c1ccc2c(c1)c1ccccc1n2-c1ccc(C#N)cc1"], S1_eV=[3.5], T1_eV=[3.0]),
        )
        assert table["smiles"].tolist() == [CBN] and table["sets"].tolist() == ["oled-dft;donor-acceptor"]
        assert table[["oled_dft_S1_eV", "donor_acceptor_S1_eV"]].values.tolist() == [[3.4, 3.5]]
        assert np.isnan(table["oled_dft_T1_eV"][0])

    def test_each_further_solvent_is_a_row_and_the_first_holds_the_rest(self):
        table = join(
            dyes=rows("dyes", smiles=[CBN], tddft_peak_eV=[4.0], split=["train"]),
            chromophores=rows(
                "chromophores", smiles=[CBN] * 3 + [CARBAZOLE], solvent_smiles=["C(Cl)Cl", CBN, "gas", ""],
                em_max_nm=[380, 400, 370, 350],
            ),
        )  # fmt: skip
        assert table["solvent"].tolist() == ["ClCCl", "", SOLID, GAS]
        assert table["smiles"].tolist() == [CBN, CARBAZOLE, CBN, CBN]
        assert table["chromophores_em_max_nm"].tolist() == [380, 350, 400, 370]
        np.testing.assert_array_equal(table["dyes_tddft_peak_eV"], [4.0, np.nan, np.nan, np.nan])
        assert table["split"].nunique() >= 1 and table.groupby("smiles")[["split", "split_scaffold"]].nunique().eq(1).all(
            axis=None
        )

    def test_splits_follow_the_molecule_and_its_scaffold(self):
        table = join(dyes=rows("dyes", smiles=[CBN, CARBAZOLE, "C/C=C/C=C/C"], tddft_peak_eV=[4, 4, 5], split=["test"] * 3))
        assert table["split"].tolist() == [hash_split(smiles) for smiles in table["smiles"]]
        assert table["split_scaffold"].tolist() == [hash_split(scaffold(smiles)) for smiles in table["smiles"]]

    def test_the_card_names_each_label_of_each_part_with_its_unit(self):
        card = DATASETS["oled"]
        for part in map(DATASETS.get, card.parts):
            for column in taken_columns(part):
                assert card.units.get(joined_name(part.name, column.name), "") == column.unit
        assert "oled_dft_S1_eV" in card.properties and not any(name.startswith("virtual") for name in card.properties)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Small files in place of the real ones, an empty cache, and a library of two."""
    monkeypatch.setenv("CHEMVAE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("CHEMVAE_DATA", raising=False)
    data = tmp_path / "data"
    data.mkdir()
    for name in DATASETS["oled"].parts:
        if DATASETS[name].local:
            frame = rows(name, smiles=[CBN, "C1CC"]).assign(split="train")[[c.name for c in DATASETS[name].columns]]
            (data / DATASETS[name].local[0].name).write_bytes(gzip.compress(frame.to_csv(index=False).encode()))
    library = [(CBN, "r1"), (CARBAZOLE, "r2")]
    monkeypatch.setattr("chemvae.data.catalog.made.enumeration.stream_library", lambda *_, **__: iter(library))
    return data


class TestReading:
    def test_it_is_joined_once_and_read_by_every_door(self, folder, monkeypatch, caplog):
        first = load_dataset("oled", folder)
        assert first["smiles"].tolist() == [CBN, CARBAZOLE]
        assert first["sets"].tolist() == [";".join(DATASETS["oled"].parts), "virtual-oleds"]
        monkeypatch.setattr("chemvae.data.catalog.locate.join_sets", None)  # a second time it would fail
        again = load_dataset("oled", folder)
        assert again.columns.tolist() == first.columns.tolist() and again["smiles"].tolist() == first["smiles"].tolist()
        table = load_table("oled", source_path=folder)
        assert table.smiles == [CBN, CARBAZOLE] and set(table.split) <= {"train", "valid", "test"}

    def test_it_is_prepared_with_its_own_split(self, folder, tmp_path):
        report = prepare("oled", tmp_path / "out", source_path=folder)
        assert report.n_kept == 2 and report.split_rule == "column 'split' of the data"
        assert set(report.properties) == set(DATASETS["oled"].properties)

    def test_a_cache_that_cannot_be_written_costs_time_only(self, folder, monkeypatch, caplog):
        monkeypatch.setattr("chemvae.data.catalog.cache.ParquetWriter", _refuse)
        assert load_dataset("oled", folder)["smiles"].tolist() == [CBN, CARBAZOLE]
        assert "it will be made again next time" in caplog.text

    def test_a_file_is_not_a_folder_and_a_missing_part_is_named(self, folder):
        with pytest.raises(InputError, match="give the folder that holds their files"):
            locate("oled", folder / DATASETS["dyes"].local[0].name)
        (folder / DATASETS["opv-cep"].local[0].name).unlink()
        with pytest.raises(InputError, match="no copy of opv-cep"):
            locate("oled", folder)


def _refuse(*_, **__):
    raise OSError("read-only")


needs_data = pytest.mark.skipif(not os.environ.get("CHEMVAE_DATA"), reason="CHEMVAE_DATA names no folder with the data sets")


@pytest.mark.data
@needs_data
def test_the_real_measured_set_loses_metals_solvents_and_contradictions():
    raw = load_dataset("oled-measured", Path(os.environ["CHEMVAE_DATA"]))
    found = clean_set(raw, DATASETS["oled-measured"])
    gap = found["oled_measured_S1_meV"] - found["oled_measured_T1_meV"] - found["oled_measured_dEst_meV"]
    assert gap.abs().max() <= 100.0 and found["oled_measured_plqy_percent"].min() > 1.0
    assert not found["smiles"].str.contains(r"Cu|Ir|Po|Pt|\[W").any() and "Cc1ccccc1" not in set(found["smiles"])
    assert 2_800 < len(found) < 2_950


@pytest.mark.long
@pytest.mark.data
@needs_data
def test_counts_of_the_joined_set_come_out_again():
    table, counts = load_dataset("oled", jobs=2), DATASETS["oled"].counts
    distinct = table.drop_duplicates("smiles")
    assert (len(table), len(distinct)) == (counts.rows, counts.distinct)
    assert tuple(distinct["split"].value_counts()[["train", "valid", "test"]]) == counts.split
    assert table.groupby("smiles")["split"].nunique().max() == 1
