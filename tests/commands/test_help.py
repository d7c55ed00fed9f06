"""Every command's help ends with two examples that run, and every suggestion can be pasted into a shell."""

import logging
import re
import shlex
import shutil
import time
from pathlib import Path

import pandas as pd
import pytest
from typer.main import get_command
from typer.testing import CliRunner

from chemvae.cli import app
from chemvae.commands.shared import console
from chemvae.commands.shared.help import EXAMPLES
from chemvae.errors import command_line
from chemvae.progress import Progress

ROOT = Path(__file__).parents[2]
LONG = {"demo", "bench", "train", "doctor", "serve"}  # minutes, or until they are told to end: they are run by their own tests
SMALL = {
    r"virtual-drugs -o": "molecules.csv -o",
    r"--budget \d+": "--budget 5",
    r"(--maximize qed) -o near": r"\1 --budget 5 -o near",
    r"-n 1000": "-n 10",
    r"--n-samples \d+": "--n-samples 10",
    r"(evaluate \S+)": r"\1 --n-molecules 10 --n-samples 10 --n-reconstruction 1 --n-curve 0 --n-fcd 0 --n-codes 0 "
    "--n-smoothness 0",
    r"--steps 15": "--steps 3",
    r"--method tsne": "--method tsne --limit 40",
}


def names():
    found = []
    for name, command in get_command(app).commands.items():
        found += [name, *(f"{name} {inner}" for inner in getattr(command, "commands", ()))]
    return found


def shrink(line):
    for pattern, small in SMALL.items():
        line = re.sub(pattern, small, line)
    return line


@pytest.mark.parametrize("name", names())
def test_help_ends_with_two_examples_of_this_command(name):
    shown = CliRunner().invoke(app, [*name.split(), "--help"], env={"COLUMNS": "120", "TERMINAL_WIDTH": "120"}).output
    last = [line.strip() for line in shown.strip().splitlines() if line.strip()][-3:]
    assert last == ["Examples", *EXAMPLES[name]]
    assert all(line.startswith(f"chemvae {name}") for line in last[1:]) and "<bool>" not in shown


def test_the_first_help_shows_no_type_for_flags_that_take_nothing():
    assert "<bool>" not in CliRunner().invoke(app, ["--help"]).output


def flags_of(line):
    command, words = get_command(app), shlex.split(line)[1:]
    while hasattr(command, "commands"):
        command, words = command.commands[words[0]], words[1:]
    known = {flag for parameter in command.params for flag in (*parameter.opts, *parameter.secondary_opts)}
    return {word for word in words if word.startswith("-") and len(word) > 1}, known


@pytest.mark.parametrize("line", sorted({line for two in EXAMPLES.values() for line in two}))
def test_flags_of_examples_exist(line):
    used, known = flags_of(line)
    assert used <= known


@pytest.mark.slow
def test_examples_run_as_printed(tmp_path, monkeypatch):
    """In the order of the list, at small sizes, beside the table that comes with the checkout."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "data" / "example.csv", "molecules.csv")
    order = sorted(EXAMPLES, key=lambda name: name not in ("sample", "encode"))  # they make what others read
    for name in (name for name in order if name not in LONG):
        for line in EXAMPLES[name]:
            result = CliRunner().invoke(app, shlex.split(shrink(line.partition(" > ")[0]))[1:])
            assert result.exit_code == 0, f"{line}\n{result.output}"


@pytest.mark.parametrize("name", ["pIC50 (uM)", "a'b", "$HOME", 'say "x"', "x; rm -rf y", "a\tb", "é & co"])
def test_a_suggestion_comes_back_from_a_shell_as_it_was_meant(name):
    words = ["train", f"my {name}.csv", "-p", name, "-o", Path("runs") / name]
    assert shlex.split(command_line(*words)) == ["chemvae", *map(str, words)]


def test_what_prepare_suggests_names_every_label_and_is_quoted(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    labels = ["pIC50 (uM)", "logD", "k'", "sol", "t1/2"]
    rows = [",".join(["smiles", *labels])] + [f"{'C' * n}O," + ",".join(["1.5"] * 5) for n in range(1, 30)]
    Path("my table.csv").write_text("\n".join(rows) + "\n")
    flags = [word for label in labels for word in ("-p", label)]
    result = CliRunner().invoke(app, ["data", "prepare", "my table.csv", *flags])
    assert result.exit_code == 0, result.output
    words = shlex.split(result.stderr.split("Next: ")[1].splitlines()[0])
    ending = ["--init", "drug", "-o", str(Path("runs/my table"))]  # too few molecules for a model of their own
    assert words == ["chemvae", "train", str(Path("data/my table")), *flags, *ending]


def test_work_that_takes_long_is_spoken_of_where_nothing_may_move(monkeypatch):
    said = []
    monkeypatch.setattr(console, "say", said.append)
    for block in (console.soon("Reading", 0.01), console.soon("Never said", 60.0)):
        with block:
            time.sleep(0.1)
    assert said == ["Reading ..."] and console.SOON_S < 2


@pytest.mark.parametrize("opened", [lambda: console.working("Reading"), lambda: console.counting("Reading"),
                                    lambda: console.stages({"read": "Reading"})])  # fmt: skip
def test_every_kind_of_progress_begins_in_time(opened, monkeypatch):
    said = []
    monkeypatch.setattr(console, "say", said.append)
    monkeypatch.setattr(console, "SOON_S", 0.01)
    with opened():
        time.sleep(0.1)
    assert said == ["Reading ..."]


def test_a_stage_is_spoken_of_once_and_not_when_the_next_has_begun(monkeypatch):
    said = []
    monkeypatch.setattr(console, "say", said.append)
    monkeypatch.setattr(console, "SOON_S", 0.02)
    with console.stages({"read": "Reading", "encode": "Encoding"}) as take:
        take(Progress("encode", 1))
        time.sleep(0.1)
        take(Progress("read", 2))
        take(Progress("encode", 3))
    assert said == ["Encoding ..."]


def test_the_same_sentence_of_the_library_is_told_once_in_a_command(capsys):
    library, own = logging.getLogger("chemvae.data.files.molecule_column"), logging.getLogger("chemvae.commands")
    with console.talking():
        for _ in range(2):
            library.info("The SMILES stand in 'Structure'.")
            own.info("epoch 1")
    assert capsys.readouterr().err.splitlines() == ["The SMILES stand in 'Structure'.", "epoch 1", "epoch 1"]


def test_a_smiles_that_does_not_fit_is_whole_at_the_end_of_its_line(monkeypatch, capsys):
    long = "c1ccccc1C(=O)N" * 6 + "C"
    frame = pd.DataFrame({"smiles": [long, "CCO"], "score": [0.51234, 2.0], "novel": [True, False]})
    monkeypatch.setenv("COLUMNS", "60")
    with console.talking():
        console.show(console.listing(frame, "Best of 2"))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "Best of 2" and lines[1].split() == ["score", "novel", "smiles"]
    assert lines[2].split() == ["0.5123", "True", long] and lines[3].split() == ["2", "False", "CCO"]


def test_a_table_that_fits_keeps_the_order_of_its_columns(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "60")
    with console.talking():
        console.show(console.listing(pd.DataFrame({"smiles": ["CCO"], "score": [2.0]})))
    assert capsys.readouterr().err.split()[:2] == ["smiles", "score"]
