"""chemvae evaluate: the figures of Python, and a report."""

import json

import pytest

from chemvae import api

QUICK = ["--n-samples", 60, "--n-reconstruction", 2, "--n-fcd", 0, "--n-curve", 0, "--device", "cpu"]


@pytest.fixture(scope="module")
def figures(tiny_run, table_csv):
    sizes = {"n_samples": 60, "n_reconstruction": 2, "n_fcd": 0, "n_curve": 0}
    return api.evaluate_in_full(api.load(tiny_run, "cpu"), table_csv, split="test", **sizes).figures


def test_json_holds_the_figures_of_python(chemvae, tiny_run, table_csv, tmp_path, figures):
    found = chemvae("evaluate", table_csv, "-m", tiny_run, *QUICK, "--json", "e.json", "-o", "report")
    assert found.exit_code == 0, found.output
    written = json.loads((tmp_path / "e.json").read_text())
    assert written == json.loads(json.dumps(figures))
    assert written["n_molecules"] == 28  # the test part of the table
    assert written["protocol"].keys() >= {"reconstruction_greedy", "validity_prior_greedy", "kl"}
    assert json.loads((tmp_path / "report" / "report.json").read_text()) == written
    assert "<svg" in (tmp_path / "report" / "report.html").read_text(encoding="utf-8")


def test_a_report_is_not_written_over(chemvae, tiny_run, table_csv, tmp_path):
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "report.html").write_text("old")
    found = chemvae("evaluate", table_csv, "-m", tiny_run, *QUICK, "-o", "report")
    assert found.exit_code == 1 and "--overwrite" in found.stderr


def test_json_on_stdout_is_all_there_is_on_stdout(chemvae, tiny_run, table_csv):
    found = chemvae("evaluate", table_csv, "-m", tiny_run, *QUICK, "--split", "all", "--json", "-")
    assert json.loads(found.stdout)["n_molecules"] == 282
    assert "reconstruction_greedy" in found.stderr


def test_a_validity_is_printed_with_its_distinct_share_and_own_codes(chemvae, tiny_run, table_csv):
    found = chemvae("evaluate", table_csv, "-m", tiny_run, *QUICK, "--n-codes", 10, "--n-smoothness", 4)
    printed = [line.split()[0] for line in found.stdout.splitlines() + found.stderr.splitlines() if "_normal_" in line]
    kinds = ("validity", "unique_10k", "own_code_found")
    assert printed[:3] == [f"{kind}_normal_greedy" for kind in kinds]


def test_the_likelihood_is_measured_where_it_is_asked_for(chemvae, tiny_run, table_csv, tmp_path):
    asked = ("--likelihood", 2, "--ais-temperatures", 3, "--ais-chains", 2, "--n-codes", 0, "--n-smoothness", 0)
    found = chemvae("evaluate", table_csv, "-m", tiny_run, *QUICK, *asked, "--json", "e.json")
    assert found.exit_code == 0, found.output
    written = json.loads((tmp_path / "e.json").read_text())
    assert written["n_likelihood"] == 2 and written["log_px_is"] < 0 and written["bdmc_gap"] is not None
