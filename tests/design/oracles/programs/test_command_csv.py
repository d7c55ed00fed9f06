"""The external program that speaks CSV: rows find their molecule, failures keep to theirs."""

import sys
import time

import numpy as np
import pytest

from chemvae.design.oracles.factory import make_oracle
from chemvae.design.oracles.programs.command_csv import CsvCommandOracle
from chemvae.errors import SettingsError

MOLECULES = ["CCO", "CCN", "CC", "CCCC"]
HEAD = "import sys, csv, time, os\nrows = [r['smiles'] for r in csv.DictReader(sys.stdin)]\n"


def program(body: str, **settings) -> CsvCommandOracle:
    """An oracle that runs ``body`` with ``rows``, the molecules, and prints its table."""
    return CsvCommandOracle([sys.executable, "-c", HEAD + body], **settings)


def reasons(oracle: CsvCommandOracle, smiles: list[str] = MOLECULES) -> list[str]:
    return [score.reason for score in oracle.score(smiles)]


class TestWhoseScore:
    def test_rows_in_any_order_find_their_molecule(self):
        oracle = program("print('smiles,score')\nfor s in reversed(rows): print(f'{s},{len(s)}')")
        np.testing.assert_array_equal(oracle(MOLECULES), [3, 3, 2, 4])

    def test_however_the_program_writes_it(self):
        oracle = program("print('SMILES, Score ')\nfor s in rows: print(f'{s[::-1]},{len(s)}')")
        np.testing.assert_array_equal(oracle(["CCO", "CC"]), [3, 2])

    def test_rows_of_molecules_nobody_asked_about_are_left_out(self):
        oracle = program("print('smiles,score\\nCCCCCC,99')\nfor s in rows: print(f'{s},{len(s)}')")
        np.testing.assert_array_equal(oracle(MOLECULES), [3, 3, 2, 4])

    def test_without_smiles_the_place_counts_if_all_are_there(self):
        np.testing.assert_array_equal(program("print('score')\nfor s in rows: print(len(s))")(MOLECULES), [3, 3, 2, 4])
        missing = reasons(program("print('score')\nfor s in rows[1:]: print(len(s))"))
        assert missing == ["the program wrote 3 rows for 4 molecules, and no column smiles to tell whose"] * 4

    def test_a_missing_row_and_an_empty_cell_are_failures_of_their_molecule(self):
        body = "print('smiles,score,error')\nfor s in rows[1:]: print(f\"{s},{'' if s == 'CC' else len(s)},too small\")"
        scores = program(body).score(MOLECULES)
        assert [one.reason for one in scores] == ["the program gave no row for it", "", "too small", ""]
        assert [one.values[0] for one in scores if not one.failed] == [3.0, 4.0]

    def test_a_row_of_too_many_cells_has_no_value(self):
        oracle = program("print('smiles,score')\nfor s in rows: print(s + (',1,5' if s == 'CCN' else ',2'))")
        scores = oracle.score(MOLECULES)
        assert [one.failed for one in scores] == [False, True, False, False]
        assert scores[1].reason == "its row has 3 cells under 2 columns (a decimal comma?)"

    def test_one_molecule_has_one_value(self):
        oracle = program("print('smiles,score')\nfor s in rows + ['OCC', 'CCN']: print(f'{s},{len(s) + (s == \"OCC\")}')")
        scores = oracle.score(MOLECULES)
        assert [one.failed for one in scores] == [True, False, False, False] and scores[1].values == (3.0,)
        assert scores[0].reason == "the program gave it two different values"

    @pytest.mark.parametrize("head", ["smiles,score,score", "smiles,Score,score", "smiles,smiles,score"])
    def test_columns_of_one_name_are_refused(self, head):
        oracle = program(f"print('{head}')\nfor s in rows: print(s + ',1,2')")
        assert all("has 2 columns" in reason for reason in reasons(oracle))

    def test_an_empty_line_is_an_empty_cell_of_a_table_with_one_column(self):
        scores = program("print('score')\nfor s in rows: print('' if s == 'CC' else len(s))").score(MOLECULES)
        assert [one.failed for one in scores] == [False, False, True, False]

    def test_empty_lines_at_the_end_and_doubled_line_ends_change_nothing(self):
        np.testing.assert_array_equal(program("print('score')\nfor s in rows: print(len(s))\nprint()")(MOLECULES), [3, 3, 2, 4])
        doubled = "print('score', end='\\r\\r\\n')\nfor s in rows: print(len(s), end='\\r\\r\\n')"
        np.testing.assert_array_equal(program(doubled)(MOLECULES), [3, 3, 2, 4])

    def test_cells_behind_the_header_that_move_nothing_cost_nothing(self):
        np.testing.assert_array_equal(program("print('smiles,score')\nfor s in rows: print(s + ',1.5,')")(["CCO"]), [1.5])
        body = "print('smiles,score,error')\nfor s in rows: print(s + ',1.5,warn: a, b')"
        np.testing.assert_array_equal(program(body)(["CCO", "CC"]), [1.5, 1.5])

    def test_a_byte_order_mark_hides_no_column(self):
        body = "print('\\ufeffsmiles,score')\nfor s in reversed(rows): print(f'{s},{len(s)}')"
        body = "sys.stdout.reconfigure(encoding='utf-8')\n" + body
        np.testing.assert_array_equal(program(body)(MOLECULES), [3, 3, 2, 4])

    def test_other_separators_are_named(self):
        assert "separated by commas" in reasons(program("print('smiles;score')\nfor s in rows: print(s + ';1')"))[0]

    @pytest.mark.parametrize("cell", ["nan", "inf", "high", "", "1_0"])
    def test_what_is_no_number_is_a_failure(self, cell):
        oracle = program(f"print('smiles,score')\nfor s in rows: print(s + ',{cell}')")
        assert reasons(oracle, ["CCO"]) == ["the program gave no number for score"]


class TestColumns:
    def test_the_only_other_column_is_the_score(self):
        assert program("print('smiles,id,pIC50')\nfor s in rows: print(f'{s},7,{len(s)}')")(["CCO"])[0] == 3.0

    def test_several_values_by_name(self):
        oracle = program("print('t1,smiles,gap')\nfor s in rows: print(f'{len(s)},{s},1.5')", names=("gap", "T1"))
        np.testing.assert_array_equal(oracle(["CCO", "CC"]), [[1.5, 3.0], [1.5, 2.0]])

    def test_a_table_without_the_score_is_said_to_be_one_and_is_asked_for_once(self, tmp_path):
        count = tmp_path / "starts"
        body = f"open({str(count)!r}, 'a').write('x')\nprint('smiles,a,b')\nfor s in rows: print(s + ',1,2')"
        assert reasons(program(body)) == ["the program's table has no column score; its columns: 'smiles', 'a', 'b'"] * 4
        assert count.read_text() == "x"
        assert reasons(program("pass"), ["CCO"]) == ["the program's table has no column score; its columns: none"]


class TestFailures:
    def test_a_crash_costs_the_molecule_at_fault_although_nothing_was_written_for_those_before(self):
        body = "if 'CCN' in rows: sys.exit('licence expired')\nprint('smiles,score')\nfor s in rows: print(f'{s},{len(s)}')"
        scores = program(body).score(MOLECULES)
        assert [one.failed for one in scores] == [False, True, False, False]
        assert scores[1].reason == "the program ended without an answer (exit code 1): licence expired"
        assert [one.values[0] for one in scores if not one.failed] == [3.0, 2.0, 4.0]

    def test_a_hang_costs_one_molecule_and_ends(self):
        body = "print('smiles,score')\nfor s in rows:\n    time.sleep(600 if 'N' in s else 0); print(f'{s},{len(s)}')"
        started = time.perf_counter()
        scores = program(body, timeout_s=2.0).score(["CCO", "CCN"])
        assert [one.reason for one in scores] == ["", "timed out after 2 s"] and scores[0].values == (3.0,)
        assert 5.9 < time.perf_counter() - started < 40  # 4 s for both, 2 s for the one left

    def test_half_a_number_is_not_taken_for_a_number(self):
        body = "sys.stdout.write('smiles,score\\n' + rows[0] + ',12'); sys.stdout.flush()\nos._exit(0 if len(rows) > 9 else 5)"
        assert reasons(program(body), ["CCO"]) == ["the program ended without an answer (exit code 5)"]


class TestFiles:
    def test_programs_that_want_files_get_them(self):
        body = (
            "import sys, csv\n"
            "with open(sys.argv[1]) as i, open(sys.argv[2][6:], 'w') as o:\n"
            "    print('this is no table')\n    o.write('smiles,score\\n')\n"
            "    for r in csv.DictReader(i): o.write(f\"{r['smiles']},{len(r['smiles'])}\\n\")\n"
        )
        oracle = CsvCommandOracle([sys.executable, "-c", body, "{input}", "--out={output}"])
        np.testing.assert_array_equal(oracle(MOLECULES), [3, 3, 2, 4])

    def test_a_file_that_was_not_written_is_a_failure(self):
        oracle = CsvCommandOracle([sys.executable, "-c", "print('smiles,score')", "{output}"])
        assert "no column score" in reasons(oracle, ["CCO"])[0]


def test_programs_run_side_by_side():
    oracle = program("print('smiles,score')\nfor s in rows: print(f'{s},{os.getpid()}')")
    oracle.jobs = 2
    assert len(set(oracle(MOLECULES))) == 2


def test_by_name_and_a_missing_program_is_named():
    assert make_oracle("cmd-csv:cat -u").command == ["cat", "-u"]
    with pytest.raises(SettingsError, match="'no-such-dock' was not found"):
        make_oracle("cmd-csv:no-such-dock --quick")
