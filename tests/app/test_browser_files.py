"""The page's own files: nothing inline, nothing from elsewhere, nothing parsed from data; the sketcher is its card's."""

import gzip
import hashlib
import importlib.util
import json
import re
from pathlib import Path

import pytest

import chemvae

APP = Path(chemvae.__file__).parent / "app"
STATIC = APP / "static"
OURS = sorted(STATIC.glob("*.js"))
MOST_LINES = 300


def test_the_page_holds_no_script_no_style_and_no_handler_of_its_own():
    page = (APP / "templates" / "page.html").read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\son\w+=|javascript:", page)
    assert all(address.startswith("/static/") for address in re.findall(r'(?:src|href)="([^"#][^"]*)"', page))


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_modules_parse_no_markup_run_no_text_and_ask_nobody_else(path):
    text = path.read_text(encoding="utf-8")
    code = re.sub(r"^\s*(//|\*|/\*).*$", "", text, flags=re.MULTILINE).replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|https?://", code)
    assert len(text.splitlines()) <= MOST_LINES


def test_every_module_that_is_imported_is_there():
    for path in OURS:
        for name in re.findall(r'(?:from|import\()\s*"\./([^"]+)"', path.read_text(encoding="utf-8")):
            assert (STATIC / name).is_file() or (STATIC / f"{name}.gz").is_file(), f"{path.name} imports {name}"


def test_modules_do_not_import_each_other_in_a_circle():
    imports = {path.name: re.findall(r'from "\./([\w.]+)"', path.read_text(encoding="utf-8")) for path in OURS}

    def reached(name, seen=()):
        assert name not in seen, " -> ".join([*seen, name])
        for other in imports.get(name, ()):
            reached(other, (*seen, name))

    for name in imports:
        reached(name)


def test_the_sketcher_is_the_release_that_its_card_names():
    card = json.loads((STATIC / "sketcher" / "assets.json").read_text(encoding="utf-8"))
    for name, facts in card["files"].items():
        raw = (STATIC / "sketcher" / name).read_bytes()
        content = gzip.decompress(raw) if name.endswith(".gz") else raw
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (facts["sha256"], facts["bytes"]), name
    assert "Redistribution and use" in (STATIC / "sketcher" / card["licence_file"]).read_text(encoding="utf-8")
    rebuild = APP.parent / "maps" / "assets" / "rebuild.py"
    spec = importlib.util.spec_from_file_location("rebuild", rebuild)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.complaints(card, STATIC / "sketcher") == []
    assert module.complaints({"files": {"LICENSE": {"sha256": "0"}}}, STATIC / "sketcher") == [
        "LICENSE differs from its checksum"
    ]


def test_the_notice_names_the_sketcher_and_its_licence():
    root = APP.parents[1]
    if not (root / "NOTICE").exists():
        pytest.skip("the notice lies in the source tree")
    notice = (root / "NOTICE").read_text(encoding="utf-8")
    assert re.search(r"^ +OpenChemLib +BSD-3-Clause", notice, re.MULTILINE)
    assert re.search(r"^BSD-3-Clause \(.*OpenChemLib", notice, re.MULTILINE)
