"""Pieces of the HTML pages that chemvae writes: shell, sections, tables, figures, drawn molecules.

Every page is one file without outside links: styles and pictures are inline, and a content policy in the head forbids the
browser to load anything. Text is escaped unless it is already :class:`Html`. Pages follow the reader's light or dark mode,
figures too: they are drawn with the colour names below, which :func:`figure_svg` turns into the page's CSS variables.
"""

from __future__ import annotations

import base64
import hashlib
import html
import io
import math
import numbers
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Stand-ins that figure_svg replaces by CSS variables; matplotlib needs real colours while it draws.
INK, MUTED, GRID, PAPER = "#1b2430", "#5d6b7c", "#dfe4ea", "#fdfefe"
SERIES = ("#2463c8", "#d1641b", "#1a8f6f", "#8a4fbf", "#b8326b", "#7a7321")
_VARIABLES = {INK: "--ink", MUTED: "--muted", GRID: "--line", PAPER: "--card"} | {c: f"--s{i}" for i, c in enumerate(SERIES, 1)}

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:"

_SHELL = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<style>
{styles}</style>
</head>
<body>
<main>
<h1>{heading}</h1>
{lead}
{navigation}
{body}
{footer}
</main>
{code}</body>
</html>
"""


@lru_cache(maxsize=1)
def styles() -> str:
    """Return the style sheet that every page carries inline."""
    return resources.files("chemvae").joinpath("pages.css").read_text(encoding="utf-8")


class Html(str):
    """Text that is already HTML; everything else is escaped before it enters a page."""


def escape(value: object) -> Html:
    """Return ``value`` as HTML text: as it is when it is :class:`Html`, escaped otherwise.

    Examples
    --------
    >>> escape("<C&N>")
    '&lt;C&amp;N&gt;'
    >>> escape(Html("<b>5</b>"))
    '<b>5</b>'
    """
    return value if isinstance(value, Html) else Html(html.escape(str(value)))


def page(title: str, sections: Iterable[str], *, lead: str = "", footer: str = "", scripts: Sequence[str] = ()) -> str:
    """Return one self-contained HTML document.

    Parameters
    ----------
    title : str
    sections : iterable of Html
        As :func:`section` and :func:`tiles` make them; their headings become the navigation line.
    lead : str or Html
        A paragraph under the title.
    footer : str or Html
    scripts : sequence of str
        JavaScript source, written inline at the end. Without it the page forbids all scripts.

    Examples
    --------
    >>> text = page("A & B", [section("One", "5 < 6")])
    >>> "<h1>A &amp; B</h1>" in text, "5 &lt; 6" in text, "://" in text
    (True, True, False)
    """
    parts = [escape(part) for part in sections]
    policy = _POLICY + ("; script-src 'unsafe-inline' 'unsafe-eval' blob:; worker-src blob:" if scripts else "")
    code = "".join(f"<script>{source.replace('</script', '<' + chr(92) + '/script')}</script>\n" for source in scripts)
    return _SHELL.format(
        title=escape(str(title)),
        heading=escape(title),
        policy=policy,
        styles=styles(),
        lead=paragraph(lead, "lead") if lead else "",
        navigation=_navigation(parts),
        body="\n".join(parts),
        footer=f"<footer>{escape(footer)}</footer>" if footer else "",
        code=code,
    )


def _navigation(parts: Sequence[str]) -> str:
    """Links to the sections, from their own ids and headings."""
    found = [match.groups() for part in parts for match in re.finditer(r'<section id="([^"]+)"><h2>(.*?)</h2>', part)]
    return "<nav>" + "".join(f'<a href="#{key}">{heading}</a>' for key, heading in found) + "</nav>" if len(found) > 1 else ""


def section(title: str, *parts: str, lead: str = "") -> Html:
    """Return a titled card of parts; a plain string among them becomes a paragraph.

    Examples
    --------
    >>> section("Key figures", "All on held-out data.")
    '<section id="key-figures"><h2>Key figures</h2><p>All on held-out data.</p></section>'
    """
    key = re.sub(r"[^a-z0-9]+", "-", str(title).lower()).strip("-") or "section"
    body = "".join(part if isinstance(part, Html) else paragraph(part) for part in parts)
    return Html(f'<section id="{key}"><h2>{escape(title)}</h2>{paragraph(lead, "lead") if lead else ""}{body}</section>')


def paragraph(text: str, kind: str = "") -> Html:
    """Return a paragraph; ``kind`` may be "lead" or "note"."""
    return Html(f'<p class="{kind}">{escape(text)}</p>' if kind else f"<p>{escape(text)}</p>")


def details(summary: str, *parts: str) -> Html:
    """Return parts folded under a line that opens on a click."""
    return Html(f"<details><summary>{escape(summary)}</summary>{''.join(escape(part) for part in parts)}</details>")


def tiles(items: Iterable[tuple[str, str, str]]) -> Html:
    """Return a row of large figures from (value, label, note)."""
    cells = (f"<div class=tile><b>{escape(v)}</b><span>{escape(t)}</span><small>{escape(n)}</small></div>" for v, t, n in items)
    return Html(f'<div class="tiles">{"".join(cells)}</div>')


def format_value(value: Any, digits: int = 4) -> str:
    """Return a number for a reader: thousands separated, ``digits`` significant, a dash for NaN or None.

    Examples
    --------
    >>> [format_value(v) for v in (0.123456, 30000, float("nan"), "CCO", 12345.6, True)]
    ['0.1235', '30,000', '–', 'CCO', '12,346', 'True']
    """
    if not isinstance(value, str) and pd.isna(value):
        return "–"
    if isinstance(value, (bool, str)) or not hasattr(value, "__float__"):
        return str(value)
    number = float(value)
    if number.is_integer() and abs(number) < 1e15 and not isinstance(value, float):
        return f"{int(number):,}"
    return f"{number:,.0f}" if 10**digits <= abs(number) < math.inf else f"{number:.{digits}g}"


def table(
    rows: pd.DataFrame | Sequence[Mapping[str, Any]],
    *,
    caption: str = "",
    digits: int = 4,
    names: Mapping[str, str] | None = None,
) -> Html:
    """Return an HTML table.

    Parameters
    ----------
    rows : DataFrame, or sequence of dicts with the same keys
        Cells may be numbers, text or, in dicts, :class:`Html` (a DataFrame's text columns lose that mark). A DataFrame's index
        is left out. Columns of numbers are set flush right.
    caption : str
    digits : int
        Significant digits of fractions.
    names : mapping, optional
        Column name -> heading.

    Examples
    --------
    >>> "<td>&lt;i&gt;</td><td><b>5</b></td>" in table([{"a": "<i>", "b": Html("<b>5</b>")}])
    True
    """
    if isinstance(rows, pd.DataFrame):
        columns = {c: rows[c].tolist() for c in rows.columns}
    else:
        columns = {c: [row[c] for row in rows] for c in (rows[0] if rows else ())}
    mark = {c: ' class="number"' if _is_numeric(values) else "" for c, values in columns.items()}
    head = "".join(f"<th{mark[c]}>{escape((names or {}).get(c, c))}</th>" for c in columns)
    body = [
        "".join(f"<td{m}>{_cell(v, digits)}</td>" for m, v in zip(mark.values(), values, strict=True))
        for values in zip(*columns.values(), strict=True)
    ]
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    lines = "".join(f"<tr>{line}</tr>" for line in body)
    return Html(f'<div class="scroll"><table>{title}<thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>')


def _is_numeric(values: Sequence[Any]) -> bool:
    """Whether a column holds numbers and gaps only, and at least one number."""
    held = [v for v in values if isinstance(v, str) or not pd.isna(v)]
    return bool(held) and all(isinstance(v, numbers.Real) and not isinstance(v, bool) for v in held)


def _cell(value: Any, digits: int) -> Html:
    return value if isinstance(value, Html) else escape(format_value(value, digits))


@contextmanager
def plot_style() -> Iterator[None]:
    """Draw in the page's style inside this block; matplotlib's settings are restored after it."""
    import matplotlib as mpl
    from matplotlib.rcsetup import cycler

    settings: dict[Any, Any] = {
        "font.family": "sans-serif", "font.size": 10.5, "axes.titlesize": 11.5, "axes.titlelocation": "left",
        "text.color": INK, "axes.labelcolor": INK, "axes.titlecolor": INK, "axes.edgecolor": MUTED,
        "xtick.color": MUTED, "ytick.color": MUTED, "xtick.labelcolor": INK, "ytick.labelcolor": INK,
        "axes.grid": True, "grid.color": GRID, "grid.linewidth": 0.7, "axes.axisbelow": True,
        "axes.spines.top": False, "axes.spines.right": False, "figure.facecolor": "none", "axes.facecolor": "none",
        "axes.prop_cycle": cycler(color=list(SERIES)), "lines.linewidth": 1.9, "legend.frameon": False,
        "legend.labelcolor": INK, "svg.fonttype": "none",
    }  # fmt: skip
    with mpl.rc_context(settings):
        yield


def new_figure(width: float = 5.2, height: float = 3.3, columns: int = 1) -> tuple[Figure, Any]:
    """Return a figure (inches) and its axes without touching pyplot; use it inside :func:`plot_style`."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(1, columns)


def figure_svg(figure: Figure, caption: str = "", alt: str = "") -> Html:
    """Return a matplotlib figure as an inline SVG that follows the page's colours.

    Ids inside are made unique to the picture, so that several can stand on one page; the same figure gives the same text.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    caption : str
        Written under it.
    alt : str
        Read by screen readers; the caption by default.
    """
    import matplotlib as mpl

    stream = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "chemvae", "svg.fonttype": "none"}):
        figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = _own_ids(_strip_svg(stream.getvalue()))
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, f"var({variable})")
    from chemvae.chem.drawing import named

    svg = named(svg, alt or caption or "figure", alt or caption or "figure")
    return Html(f"<figure>{svg}{f'<figcaption>{escape(caption)}</figcaption>' if caption else ''}</figure>")


def _strip_svg(svg: str, *, keep_title: bool = False) -> str:
    """Keep the svg element alone: no XML header, no metadata, no comments, no addresses but the namespaces it needs."""
    svg = svg[svg.index("<svg") :]
    useless = r"<metadata>.*?</metadata>|<!--.*?-->" + ("" if keep_title else r"|<title>.*?</title>")
    svg = re.sub(useless, "", svg, flags=re.DOTALL)
    return re.sub(r'\s+xmlns(:xlink)?="[^"]*"', "", svg).replace("xlink:href", "href").strip()


def _own_ids(svg: str) -> str:
    prefix = "f" + hashlib.sha1(svg.encode()).hexdigest()[:8]
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', svg)
    return re.sub(r'(url\(#|href="#)', rf"\1{prefix}-", svg)


def plots(figures: Iterable[str], small: bool = False) -> Html:
    """Return figures side by side where the window is wide enough: two in a row, three where they are ``small``."""
    kind = "plots small" if small else "plots"
    return Html(f'<div class="{kind}">{"".join(escape(figure) for figure in figures)}</div>')


def molecule_drawing(smiles: str | None, width: int = 220, height: int = 150, beside: str | None = None) -> Html:
    """Return a molecule as inline SVG, or the raw text and the reason where it is not one.

    Parameters
    ----------
    smiles : str or None
    width, height : int
        Pixels.
    beside : str, optional
        A molecule to compare with: this one is laid out as that one, and what differs is coloured.
    """
    from chemvae.chem.alignment import aligned, differing_atoms
    from chemvae.chem.drawing import molecule_svg
    from chemvae.chem.molecules import invalid_reason

    reason = invalid_reason(smiles)
    if smiles is not None and reason is None:
        layout, highlight = (None, None) if beside is None else (aligned(smiles, beside), differing_atoms(smiles, beside))
        svg = molecule_svg(smiles, width=width, height=height, layout=layout, highlight=highlight)
        return drawing(svg)
    text = f'{escape(reason)}<br><span class="smiles">{escape(smiles)}</span>' if smiles else "nothing"
    return Html(f'<div class="drawing"><div class="undrawn">{text}</div></div>')


def drawing(svg: str) -> Html:
    """Return a picture of a molecule on its plate, which is light in a dark page too."""
    return Html(f'<div class="drawing">{_strip_svg(svg, keep_title=True)}</div>')


def copyable(smiles: str) -> Html:
    """Return a SMILES that one click selects, to be copied.

    Examples
    --------
    >>> copyable("C>C")
    '<code class="smiles copy" title="one click selects it">C&gt;C</code>'
    """
    return Html(f'<code class="smiles copy" title="one click selects it">{escape(smiles)}</code>')


def download(name: str, text: str, kind: str = "text/plain") -> Html:
    """Return a link that saves a text as a file; the text lies in the page itself.

    Examples
    --------
    >>> download("a.smi", "C")
    '<a class="download" download="a.smi" href="data:text/plain;charset=utf-8;base64,Qw==">a.smi</a>'
    """
    held = base64.b64encode(text.encode()).decode()
    return Html(
        f'<a class="download" download="{escape(name)}" href="data:{kind};charset=utf-8;base64,{held}">{escape(name)}</a>'
    )


def design_grid(smiles: Sequence[str], legends: Sequence[str], beside: Sequence[str | None] | None = None) -> Html:
    """Return large drawings as cards, each laid out as the molecule ``beside`` it where there is one, with what differs in
    colour.

    Examples
    --------
    >>> design_grid(["Cc1ccccc1"], ["+1"], ["Oc1ccccc1"]).count("<svg")
    1
    """
    others = [None] * len(smiles) if beside is None else beside
    cards = (
        f'<figure class="molecule">{molecule_drawing(one, 360, 250, other)}<figcaption>{escape(legend)}</figcaption></figure>'
        for one, legend, other in zip(smiles, legends, others, strict=True)
    )
    return Html(f'<div class="molecules large">{"".join(cards)}</div>')


def molecule_grid(smiles: Sequence[str], legends: Sequence[str] | None = None) -> Html:
    """Return drawn molecules as cards; ``legends`` (text or Html) stand below them.

    Examples
    --------
    >>> molecule_grid(["CCO"], ["<ethanol>"]).count("&lt;ethanol&gt;")
    1
    """
    captions = [""] * len(smiles) if legends is None else legends
    cards = (
        f'<figure class="molecule">{molecule_drawing(s)}{f"<figcaption>{escape(c)}</figcaption>" if c else ""}</figure>'
        for s, c in zip(smiles, captions, strict=True)
    )
    return Html(f'<div class="molecules">{"".join(cards)}</div>')


def molecule_strip(smiles: Sequence[str], legends: Sequence[str], beside: Sequence[str | None] | None = None) -> Html:
    """Return drawn molecules in one row that scrolls, as the pictures of a film; each laid out as the one ``beside`` it, with
    what differs in colour.

    Examples
    --------
    >>> molecule_strip(["CCO", "CCN"], ["a", "b"]).count("<figure")
    2
    """
    others = [None] * len(smiles) if beside is None else beside
    cards = (
        f'<figure class="molecule">{molecule_drawing(one, 220, 165, other)}<figcaption>{escape(legend)}</figcaption></figure>'
        for one, legend, other in zip(smiles, legends, others, strict=True)
    )
    return Html(f'<div class="strip" tabindex="0">{"".join(cards)}</div>')


def molecule_pairs(left: Sequence[str], right: Sequence[str | None], legends: Sequence[str]) -> Html:
    """Return molecules two by two (input beside output, start beside design), each pair with its legend."""
    return pairs([(molecule_drawing(a), molecule_drawing(b)) for a, b in zip(left, right, strict=True)], legends)


def pairs(pictures: Iterable[tuple[Html, Html]], legends: Iterable[str]) -> Html:
    """Return pictures two by two, each pair with its legend (text or Html).

    Examples
    --------
    >>> pairs([(Html("<svg/>"), Html("<svg/>"))], ["a & b"]).count("a &amp; b")
    1
    """
    cards = (
        f'<figure class="pair"><div class="two">{a}{b}</div><figcaption>{escape(legend)}</figcaption></figure>'
        for (a, b), legend in zip(pictures, legends, strict=True)
    )
    return Html(f'<div class="pairs">{"".join(cards)}</div>')
