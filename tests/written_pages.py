"""Pages with commands and snippets: taken apart, made small, and run as a reader would run them."""

from __future__ import annotations

import re
import runpy
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from typer.main import get_command
from typer.testing import CliRunner

import chemvae
from chemvae.chem.properties import compute_table
from chemvae.cli import app

ROOT = Path(__file__).parent.parent
PAGES = ROOT / "docs" / "pages"
CHECKOUT = "PATH/TO/chemvae/"
SHRINK = {
    r"\bvirtual-drugs\b|\bzinc250k\b(?= -o)": "easy.csv",
    r"edit SMILES": "edit CCOC(=O)c1ccccc1",
    r"--diverse \d+": "--diverse 3",
    r"\"diverse\": \d+, \"budget\": \d+": '"diverse": 3, "budget": 10',
    r"--steps \d+": "--steps 2",
    r"n=24": "n=4",
    r"--budget \d+": "--budget 10",
    r"--batch \d+": "--batch 4",
    r"-n 1000\b": "-n 30",
    r"--n-molecules \d+": "--n-molecules 20 --n-reconstruction 2 --n-curve 2 --n-fcd 0 --n-codes 20 --n-smoothness 10",
    r"--n-samples \d+": "--n-samples 40",
    r"--likelihood \d+": "--likelihood 2 --ais-temperatures 5 --ais-chains 2 --n-molecules 10 --n-samples 20 --n-curve 0"
    " --n-reconstruction 1 --n-fcd 0 --n-codes 0 --n-smoothness 0",
    r"--limit \d+": "--limit 40",
    r"--preset (cpu|gpu)": "--preset tiny",
    r"--recipe full": '--recipe full --stages \'{"between": {"steps": 2}, "reward": {"rounds": 1, "points": 8,'
    ' "critic_points": 200, "critic_steps": 2}, "fit": {"epochs": 1, "rounds": 0}}\'',
    r"--epochs \d+": "",
    r"budget=\d+": "budget=10",
    r"\b1000\b": "30",
    r"n_samples=2000": "n_samples=40, n_reconstruction=2, n_curve=0, n_fcd=0",
    r"n_molecules=500": "n_molecules=20",
    r"epochs=\d+": "epochs=6, encoder_dim=24, decoder_dim=48, batch_size=16, ema_decay=0.5, min_kl=0.0, min_active_units=0.0",
}
"""What a page says in full size -> what is run here."""
SMALL_TRAINING = (
    " --epochs 6 --encoder-dim 24 --decoder-dim 48 --batch-size 16 --ema-decay 0.5 --learning-rate 0.01 --warmup-steps 5"
    " --min-kl 0 --min-active-units 0"
)
SMALL_TUNING = " --epochs 1 --threads 1 --min-kl 0 --min-active-units 0"  # sizes are those of the model it starts from
FENCE = re.compile(r"^```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A fenced block of a page; ``title`` is the file that it shows, if it shows one."""

    language: str
    title: str
    text: str


def blocks_of(page: str) -> list[Block]:
    """The fenced blocks of a page in order."""
    return [Block(*found) for found in FENCE.findall(page)]


def lines_of(blocks: list[Block]) -> list[str]:
    """What a reader types into a shell."""
    return [line for block in blocks if block.language == "bash" for line in block.text.splitlines()]


def commands_in(page: str) -> list[str]:
    """Every ``chemvae ...`` of a page, in blocks and in running text."""
    inline = [" ".join(text.split()) for text in re.findall(r"`(chemvae [^`]+)`", page)]
    shown = [line for line in lines_of(blocks_of(page)) if line.startswith("chemvae ")]
    return sorted({*shown, *(line for line in inline if "..." not in line)})


def shrink(text: str, more: dict[str, str] | None = None) -> str:
    """The same at a size for tests."""
    for pattern, small in {**(more or {}), **SHRINK}.items():
        text = re.sub(pattern, small, text)
    if not text.startswith("chemvae train") or "--resume" in text:
        return text
    return text + (SMALL_TUNING if "--init drug" in text else SMALL_TRAINING)


def easy_molecules() -> list[str]:
    """Chains of C, N and O with branches: a tiny model writes them correctly after a few epochs."""
    tails = ("C", "N", "O", "CC", "CO", "CN", "CCC", "CCO", "CCN")
    heads = [f"C{'C' * n}" for n in range(5)]
    return [f"{head}C({branch}){tail}" for head in heads for branch in ("C", "CC", "CO", "O") for tail in tails]


def write_easy_table(folder: Path) -> None:
    """easy.csv, which stands for a virtual library."""
    smiles = easy_molecules()
    table = compute_table(smiles, ["logP", "qed", "SAS"])
    table.insert(0, "smiles", smiles)
    table.to_csv(folder / "easy.csv", index=False)


def run(line: str) -> str:
    """Run a command in this process; return what it printed."""
    result = CliRunner().invoke(app, shlex.split(line)[1:])
    assert result.exit_code == 0, f"{line}\n{result.output}"
    return result.output


def do(line: str) -> None:
    """What a line of a shell block does here: run chemvae, copy a file of the checkout, nothing for make and pip."""
    words = shlex.split(re.sub(r"\s+# .*$", "", line))
    if words[:2] == ["chemvae", "serve"]:
        return  # it goes on until it is ended: tests/app do what it is for
    if words[:1] == ["chemvae"]:
        run(shrink(re.sub(r"\s+# .*$", "", line)).replace("cmd:python ", f"cmd:{sys.executable} "))
    elif words[:1] == ["python"]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", words[1:])
            runpy.run_path(words[1], run_name="__main__")
    elif words[:1] == ["cp"]:
        source = words[1]
        shutil.copy(ROOT / source.removeprefix(CHECKOUT) if source.startswith(CHECKOUT) else source, words[2])


def walk(page: str, folder: Path) -> dict[str, Any]:
    """Do all that a page says, in its order, in a folder; return what its Python defined.

    Files that it shows are written first: a page may show one after the command that uses it.
    """
    blocks = blocks_of(page)
    write_easy_table(folder)
    for block in blocks:
        if block.title:
            (folder / block.title).write_text(block.text, encoding="utf-8")
    names: dict[str, Any] = {"chemvae": chemvae}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.syspath_prepend(str(folder))
        for block in (one for one in blocks if not one.title):
            if block.language == "python":
                exec(compile(shrink(block.text), "page", "exec"), names)
            elif block.language == "bash":
                for line in block.text.splitlines():
                    do(line)
    sys.modules.pop("judge", None)  # a page's own file, which another page may have too
    return names


def command_of(words: list[str]) -> tuple[Any, list[str]]:
    """The command that the first words name, and the words after its name."""
    command: Any = get_command(app)
    while hasattr(command, "commands") and words and words[0] in command.commands:
        command, words = command.commands[words[0]], words[1:]
    return command, words


def check_flags(line: str) -> None:
    """A command exists, and so do its flags."""
    command, words = command_of(shlex.split(line)[1:])
    assert not hasattr(command, "commands") or set(words) <= {"--help", "--version"}, f"no such command: {line}"
    flags = {flag for parameter in command.params for flag in (*parameter.opts, *parameter.secondary_opts)} | {"--help"}
    assert {word for word in words if re.match(r"--?[a-z]", word)} <= flags, line
