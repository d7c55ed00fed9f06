"""sample, interpolate, optimize, map: what they write, and that it is true."""

import io
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from chemvae import api, maps
from chemvae.chem.molecules import canonicalize
from chemvae.chem.properties import compute_table
from chemvae.sampling import interpolate, sample

pytestmark = pytest.mark.usefixtures("undrawn")

SEARCH = ["--budget", 24, "--batch", 8, "--method", "random"]


@pytest.fixture(scope="module")
def model(tiny_run):
    return api.load(tiny_run, "cpu")


def table(text: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(text), keep_default_na=False)


def test_sample_is_that_of_python(chemvae, tiny_run, model):
    found = table(chemvae("sample", "-m", tiny_run, "-n", 30, "--seed", 3).stdout)
    pd.testing.assert_frame_equal(found, sample(model, 30, seed=3), check_dtype=False)
    assert found["valid"].mean() > 0.4  # the little model has learned to write molecules


def test_interpolate_is_that_of_python_and_can_be_a_page(chemvae, tiny_run, model, tmp_path):
    words = ["interpolate", "CCCO", "NCCc1ccccc1", "-m", tiny_run, "--steps", 5]
    found = table(chemvae(*words).stdout)
    expected = interpolate(model, "CCCO", "NCCc1ccccc1", n_steps=5)
    assert found["smiles"].tolist() == expected["smiles"].tolist()
    assert chemvae(*words, "-o", "path.html").exit_code == 0
    page = (tmp_path / "path.html").read_text(encoding="utf-8")
    assert page.count("<svg") >= 2 and "://" not in page.replace("http://www.w3.org", "")


def test_optimize_writes_what_it_found(chemvae, tiny_run, tmp_path):
    found = chemvae("optimize", "-m", tiny_run, "--maximize", "logP", "--constraint", "MW<130", "-o", "hits", *SEARCH)
    assert found.exit_code == 0, found.output
    hits = tmp_path / "hits"
    assert {"best.csv", "history.csv", "proposals.csv", "report.html", "result.json"} <= {path.name for path in hits.iterdir()}
    history, best = pd.read_csv(hits / "history.csv"), pd.read_csv(hits / "best.csv")
    assert len(history) == 24 and history["smiles"].nunique() == 24
    assert history["smiles"].map(canonicalize).tolist() == history["smiles"].tolist()
    true = compute_table(history["smiles"].tolist(), ["logP", "MW"])
    np.testing.assert_allclose(history["score"], true["logP"], rtol=1e-9)
    assert (true["MW"] < 130).all()
    assert best["score"].tolist() == sorted(history["score"], reverse=True)
    result = json.loads((hits / "result.json").read_text())
    assert result["best"] == pytest.approx(history["score"].max()) and result["n_calls"] == 24


def test_the_points_of_a_history_decode_to_its_molecules(chemvae, tiny_run, tmp_path):
    chemvae("optimize", "-m", tiny_run, "--maximize", "qed", "-o", "hits", *SEARCH)
    found = table(chemvae("decode", "hits/history.csv", "-m", tiny_run).stdout)
    same = [canonicalize(a) == b for a, b in zip(found["smiles_decoded"], found["smiles"], strict=True)]
    assert np.mean(same) > 0.5  # the rest were found by a second, random decode


def test_a_search_goes_on_where_it_was_and_never_pays_twice(chemvae, tiny_run, tmp_path):
    (tmp_path / "counted.py").write_text(
        "from pathlib import Path\n"
        "def length(smiles):\n"
        "    with Path('paid.txt').open('a') as file:\n"
        "        file.write(smiles + '\\n')\n"
        "    return len(smiles)\n"
    )
    words = ["optimize", "-m", tiny_run, "--oracle", "counted:length", "-o", "hits", *SEARCH]
    assert chemvae(*words).exit_code == 0
    refused = chemvae(*words)
    assert refused.exit_code == 1 and "--resume" in refused.stderr
    resumed = chemvae("optimize", "--resume", "-o", "hits", "--budget", 32)
    assert resumed.exit_code == 0, resumed.output
    paid = (tmp_path / "paid.txt").read_text().splitlines()
    history = pd.read_csv(tmp_path / "hits" / "history.csv")
    assert paid == history["smiles"].tolist() and len(paid) == 32


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a program without asking it")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGUSR1"])
def test_a_cluster_that_ends_the_program_gets_tables_and_leaves_no_oracle_behind(tiny_run, tmp_path, name):
    (tmp_path / "slow.py").write_text(
        "import json, os, sys, time\n"
        "open('pid', 'w').write(str(os.getpid()))\n"
        "for line in sys.stdin:\n"
        "    print(json.dumps({'score': len(line)}), flush=True)\n"
        "    time.sleep(0.2)\n"
        "time.sleep(600)\n"
    )
    words = ["optimize", "-m", tiny_run, "--oracle", f"cmd:{sys.executable} slow.py", "-o", "hits", *SEARCH]
    search = subprocess.Popen([sys.executable, "-m", "chemvae", *map(str, words)], cwd=tmp_path, stderr=subprocess.PIPE)
    record, started = tmp_path / "hits" / "history.jsonl", time.monotonic()
    while not (record.exists() and len(record.read_text().splitlines()) > 3) and time.monotonic() - started < 120:
        time.sleep(0.05)
    search.send_signal(getattr(signal, name))
    assert search.wait(60) == 143, search.stderr.read()
    paid, history = record.read_text().splitlines()[1:], pd.read_csv(tmp_path / "hits" / "history.csv")
    assert 3 <= len(paid) == len(history) < 24 and (tmp_path / "hits" / "report.html").exists()
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


@pytest.mark.parametrize(
    "slip", [["--maximize", "nosuchthing"], ["--oracle", "nosuch:module"], ["--maximize", "qed", "--seed", -1]]
)
def test_a_slip_with_overwrite_leaves_the_search_that_was_there(chemvae, tiny_run, tmp_path, slip):
    words = ["optimize", "-m", tiny_run, "--maximize", "qed", "-o", "hits", *SEARCH]
    assert chemvae(*words).exit_code == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "hits").iterdir()}
    slipped = chemvae("optimize", "-m", tiny_run, "-o", "hits", "--overwrite", *SEARCH, *slip)
    assert slipped.exit_code == 2 and "report" not in slipped.stderr
    assert {path.name: path.read_bytes() for path in (tmp_path / "hits").iterdir()} == before
    replaced = chemvae(*words, "--overwrite", "--seed", 1)
    assert replaced.exit_code == 0, replaced.output
    assert sorted(path.name for path in (tmp_path / "hits").iterdir()) == sorted(before)
    assert (tmp_path / "hits" / "history.jsonl").read_bytes() != before["history.jsonl"]


CAMPAIGN = """
maximize = ["qed"]
minimize = ["SAS"]
seed = 5

[search]
method = "random"
budget = 24
batch = 8
time-limit = 10

[limits]
constraint = ["50<MW<140", "logP<3", "TPSA<60", "rings<=1"]
scaffold = "C"
forbid = ["[Br]", "[F]"]
alerts = true

[start]
start = ["NCCc1ccccc1", "CCCO"]
min_similarity = 0.1
"""


def test_a_campaign_can_be_said_in_a_file(chemvae, tiny_run, tmp_path):
    (tmp_path / "campaign.toml").write_text(CAMPAIGN)
    assert chemvae("optimize", "-m", tiny_run, "--config", "campaign.toml", "-o", "a").exit_code == 0
    words = "--maximize qed --minimize SAS --seed 5 --method random --budget 24 --batch 8 --min-similarity 0.1 --scaffold C"
    words += " --constraint 50<MW<140 --constraint logP<3 --constraint TPSA<60 --constraint rings<=1 --forbid [Br] --forbid [F]"
    words += " --alerts --start NCCc1ccccc1 --start CCCO"
    assert chemvae("optimize", "-m", tiny_run, *words.split(), "-o", "b").exit_code == 0
    a, b = (pd.read_csv(tmp_path / name / "history.csv")["smiles"].tolist() for name in "ab")
    assert a == b
    rejections = json.loads((tmp_path / "a" / "result.json").read_text())["rejections"]
    assert len(rejections) == 9 and rejections["50 < MW < 140"] + rejections["without [F]"] > 0


def test_a_flag_goes_before_the_file_and_a_wrong_key_is_named(chemvae, tiny_run, tmp_path):
    (tmp_path / "campaign.toml").write_text(CAMPAIGN)
    assert chemvae("optimize", "-m", tiny_run, "--config", "campaign.toml", "--budget", 9, "-o", "a").exit_code == 0
    assert len(pd.read_csv(tmp_path / "a" / "history.csv")) == 9
    (tmp_path / "campaign.toml").write_text("bugdet = 3\n")
    found = chemvae("optimize", "-m", tiny_run, "--config", "campaign.toml", "-o", "c")
    assert found.exit_code == 2 and "did you mean 'budget'" in found.stderr


def test_a_time_limit_ends_the_search_and_it_goes_on_later(chemvae, tiny_run, tmp_path):
    words = ["--maximize", "qed", "--method", "random", "--batch", 8, "--budget", 24, "--start", "CCCO"]
    found = chemvae("optimize", "-m", tiny_run, *words, "--time-limit", 1e-7, "-o", "hits")
    assert found.exit_code == 0 and "time limit" in found.stderr and len(pd.read_csv(tmp_path / "hits" / "history.csv")) == 1
    assert chemvae("optimize", "--resume", "--time-limit", 10, "-o", "hits").exit_code == 0
    assert len(pd.read_csv(tmp_path / "hits" / "history.csv")) == 24


def test_where_nothing_may_move_there_is_a_line_a_minute(chemvae, tiny_run, monkeypatch):
    from chemvae.commands.shared import optimize_display

    assert optimize_display.LINE_EVERY_S == 60.0
    monkeypatch.setattr(optimize_display, "LINE_EVERY_S", 0.0)
    found = chemvae("optimize", "-m", tiny_run, "--maximize", "qed", "-o", "hits", *SEARCH)
    lines = [line for line in found.stderr.splitlines() if line.startswith("random:")]
    calls = [int(line.split()[1]) for line in lines]
    assert calls[:2] == [8, 16] and calls[-1] == 24 and calls == sorted(calls)
    assert "best 0." in lines[0] and "mean of top 10 0." in lines[0] and "of points valid" in lines[0] and "left" in lines[0]


def test_the_picture_on_a_terminal_fits_eighty_columns():
    from rich.console import Console

    from chemvae.commands.shared.optimize_display import picture
    from chemvae.design import Progress

    now = Progress(9_876, 10_000, 0.98765, "C" * 90, 0.98712, 0.973, 40_000.0, 3_725.0, failed=123)
    console = Console(width=80, file=io.StringIO(), force_terminal=True, color_system=None)
    console.print(picture("auto", now))
    lines = console.file.getvalue().splitlines()
    assert len(lines) == 2 and "9,876/10,000 calls, 123 failed" in lines[0] and "1:02 h left" in lines[0]
    assert lines[1].startswith("best 0.9877, mean of top 10 0.9871, 97% of points valid") and all(len(s) <= 80 for s in lines)


def test_a_program_can_be_the_oracle(chemvae, tiny_run, tmp_path):
    (tmp_path / "oracle.py").write_text(
        "import json, sys\n"
        "for line in sys.stdin:\n"
        "    row = json.loads(line)\n"
        "    print(json.dumps({'id': row['id'], 'score': row['smiles'].count('C')}), flush=True)\n"
    )
    command = f"cmd:{sys.executable} oracle.py"
    found = chemvae("optimize", "-m", tiny_run, "--oracle", command, "--minimize", "score", "-o", "hits", *SEARCH)
    assert found.exit_code == 0, found.output
    history = pd.read_csv(tmp_path / "hits" / "history.csv")
    assert history["score"].tolist() == history["smiles"].str.count("C").tolist()
    assert pd.read_csv(tmp_path / "hits" / "best.csv")["score"].iloc[0] == history["score"].min()


def test_a_memory_spares_every_search_what_one_has_paid(chemvae, tiny_run, tmp_path):
    (tmp_path / "counted.py").write_text(
        "def length(smiles):\n"
        "    with open('paid.txt', 'a') as file:\n"
        "        file.write(smiles + '\\n')\n"
        "    return len(smiles)\n"
    )
    words = ["optimize", "-m", tiny_run, "--oracle", "counted:length", "--oracle-memory", "scores.parquet", "--jobs", 2]
    for folder in ("one", "two"):
        found = chemvae(*words, *SEARCH, "-o", folder, "--baseline")
        assert found.exit_code == 0, found.output
    paid = (tmp_path / "paid.txt").read_text().splitlines()
    assert len(paid) == len(set(paid)) == len(pd.read_parquet(tmp_path / "scores.parquet"))
    one, two = (pd.read_csv(tmp_path / folder / "history.csv") for folder in ("one", "two"))
    assert one["smiles"].tolist() == two["smiles"].tolist() and one["score"].tolist() == two["score"].tolist()


def test_alerts_of_the_catalog_named_are_kept_out_and_named(chemvae, tiny_run, tmp_path):
    from chemvae.chem.alerts import has_alert

    found = chemvae("optimize", "-m", tiny_run, "--maximize", "qed", "--alert-catalog", "NIH", "-o", "hits", *SEARCH)
    assert found.exit_code == 0, found.output
    history, proposals = pd.read_csv(tmp_path / "hits" / "history.csv"), pd.read_csv(tmp_path / "hits" / "proposals.csv")
    assert not history["smiles"].map(lambda text: has_alert(text, ["NIH"])).any()
    refused = proposals[proposals["outcome"] == "refused"]
    assert refused["reason"].str.match(r"no alerts \(NIH\): .+ \(NIH\)").all()


def test_similarity_to_the_start_holds(chemvae, tiny_run, tmp_path):
    start = "NCCc1ccccc1"
    words = ["--maximize", "logP", "--start", start, "--min-similarity", 0.3, "--budget", 12]
    found = chemvae("optimize", "-m", tiny_run, *words, "-o", "hits")
    assert found.exit_code == 0, found.output
    best = pd.read_csv(tmp_path / "hits" / "best.csv")
    assert (best["similarity_to_start"] >= 0.3).all() and (best["nearest_start"] == start).all()


def test_several_goals_bring_the_front_and_a_baseline_its_figures(chemvae, tiny_run, tmp_path):
    words = ["--maximize", "qed", "--minimize", "MW", "--weight", "qed=2", "--baseline"]
    found = chemvae("optimize", "-m", tiny_run, *words, "-o", "hits", *SEARCH)
    assert found.exit_code == 0, found.output
    front = pd.read_csv(tmp_path / "hits" / "pareto.csv").sort_values("MW")
    assert front["qed"].is_monotonic_increasing and len(front) >= 1
    assert f"without another losing: {len(front)}. See" in found.stderr.replace("\n", " ")
    result = json.loads((tmp_path / "hits" / "result.json").read_text())
    assert result["baseline"]["n_calls"] == 24 and "0.67" in result["goals"]


def test_a_search_that_finds_nothing_says_why(chemvae, tiny_run, tmp_path):
    words = ["--maximize", "qed", "--constraint", "MW>9000", "--patience", 2, "--budget", 10]
    found = chemvae("optimize", "-m", tiny_run, *words, "-o", "hits")
    assert found.exit_code == 3 and "MW > 9000" in found.stderr
    (tmp_path / "angry.py").write_text("def score(smiles):\n    raise ValueError('not today')\n")
    found = chemvae("optimize", "-m", tiny_run, "--oracle", "angry:score", "--budget", 5, "-o", "other")
    assert found.exit_code == 3 and "not today" in found.stderr


def test_map_places_every_molecule_with_all_that_is_known_of_it(chemvae, tiny_run, model, table_csv, tmp_path):
    found = chemvae("map", table_csv, "-m", tiny_run, "--color", "qed_predicted", "-o", "map.html", "--png", "map.png")
    assert found.exit_code == 0, found.output
    page, original = maps.read_map(tmp_path / "map.html"), pd.read_csv(table_csv)
    assert page["smiles"].tolist() == original["smiles"].tolist()
    np.testing.assert_allclose(page["logP"], original["logP"], atol=1e-4)
    expected = model.predict(original["smiles"].tolist())
    np.testing.assert_allclose(page["logP_predicted"], expected["logP"], atol=1e-3)
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")


def test_map_of_a_sample_is_the_same_for_the_same_seed(chemvae, tiny_run, table_csv, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert chemvae("map", table_csv, "-m", tiny_run, "--limit", 50, "--seed", seed, "-o", f"{name}.html").exit_code == 0
    a, b, c = (maps.read_map(tmp_path / f"{name}.html")["smiles"].tolist() for name in "abc")
    assert len(a) == 50 and a == b != c


def test_the_stages_of_a_map_are_shown_one_under_the_other(monkeypatch):
    from rich.console import Console

    from chemvae.commands.map import STAGES
    from chemvae.commands.shared import console
    from chemvae.progress import Progress

    screen = Console(width=80, file=io.StringIO(), force_terminal=True, color_system=None)
    monkeypatch.setattr(console, "is_live", lambda: True)
    monkeypatch.setattr(console, "console", lambda: screen)
    with console.stages(STAGES) as take:
        for now in (Progress("read", 40), Progress("encode", 10, 40), Progress("encode", 40, 40), Progress("project", 0, 40)):
            take(now)
    shown = screen.file.getvalue()
    assert "Reading" in shown and "Encoding" in shown and "40/40" in shown and "Finding 2 dimensions" in shown
    monkeypatch.setattr(console, "is_live", lambda: False)
    with console.stages(STAGES) as take:
        take(Progress("read", 40))
    assert screen.file.getvalue() == shown  # nothing moves where nothing may, and nothing is late yet
