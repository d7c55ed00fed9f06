"""chemvae optimize for laboratories: a table of molecules out, a table of results in, and flags said once."""

import html
import io
import json
import re
from pathlib import Path

import pandas as pd
import pytest

from chemvae import api
from chemvae.chem.properties import compute
from chemvae.commands.shared.laboratory_flags import next_name

pytestmark = pytest.mark.usefixtures("undrawn")

SEARCH = ["--method", "random", "--batch", 8, "--budget", 24]


@pytest.fixture
def begun(chemvae, tiny_run):
    """A campaign whose first batch is in next.csv."""
    found = chemvae("optimize", "-m", tiny_run, "--maximize", "pIC50", "--constraint", "MW<130", "--batch-out", "next.csv",
                    "-o", "campaign", *SEARCH)  # fmt: skip
    assert found.exit_code == 0, found.output
    return found


def measure(source, target, rows=slice(None), name="pIC50"):
    """Fill in a table: logP stands for what is measured."""
    table = pd.read_csv(source)[rows]
    table[name] = [compute("logP", smiles) for smiles in table["smiles"]]
    table.to_csv(target, index=False)
    return table


def test_the_first_batch_says_what_to_do_next(begun, tmp_path):
    assert "8 molecules to measure are in next.csv. Fill in 'pIC50'" in begun.stderr
    assert "Then: chemvae optimize --batch-in next.csv --batch-out next2.csv -o campaign" in begun.stderr.replace("\n", " ")
    table = pd.read_csv(tmp_path / "next.csv")
    assert list(table.columns[:4]) == ["id", "batch", "smiles", "pIC50"] and table["pIC50"].isna().all()
    assert {"qed", "logP", "logP_predicted", "novel"} <= set(table) and (table["MW"] < 130).all()
    assert "To be measured" in (tmp_path / "campaign" / "report.html").read_text(encoding="utf-8")


def test_batch_after_batch_makes_the_choices_of_a_function(chemvae, tiny_run, tmp_path):
    words = ["--maximize", "pIC50", "--constraint", "MW<130", "--method", "bayesian", "--batch", 8, "--budget", 24]
    assert chemvae("optimize", "-m", tiny_run, *words, "--batch-out", "next1.csv", "-o", "campaign").exit_code == 0
    handed_out = []
    for number in (1, 2, 3):
        handed_out += measure(tmp_path / f"next{number}.csv", tmp_path / "results.csv")["smiles"].tolist()
        found = chemvae("optimize", "--batch-in", "results.csv", "--batch-out", f"next{number + 1}.csv", "-o", "campaign")
        assert found.exit_code == 0 and "taken: 8 with values" in found.stderr, found.output
    assert "Ended: budget spent" in found.stderr and not (tmp_path / "next4.csv").exists()
    history, model = pd.read_csv(tmp_path / "campaign" / "history.csv"), api.load(tiny_run, "cpu")
    whole = api.optimize(
        model, {"pIC50": lambda s: compute("logP", s)}, 24, constraints="MW<130", method="bayesian", batch_size=8
    )
    assert history["smiles"].tolist() == handed_out == whole.history["smiles"].tolist()
    result = json.loads((tmp_path / "campaign" / "result.json").read_text())
    assert result["best"] == pytest.approx(whole.best["score"]) and result["settings"]["oracle"] == "laboratory: pIC50"


def test_what_is_not_measured_yet_is_listed_again(chemvae, begun, tmp_path):
    measure(tmp_path / "next.csv", tmp_path / "results.csv", slice(0, 5))
    found = chemvae("optimize", "--batch-in", "results.csv", "--batch-out", "next2.csv", "-o", "campaign")
    first, second = pd.read_csv(tmp_path / "next.csv"), pd.read_csv(tmp_path / "next2.csv")
    assert "3 of them open since an earlier batch" in found.stderr
    assert second["id"][:3].tolist() == first["id"][5:].tolist() and second["batch"].tolist() == [1, 1, 1, 2, 2, 2, 2, 2]


def test_asking_again_gives_the_same_table_and_a_table_can_go_to_stdout(chemvae, begun, tmp_path):
    again = chemvae("optimize", "--batch-out", "-", "-o", "campaign")
    assert again.exit_code == 0
    pd.testing.assert_frame_equal(pd.read_csv(io.StringIO(again.stdout)), pd.read_csv(tmp_path / "next.csv"))


def test_a_table_that_may_be_filled_in_is_never_written_over(chemvae, begun, tmp_path):
    assert chemvae("optimize", "--batch-out", "next.csv", "-o", "campaign").exit_code == 0  # nobody has written in it
    measure(tmp_path / "next.csv", tmp_path / "next.csv")
    before = (tmp_path / "next.csv").read_text()
    refused = chemvae("optimize", "--batch-out", "next.csv", "-o", "campaign")
    assert refused.exit_code == 1 and "--batch-in next.csv" in refused.stderr and (tmp_path / "next.csv").read_text() == before
    told = chemvae("optimize", "--batch-in", "next.csv", "--batch-out", "next.csv", "-o", "campaign")
    assert told.exit_code == 0 and pd.read_csv(tmp_path / "next.csv")["batch"].eq(2).all()


def test_more_molecules_and_a_larger_budget_may_be_asked_for_later(chemvae, begun, tmp_path):
    measure(tmp_path / "next.csv", tmp_path / "results.csv")
    words = ["--batch-in", "results.csv", "--batch-out", "next2.csv", "--batch", 12, "--budget", 40, "-o", "campaign"]
    assert chemvae("optimize", *words).exit_code == 0
    assert len(pd.read_csv(tmp_path / "next2.csv")) == 12
    assert json.loads((tmp_path / "campaign" / "settings.json").read_text())["budget"] == 40


def test_a_campaign_may_begin_with_what_was_measured_before(chemvae, tiny_run, table_csv, tmp_path):
    known = pd.read_csv(table_csv)[["smiles", "logP"]].head(20).rename(columns={"logP": "pIC50"})
    known.to_csv(tmp_path / "known.csv", index=False)
    words = ["--maximize", "pIC50", "--batch-in", "known.csv", "--batch-out", "next.csv", "-o", "campaign"]
    found = chemvae("optimize", "-m", tiny_run, *words, *SEARCH)
    assert found.exit_code == 0 and "taken: 20 with values (20 had not been asked for)" in found.stderr, found.output
    proposed = pd.read_csv(tmp_path / "next.csv")["smiles"]
    assert len(proposed) == 8 and not set(proposed) & set(known["smiles"])
    assert len(pd.read_csv(tmp_path / "campaign" / "history.csv")) == 20


def test_two_values_beside_one_that_rdkit_computes(chemvae, tiny_run, tmp_path):
    words = [
        "--maximize",
        "pIC50",
        "--range",
        "pIC50=4..9",
        "--minimize",
        "hERG",
        "--range",
        "hERG=0..100",
        "--maximize",
        "qed",
    ]
    assert chemvae("optimize", "-m", tiny_run, *words, "--batch-out", "next.csv", "-o", "campaign", *SEARCH).exit_code == 0
    table = pd.read_csv(tmp_path / "next.csv")
    assert list(table.columns[3:5]) == ["pIC50", "hERG"] and table["qed"].notna().all()
    table.assign(pIC50=5.0, hERG=[*range(7), "failed"]).to_csv(tmp_path / "results.csv", index=False)
    found = chemvae("optimize", "--batch-in", "results.csv", "-o", "campaign")
    assert found.exit_code == 0 and "taken: 7 with values, 1 as failures" in found.stderr, found.output
    assert (tmp_path / "campaign" / "next.csv").exists()
    history = pd.read_csv(tmp_path / "campaign" / "history.csv", keep_default_na=False)
    assert history["hERG"].tolist() == ["0.0", "1.0", "2.0", "3.0", "4.0", "5.0", "6.0", ""]
    assert history["reason"].iloc[-1] == "hERG: failed"


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["--batch-in", "nowhere.csv"], 1, "There is no file nowhere.csv"),
        (["--batch-in", "bad.csv"], 1, "bad.csv is not taken, for line 2: '7 nM' is no number"),
        (["--batch-in", "empty.csv"], 3, "has nothing in column pIC50"),
        (["--batch-out", "next.docx"], 2, "must end in"),
        (["--batch-out", "next2.csv", "--oracle", "qed"], 2, "--batch-in and --batch-out are for a laboratory"),
        (["--batch-out", "next2.csv", "--baseline"], 2, "--baseline would have"),
        (["--batch-out", "next2.csv", "--seed", "4"], 2, "another seed"),
    ],
)
def test_a_mistake_is_a_sentence_and_changes_nothing(chemvae, begun, tmp_path, words, code, sentence):
    (tmp_path / "bad.csv").write_text("id,pIC50\nm0001,7 nM\n")
    (tmp_path / "empty.csv").write_text("id,pIC50\nm0001,\n")
    record, settings = tmp_path / "campaign" / "history.jsonl", tmp_path / "campaign" / "settings.json"
    before = record.read_text()
    found = chemvae("optimize", *words, "-o", "campaign")
    assert found.exit_code == code and sentence in found.stderr.replace("\n", " "), found.output
    assert record.read_text() == before and json.loads(settings.read_text())["maximize"] == ["pIC50"]
    assert chemvae("optimize", "--batch-out", "next9.csv", "-o", "campaign").exit_code == 0  # it goes on as if nothing had been


def test_a_search_with_a_function_is_no_laboratory_s(chemvae, tiny_run, tmp_path):
    assert chemvae("optimize", "-m", tiny_run, "--maximize", "qed", "-o", "hits", *SEARCH).exit_code == 0
    found = chemvae("optimize", "--batch-out", "next.csv", "-o", "hits")
    assert found.exit_code == 2 and "another oracle" in found.stderr


def test_names_count_up():
    assert [str(next_name(Path(name))) for name in ("a.csv", "b12.tsv")] == ["a2.csv", "b13.tsv"]


def test_a_table_that_cannot_be_taken_is_refused_before_a_model_is_loaded_or_a_molecule_encoded(chemvae, tmp_path, monkeypatch):
    (tmp_path / "old.csv").write_text("smiles,pIC50\nCCO,5\nCCN,7 nM\n")

    def load(*_, **__):
        raise AssertionError("the model was loaded first")

    monkeypatch.setattr(api, "load", load)
    for flag in ("--batch-in", "--start"):
        found = chemvae("optimize", flag, "old.csv", "--maximize", "pIC50", "--batch-out", "next.csv", "-o", "campaign")
        assert found.exit_code == 1 and "old.csv is not taken, for line 3: '7 nM' is no number" in found.stderr, found.output
    assert not (tmp_path / "campaign" / "history.jsonl").exists()


def test_results_by_id_are_read_before_the_model_is_loaded(chemvae, begun, tmp_path, monkeypatch):
    (tmp_path / "bad.csv").write_text("id,pIC50\nm0001,5\nm0099,6\n")
    monkeypatch.setattr(api, "load", lambda *_, **__: pytest.fail("the model was loaded first"))
    found = chemvae("optimize", "--batch-in", "bad.csv", "-o", "campaign")
    assert "line 3: no molecule was handed out as 'm0099'" in found.stderr and "line 2" not in found.stderr, found.output


@pytest.mark.parametrize("flag", ["--start", "--batch-in"])
def test_two_lines_without_a_molecule_do_not_keep_a_measured_table_out(chemvae, tiny_run, tmp_path, flag):
    (tmp_path / "old.csv").write_text("Compound Name,Structure,pIC50\na,CCO,5\nb,c1ccccc,6\nc,,7\nd,CCN,6.5\n")
    wanted = ["--maximize", "pIC50", "--batch", "4", "--batch-out", "next.csv", "-o", "campaign", "-m", tiny_run]
    found = chemvae("optimize", flag, "old.csv", *wanted)
    said = " ".join(found.stderr.split())
    assert found.exit_code == 0, found.output
    assert "2 rows of old.csv hold no molecule and count for nothing: line 3: 'c1ccccc' is no molecule" in said
    assert "2 with values" in said


def test_a_table_without_any_molecule_is_refused(chemvae, tiny_run, tmp_path):
    (tmp_path / "old.csv").write_text("smiles,pIC50\nC1CC,5\n")
    words = ["--batch-in", "old.csv", "--maximize", "pIC50", "--batch-out", "next.csv", "-o", "campaign", "-m", tiny_run]
    found = chemvae("optimize", *words)
    assert found.exit_code != 0 and "Traceback" not in found.output


def test_a_lead_is_called_by_its_name_and_a_best_that_is_a_bound_is_shown_as_one(chemvae, tiny_run, tmp_path):
    (tmp_path / "old.csv").write_text("Compound Name,Structure,pIC50\nMC-7,CCO,>9\nMC-8,CCN,6.5\n")
    words = ["--maximize", "pIC50", "--batch", "4", "--batch-out", "next.csv", "-o", "campaign", "-m", tiny_run]
    assert chemvae("optimize", "--start", "old.csv", *words).exit_code == 0
    page = re.sub(r"<(style|script).*?</\1>", "", (tmp_path / "campaign" / "report.html").read_text(), flags=re.DOTALL)
    text = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())
    assert ">9 best score" in text
    assert "MC-7" in text.partition("The lead")[2].partition("best score")[0]
