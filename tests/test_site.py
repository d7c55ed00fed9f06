"""Every page of the site tells the truth: what it says is done, in its order, at small sizes; flags, links and names exist."""

import gzip
import importlib.util
import json
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import chemvae
from tests.written_pages import FENCE, PAGES, ROOT, blocks_of, check_flags, commands_in, do, lines_of, run, walk

WRITTEN = sorted(path.relative_to(PAGES).as_posix() for path in PAGES.rglob("*.md"))
HOW_TO = [name for name in WRITTEN if name.startswith("how-to/") and "index" not in name]
OTHERS = [name for name in WRITTEN if name not in (*HOW_TO, "lectures.md")]
WALKED = [name for name in OTHERS if lines_of(blocks_of((PAGES / name).read_text(encoding="utf-8")))]
SEARCHES = {"maps.md": "runs/qed", "app.md": "chemvae-project/jobs/0007-optimize"}
"""Folders of searches that a reader of a page has."""
EXAMPLES = sorted(path for path in (ROOT / "docs/examples").glob("*.py") if path.name != "render.py")
SHELL = ("chemvae", "make", "pip", "cp", "python", "pytest", ".ci/run", "oldest/bin/pip", "oldest/bin/python")


def text_of(name: str) -> str:
    return (PAGES / name).read_text(encoding="utf-8")


def links_of(name: str) -> list[str]:
    words = FENCE.sub("", text_of(name))  # a SMILES has brackets, too
    return [link for link in re.findall(r"\]\(([^)\s]+)\)", words) if not link.startswith("http")]


PROMISED = {
    "using/python.md": "new.csv predicted.csv near/best.csv path.html hits.html again.html activity.csv tsne.html tsne.png",
    "using/points.md": "points.npy again.csv best.csv beam.csv",
    "using/training.md": "data/mine/dropped.csv runs/tuned/config.json runs/compared/config.json runs/filled/config.json "
    "drugs.csv drugs.html",
    "using/design.md": "judged/history.jsonl weighed/best.csv next.csv",
    "laboratory.md": "next.xlsx campaign.jsonl next.csv",
    "library.md": "hits.sdf",
    "maps.md": "zinc.html library.html library.safetensors new.html scaffolds.html plane.html",
    "moving.md": "near.html edit.png chlorinated.html path.png",
    "tutorials/shortlist.md": "round1.csv round2.csv round3.csv shortlist.csv campaign/report.html",
}


def write_reader_files(name: str, folder: Path) -> None:
    """What the pages on maps, libraries and moving take for a reader's own: tables, and a search that was run."""
    table = pd.read_csv(ROOT / "data/example.csv").head(120)
    table["target"] = ["kinase", "protease"] * (len(table) // 2)
    for written, rows in (("molecules", table), ("library", table), ("drugs", table.head(9)), ("new", table.tail(9))):
        rows.to_csv(folder / f"{written}.csv", index=False)
    (folder / "new.smi").write_text("\n".join(table["smiles"].tail(9)), encoding="utf-8")
    (folder / "more.smi.gz").write_bytes(gzip.compress("\n".join(table["smiles"].tail(30)).encode(), mtime=0))
    if name in SEARCHES:
        run(f"chemvae optimize --maximize qed --budget 10 -o {folder / SEARCHES[name]}")


@pytest.mark.slow
@pytest.mark.parametrize("name", WALKED)
def test_what_a_page_says_can_be_done_in_its_order_and_leaves_what_it_promises(name, tmp_path):
    if "/" not in name and name != "index.md":
        write_reader_files(name, tmp_path)
    walk(text_of(name), tmp_path)
    for written in PROMISED.get(name, "").split():
        assert (tmp_path / written).stat().st_size > 0, written
    if name == "using/python.md":
        assert {"activity_low", "activity_high"} <= set(pd.read_csv(tmp_path / "activity.csv").columns)


@pytest.mark.slow
def test_every_idea_of_the_lectures_runs(tmp_path, monkeypatch):
    """What the table names, not only what stands in blocks."""
    page = text_of("lectures.md")
    walk(page, tmp_path)
    monkeypatch.chdir(tmp_path)
    told = [found[0] for found in re.findall(r"^\|[^`\n]*\| `(chemvae [^`]+)` \|([^\n]*)$", page, re.MULTILINE)]
    assert len(told) > 20
    for line in told:
        do(line.replace("\\|", "|"))


def changed(text: str, patch: str) -> str:
    """A file with the lines of a patch in it; its parts, between lines of @@, are found by the lines that stay."""
    for part in patch.split("@@\n"):
        lines = part.splitlines()
        before = "\n".join(line[1:] for line in lines if not line.startswith("+"))
        after = "\n".join(line[1:] for line in lines if not line.startswith("-"))
        assert text.count(f"\n{before}\n") == 1, f"the page shows lines that are not there once:\n{before}"
        text = text.replace(f"\n{before}\n", f"\n{after}\n")
    return text


@pytest.fixture
def copy(tmp_path):
    """A copy of the package and its tests, to be changed."""
    for room in ("chemvae", "tests"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__", "drug"))
    (tmp_path / "chemvae/weights/drug").symlink_to(ROOT / "chemvae/weights/drug", target_is_directory=True)
    shutil.copytree(ROOT / "data", tmp_path / "data")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


SMALL = {
    r"-n 1000\b": "-n 30",
    r"--budget \d+": "--budget 10",
    r"budget=\d+": "budget=10",
    r"(chemvae train .*)": r"\1 --epochs 1 --encoder-dim 16 --decoder-dim 24 --batch-size 64 --min-kl 0 --min-active-units 0",
}


def in_the_copy(line: str, folder: Path) -> None:
    """Run a line of the page with the changed package."""
    for pattern, small in SMALL.items():
        line = re.sub(pattern, small, line)
    words = shlex.split(line)
    command = [sys.executable, *(words[1:] if words[0] == "python" else ["-m", *words])]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment(folder))
    assert done.returncode == 0, f"{line}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}


def follow(name: str, folder: Path) -> None:
    """Write the files that a how-to page shows, change those it changes, and run what it runs."""
    for block in blocks_of(text_of(name)):
        if block.language == "diff":
            path = folder / block.title
            path.write_text(changed(path.read_text(encoding="utf-8"), block.text), encoding="utf-8")
        elif block.title:
            assert not (folder / block.title).exists(), block.title
            (folder / block.title).write_text(block.text, encoding="utf-8")
        elif block.language == "bash":
            for line in block.text.splitlines():
                in_the_copy(line, folder)
        elif block.language == "python":
            small = re.sub(r"budget=\d+", "budget=10", block.text)
            (folder / "snippet.py").write_text(small, encoding="utf-8")
            in_the_copy("chemvae --version", folder)
            done = subprocess.run(
                [sys.executable, "snippet.py"], cwd=folder, capture_output=True, text=True, env=environment(folder)
            )
            assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.slow
@pytest.mark.parametrize("name", HOW_TO)
def test_a_stranger_adds_something_by_its_page_alone(name, copy):
    follow(name, copy)


@pytest.mark.parametrize("name", HOW_TO)
def test_the_lines_that_a_page_changes_are_there(name):
    patches = [block for block in blocks_of(text_of(name)) if block.language == "diff"]
    assert patches
    for patch in patches:
        changed((ROOT / patch.title).read_text(encoding="utf-8"), patch.text)


def test_there_is_a_page_for_every_table():
    assert {"posterior", "objective", "prior", "oracle", "optimizer", "property", "command"} == {Path(n).stem for n in HOW_TO}


@pytest.mark.slow
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_run(path, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CHEMVAE_FAST", "1")
    runpy.run_path(str(path), run_name="__main__")
    assert capsys.readouterr().out.strip()


@pytest.mark.parametrize("name", WRITTEN)
def test_commands_and_flags_of_a_page_exist(name):
    for line in commands_in(text_of(name)):
        if not re.search(r"\b(laplace|renyi|hill|count|round|halogen_share)\b", line):  # what a how-to page adds
            check_flags(line.replace("\\|", "|"))


@pytest.mark.parametrize("name", WRITTEN)
def test_shell_blocks_hold_what_these_tests_know(name):
    for line in lines_of(blocks_of(text_of(name))):
        assert line.split()[0] in SHELL, line


def test_make_targets_and_variables_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    told = [line for name in WRITTEN for line in lines_of(blocks_of(text_of(name))) if line.startswith("make ")]
    told += re.findall(r"`(make \w[^`]*)`", "\n".join(map(text_of, WRITTEN)))
    assert told
    for line in told:
        target, *variables = shlex.split(line)[1:]
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
        assert all(re.search(rf"^{one.split('=')[0]} \?=", makefile, re.MULTILINE) for one in variables), line


@pytest.mark.parametrize("name", WRITTEN)
def test_links_lead_to_pages(name):
    made = {"promises.md", "faults.md", "changelog.md", "contributing.md", "figures/protocols.md"}
    made |= {"figures/drug-model.md", "figures/oled-model.md"}
    experiments = {f"figures/{path.parent.name}.md" for path in (ROOT / "experiments").glob("[0-9]*/README.md")}
    for link in links_of(name):
        target = (PAGES / name).parent / link.partition("#")[0]
        page = Path(target).resolve().relative_to(PAGES).as_posix()
        assert page in made | experiments or (PAGES / page).exists(), link


def test_the_list_of_pages_is_whole():
    listed = set(re.findall(r"(?:: |- )([\w/-]+\.md)", (ROOT / "docs/mkdocs.yml").read_text(encoding="utf-8")))
    assert set(WRITTEN) <= listed
    shown = runpy.run_path(str(ROOT / "docs/site_pages.py"))["shown"]() if importlib.util.find_spec("mkdocs") else {}
    assert {page for page, source in shown.items() if not source.startswith("experiments/")} <= listed


def test_contributing_names_files_that_exist():
    page = (ROOT / "docs/CONTRIBUTING.md").read_text(encoding="utf-8")
    for path in re.findall(
        r"(?<![\w/])((?:\.ci|tests|docs)/[\w./-]+|CHANGELOG\.md|CITATION\.cff|\.pre-commit-config\.yaml)", page
    ):
        assert (ROOT / path.rstrip(".")).exists(), path
    assert all(line.split()[0] in SHELL for line in lines_of(blocks_of(page)))


@pytest.mark.parametrize("name", [name for name in WRITTEN if "\n```text\n" in text_of(name)])
def test_the_output_of_a_tutorial_is_that_of_the_commands_it_shows(name):
    """It was written by the command that runs them; a page that was changed since must be rendered again."""
    render = runpy.run_path(str(ROOT / "docs/examples/render.py"))
    record = json.loads(render["RECORD"].read_text())
    assert record[name.removesuffix(".md")]["code"] == render["code_of"](text_of(name)), "python docs/examples/render.py"
    shown = [block.text for block in blocks_of(text_of(name)) if block.language == "text"]
    assert shown and all(text.strip() for text in shown)


def test_tables_of_the_pages_are_those_of_the_package():
    from chemvae.design import OPTIMIZERS
    from chemvae.doctor import EXTRAS, PURPOSES
    from chemvae.models.posteriors import POSTERIORS
    from chemvae.models.priors import trained_priors
    from chemvae.objectives import OBJECTIVES
    from chemvae.training.settings import PRESETS

    for page, table, names in (("design", "| method |", OPTIMIZERS), ("training", "| preset |", PRESETS)):
        rows = text_of(f"using/{page}.md").split(table)[1].split("\n\n")[0]
        assert set(re.findall(r"^\| `(\w+)` \|", rows, re.MULTILINE)) == set(names)
    assert set(re.findall(r"'\.\[(\w+)\]'", text_of("using/install.md"))) == set(EXTRAS) == set(PURPOSES)
    lectures = text_of("lectures.md")
    for flag, names in (("posterior", POSTERIORS), ("prior", trained_priors()), ("objective", OBJECTIVES)):
        usual = {"gaussian", "normal", "beta-elbo"}
        assert set(re.findall(rf"--{flag} ([\w-]+)", lectures)) - {"learned"} == set(names) - usual


def test_evaluation_keys_are_real():
    figures = json.loads((ROOT / "experiments/03-drug-model/result.json").read_text())["metrics"]
    card = (ROOT / "chemvae/weights/drug/card.md").read_text(encoding="utf-8")
    known = {*figures, *re.findall(r"^\| `(\w+)`", card, re.MULTILINE), "distance", "logP_std"}
    for key in re.findall(r"^\| (`.*?`) \|", text_of("using/numbers.md"), re.MULTILINE):
        assert {name.replace("_P", "_logP") for name in re.findall(r"`(\w+)`", key)} <= known, key


def test_variables_that_the_pages_name_are_read():
    for name in WRITTEN:
        for variable in re.findall(r"\b(CHEMVAE_[A-Z]+)\b", text_of(name)):
            assert any(variable in path.read_text(encoding="utf-8") for path in (ROOT / "chemvae").rglob("*.py")), variable


@pytest.mark.slow
def test_the_site_is_built_without_a_warning_and_asks_for_nothing_outside(tmp_path):
    """Warnings are errors; no page loads a script, a style, a font or a picture from another place."""
    pytest.importorskip("material", reason="mkdocs comes with the extra 'docs'")
    pytest.importorskip("mkdocstrings", reason="mkdocstrings comes with the extra 'docs'")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-f", "docs/mkdocs.yml", "-d", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment(ROOT))
    assert done.returncode == 0, done.stderr[-3000:]
    pages = sorted((tmp_path / "site").rglob("*.html"))
    assert len(pages) > 35
    for page in pages:
        html = page.read_text(encoding="utf-8")
        loaded = re.findall(r"<(?:script|img|iframe|source)[^>]*\ssrc=[\"']?(?:https?:)?//[^>]*", html)
        loaded += [
            tag
            for tag in re.findall(r"<link[^>]*>", html)
            if re.search(r"href=[\"']?(?:https?:)?//", tag) and "canonical" not in tag
        ]
        assert loaded == [], f"{page.name} loads {loaded[:2]}"
    reference = "".join(page.read_text(encoding="utf-8") for page in (tmp_path / "site" / "reference").glob("*.html"))
    homes = {
        f"{home}." if home.endswith(f".{name}") else f'{home}.{name}"' for name, home in chemvae._HOMES.items()
    }  # or a room
    assert [home for home in homes if f'id="{home}' not in reference] == []
    for style in (tmp_path / "site").rglob("*.css"):
        assert not re.search(r"url\([\"']?(?:https?:)?//", style.read_text(encoding="utf-8")), style.name
