"""Laboratory campaigns: what is proposed is what a function would have been asked, however and whenever the answers come."""

import json

import numpy as np
import pandas as pd
import pytest

from chemvae.chem.identity import identify
from chemvae.chem.molecules import canonicalize
from chemvae.design import Goal, run_campaign
from chemvae.design.evaluators.laboratory import Laboratory, _shortened, name_laboratory
from chemvae.design.evaluators.ledger import Ledger
from chemvae.design.evaluators.results_table import read_measurements
from chemvae.errors import InputError, NothingUsableError, SettingsError
from tests.design.toys import Bowl, ToyModel, carbons, chain

SEARCH = {"method": "random", "batch_size": 6}


class Bench:
    """A laboratory with its folder: asks for batches, measures them, and tells results."""

    def __init__(self, folder, measure=None, **options):
        self.path, self.measure = folder / "history.jsonl", measure or Bowl()
        self.options = {**SEARCH, "budget": 24, **options}
        self.result = None

    def run(self, results=None, **changed):
        options = {**self.options, **changed}
        self.result = run_campaign(ToyModel(), "laboratory", results=results, history_path=self.path, **options)
        return self.result

    def measured(self, name="score"):
        """The open batch, filled in."""
        table = self.result.batch.copy()
        table[name] = table["smiles"].map(self.measure)
        return table


@pytest.fixture
def bench(tmp_path):
    bench = Bench(tmp_path)
    bench.run()
    return bench


def test_the_first_batch_is_handed_out_and_nothing_is_scored(bench):
    result = bench.result
    assert result.stopped == "waiting for results" and len(result.history) == 0 and result.best is None
    assert list(result.batch.columns[:4]) == ["id", "batch", "smiles", "score"] and len(result.batch) == 6
    assert result.batch["smiles"].is_unique and (result.batch["score"] == "").all() and (result.batch["batch"] == 1).all()
    assert result.batch["id"].tolist() == [f"m{i:04d}" for i in range(1, 7)]


def test_asking_again_lists_the_same_batch(bench):
    first = bench.result.batch
    pd.testing.assert_frame_equal(bench.run().batch, first)


@pytest.mark.parametrize("method", ["random", "auto", "bayesian"])
def test_it_makes_the_choices_of_a_campaign_with_a_function(tmp_path, method):
    bench = Bench(tmp_path, method=method)
    result = bench.run()
    while len(result.batch):
        result = bench.run(bench.measured())
    whole = run_campaign(ToyModel(), Bowl(), budget=24, batch_size=6, method=method)
    assert result.stopped == whole.stopped == "budget spent"
    assert result.history["smiles"].tolist() == whole.history["smiles"].tolist()
    assert result.history["score"].tolist() == whole.history["score"].tolist()
    np.testing.assert_array_equal(np.stack(result.history["z"]), np.stack(whole.history["z"]))


def test_the_order_of_rows_other_columns_and_the_way_of_writing_do_not_matter(tmp_path):
    batches = []
    for number in range(2):
        (tmp_path / str(number)).mkdir()
        bench = Bench(tmp_path / str(number))
        bench.run()
        table = bench.measured()
        if number:
            written = [f"N{text[:-1][::-1]}" if text[:-1].isalpha() else text for text in table["smiles"]]
            assert written != table["smiles"].tolist()
            table = table.assign(smiles=written, operator="J. Doe").sample(frac=1, random_state=3).drop(columns="id")
            assert table["smiles"].tolist() != bench.result.batch["smiles"].tolist()
        batches.append(bench.run(table).batch)
    pd.testing.assert_frame_equal(*batches)


def test_what_did_not_come_back_stays_open_and_the_batch_is_filled_up(bench):
    late = bench.result.batch["smiles"][4:].tolist()
    result = bench.run(bench.measured()[:4])
    assert result.receipt.values == 4 and len(result.history) == 4
    assert result.batch["smiles"][:2].tolist() == late and len(result.batch) == 6
    assert result.batch["batch"].tolist() == [1, 1, 2, 2, 2, 2]
    assert not set(result.batch["smiles"][2:]) & (set(late) | set(result.history["smiles"]))
    later = bench.run(bench.measured())
    assert len(later.history) == 10 and set(late) <= set(later.history["smiles"])


def test_nothing_is_handed_out_twice_and_the_budget_counts_what_came_back(tmp_path):
    bench, handed_out, rng = Bench(tmp_path, budget=18), [], np.random.default_rng(0)
    result = bench.run()
    for _ in range(40):
        handed_out += [text for text in result.batch["smiles"] if text not in handed_out]
        if not len(result.batch):
            break
        result = bench.run(bench.measured().sample(int(rng.integers(1, 7)) if len(result.batch) > 6 else 1, random_state=rng))
    ids = [one["id"] for line in bench.path.read_text().splitlines()[1:] for one in json.loads(line).get("molecules", ())]
    assert result.stopped == "budget spent" and len(result.history) == 18 == len(handed_out)
    assert result.history["smiles"].is_unique and set(result.history["smiles"]) == set(handed_out)
    assert len(ids) == len(set(ids)) == 18


@pytest.mark.parametrize(
    ("cell", "reason"),
    [("failed", "failed"), ("did not dissolve", "did not dissolve"), ("no", "no")],
)
def test_a_cell_without_a_number_is_a_failure_with_its_reason(bench, cell, reason):
    table = bench.measured().astype({"score": object})
    table.loc[2, "score"] = cell
    result = bench.run(table)
    row = result.history.set_index("smiles").loc[table["smiles"][2]]
    assert np.isnan(row["score"]) and row["reason"] == reason
    assert (result.receipt.values, result.receipt.failed) == (5, 1)
    assert table["smiles"][2] not in result.batch["smiles"].tolist()


ODD = [
    "⁻5", "≈5", "ca. 5", "approx 5", "“5”", "'5", "(5)", "[5]", "£5", "?5", "!5", "_5", "x5", "e5", "IC50=5", "n=2: 5", "<LOD",
    "≳5", "value 5.2", "IC50 5", "IC50 > 10", "WAHR", "3 May 2026", "#REF!", "inf", "∞", "TRUE", "Yes", "1\n200", "1.000",
]  # fmt: skip


@pytest.mark.parametrize("cell", ODD)
def test_a_number_written_oddly_is_no_failure_of_the_assay(bench, cell):
    table = bench.measured().astype({"score": object})
    table.loc[2, "score"] = cell
    table.loc[3, "score"] = "1,5"
    table.attrs["decimal"] = ","
    with pytest.raises(InputError, match=r"(?s)row 3: .* nothing was recorded"):
        bench.run(table)


@pytest.mark.parametrize("cell", ["…", "tbc", "TBD.", "not yet tested", "ausstehend", "awaiting results"])
def test_what_is_to_come_stays_open(bench, cell):
    table = bench.measured().astype({"score": object})
    table.loc[2, "score"] = cell
    result = bench.run(table)
    assert table["smiles"][2] not in result.history["smiles"].tolist() and result.receipt.failed == 0


REASONS = [
    "mixture of isomers 1:1", "no product, m/z=345", "insoluble (pH=7.4)", "HPLC: 2 peaks", "A1 well empty", "crashed at 10:30",
    "T=37 precipitates", "0 % recovery", "3x failed", "1 of 3 replicates failed", "?? failed", "n.s.", "k.A.", "nicht löslich",
]  # fmt: skip


@pytest.mark.parametrize("cell", REASONS)
def test_reasons_with_numbers_in_them_are_reasons(bench, cell):
    table = bench.measured().astype({"score": object})
    table.loc[2, "score"] = cell
    row = bench.run(table).history.set_index("smiles").loc[table["smiles"][2]]
    assert np.isnan(row["score"]) and row["reason"] == cell


@pytest.mark.parametrize("cell", ["\u2212", "\u2010", "\u200b", "to\u00a0do", "not  yet"])
def test_gaps_and_waiting_words_are_open_however_they_are_typed(bench, cell):
    table = bench.measured().astype({"score": object})
    table.loc[2, "score"] = cell
    result = bench.run(table)
    assert table["smiles"][2] not in result.history["smiles"].tolist() and result.receipt.failed == 0


@pytest.mark.parametrize(("cell", "value"), [("\u20115", -5.0), ("\u00ad5", 5.0)])
def test_signs_and_marks_of_word_processors_are_read(bench, cell, value):
    table = bench.measured().astype({"score": object})
    table.loc[2, "score"] = cell
    assert bench.run(table).history.set_index("smiles")["score"][table["smiles"][2]] == value


def test_what_is_no_table_of_results_is_refused_in_a_sentence(bench):
    table = bench.measured()
    for odd in ({"smiles": ["CCO"]}, ["CCO"], table["score"]):
        with pytest.raises(InputError, match="results must be a table"):
            bench.run(odd)
    twice = pd.concat([table, table["score"]], axis=1)
    with pytest.raises(InputError, match="two columns called 'score'"):
        bench.run(twice)
    cells = table.astype({"score": object})
    cells.at[1, "score"] = np.array([1.0, 2.0])
    with pytest.raises(InputError, match="row 2: a ndarray is no number"):
        bench.run(cells)


def test_a_comment_gives_the_reason(bench):
    table = bench.measured().assign(comment="")
    table.loc[0, ["score", "comment"]] = [np.nan, "precipitated"]
    assert bench.run(table).history["reason"].tolist() == ["precipitated", "", "", "", "", ""]


@pytest.mark.parametrize("cell", ["pending", "", " ", np.nan, "NaN", "n/a", "-", "n.d.", "not yet measured", pd.NaT, None])
def test_pending_or_nothing_leaves_a_molecule_open(bench, cell):
    table = bench.measured().astype({"score": object})
    table.loc[1, "score"] = cell
    result = bench.run(table)
    assert len(result.history) == 5 and result.batch["smiles"][0] == table["smiles"][1]


def test_a_value_that_comes_late_replaces_a_failure_and_never_the_other_way(bench):
    table = bench.measured().astype({"score": object})
    right = table["score"][2]
    table.loc[2, "score"] = "failed"
    bench.run(table)
    table.loc[2, "score"], table.loc[3, "score"] = right, "failed"
    result = bench.run(table)
    assert result.receipt.corrected == 1 and result.receipt.unchanged == 5
    assert result.history["score"].tolist() == [Bowl()(text) for text in table["smiles"]]
    assert len(result.batch) == 6 and result.batch["batch"].eq(2).all()


def test_a_growing_table_may_be_given_each_time(bench):
    told = bench.measured()
    bench.run(told)
    told = pd.concat([told, bench.measured()])
    result = bench.run(told)
    assert (result.receipt.values, result.receipt.unchanged) == (6, 6) and len(result.history) == 12


class TestMoleculesNobodyAskedFor:
    def test_they_teach_and_are_not_proposed_and_do_not_count(self, bench):
        asked = bench.result.batch["smiles"].tolist()
        own = [text for text in (chain(2, 2), chain(9, 4), chain(10, 3)) if text not in asked]
        extra = pd.DataFrame({"smiles": own, "score": [Bowl()(text) for text in own]})
        result = bench.run(pd.concat([bench.measured(), extra]))
        assert result.receipt.extra == len(own) and len(result.history) == 6 + len(own)
        assert result.best["smiles"] in own if chain(10, 3) in own else True
        proposed = set(result.batch["smiles"])
        while len(result.batch):
            result = bench.run(bench.measured())
            proposed |= set(result.batch["smiles"])
        assert not proposed & set(own) and len(result.history) == 24 + len(own)

    def test_a_campaign_may_begin_with_them(self, tmp_path):
        seen = []

        from chemvae.design import RandomSearch

        class Spy(RandomSearch):
            def tell(self, z, y, smiles=None):
                seen.extend(zip(smiles, y.tolist(), strict=True))
                super().tell(z, y, smiles)

        bench = Bench(tmp_path, method=Spy)
        result = bench.run(pd.DataFrame({"smiles": [chain(1, 1), chain(4, 4)], "score": [1.5, 2.5]}))
        assert dict(seen)[chain(1, 1)] == 1.5 and len(result.batch) == 6 and len(result.history) == 2

    def test_what_the_model_cannot_write_is_kept_without_a_point(self, bench):
        result = bench.run(pd.DataFrame({"smiles": ["c1ccccc1"], "score": [3.0]}))
        assert result.history["smiles"].tolist() == ["c1ccccc1"] and np.isnan(result.history["z"][0]).all()
        assert len(result.batch) == 6

    def test_one_outside_the_constraints_is_told_and_never_counts_as_found(self, tmp_path):
        bench = Bench(tmp_path, constraints=["MW<150"])
        result = bench.run(pd.DataFrame({"smiles": [chain(10, 3), chain(1, 1)], "score": [0.0, -100.0]}))
        assert result.best["smiles"] == chain(1, 1) and chain(10, 3) not in result.molecules["smiles"].tolist()
        assert result.history["reason"][0] == "told, and outside MW < 150"

    def test_the_names_of_a_table_of_before_are_kept_and_ours_stand_beside_them(self, tmp_path):
        bench = Bench(tmp_path)
        old = pd.DataFrame({"Compound ID": ["K-17", "K-18"], "structure": [chain(10, 3), chain(1, 1)], "score": [99.0, -100.0]})
        bench.run(old)
        result = bench.run(bench.measured())
        named = dict(zip(result.molecules["smiles"], result.molecules["id"], strict=True))
        assert named[chain(10, 3)] == "K-17" and named[chain(1, 1)] == "K-18"
        assert sorted(set(named.values()) - {"K-17", "K-18"}) == ["m0001", "m0002", "m0003", "m0004", "m0005", "m0006"]
        assert "K-17" in result.to_html(tmp_path / "page.html").read_text(encoding="utf-8")

    def test_a_corrected_value_without_a_name_leaves_the_name(self, tmp_path):
        bench = Bench(tmp_path)
        bench.run(pd.DataFrame({"id": ["K-17"], "smiles": [chain(10, 3)], "score": [99.0]}))
        result = bench.run(pd.DataFrame({"smiles": [chain(10, 3)], "score": [98.0]}))
        assert result.molecules[["id", "score"]].to_numpy().tolist() == [["K-17", 98.0]]


class TestTablesThatAreRefused:
    @pytest.mark.parametrize(
        ("row", "sentence"),
        [
            ({"smiles": "C1CC", "score": 1.0}, "row 7: 'C1CC' is no molecule"),
            ({"id": "x9", "score": 1.0}, "row 7: no molecule was handed out as 'x9', and no SMILES"),
            ({"id": "m0001", "smiles": "CC", "score": 1.0}, "row 7: m0001 is .*, not CC"),
            ({"smiles": "CCO", "score": "6,5"}, "row 7: '6,5' is no number"),
            ({"id": "m0002", "score": -1234.0}, "row 7: .* stands there twice"),
        ],
    )
    def test_a_row_that_is_not_clear_refuses_the_table_and_nothing_is_recorded(self, bench, row, sentence):
        before = bench.path.read_text()
        with pytest.raises(InputError, match=sentence):
            bench.run(pd.concat([bench.measured().astype({"score": object}), pd.DataFrame([row])]))
        assert bench.path.read_text() == before

    def test_an_unfilled_sheet_is_no_list_of_failures(self, bench):
        with pytest.raises(NothingUsableError, match="has nothing in column score"):
            bench.run(bench.result.batch)

    def test_a_missing_column_is_named(self, bench):
        with pytest.raises(NothingUsableError, match="no column 'score'"):
            bench.run(bench.measured().rename(columns={"score": "activity"}))

    @pytest.mark.parametrize(
        ("cell", "words"),
        [
            (pd.Timestamp("2026-05-03"), "is a date or time"),
            (True, "true or false is no number"),
            ("#DIV/0!", "error cell"),
            ("=B2*2", "is a formula"),
            ("5,5", "write decimals with a point"),
            ("−5 nM", "leave out units"),
        ],
    )
    def test_what_a_spreadsheet_made_of_a_number_is_no_value_and_no_failure(self, bench, cell, words):
        table = bench.measured().astype({"score": object})
        table.loc[3, "score"] = cell
        with pytest.raises(InputError, match=f"row 4: .*{words}.* nothing was recorded"):
            bench.run(table)
        assert len(bench.run().history) == 0

    def test_a_table_with_semicolons_may_have_decimal_commas(self, bench, tmp_path):
        path = tmp_path / "excel.csv"
        path.write_text("id;score\nm0001;5,5\nm0002;−6\n", encoding="utf-8")
        assert bench.run(path).history["score"].tolist() == [5.5, -6.0]


class TestSeveralGoals:
    GOALS = [Goal("potency", low=0.0, high=30.0), Goal("qed")]

    def test_what_rdkit_computes_is_not_asked_for(self, tmp_path):
        bench = Bench(tmp_path, carbons, goals=self.GOALS)
        batch = bench.run().batch
        assert "potency" in batch and "qed" in batch and (batch["potency"] == "").all() and batch["qed"].dtype == float
        result = bench.run(bench.measured("potency"))
        assert result.history["potency"].tolist() == [carbons(text) for text in result.history["smiles"]]
        assert result.history["qed"].notna().all() and result.history["utility"].between(0, 1).all()

    def test_two_columns_may_be_measured_and_one_of_them_fail(self, tmp_path):
        goals = [Goal("a", low=0.0, high=1.0), Goal("b", "min", low=0.0, high=1.0)]
        bench = Bench(tmp_path, goals=goals)
        table = bench.run().batch.assign(a=0.5, b=[0.1, "lost", "", 0.2, 0.3, 0.4])
        history = bench.run(table).history
        assert history["reason"].tolist() == ["", "b: lost", "b: no value was given", "", "", ""]
        assert history["utility"].isna().tolist() == [False, True, True, False, False, False]

    @pytest.mark.parametrize(
        ("oracle", "goals", "names"),
        [
            ("laboratory", None, ("score",)),
            ("laboratory", ["pIC50", "qed"], ("pIC50",)),
            ("laboratory", ["logP"], ("logP",)),
            ("laboratory: logP ,pIC50", ["logP", "pIC50", "qed"], ("logP", "pIC50")),
        ],
    )
    def test_what_is_measured(self, oracle, goals, names):
        assert name_laboratory(oracle, goals).names == names


def test_start_molecules_are_measured_first_and_the_batch_is_filled_up(tmp_path):
    bench = Bench(tmp_path, start=[chain(6, 6), chain(5, 5)])
    result = bench.run()
    assert result.batch["smiles"][:2].tolist() == [chain(6, 6), chain(5, 5)] and len(result.batch) == 6
    assert result.batch["batch"].eq(1).all() and {"nearest_start", "similarity_to_start"} <= set(result.batch)


def test_a_start_molecule_whose_value_is_told_is_not_asked_for(tmp_path):
    bench = Bench(tmp_path, start=[chain(6, 6), chain(5, 5)])
    result = bench.run(pd.DataFrame({"smiles": [chain(6, 6)], "score": [1.0]}))
    assert result.batch["smiles"][0] == chain(5, 5) and chain(6, 6) not in result.batch["smiles"].tolist()


def test_more_may_be_asked_for_at_any_time(bench):
    first = bench.result.batch["smiles"].tolist()
    more = bench.run(batch_size=9).batch
    assert more["smiles"][:6].tolist() == first and len(more) == 9 and more["smiles"].is_unique
    pd.testing.assert_frame_equal(bench.run(batch_size=9).batch, more)


def test_constraints_hold_for_what_is_handed_out(tmp_path):
    from chemvae.chem.properties import compute

    bench = Bench(tmp_path, constraints=["MW<200"])
    result = bench.run()
    assert all(compute("MW", text) < 200 for text in result.batch["smiles"]) and result.rejections["MW < 200"] > 0


def test_another_seed_gives_other_molecules_and_is_refused_for_a_campaign_under_way(bench, tmp_path):
    (tmp_path / "other").mkdir()
    other = Bench(tmp_path / "other", seed=1).run()
    assert other.batch["smiles"].tolist() != bench.result.batch["smiles"].tolist()
    with pytest.raises(SettingsError, match="another seed"):
        bench.run(seed=1)


def test_a_torn_line_is_as_if_the_results_had_not_been_told(bench):
    table = bench.measured()
    before = bench.path.read_bytes()
    expected = bench.run(table).batch
    after = bench.path.read_bytes()
    for cut in (1, 40, len(after) - len(before) - 3):
        bench.path.write_bytes(after[:-cut])
        pd.testing.assert_frame_equal(bench.run(table).batch, expected)


def test_results_need_a_laboratory_and_a_laboratory_a_record(tmp_path):
    with pytest.raises(SettingsError, match="say oracle='laboratory'"):
        run_campaign(ToyModel(), Bowl(), results="results.csv", **SEARCH)
    with pytest.raises(SettingsError, match="needs history_path"):
        run_campaign(ToyModel(), "laboratory", **SEARCH)
    with pytest.raises(SettingsError, match="another oracle"):
        run_campaign(ToyModel(), Bowl(), budget=6, history_path=tmp_path / "a.jsonl", **SEARCH)
        run_campaign(ToyModel(), "laboratory", budget=6, history_path=tmp_path / "a.jsonl", **SEARCH)


def test_a_laboratory_scores_nothing_by_itself():
    score = Laboratory("pIC50").score("CCO")[0]
    assert score.failed and score.reason == "not measured yet"


def test_what_was_told_and_breaks_a_constraint_is_on_no_front(tmp_path):
    goals = [Goal("potency", low=0.0, high=30.0), Goal("qed")]
    bench = Bench(tmp_path, carbons, goals=goals, constraints=["MW<200"])
    bench.run()
    heavy = chain(12, 12)
    table = pd.concat([bench.measured("potency"), pd.DataFrame([{"smiles": heavy, "potency": 30.0}])])
    result = bench.run(table)
    row = result.history.set_index("smiles").loc[heavy]
    assert row["potency"] == 30.0 and row["reason"] == "told, and outside MW < 200" and np.isnan(row["utility"])
    assert len(result.pareto) and heavy not in result.pareto["smiles"].tolist()


CAGE = "N[C@]1(C(=O)O)[C@H]2C[C@@H]3C[C@H](C2)C[C@@H]1C3"


def test_a_molecule_that_rdkit_spells_in_several_ways_comes_back_by_any_of_them(tmp_path):
    handed_out = {"m0001": identify(CAGE), "m0002": "CCO"}
    for written in (CAGE, canonicalize(CAGE), canonicalize(canonicalize(CAGE)), identify(CAGE)):
        sheet = pd.DataFrame({"id": ["m0001"], "smiles": [written], "score": ["1.5"]})
        assert [one.smiles for one in read_measurements(sheet, ["score"], handed_out)] == [identify(CAGE)]
        alone = sheet.drop(columns="id")
        assert [one.smiles for one in read_measurements(alone, ["score"], handed_out)] == [identify(CAGE)]


def test_an_older_record_may_hold_another_spelling(tmp_path):
    other = next(text for text in (CAGE, canonicalize(CAGE), canonicalize(canonicalize(CAGE))) if text != identify(CAGE))
    rows = [{"id": "m0001", "smiles": other, "z": [0.0]}, {"id": "m0002", "smiles": "CCO", "z": [1.0]}]
    told = {"told": 1, "results": [{"smiles": other, "values": [1.0], "reason": ""}]}
    lines = [{"format": 1}, {"asked": 1, "size": 2, "molecules": rows}, told]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    ledger = Ledger(tmp_path / "a.jsonl", {}, (1, 1))
    assert ledger.ids["m0001"] == identify(CAGE) and list(ledger.answers) == [identify(CAGE)]


def test_small_numbers_beside_a_batch_keep_their_digits():
    column = _shortened(pd.Series([1.23456, 1.23456e-13, np.nan]))
    assert column[0] == 1.2346 and column[1] == 1.235e-13 and np.isnan(column[2])
