"""What the packages ask for is what pyproject.toml asks for, and the image's steps are there."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
PACKAGING = ROOT / ".ci" / "packaging"
CONDA_NAMES = {"torch": "pytorch", "matplotlib": "matplotlib-base"}

pytestmark = pytest.mark.skipif(not PACKAGING.is_dir(), reason="the tests run without the checkout's .ci folder")


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def conda_requirements() -> set[str]:
    """The lines of the recipe's run requirements, without spaces and comments."""
    text = (PACKAGING / "recipe.yaml").read_text(encoding="utf-8")
    block = re.search(r"^  run:\n((?:    - .*\n)+)", text, re.MULTILINE).group(1)
    return {line.partition("#")[0].strip(" -").replace(" ", "") for line in block.splitlines()}


def test_the_conda_package_requires_what_the_wheel_requires():
    asked = set()
    for requirement in project()["dependencies"]:
        name, bound = re.match(r"([\w-]+)\s*(>=[\d.]+)", requirement).groups()
        asked.add(CONDA_NAMES.get(name, name) + bound)
    asked.add("python" + project()["requires-python"])
    assert conda_requirements() == asked | {"c-compiler"}


def test_the_conda_package_has_the_version_and_licence_of_the_wheel():
    text = (PACKAGING / "recipe.yaml").read_text(encoding="utf-8")
    assert f'version: "{project()["version"]}"' in text and f"license: {project()['license']}" in text


@pytest.mark.parametrize("page", ["Dockerfile", "recipe.yaml", "README.md"])
def test_scripts_that_are_named_exist(page):
    named = set(re.findall(r"[\w./]*\b[\w]+\.sh\b", (PACKAGING / page).read_text(encoding="utf-8")))
    assert named
    assert all((PACKAGING / Path(name).name).is_file() for name in named)
