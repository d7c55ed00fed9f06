"""The page: holds what it was given, nothing in the data becomes markup, nothing is fetched."""

import importlib.util
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import chemvae.maps
from chemvae.errors import InputError, SettingsError, UnknownNameError
from chemvae.maps import MapOptions, Trajectory, map_assets, map_component, read_map, write_map
from chemvae.maps.packing import STEPS

SMILES = ["CCO", "c1ccccc1", "C[C@H](N)C(=O)O", "not a molecule", ""]
HOSTILE = [
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "]]><img src=x onerror=alert(1)>",
    "\"'`${alert(1)}$title $component",
    "\u2028\u2029</title><svg onload=alert(1)>",
]


class Elements(HTMLParser):
    """Start tags of a page with their attributes."""

    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    columns = pd.DataFrame({"logP": [1.25, -0.5, np.nan, 3.0, 2.0], "long": rng.normal(size=5), "name": list("abcab")})
    return rng.normal(size=(5, 2)), columns


def test_the_page_gives_back_what_it_was_given(table, tmp_path):
    xy, columns = table
    back = read_map(write_map(tmp_path / "new" / "map.html", xy, SMILES, columns, "Map", units={"logP": "1"}))
    assert back["smiles"].tolist() == SMILES
    assert back.columns.tolist() == ["x", "y", "smiles", "logP", "long", "name"]
    half_a_step = np.ptp(xy, axis=0) / STEPS / 2
    assert (np.abs(back[["x", "y"]].to_numpy() - xy) <= half_a_step * 1.001).all()
    np.testing.assert_array_equal(back["logP"], columns["logP"])
    np.testing.assert_allclose(back["long"], columns["long"], rtol=6e-8)
    assert back["name"].tolist() == columns["name"].tolist()


def test_hostile_strings_stay_text(table, tmp_path):
    xy, _ = table
    columns = pd.DataFrame({text: HOSTILE for text in HOSTILE})
    path = Trajectory(xy, HOSTILE[0], HOSTILE, HOSTILE)
    calm = Elements(write_map(tmp_path / "calm.html", xy, SMILES, trajectories=[xy]).read_text("utf-8")).found
    page = write_map(
        tmp_path / "map.html",
        xy,
        HOSTILE,
        columns,
        HOSTILE[0],
        note=HOSTILE[2],
        units={HOSTILE[0]: HOSTILE[2]},
        trajectories=[path],
        axis_labels=(HOSTILE[1], HOSTILE[3]),
    )
    text = page.read_text("utf-8")
    assert Elements(text).found == calm
    for hostile in HOSTILE[:3]:
        assert hostile not in text
    assert read_map(page)["smiles"].tolist() == [" ".join(hostile.splitlines()) for hostile in HOSTILE]


def test_the_page_refers_to_nothing_outside(table, tmp_path):
    page = write_map(tmp_path / "map.html", *table[:1], SMILES, table[1]).read_text("utf-8")
    outside = [attrs for _, attrs in Elements(page).found if "src" in attrs or attrs.get("href", "data:,") != "data:,"]
    assert not outside
    ours = "".join(path.read_text("utf-8") for path in (assets() / "page").iterdir())
    ours = ours.replace("http://www.w3.org/2000/svg", "")  # a name, not an address
    assert not re.search(r"https?://|@import|url\(|\bfetch\(|XMLHttpRequest|WebSocket|innerHTML", ours)
    policy = next(attrs["content"] for _, attrs in Elements(page).found if "http-equiv" in attrs)
    assert "default-src 'none'" in policy and "http" not in policy


def test_the_component_goes_into_another_page_once_with_its_assets(table):
    xy, columns = table
    first, assets_1 = map_component(xy, SMILES, columns, key="first", height="20rem")
    second, assets_2 = map_component(xy, SMILES, columns, key="second")
    assert assets_1 == assets_2 == map_assets()
    ids = [attrs["id"] for _, attrs in Elements(first + second + assets_1).found if "id" in attrs]
    assert ids == ["first", "second", "chemvae-rdkit-wasm"]
    assert len(first) < 10_000 and len(assets_1) < 4_000_000


def test_settings_are_checked_together(table):
    with pytest.raises(SettingsError) as caught:
        map_component(table[0], SMILES, key='x" onload="', theme="pink", height="1px;color:red")
    assert [complaint.split()[0] for complaint in caught.value.complaints] == ["key", "theme", "height"]


def test_options_in_one_and_by_name_make_the_same_page(table, tmp_path):
    xy, columns = table[0], table[1]
    show = MapOptions(color="long", axis_labels=("a", "b"), note="by hand", theme="dark")
    pages = [
        write_map(tmp_path / "one.html", xy, SMILES, columns, "Map", show),
        write_map(tmp_path / "two.html", xy, SMILES, columns, "Map", MapOptions(color="long"), axis_labels=("a", "b"),
                  note="by hand", theme="dark"),
    ]  # fmt: skip
    assert pages[0].read_bytes() == pages[1].read_bytes()
    with pytest.raises(UnknownNameError, match="'colour'. Did you mean 'color'"):
        write_map(tmp_path / "three.html", xy, SMILES, columns, colour="long")


def test_a_file_that_is_no_map_is_one_sentence(tmp_path):
    (tmp_path / "page.html").write_bytes(b"<html>\xff</html>")
    with pytest.raises(InputError, match="holds no map"):
        read_map(tmp_path / "page.html")


def test_one_molecule_makes_a_map(tmp_path):
    back = read_map(write_map(tmp_path / "map.html", [[1.0, 2.0]], ["C"]))
    assert back.to_dict("records") == [{"x": 1.0, "y": 2.0, "smiles": "C"}]


def test_a_picture_is_drawn_beside_the_page(table, tmp_path):
    write_map(tmp_path / "map.html", table[0], SMILES, table[1], png=tmp_path / "map.png")
    assert (tmp_path / "map.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_bundled_files_agree_with_their_checksums_and_bring_their_licence():
    spec = importlib.util.spec_from_file_location("rebuild", assets() / "rebuild.py")
    rebuild = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(rebuild)
    card = rebuild.json.loads((assets() / "assets.json").read_text("utf-8"))
    assert rebuild.complaints(card) == []
    assert rebuild.complaints({"files": {"rdkit/LICENSE": {"sha256": "0"}, "nothing": {"sha256": "0"}}}) == [
        "rdkit/LICENSE differs from its checksum",
        "nothing is missing",
    ]
    licence = (assets() / card["licence_file"]).read_text("utf-8")
    assert "Redistribution and use" in licence and licence in map_assets()


def assets() -> Path:
    return Path(chemvae.maps.__file__).parent / "assets"
