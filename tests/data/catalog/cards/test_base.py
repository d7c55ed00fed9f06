"""The catalog's facts: complete, written once, and (where the files are) true."""

import os
import re
from pathlib import Path

import pandas as pd
import pytest

from chemvae.chem.molecules import canonicalize
from chemvae.data.catalog.cards import DATASETS, card_text
from chemvae.data.catalog.download import file_sha256
from chemvae.data.catalog.locate import load_dataset
from chemvae.data.prepare.preparation import prepare

DATA_FOLDER = Path(__file__).parents[4] / "data"
needs_data = pytest.mark.skipif(not os.environ.get("CHEMVAE_DATA"), reason="CHEMVAE_DATA names no folder with the data sets")
SMALL = ["esol", "freesolv", "lipophilicity", "oled-measured", "oled-dft", "drugcentral"]
LARGEST = ["moses-train", "moses", "moses-scaffolds", "zinc250k"]


def test_the_sets_people_ask_for_are_there():
    wanted = "zinc250k moses qm9 oled-measured oled-dft donor-acceptor chromophores dyes opv esol freesolv lipophilicity chembl"
    assert set(wanted.split()) | {"drugcentral", "virtual-drugs", "virtual-oleds", "oled"} <= set(DATASETS)


@pytest.mark.parametrize("name", DATASETS)
def test_every_card_is_complete(name):
    card = DATASETS[name]
    assert card.name == name and card.citation and card.licence and card.description
    assert [column.role for column in card.columns].count("smiles") == 1
    assert all(column.unit for column in card.columns if column.role == "property")
    assert card.maker or card.parts or (card.local and card.upstream and card.counts)
    assert set(card.parts) <= set(DATASETS)
    for sha256 in (file.sha256 for file in (*card.upstream, *card.local)):
        assert sha256 is None or re.fullmatch("[0-9a-f]{64}", sha256)
    if card.is_downloadable:
        ours = {column.name for column in card.columns if column.role in ("smiles", "property")}
        for file in card.upstream:
            assert set(file.columns.values()) | set(card.recompute) >= ours


@pytest.mark.parametrize("name", DATASETS)
def test_the_written_card_is_the_catalog_s(name):
    path = DATA_FOLDER / name / "card.md"
    assert path.read_text(encoding="utf-8") == card_text(DATASETS[name]), (
        f"rewrite {path} with chemvae.data.catalog.cards.card_text"
    )


@pytest.mark.parametrize("name", ["virtual-drugs", "virtual-oleds"])
def test_the_samples_are_the_first_members(name):
    sample = pd.read_csv(DATA_FOLDER / name / "sample.csv")
    assert 20 <= len(sample) <= 200
    made = load_dataset(name, limit=20)
    assert sample["smiles"][:20].map(canonicalize).tolist() == made["smiles"].tolist()
    for column in DATASETS[name].properties:
        assert sample[column][:20].to_numpy() == pytest.approx(made[column].to_numpy(), abs=1e-3)


@pytest.mark.data
@needs_data
@pytest.mark.parametrize("name", [name for name, card in DATASETS.items() if card.local])
def test_the_local_copies_are_the_files_of_the_cards(name):
    card = DATASETS[name]
    for file in card.local:
        path = Path(os.environ["CHEMVAE_DATA"]) / file.name
        assert path.stat().st_size == file.size and file_sha256(path) == file.sha256
        assert pd.read_csv(path, nrows=1).columns.tolist() == [column.name for column in card.columns]


@pytest.mark.data
@needs_data
@pytest.mark.parametrize("name", SMALL)
def test_counts_come_out_again(name, tmp_path):
    counts_come_out_again(name, tmp_path)


@pytest.mark.slow
@pytest.mark.data
@needs_data
@pytest.mark.parametrize("name", [name for name, card in DATASETS.items() if card.local and name not in (*SMALL, *LARGEST)])
def test_counts_of_the_large_sets_come_out_again(name, tmp_path):
    counts_come_out_again(name, tmp_path)


@pytest.mark.long
@pytest.mark.data
@needs_data
@pytest.mark.parametrize("name", [*LARGEST, *(name for name, card in DATASETS.items() if card.pooled)])
def test_counts_of_millions_and_of_pooled_sets_come_out_again(name, tmp_path):
    counts_come_out_again(name, tmp_path)


def counts_come_out_again(name, folder):
    card = DATASETS[name]
    report = prepare(name, folder / "out", jobs=2)
    assert (report.n_rows, report.n_kept) == (card.counts.rows, card.counts.distinct)
    assert report.dropped == ({"duplicate": card.counts.rows - card.counts.distinct} if report.n_rows > report.n_kept else {})
    if card.counts.split:
        assert tuple(report.splits.values()) == card.counts.split
