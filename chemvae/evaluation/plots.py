"""The report's figures, as inline SVG in the page's colours. Each takes a table and draws what it holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chemvae.evaluation.metrics import COVERAGE_Z
from chemvae.pages import INK, MUTED, SERIES, Html, figure_svg, new_figure, plot_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BAND_ALPHA = 0.25
POINT_DPI = 160  # points of a scatter plot are one picture inside the SVG: thousands of SVG nodes slow a browser down
_CURVES = {
    "Nats per molecule": {
        "train_cross_entropy": "cross-entropy, training",
        "valid_cross_entropy": "cross-entropy, held out",
        "valid_kl": "KL, held out",
        "valid_mutual_information": "mutual information (at most log N)",
    },
    "Shares": {
        "valid_reconstruction_greedy": "reconstruction, greedy",
        "valid_token_accuracy_teacher_forced": "next token right, teacher-forced",
        "valid_active_units": "active units",
        "valid_validity": "valid samples",
    },
}


def learning_curves(history: pd.DataFrame) -> list[Html]:
    """One figure per group of curves that the training history (``metrics.csv``) holds; [] if it holds none."""
    figures = []
    for title, names in _CURVES.items():
        present = [name for name in names if name in history and history[name].notna().any()]
        if present and "epoch" in history:
            figures.append(_lines(history, "epoch", {name: names[name] for name in present}, title, is_share=title == "Shares"))
    return figures


def _lines(table: pd.DataFrame, x: str, names: Mapping[str, str], title: str, is_share: bool, label: str = "") -> Html:
    with plot_style():
        figure, axes = new_figure()
        for name, words in names.items():
            part = table[[x, name]].dropna()
            axes.plot(part[x], part[name], marker="o", markersize=3.2, label=words)
        axes.set(title=title, xlabel=label or x, ylabel="share" if is_share else "nats")
        axes.xaxis.get_major_locator().set_params(integer=pd.api.types.is_integer_dtype(table[x]))
        axes.set_ylim(*((-0.03, 1.05) if is_share else (0, None)))
        _legend(figure, axes)
        return figure_svg(figure, alt=title)


def _legend(figure: Figure, axes: Axes) -> None:
    """Below the axes, where it hides no curve."""
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower left", ncols=2, fontsize=8.5)


def radius_plot(table: pd.DataFrame, marks: Mapping[str, float]) -> Html:
    """Validity, recovery and similarity against the distance from a molecule, with vertical ``marks`` (words -> radius)."""
    names = {"validity": "valid", "recovery": "the molecule itself", "similarity": "mean Tanimoto to it (valid ones)"}
    with plot_style():
        figure, axes = new_figure()
        for name, words in names.items():
            axes.plot(table["radius"], table[name], marker="o", markersize=3.2, label=words)
        shown = {words: radius for words, radius in marks.items() if np.isfinite(radius) and radius <= table["radius"].max()}
        for row, (words, radius) in enumerate(sorted(shown.items(), key=lambda mark: mark[1])):
            axes.axvline(radius, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
            axes.annotate(words, (radius, 1.0), (3, -11 * row), xycoords=("data", "axes fraction"),
                          textcoords="offset points", fontsize=8.5, color=INK, va="top")  # fmt: skip
        axes.set(title="Away from a molecule", xlabel="distance from its posterior mean", ylabel="share, or similarity",
                 ylim=(-0.03, 1.06 + 0.07 * len(shown)))  # fmt: skip
        _legend(figure, axes)
        return figure_svg(figure, alt="validity against the distance from a molecule")


def norm_plot(table: pd.DataFrame) -> Html:
    """Validity and uniqueness against the scale of draws from N(0, I)."""
    names = {"validity": "valid", "unique": "unique among valid"}
    return _lines(table, "scale", names, "Away from the centre", True, "scale s of z = s e, e ~ N(0, I)")


def parity_plot(label: Sequence[float], mean: Sequence[float], std: Sequence[float], name: str, unit: str, note: str) -> Html:
    """Predicted against true values, the diagonal, and the predicted 90 % band averaged over the molecules."""
    y, m, s = (np.asarray(v, float) for v in (label, mean, std))
    seen = np.isfinite(y) & np.isfinite(m)
    y, m, s = y[seen], m[seen], s[seen]
    low, high = _limits(np.concatenate([y, m]))
    words = name if unit in ("", "1") else f"{name} / {unit}"
    with plot_style():
        figure, axes = new_figure(3.7, 3.5)
        axes.plot([low, high], [low, high], color=MUTED, linewidth=1)
        if len(s) and np.isfinite(s).all():
            width = COVERAGE_Z * float(np.median(s))
            ends = np.array([low, high])
            axes.fill_between(ends, ends - width, ends + width, color=MUTED, alpha=BAND_ALPHA, linewidth=0, zorder=0.5)
            for side in (-width, width):  # a narrow band has edges that can be seen
                axes.plot(ends, ends + side, color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)), zorder=0.6)
        axes.scatter(y, m, s=7, color=SERIES[0], alpha=0.35 if len(y) > 300 else 0.7, linewidths=0, rasterized=True)
        axes.set(xlim=(low, high), ylim=(low, high), aspect="equal", title=words, xlabel="as labelled", ylabel="predicted")
        _same_ticks(axes)
        figure.set_dpi(POINT_DPI)
        return figure_svg(figure, caption=note, alt=f"predicted against true {name}")


def _same_ticks(axes: Axes) -> None:
    """At most six round numbers, the same on both axes, in full where that takes no more than five characters."""
    from matplotlib.ticker import MaxNLocator

    ticks = MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]).tick_values(*axes.get_xlim())
    low, high = axes.get_xlim()
    inside = [tick for tick in ticks if low <= tick <= high]
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks(inside)
        axis.set_major_formatter(lambda value, _: f"{value:.5g}")


def _limits(values: np.ndarray) -> tuple[float, float]:
    """Range that holds all but the outermost 0.1 % on each side, with a margin."""
    if len(values) == 0:
        return 0.0, 1.0
    low, high = np.quantile(values, [0.001, 0.999])
    margin = 0.05 * (high - low) or 0.5
    return float(low - margin), float(high + margin)


def mistakes_plot(counts: Mapping[str, int], words: Mapping[str, str], total: int) -> Html:
    """Bars of the share of each kind of failure among ``total`` molecules."""
    names = [kind for kind in words if counts.get(kind)]
    shares = [counts[kind] / total for kind in names]
    with plot_style():
        figure, axes = new_figure(9.6, 0.34 * max(len(names), 1) + 0.8)
        axes.barh([words[kind] for kind in names], shares, color=SERIES[1], height=0.62)
        for row, share in enumerate(shares):
            axes.annotate(
                f"{share:.1%}", (share, row), (4, 0), textcoords="offset points", va="center", fontsize=8.5, color=INK
            )
        axes.invert_yaxis()
        axes.set(xlim=(0, max(shares, default=1.0) * 1.12), xlabel="share of the molecules")
        axes.grid(axis="y", visible=False)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}" if value >= 0.01 or value == 0 else f"{value:.1%}")
        return figure_svg(figure, alt="share of molecules by kind of failure")
