"""Run a tutorial as a reader would and write what it prints into its page: ``python docs/examples/render.py tutorials/map``.

Each ``text`` block is what the commands or the Python just above it printed, at 100 columns; pictures that a page shows are
taken from the folder it worked in. Without a name every tutorial that shows output is run. What was run, with which versions,
is kept in rendered.json: a test sees whether a page has been changed since.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "docs" / "pages"
RECORD = Path(__file__).with_name("rendered.json")
BLOCK = re.compile(r"^```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CHECKOUT = "PATH/TO/chemvae/"


def code_of(page: str) -> str:
    """A checksum of all that a page tells the reader to do."""
    told = [found.groups() for found in BLOCK.finditer(page) if found[1] != "text"]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def shell(line: str) -> str:
    """What a line prints, standard error included, as a terminal of 100 columns shows it."""
    if line.startswith("cp "):
        line = line.replace(CHECKOUT, f"{ROOT}/")
    words = {"chemvae": f"{sys.executable} -m chemvae", "python": sys.executable}
    name, _, rest = line.partition(" ")
    line = f"{words.get(name, name)} {rest}".replace('"cmd:python ', f'"cmd:{sys.executable} ')
    done = subprocess.run(line, shell=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        raise SystemExit(f"{line}\n{done.stdout}")
    return done.stdout


def python(code: str, names: dict[str, Any]) -> str:
    """What a snippet prints."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(code, "page", "exec"), names)
    return printed.getvalue()


def run(found: re.Match[str], names: dict[str, Any]) -> str:
    """Do what a block says; return what that printed."""
    language, title, text = found.groups()
    if title:
        Path(title).write_text(text, encoding="utf-8")
        return ""
    if language == "python":
        return python(text, names)
    return "".join(shell(line) for line in text.splitlines()) if language == "bash" else ""


def filled(page: str) -> str:
    """The page with what its commands print today; what stands after the last output is not run."""
    printed, names = "", {}
    pieces, place = [], 0
    blocks = list(BLOCK.finditer(page))
    last = max(i for i, found in enumerate(blocks) if found[1] == "text")
    for found in blocks[: last + 1]:
        pieces.append(page[place : found.start()])
        if found[1] == "text":
            lines = [line.rstrip() for line in printed.strip("\n").splitlines()]
            pieces.append("```text\n" + "\n".join(lines) + "\n```")
        else:
            printed = run(found, names)
            pieces.append(found[0])
        place = found.end()
    return "".join(pieces) + page[place:]


def take_pictures(page: str, folder: Path) -> None:
    """Put the pictures that a page shows beside it."""
    for name in re.findall(r"\]\(images/([^)]+)\)", page):
        folder.mkdir(exist_ok=True)
        shutil.copy(name, folder / name)


def own_version() -> str:
    """The version of the checkout, whatever is installed."""
    found = re.search(r'__version__ = "([^"]+)"', (ROOT / "chemvae" / "__init__.py").read_text(encoding="utf-8"))
    return found[1] if found else ""


def render(name: str) -> None:
    """Run one page in a folder of its own, and write it and the record."""
    path = PAGES / f"{name}.md"
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as work:
        os.chdir(work)
        sys.path.insert(0, work)
        try:
            page = filled(path.read_text(encoding="utf-8"))
            take_pictures(page, path.parent / "images")
        finally:
            os.chdir(before)
            sys.path.remove(work)
    path.write_text(page, encoding="utf-8")
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    versions = {"chemvae": own_version(), **{package: version(package) for package in ("torch", "rdkit")}}
    record[name] = {"code": code_of(page), "python": platform.python_version(), **versions}
    RECORD.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n")


def main() -> None:
    os.environ.update(COLUMNS="100", TERMINAL_WIDTH="100", PYTHONPATH=f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    shown = [path for path in sorted((PAGES / "tutorials").glob("*.md")) if "```text\n" in path.read_text(encoding="utf-8")]
    for name in sys.argv[1:] or [f"tutorials/{path.stem}" for path in shown]:
        render(name)


if __name__ == "__main__":
    main()
