"""What the page says can be done: every command it names is one, with flags that it has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.main import get_command

import chemvae
from chemvae.cli import app

PLACES = sorted(
    path
    for room in ("static", "templates")
    for path in (Path(chemvae.__file__).parent / "app" / room).rglob("*")
    if path.suffix in (".js", ".html")
)
COMMAND = re.compile(r"chemvae ([a-z]+)((?: [^\"`'<>,.;]*)?)")


@pytest.mark.parametrize("path", PLACES, ids=lambda path: path.name)
def test_a_command_that_the_page_names_exists_with_its_flags(path: Path):
    commands = get_command(app).commands
    for name, rest in COMMAND.findall(path.read_text(encoding="utf-8")):
        if name not in commands:
            continue
        known = {flag for one in commands[name].params for flag in getattr(one, "opts", ())}
        assert set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", rest)) <= known, (name, rest)
