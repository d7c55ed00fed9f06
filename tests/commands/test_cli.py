"""The command line as a whole: help, exit codes, and errors that are sentences."""

import os
import subprocess
import sys

import pytest
import typer

from chemvae import cli
from chemvae.commands import sample as sample_command
from chemvae.errors import ChemVAEError, InterruptedRunError, NothingUsableError, SettingsError

COMMANDS = [
    "demo",
    "doctor",
    "data",
    "train",
    "evaluate",
    "bench",
    "encode",
    "decode",
    "sample",
    "predict",
    "interpolate",
    "neighbors",
    "edit",
    "complete",
    "optimize",
    "map",
]


# typer and rich, with what those two read themselves.
TYPER = {"typer", "click", "annotated_doc", "shellingham", "typing_extensions"}
RICH = {"rich", "pygments", "markdown_it", "mdurl", "attr", "attrs", "colorama"}


def python(*words: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, *words], text=True, timeout=120, **options)


def test_help_names_every_command_of_the_interface(chemvae):
    shown = chemvae("--help")
    assert shown.exit_code == 0
    for name in COMMANDS:
        assert f"│ {name} " in shown.output


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(chemvae, name):
    shown = chemvae(name, "--help")
    assert shown.exit_code == 0
    own_flags = [line for line in shown.output.splitlines() if "--help" not in line]
    assert "Usage:" in shown.output and "<bool>" not in "".join(own_flags)


def test_help_reads_nothing_but_the_command_line_itself():
    """What makes it quick: of everything installed, only what draws a help page; `chemvae bench` times it."""
    code = (
        "import sys; sys.argv = ['chemvae', '--help']; before = set(sys.modules); from chemvae.cli import main\ntry: main()\n"
    )
    code += "except SystemExit: print(*{name.partition('.')[0] for name in set(sys.modules) - before}, file=sys.stderr)"
    loaded = set(python("-c", code, capture_output=True, check=True).stderr.split())
    assert {"chemvae", "typer"} <= loaded, "it was drawn"
    assert loaded - set(sys.stdlib_module_names) <= {"chemvae"} | TYPER | RICH


def test_version(chemvae):
    from chemvae import __version__

    assert chemvae("--version").stdout == f"chemvae {__version__}\n"


@pytest.mark.parametrize(
    "words", [["nonsense"], ["sample", "-n", "many"], ["sample", "--wrong"], ["encode"], ["train"], ["sample", "-n", "0"]]
)
def test_usage_errors_exit_with_2(chemvae, words):
    assert chemvae(*words).exit_code == 2


def test_without_a_model_the_shipped_one_is_taken_or_asked_for(chemvae, monkeypatch):
    assert chemvae("sample", "-n", "3").stdout.startswith("smiles,valid,novel")
    monkeypatch.setattr("chemvae.models.storage.shipped_models", list)
    missing = chemvae("sample", "-n", "3")
    assert missing.exit_code == 2 and "-m RUN" in missing.output


def test_a_misspelled_command_brings_the_nearest(chemvae):
    assert "sample" in chemvae("sampel").output


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ChemVAEError("the sentence"), 1),
        (SettingsError("the sentence"), 2),
        (NothingUsableError("the sentence"), 3),
        (InterruptedRunError("the sentence"), 130),
    ],
)
def test_our_errors_become_their_sentence_and_exit_code(chemvae, monkeypatch, error, code):
    break_sampling(monkeypatch, error)
    found = chemvae("sample", "-m", "any", "-v")
    assert (found.exit_code, found.stderr) == (code, "error: the sentence\n")


def break_sampling(monkeypatch, error: BaseException) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(sample_command, "load_model", fail)


def test_an_unforeseen_error_is_one_line_and_says_how_to_report_it(chemvae, monkeypatch):
    break_sampling(monkeypatch, ZeroDivisionError("division by zero"))
    found = chemvae("sample", "-m", "any")
    assert found.exit_code == 1
    assert found.stderr.count("\n") == 1
    assert "ZeroDivisionError: division by zero" in found.stderr and "chemvae doctor" in found.stderr


def test_verbose_shows_the_traceback_of_an_unforeseen_error(chemvae, monkeypatch):
    break_sampling(monkeypatch, ZeroDivisionError("division by zero"))
    assert "Traceback" in chemvae("sample", "-m", "any", "-v").stderr


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (KeyboardInterrupt(), 130, "Interrupted."),
        (MemoryError(), 1, "Memory ran out."),
        (PermissionError(13, "Permission denied", "/x/y.csv"), 1, "/x/y.csv: Permission denied."),
    ],
)
def test_what_the_machine_does_is_said_plainly(chemvae, monkeypatch, error, code, words):
    break_sampling(monkeypatch, error)
    found = chemvae("sample", "-m", "any")
    assert found.exit_code == code
    assert words in found.stderr and "should not have happened" not in found.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="pipes break differently there")
def test_a_reader_that_leaves_early_is_no_error():
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "w") as out:
        done = python("-m", "chemvae", "data", "show", "esol", stdout=out, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (0, "")


def test_quiet_leaves_only_warnings_and_errors(chemvae, tiny_run, table_csv):
    loud, quiet = (chemvae("encode", table_csv, "-m", tiny_run, *flag) for flag in ([], ["-q"]))
    assert "latent dimensions" in loud.stderr
    assert quiet.stderr == ""
    assert quiet.stdout == loud.stdout


def test_messages_stay_off_stdout(chemvae, tiny_run):
    found = chemvae("sample", "-m", tiny_run, "-n", 5)
    assert found.stdout.splitlines()[0] == "smiles,valid,novel"
    assert len(found.stdout.splitlines()) == 6
    assert "5 decodes" in found.stderr


def test_the_log_is_left_as_it_was(chemvae):
    import logging

    logger = logging.getLogger("chemvae")
    before = list(logger.handlers), logger.level
    chemvae("data", "list")
    assert (list(logger.handlers), logger.level) == before


def test_typer_exits_pass_through():
    with pytest.raises(typer.Exit):
        raise typer.Exit(cli.explain(NothingUsableError("nothing")))


def test_streams_that_are_closed_and_odd_environments_get_a_sentence(tmp_path):
    (tmp_path / "a.csv").write_text("smiles,gr\u00f6\u00dfe\nCCO,\u00fc\n", encoding="utf-8")
    there = f"{sys.executable} -m chemvae"
    tried = {
        f"{there} data check a.csv >&-": (0, ""),
        f"{there} predict - <&-": (1, "standard input is empty"),
        f"PYTHONIOENCODING=ascii {there} predict a.csv": (1, "Write to a file (-o), or set"),
        f"OMP_NUM_THREADS=abc {there} sample -n 1": (2, "OMP_NUM_THREADS=abc, which is no number of threads"),
        f"{there} sample -n 1 --temperature=nan": (2, "temperature must be 0 or lie between"),
        f"{there} sample -n 1 -m ''": (2, "the name of the model is empty"),
    }
    for command, (code, words) in tried.items():
        done = subprocess.run(["bash", "-c", command], cwd=tmp_path, text=True, capture_output=True, timeout=120)
        assert done.returncode == code and words in done.stderr, (command, done.stderr)
        assert "should not have happened" not in done.stderr and "Traceback" not in done.stderr
