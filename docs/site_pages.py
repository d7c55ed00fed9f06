"""What the site shows of files that stand elsewhere: changelog, promises, experiments, the model's card and protocols.

mkdocs calls these functions (its hooks). Links between such files lead to their pages; other links lose their target.
"""

from __future__ import annotations

import posixpath
import re
import tokenize
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parent.parent
SOURCES = {
    "changelog.md": "CHANGELOG.md",
    "contributing.md": "docs/CONTRIBUTING.md",
    "promises.md": "docs/THREATS.md",
    "faults.md": "docs/faults.md",
    "figures/drug-model.md": "chemvae/weights/drug/card.md",
    "figures/oled-model.md": "chemvae/weights/oled/card.md",
}
"""Page -> the file it shows; an experiment's README is added for each of them."""
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
ROLE = re.compile(r":(?:py:)?(?:class|func|meth|mod|attr|data|exc):(<code>)~?")


def shown() -> dict[str, str]:
    """Every page that is made of a file elsewhere, and that file, relative to the checkout."""
    experiments = sorted(path for path in (ROOT / "experiments").glob("[0-9]*/README.md"))
    found = {f"figures/{path.parent.name}.md": path.relative_to(ROOT).as_posix() for path in experiments}
    return SOURCES | found


def relinked(text: str, page: str, source: str, pages: dict[str, str]) -> str:
    """The text with links that work from its page: to pages and pictures that the site has, otherwise words alone."""
    by_source = {**{file: name for name, file in pages.items()}, "docs/CONTRIBUTING.md": "contributing.md"}

    def replaced(found: re.Match[str]) -> str:
        mark, words, target = found.groups()
        path, _, anchor = target.partition("#")
        file = posixpath.normpath(posixpath.join(posixpath.dirname(source), path)) if path else source
        if target.startswith("http") or not path:
            return found.group()
        name = file if mark else by_source.get(file, by_source.get(f"{file}/README.md"))
        if mark and file.endswith(".png") and (ROOT / file).exists():
            name = picture_of(file)
        if name is None or (mark and not name.endswith(".png")):
            return words
        relative = posixpath.relpath(name, posixpath.dirname(page) or ".")
        return f"{mark}[{words}]({relative}{'#' + anchor if anchor and not mark else ''})"

    return LINK.sub(replaced, text)


def picture_of(file: str) -> str:
    """Where the site keeps a picture of an experiment."""
    folder, name = file.split("/")[-2:]
    return f"figures/{folder}-{name}"


def protocols() -> str:
    """A page of every figure of an evaluation with the sentence that says how it is taken."""
    with tokenize.open(ROOT / "chemvae/weights/drug/card.md") as card:
        rows = [line for line in card if line.startswith("| `")]
    return (
        "# How each figure is taken\n\n`chemvae evaluate --json FILE` writes every figure with its sentence (key "
        "`protocol`); at default sizes on ZINC250k they read:\n\n| figure | shipped model, test split | how |\n|---|---|---|\n"
        + "".join(rows)
    )


def on_config(config: Any) -> Any:
    """List a page for each experiment under Figures, by the words that its page begins with."""
    (figures,) = (part["Figures"] for part in config["nav"] if "Figures" in part)
    for page, source in shown().items():
        if source.startswith("experiments/"):
            title = (ROOT / source).read_text(encoding="utf-8").splitlines()[0].lstrip("# ")
            figures.append({title: page})
    return config


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that are made of files elsewhere, and the experiments' pictures."""
    pages = shown()
    for page, source in pages.items():
        text = relinked((ROOT / source).read_text(encoding="utf-8"), page, source, pages)
        files.append(File.generated(config, page, content=text))
    for picture in sorted((ROOT / "experiments").glob("*/*.png")):
        name = picture_of(picture.relative_to(ROOT).as_posix())
        files.append(File.generated(config, name, abs_src_path=str(picture)))
    files.append(File.generated(config, "figures/protocols.md", content=protocols()))
    return files


def on_page_content(html: str, **unused: Any) -> str:
    """Show ``:func:`name``` of a docstring as the name."""
    return ROLE.sub(r"\1", html)
