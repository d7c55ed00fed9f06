"""A value that is only a limit helps where it says something, and never passes for a measurement."""

import numpy as np
import pandas as pd
import pytest

from chemvae.design import Goal, run_campaign
from chemvae.design.evaluators.calls import Call
from chemvae.design.evaluators.censored import as_counted, known_side
from chemvae.design.evaluators.ledger import Ledger
from chemvae.design.evaluators.replicates import merge_replicates
from chemvae.design.evaluators.results_table import Measurement, read_measurements
from chemvae.design.oracles import Score
from chemvae.errors import InputError
from tests.design.toys import ToyModel, chain


def call(smiles, *values, bounds=()):
    return Call(smiles, Score(tuple(map(float, values))), np.zeros(2), bounds)


EXACT = [call("C" * n, n) for n in (2, 4, 6)]


@pytest.mark.parametrize(
    ("goal", "bound", "limit", "counts_as"),
    [
        (Goal("y"), ">", 9.0, 9.0),
        (Goal("y"), "<", 5.0, 3.0),  # the mean of 2 and 4, which are worse
        (Goal("y", "min"), ">", 3.0, 5.0),  # 4 and 6 are worse
        (Goal("y", "min"), "<", 1.0, 1.0),
        (Goal("y", target=3.0), ">", 5.0, 6.0),  # of 2, 4 and 6 only 6 is farther from 3 than 5 is
        (Goal("y", target=5.0), "<", 4.5, 3.5),  # 2, 4 and 6 are off by 3, 1 and 1: by 5/3 on average, but only 3 and 1 count
        (Goal("y", target=9.0), ">", 5.0, np.nan),
    ],
)
def test_a_bound_counts_for_what_it_says(goal, bound, limit, counts_as):
    if goal.target == 5.0:
        counts_as = 5.0 - np.mean([3.0, 1.0, 1.0])
    found = as_counted([call("N", limit, bounds=(bound,))], EXACT, [goal])
    np.testing.assert_allclose(found, [[counts_as]])


def test_no_better_than_the_limit_is_never_as_good_as_it():
    for goal in (Goal("y", "min"), Goal("y", target=0.0)):
        for others in ([], [call("O", 9.0)], [call("O", 9.0), call("P", 9.0)]):
            counted = as_counted([call("N", 9.0, bounds=(">",))], others, [goal])[0, 0]
            assert goal.merit(counted) < goal.merit(9.0)


def test_bounds_of_others_are_no_measurements():
    others = [*EXACT, call("N", 0.0, bounds=("<",))]
    np.testing.assert_allclose(as_counted([call("O", 5.0, bounds=("<",))], others, [Goal("y")]), [[3.0]])


def test_both_directions_mirror_each_other():
    for bound, mirrored in ((">", "<"), ("<", ">")):
        assert known_side(Goal("y"), bound, 5.0) == known_side(Goal("y", "min"), mirrored, -5.0)


class Bench:
    """A laboratory that is told one table of results, sought in one direction."""

    def __init__(self, path, cells, **goal):
        self.path, self.goal = path / "record.jsonl", Goal("pIC50", **goal)
        self.table = pd.DataFrame({"smiles": [chain(i, 1) for i in range(len(cells))], "pIC50": cells})

    def run(self, table=None):
        told = self.table if table is None else table
        options = {"budget": 20, "method": "random", "batch_size": 4, "history_path": self.path, "goals": self.goal}
        return run_campaign(ToyModel(), "laboratory", results=told, **options)


def test_at_least_nine_is_the_best_where_large_is_good_and_the_page_says_so(tmp_path):
    result = Bench(tmp_path, ["5", ">9", "7", "<4"]).run()
    assert result.best["smiles"] == chain(1, 1) and result.molecules["bound"].tolist() == [">9", "", "", "<4"]
    assert "<b>&gt;9</b>" in result.to_html(tmp_path / "report.html").read_text(encoding="utf-8")
    assert result.to_dict()["molecules"][0]["bound"] == ">9"


def test_more_than_nine_is_no_better_than_nine_where_small_is_good(tmp_path):
    result = Bench(tmp_path, ["9", ">9", "12", "15"], direction="min").run()
    assert result.molecules["smiles"].tolist()[0] == chain(0, 1), "9 is better than what is only known to be worse"
    table = result.history.set_index("smiles")
    assert table.loc[chain(1, 1), "score"] == 9.0 and table.loc[chain(1, 1), "utility"] == -13.5


def test_where_the_target_may_lie_on_either_side_a_bound_says_nothing_and_is_no_failure(tmp_path):
    result = Bench(tmp_path, ["5", ">6"], target=8.0).run()
    assert np.isnan(result.history["utility"][1]) and result.history["score"][1] == 6.0
    assert result.receipt.values == 2 and result.molecules["smiles"].tolist() == [chain(0, 1)]


def test_a_search_without_bounds_has_no_column_of_them(tmp_path):
    result = Bench(tmp_path, ["5", "6"]).run()
    assert "bound" not in result.history and "bound" not in result.molecules


def test_a_number_in_place_of_a_bound_is_a_correction(tmp_path):
    bench = Bench(tmp_path, ["5", ">9"])
    bench.run()
    assert bench.run().receipt.unchanged == 2
    corrected = bench.run(bench.table.assign(pIC50=["5", "9"]))
    assert corrected.receipt.corrected == 1 and "bound" not in corrected.history


def test_a_ledger_keeps_bounds_and_reads_those_without(tmp_path):
    first = Ledger(tmp_path / "record.jsonl", {})
    first.take([Measurement("CCO", (9.0,), ">9 is a bound", (">",)), Measurement("CCN", (5.0,))])
    first.record.close()
    lines = (tmp_path / "record.jsonl").read_text().splitlines()
    assert lines[1].count("bounds") == 1, "an exact value has none"
    again = Ledger(tmp_path / "record.jsonl", {})
    assert [one.bounds for one in again.answers.values()] == [(">",), ()]
    again.record.close()
    (tmp_path / "record.jsonl").write_text(lines[0] + "\n" + lines[1].replace('[">"]', '["!"]') + "\n")
    with pytest.raises(InputError, match="damaged in line 2"):
        Ledger(tmp_path / "record.jsonl", {}, (1, None))


def told(*rows):
    return [Measurement("CCO", values, reason, bounds) for values, reason, bounds in rows]


def test_replicates_are_the_median_of_what_is_exact():
    merged = merge_replicates(told(((5.0, 1.0), "", ()), ((9.0, 2.0), "", (">", "")), ((7.0, 6.0), "", ())))
    assert merged.values == (6.0, 2.0) and merged.bounds == ()
    assert merged.reason == "median of 2 values, 5 to 7; median of 3 values, 1 to 6"


def test_of_bounds_the_tightest_is_kept_and_two_sides_are_no_value():
    above = told(((9.0,), "", (">",)), ((8.0,), "", (">",)))
    assert merge_replicates(above).values == (9.0,) and merge_replicates(above).bounds == (">",)
    below = told(((3.0,), "", ("<",)), ((2.0,), "", ("<",)))
    assert merge_replicates(below).values == (2.0,) and merge_replicates(below).reason == "<2 is a bound"
    assert merge_replicates(above + below).failed


def test_a_value_beside_a_failure_is_a_value_and_one_row_stays_as_it_is():
    rows = told(((np.nan,), "insoluble", ()), ((5.0,), "", ()))
    assert merge_replicates(rows).values == (5.0,) and merge_replicates(rows).reason == ""
    assert merge_replicates(rows[:1]) is rows[0] and merge_replicates([rows[0], rows[0]]).reason == "insoluble"


def test_a_table_of_before_may_hold_a_molecule_twice_and_a_sheet_may_not(tmp_path):
    table = pd.DataFrame({"smiles": ["OCC", "CCO", "CN"], "pIC50": [5.0, 7.0, 6.0]})
    assert [one.values for one in read_measurements(table, ["pIC50"], {})] == [(6.0,), (6.0,)]
    with pytest.raises(InputError, match="row 2: CCO stands there twice"):
        read_measurements(table, ["pIC50"], {"m0001": "CCO"})
