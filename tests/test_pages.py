"""Pieces of pages: escaping, uniqueness of ids, colours that follow the page, molecules as pictures."""

import re

import matplotlib
import numpy as np
import pandas as pd
import pytest

from chemvae import pages
from chemvae.pages import Html


def line_figure():
    with pages.plot_style():
        figure, axes = pages.new_figure()
        axes.plot([0, 1], [0, 1], label="a < b")
        axes.legend()
        return pages.figure_svg(figure, caption="one & two")


def test_text_is_escaped_everywhere_and_html_is_not_escaped_twice():
    evil = "<script>x</script>"
    parts = [pages.section(evil, evil, lead=evil), pages.tiles([(evil, evil, evil)]), pages.details(evil, evil)]
    parts += [pages.table(pd.DataFrame({evil: [evil]}), caption=evil), pages.molecule_grid([evil], [evil])]
    text = pages.page(evil, parts, lead=evil, footer=evil)
    assert "<script" not in text
    assert pages.escape(pages.escape("<b>")) == "&lt;b&gt;"


def test_a_page_forbids_scripts_unless_it_has_some():
    assert "script-src" not in pages.page("a", [])
    text = pages.page("a", [], scripts=["let s = '</script><b>';"])
    assert "script-src 'unsafe-inline'" in text
    assert text.count("</script>") == 1


def test_navigation_links_to_every_section():
    text = pages.page("a", [pages.section("First one"), pages.section("Second")])
    assert '<a href="#first-one">First one</a><a href="#second">Second</a>' in text
    assert 'id="first-one"' in text


def test_figures_take_the_pages_colours_and_are_reproducible():
    svg = line_figure()
    assert "var(--s1)" in svg and "var(--ink)" in svg and pages.SERIES[0] not in svg
    assert svg == line_figure()
    assert "://" not in svg and "<metadata" not in svg
    assert "one &amp; two" in svg and "a &lt; b" in svg


def test_two_figures_share_no_id():
    with pages.plot_style():
        other, axes = pages.new_figure()
        axes.plot([0, 1], [1, 0])
    ids = [set(re.findall(r'\bid="([^"]+)"', svg)) for svg in (line_figure(), pages.figure_svg(other))]
    assert ids[0] and ids[1] and not ids[0] & ids[1]


def test_references_inside_a_figure_are_all_defined():
    svg = line_figure()
    ids = set(re.findall(r'\bid="([^"]+)"', svg))
    assert set(re.findall(r'(?:url\(#|href="#)([^)"]+)', svg)) <= ids


def test_plot_style_restores_matplotlib():
    before = dict(matplotlib.rcParams)
    with pages.plot_style():
        pass
    line_figure()
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.5, "0.5"),
        (12, "12"),
        (1234567, "1,234,567"),
        (None, "–"),
        (np.nan, "–"),
        (pd.NA, "–"),
        ("x", "x"),
        (np.float64(2.0), "2"),
    ],
)
def test_numbers_are_written_for_readers(value, text):
    assert pages.format_value(value) == text


def test_tables_align_numbers_and_survive_emptiness():
    html = pages.table([{"n": 1, "s": "a"}, {"n": 2, "s": Html("<b>b</b>")}], names={"n": "count"})
    assert '<th class="number">count</th>' in html and '<td class="number">2</td>' in html and "<td><b>b</b></td>" in html
    assert "<tbody></tbody>" in pages.table(pd.DataFrame({"a": []})) and "<tbody></tbody>" in pages.table([])
    assert '<td class="number">–</td>' in pages.table(pd.DataFrame({"x": [1.5, np.nan], "s": ["a", None]}))


def test_molecules_are_drawn_and_nonsense_is_shown_as_text_with_its_reason():
    html = pages.molecule_grid(["CCO", "C1CC", ""], ["ethanol", "x", "y"])
    assert html.count("<svg") == 1 and html.count("<figure") == 3
    assert "C1CC" in html and "never closed" in html and "nothing" in html


def test_pairs_stand_side_by_side():
    html = pages.molecule_pairs(["CCO"], [None], ["lost"])
    assert html.count('class="drawing"') == 2 and html.count("<figure") == 1


PHONE = 390 - 2 * (12 + 14) - 2  # pixels inside a section on a telephone: page, its margins and the section's, borders


def test_nothing_is_wider_than_a_telephone():
    """Columns are at most as wide as a section there, pictures shrink, and what cannot shrink scrolls in a box of its own."""
    css = re.sub(r"/\*.*?\*/", "", pages.styles(), flags=re.DOTALL)
    rules = re.findall(r"([^{}]+)\{([^{}]*)\}", css)
    scrolling = {selector.strip() for selector, body in rules if "overflow-x: auto" in body}
    for selector, body in ((one.strip(), body) for one, body in rules):
        inside = any(selector.startswith(f"{box} ") for box in scrolling)
        wide = [int(width) for width in re.findall(r"(?<!max-)(?<!-)(?:min-)?width: (\d+)px", body)]
        columns = [int(width) for width in re.findall(r"minmax\((\d+)px", body)]
        assert inside or all(width <= PHONE for width in [*wide, *columns]), selector
    assert {"pre", ".scroll", ".wide"} <= scrolling
    assert any(selector.strip() == "figure svg" and "max-width: 100%" in body for selector, body in rules)
    assert all(
        "anywhere" in body for selector, body in rules if selector.strip() in ("code", ".smiles", "h1, h2, h3, p, li, dd")
    )


def test_a_table_scrolls_in_its_own_box():
    assert pages.table(pd.DataFrame({"a": ["C" * 400]})).startswith('<div class="scroll"><table>')
