"""README tells the truth: its commands run (at small sizes, on molecules that are easy to learn), its flags and links exist."""

import re
import shlex
from pathlib import Path

import pandas as pd
import pytest
from typer.main import get_command

import chemvae
from chemvae.cli import app
from tests.written_pages import ROOT, blocks_of, check_flags, commands_in, lines_of, walk

README = (ROOT / "README.md").read_text(encoding="utf-8")
TORCH_INDEX = "https://download.pytorch.org/whl/cpu"
BLOCKS = blocks_of(README)
LINES = lines_of(BLOCKS)


def test_readme_holds_what_these_tests_read_and_is_two_screens():
    assert {block.language for block in BLOCKS} == {"bash", "python"}
    assert all(line.split()[0] in ("chemvae", "make", "pip", "mkdocs") for line in LINES)
    assert {"make demo", "make test"} <= set(LINES) and len(README.splitlines()) <= 120


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("readme")


@pytest.fixture(scope="module")
def walked(folder):
    """Do all that the page says; return what its Python defined."""
    return walk(README, folder)


def test_what_the_page_promises_is_there(walked, folder):
    for written in "new.csv predicted.csv hits/best.csv map.html hits.html hits/report.html".split():
        assert (folder / written).stat().st_size > 0, written
    assert {"qed", "qed_std", "qed_computed"} <= set(pd.read_csv(folder / "predicted.csv").columns)
    assert len(walked["new"]) == 30 and set(walked["new"].columns) == {"smiles", "valid", "novel"}
    assert len(walked["result"].history) <= 10 and walked["z"].shape == (1, chemvae.load("drug", "cpu").latent_dim)
    assert walked["back"].columns.tolist() == ["row", "sample", "smiles", "valid", "log_prob"]


@pytest.mark.parametrize("line", commands_in(README))
def test_commands_and_flags_exist(line):
    check_flags(line)


def test_flags_in_running_text_exist():
    commands = get_command(app).commands
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


def test_only_the_torch_index_is_named_and_links_lead_somewhere():
    assert set(re.findall(r"https?://[^\s)`>\]]+", README)) == {TORCH_INDEX}
    prose = re.sub(r"^```.*?^```$", "", README, flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)]+)\)", prose):
        assert (ROOT / target).exists(), target
    for path in re.findall(r"`((?:notebooks|tests|docs|\.ci)/[\w./-]+)`", README):
        assert (ROOT / path).exists(), path


def test_extras_exist():
    extras = (ROOT / "pyproject.toml").read_text().split("[project.optional-dependencies]")[1].split("\n[")[0]
    pages = [README, *(path.read_text(encoding="utf-8") for path in Path(ROOT, "docs/pages").rglob("*.md"))]
    for extra in {extra for page in pages for extra in re.findall(r"'\.\[(\w+)\]'", page)}:
        assert re.search(rf"^{extra} = ", extras, re.MULTILINE), extra
