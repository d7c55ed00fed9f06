"""What the packages ask for is what pyproject.toml asks for, and the image's steps are there."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import chemvae

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


def test_every_place_names_the_same_version_and_the_changelog_has_its_section():
    version = project()["version"]
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert chemvae.__version__ == version and f"version: {version}\n" in citation
    dated = re.search(
        rf"^## {re.escape(version)} - (\d{{4}}-\d\d-\d\d)$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE
    )
    assert dated and f'date-released: "{dated[1]}"' in citation


def test_type_checkers_and_lawyers_find_what_they_look_for():
    """A marker in the package, and the licence of everything that is bundled, with its text."""
    assert (ROOT / "chemvae" / "py.typed").read_bytes() == b""
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    bundled = json.loads((ROOT / "chemvae/maps/assets/assets.json").read_text(encoding="utf-8"))
    for name, licence in (("RDKit", bundled["licence"]), *bundled["also_contains"].items()):
        assert re.search(rf"^ +{name.split()[0]} +{re.escape(licence)}", notice, re.MULTILINE), name
        assert re.search(rf"^{re.escape(licence)} \(.*{name.split()[0]}", notice, re.MULTILINE), f"no text of {licence}"
    assert {"LICENSE", "NOTICE"} <= set(project()["license-files"])
    card = (ROOT / "chemvae/weights/drug/card.md").read_text(encoding="utf-8")
    assert all("https://doi.org/10.1021/ci3001277" in text for text in (card, notice))


def test_the_oldest_dependencies_are_the_lower_bounds():
    oldest = {}
    for line in (PACKAGING.parent / "constraints-oldest.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, _, version = line.partition("==")
            oldest[name.lower()] = version
    extras = project()["optional-dependencies"]
    for requirement in [*project()["dependencies"], *extras["flows"], *extras["xlsx"][:1], *extras["zstd"]]:
        name, bound = re.match(r"([\w-]+)\s*>=([\d.]+)", requirement).groups()
        if name not in ("torch", "tomli"):
            numbers = [[*map(int, text.split(".")), 0, 0][:3] for text in (oldest[name.lower()], bound)]
            assert numbers[0] == numbers[1], f"{name}: tested {oldest[name.lower()]}, promised {bound}"


def test_the_workflow_tries_every_python_that_is_promised_and_the_oldest_dependencies():
    yaml = pytest.importorskip("yaml", reason="pyyaml comes with the extra 'test'")
    jobs = yaml.safe_load((ROOT / ".github/workflows/tests.yml").read_text(encoding="utf-8"))["jobs"]
    assert jobs["python"]["strategy"]["matrix"]["python"] == ["3.10", "3.11", "3.12", "3.13"]
    assert project()["requires-python"] == ">=3.10"
    steps = {job: [step.get("run", "") for step in told["steps"]] for job, told in jobs.items()}
    assert ".ci/run" in steps["whole"] and any("constraints-oldest.txt" in line for line in steps["oldest"])


def test_what_runs_before_a_commit_is_there():
    yaml = pytest.importorskip("yaml", reason="pyyaml comes with the extra 'test'")
    (local,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    hooks = {hook["id"]: hook["entry"] for hook in local["hooks"]}
    assert set(hooks) == {"ruff", "ruff-format", "types", "size"}
    assert (ROOT / hooks["size"].split()[-1]).is_file()
    script = (PACKAGING.parent / "run").read_text(encoding="utf-8")
    assert all(word in script for word in ("ruff check", "ruff format", "check_sizes.py", "make types"))


def load_check():
    spec = importlib.util.spec_from_file_location("check_sizes", PACKAGING.parent / "check_sizes.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_large_file_is_refused_unless_it_is_named(tmp_path):
    check = load_check()
    if (ROOT / ".git").exists():
        assert check.too_large(ROOT) == []
    git = ["git", "-c", "init.defaultBranch=main", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "-q"], check=True)
    for name, size in (("small.bin", 10), ("large.bin", check.LIMIT + 1), ("unknown.bin", check.LIMIT + 1)):
        (tmp_path / name).write_bytes(b"0" * size)
    subprocess.run([*git, "add", "small.bin", "large.bin"], check=True)
    assert [line.split()[0] for line in check.too_large(tmp_path)] == ["large.bin"]
    check.NAMED["large.bin"] = check.LIMIT + 1
    assert check.too_large(tmp_path) == []
