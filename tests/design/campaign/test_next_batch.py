"""A laboratory's batch says what is expected of each molecule and why it is there; the page counts what was asked for."""

import numpy as np
import pandas as pd
import pytest

from chemvae.design import run_campaign
from chemvae.design.results.report_data import report_data
from chemvae.design.results.why import REASONS
from chemvae.design.search import search_in_folder
from chemvae.errors import InputError
from tests.design.toys import ToyModel, carbons, chain


def told(n, value=carbons):
    smiles = [chain(i % 12, i // 12) for i in range(n)]
    return pd.DataFrame({"smiles": smiles, "pIC50": [value(one) for one in smiles]})


def ask(path, results=None, **options):
    options = {"budget": 40, "batch_size": 6, "goals": "pIC50", "history_path": path / "record.jsonl", **options}
    return run_campaign(ToyModel(), "laboratory", results=results, **options)


def test_what_is_expected_follows_what_was_measured(tmp_path):
    known = told(40)
    batch = ask(tmp_path, known).batch
    assert list(batch.columns[:8]) == ["id", "batch", "smiles", "pIC50", "pIC50_expected", "pIC50_low", "pIC50_high", "why"]
    truth = batch["smiles"].map(carbons).to_numpy()
    assert (batch["pIC50_low"] < batch["pIC50_expected"]).all() and (batch["pIC50_expected"] < batch["pIC50_high"]).all()
    blind = np.abs(known["pIC50"].mean() - truth).mean()
    assert np.abs(batch["pIC50_expected"] - truth).mean() < blind / 2  # longer chains than any that was measured
    assert set(batch["why"]) <= set(REASONS) and (batch["pIC50"] == "").all()


def test_exploit_is_what_is_expected_among_the_ten_best(tmp_path):
    known = told(40)
    batch = ask(tmp_path, known).batch
    tenth = known["pIC50"].nlargest(10).min()
    is_expected = batch["pIC50_expected"] >= tenth - 1e-4
    assert (batch["why"] == "exploit").tolist() == is_expected.tolist()
    explored = batch[batch["why"] == "explore"]
    assert (explored["pIC50_high"] >= known["pIC50"].max() - 1e-4).all()


def test_before_eight_values_nothing_is_expected_and_starts_are_called_so(tmp_path):
    batch = ask(tmp_path, told(3), start=[chain(5, 5)]).batch
    assert "pIC50_expected" not in batch and batch["why"].tolist()[0] == "start" and set(batch["why"][1:]) == {"explore"}


def test_the_page_counts_what_was_asked_for_apart_from_what_was_told(tmp_path):
    first = ask(tmp_path, told(10))
    assert (first.n_told, len(first.history)) == (10, 10)
    data = report_data(first)
    assert "0 of 40 calls and 10 values that were told besides" in data["lead"] and data["facts"]["n_calls"] == 0
    sheet = first.batch.assign(pIC50=first.batch["smiles"].map(carbons)).head(4)
    second = ask(tmp_path, sheet)
    data = report_data(second)
    assert "4 of 40 calls and 10 values that were told besides" in data["lead"]
    assert data["batch"]["caption"].startswith("6 molecules are open: 2 of batch 1, 4 of batch 2. Why they were chosen")
    page = second.to_html(tmp_path / "report.html").read_text(encoding="utf-8")
    assert "expected (" in page and "batch 2, " in page


@pytest.fixture
def measured(tmp_path):
    frame = told(40).assign(pIC50=[*told(40)["pIC50"][:38], "", ">9"])
    frame.to_csv(tmp_path / "mine.csv", index=False)
    return tmp_path / "mine.csv"


def test_start_molecules_bring_along_what_is_measured(measured, tmp_path):
    asked = {"maximize": ["pIC50"], "start": [str(measured)], "batch": 5, "budget": 30}
    found = search_in_folder(lambda _: ToyModel(), tmp_path / "hits", asked, batch_out=tmp_path / "next.csv")
    assert found.result.receipt.values == 39 and len(found.result.history) == 39 and found.result.n_told == 39
    sheet = pd.read_csv(tmp_path / "next.csv")
    assert sheet["smiles"][0] == told(40)["smiles"][38] and sheet["why"][0] == "start", "the one without a value is asked for"
    assert not set(sheet["smiles"][1:]) & set(told(40)["smiles"])
    sheet.assign(pIC50=5.0).to_csv(tmp_path / "filled.csv", index=False)
    again = search_in_folder(
        lambda _: ToyModel(), tmp_path / "hits", {}, batch_in=str(tmp_path / "filled.csv"), batch_out=tmp_path / "next2.csv"
    )
    assert len(again.result.history) == 44 and again.result.n_told == 39


def test_a_table_without_the_column_is_one_of_start_molecules_only(tmp_path):
    told(4).rename(columns={"pIC50": "other"}).to_csv(tmp_path / "mine.csv", index=False)
    asked = {"maximize": ["pIC50"], "start": [str(tmp_path / "mine.csv")], "batch": 5}
    found = search_in_folder(lambda _: ToyModel(), tmp_path / "hits", asked, batch_out=tmp_path / "next.csv")
    assert found.result.receipt is None and len(found.result.history) == 0


def test_a_campaign_whose_first_table_is_refused_has_not_begun(tmp_path):
    told(12).assign(pIC50=["5;1", *told(12)["pIC50"][1:]]).to_csv(tmp_path / "wrong.csv", index=False)
    told(12).to_csv(tmp_path / "right.csv", index=False)
    asked = {"maximize": ["pIC50"], "batch": 5, "budget": 30}
    wrong, right = ({**asked, "start": [str(tmp_path / f"{name}.csv")]} for name in ("wrong", "right"))
    with pytest.raises(InputError, match="nothing was recorded"):
        search_in_folder(lambda _: ToyModel(), tmp_path / "hits", wrong, batch_out=tmp_path / "n.csv")
    found = search_in_folder(lambda _: ToyModel(), tmp_path / "hits", right, batch_out=tmp_path / "n.csv")
    assert found.result.n_told == 12 and len(found.result.batch) == 5
