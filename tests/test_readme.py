"""README tells the truth: its commands run (at small sizes, on molecules that are easy to learn), its flags and links exist."""

import re
import shlex
import shutil
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest
from typer.main import get_command
from typer.testing import CliRunner

import chemvae
from chemvae.chem.properties import compute_table
from chemvae.cli import app

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
TORCH_INDEX = "https://download.pytorch.org/whl/cpu"
# What README says in full size -> what is run here.
SHRINK = {
    r"\bvirtual-drugs\b": "easy.csv",
    r"--budget \d+": "--budget 10",
    r"-n 1000\b": "-n 30",
    r"--n-molecules \d+": "--n-molecules 20 --n-reconstruction 2 --n-curve 2 --n-fcd 0",
    r"--n-samples \d+": "--n-samples 40",
    r"--limit \d+": "--limit 40",
    r"--preset (cpu|gpu)": "--preset tiny",
    r"--epochs \d+": "",
    r"budget=\d+": "budget=10",
    r"\b1000\b": "30",
    r"n_samples=2000": "n_samples=40, n_reconstruction=2, n_curve=0, n_fcd=0",
    r"n_molecules=500": "n_molecules=20",
    r"epochs=\d+": "epochs=6, encoder_dim=24, decoder_dim=48, batch_size=16, ema_decay=0.5, min_kl=0.0, min_active_units=0.0",
}
SMALL_TRAINING = (
    " --epochs 6 --encoder-dim 24 --decoder-dim 48 --batch-size 16 --ema-decay 0.5 --learning-rate 0.01 --warmup-steps 5"
    " --min-kl 0 --min-active-units 0"
)
SMALL_TUNING = " --epochs 1 --threads 1 --min-kl 0 --min-active-units 0"  # sizes are those of the model it starts from


class Block(NamedTuple):
    language: str
    text: str


BLOCKS = [Block(*found) for found in re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)]
LINES = [line for block in BLOCKS if block.language == "bash" for line in block.text.splitlines()]
COMMANDS = [line for line in LINES if line.startswith("chemvae ")]


def shrink(text):
    """The same at a size for tests."""
    for pattern, small in SHRINK.items():
        text = re.sub(pattern, small, text)
    if not text.startswith("chemvae train") or "--resume" in text:
        return text
    return text + (SMALL_TUNING if "--init drug" in text else SMALL_TRAINING)


def easy_molecules():
    """Chains of C, N and O with branches: a tiny model writes them correctly after a few epochs."""
    tails = ("C", "N", "O", "CC", "CO", "CN", "CCC", "CCO", "CCN")
    heads = [f"C{'C' * n}" for n in range(5)]
    return [f"{head}C({branch}){tail}" for head in heads for branch in ("C", "CC", "CO", "O") for tail in tails]


def write_molecules(folder):
    """What README makes or names: easy.csv in place of a virtual library, and molecules.csv as it comes with the checkout."""
    smiles = easy_molecules()
    table = compute_table(smiles, ["logP", "qed", "SAS"])
    table.insert(0, "smiles", smiles)
    table.to_csv(folder / "easy.csv", index=False)
    copies = [shlex.split(line) for line in LINES if line.startswith("cp ")]
    assert [target for _, _, target in copies] == ["molecules.csv"]
    for _, source, target in copies:
        shutil.copy(ROOT / source.removeprefix("PATH/TO/chemvae/"), folder / target)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("readme")
    write_molecules(path)
    return path


def test_readme_holds_what_these_tests_read():
    assert len(COMMANDS) > 15
    assert {block.language for block in BLOCKS} == {"bash", "python"}
    assert all(line.split()[0] in ("chemvae", "make", "pip", "cp", ".ci/run") for line in LINES)


@pytest.fixture(scope="module")
def walked(folder):
    """Run every command and Python block in the order of the page; return what the Python blocks defined."""
    judge = next(block.text for block in BLOCKS if "def score" in block.text)
    (folder / "judge.py").write_text(judge)  # the page shows this file after the command that uses it
    names = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.syspath_prepend(str(folder))
        for block in BLOCKS:
            if block.language == "python":
                exec(compile(shrink(block.text), "README.md", "exec"), names)
            else:
                for line in filter(lambda line: line.startswith("chemvae "), block.text.splitlines()):
                    run(shrink(line))
    return names


def run(line):
    result = CliRunner().invoke(app, shlex.split(line)[1:])
    assert result.exit_code == 0, f"{line}\n{result.output}"


def test_what_the_page_promises_is_there(walked, folder):
    runs = "data/mine/dropped.csv runs/tuned/config.json runs/compared/config.json runs/filled/config.json"
    tables = "new.csv predicted.csv activity.csv again.csv best.csv beam.csv drugs.csv hits/best.csv near/best.csv"
    pages = "path.html map.html hits.html hits/report.html drugs.html tsne.html tsne.png judged/history.jsonl"
    for written in (*tables.split(), *pages.split(), *runs.split()):
        assert (folder / written).stat().st_size > 0, written
    for written, columns in (("predicted.csv", {"qed", "qed_std", "qed_computed"}), ("activity.csv", {"activity_low"})):
        assert columns <= set(pd.read_csv(folder / written).columns), written
    assert len(walked["new"]) == 30 and set(walked["new"].columns) == {"smiles", "valid", "novel"}
    assert len(walked["result"].history) <= 10 and walked["z"].shape == (1, chemvae.load("drug", "cpu").latent_dim)
    assert walked["back"].columns.tolist() == ["row", "sample", "smiles", "valid", "log_prob"]


def command_of(words):
    """The command that the first words name, and the words after its name."""
    command = get_command(app)
    while hasattr(command, "commands") and words and words[0] in command.commands:
        command, words = command.commands[words[0]], words[1:]
    return command, words


def mentioned():
    """Every ``chemvae ...`` of the page, in blocks and in running text."""
    inline = [text for text in re.findall(r"`(chemvae [^`]+)`", README)]
    return sorted({*COMMANDS, *inline})


@pytest.mark.parametrize("line", mentioned())
def test_commands_and_flags_exist(line):
    command, words = command_of(shlex.split(line)[1:])
    assert not hasattr(command, "commands") or not words, f"no such command: {line}"
    flags = {flag for parameter in command.params for flag in (*parameter.opts, *parameter.secondary_opts)} | {"--help"}
    assert {word for word in words if re.match(r"--?[a-z]", word)} <= flags, line


def test_flags_in_running_text_exist():
    _, commands = None, get_command(app).commands
    every = [*commands.values(), *commands["data"].commands.values()]
    known = {flag for command in every for parameter in command.params for flag in parameter.opts}
    for text in re.findall(r"`(--[a-z-]+)[^`]*`", README):
        assert text in known, text


def test_make_targets_and_variables_exist():
    makefile = (ROOT / "Makefile").read_text()
    for line in LINES:
        if line.startswith("make "):
            target, *variables = shlex.split(line)[1:]
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
            assert all(re.search(rf"^{one.split('=')[0]} \?=", makefile, re.MULTILINE) for one in variables), line
    for variable in re.findall(r"`(?:make \w+ )?([A-Z_]+)=[^`]*`", README):
        if variable.startswith("CHEMVAE_"):
            assert any(variable in path.read_text(encoding="utf-8") for path in (ROOT / "chemvae").rglob("*.py")), variable
        else:
            assert re.search(rf"^{variable} \?=", makefile, re.MULTILINE), variable


def test_doctor_and_the_page_name_the_same_extras():
    from chemvae.doctor import EXTRAS, PURPOSES

    assert {extra for extra in re.findall(r"'\.\[(\w+)\]'", README)} == set(EXTRAS) == set(PURPOSES)


def test_extras_exist():
    extras = (ROOT / "pyproject.toml").read_text().split("[project.optional-dependencies]")[1].split("\n[")[0]
    for extra in re.findall(r"'\.\[(\w+)\]'", README):
        assert re.search(rf"^{extra} = ", extras, re.MULTILINE), extra


def test_only_the_torch_index_is_named_and_links_lead_somewhere():
    assert set(re.findall(r"https?://[^\s)`>\]]+", README)) == {TORCH_INDEX}
    for target in re.findall(r"\]\(([^)]+)\)", README):
        assert (ROOT / target).exists(), target
    for path in re.findall(r"`((?:notebooks|tests|\.ci)/[\w./-]+)`", README):
        assert (ROOT / path).exists(), path


def test_evaluation_keys_are_real(walked):
    section = README.split("## What the numbers mean")[1].split("## Limits")[0]
    for key in re.findall(r"^\| (`.*?`) \|", section, re.MULTILINE):
        for name in re.findall(r"`(\w+)`", key):
            assert name == "distance" or name.replace("_P", "_logP") in walked["figures"], name


def test_methods_and_presets_are_the_ones_there_are():
    from chemvae.design import OPTIMIZERS
    from chemvae.training.settings import PRESETS

    for table, names in (("| method |", OPTIMIZERS), ("| preset |", PRESETS)):
        rows = README.split(table)[1].split("\n\n")[0]
        assert set(re.findall(r"^\| `(\w+)` \|", rows, re.MULTILINE)) == set(names)
