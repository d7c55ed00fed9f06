"""The figures of a search's report: scores against calls, and the way through latent space."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chemvae import pages
from chemvae.design.origin import STREAMS
from chemvae.design.results.outcome import Outcome
from chemvae.design.results.report_data import as_predicted, units
from chemvae.design.results.summary import running_top

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from chemvae.models.vae import MolVAE

FEW = 800  # points that are drawn as shapes; more become a picture inside the figure
CLIPPED = 0.05  # share of the poorest molecules that may fall off a picture
FEWEST_REFERENCES = 10
LARGEST = 1e100
SIZE = (5.4, 3.9)  # inches


def trace(searches: dict[str, Outcome]) -> pages.Html:
    """Every score, the best and the mean of the ten best, against calls; one colour per search."""
    with pages.plot_style():
        figure, axes = pages.new_figure(*SIZE)
        for colour, (name, result) in zip(pages.SERIES, searches.items(), strict=False):
            table = _drawable(result.history, ["utility"])
            utility, calls = table["utility"].to_numpy(), table["call"].to_numpy()
            axes.plot(calls, utility, ".", ms=3, alpha=0.35, color=colour, rasterized=len(calls) > FEW)
            axes.plot(calls, running_top(utility, 1), color=colour, label=f"{name}: best")
            axes.plot(calls, running_top(utility, 10), color=colour, ls="--", label=f"{name}: mean of ten best")
        axes.set(xlabel="molecules scored", ylabel=axis_label(next(iter(searches.values()))))
        drawn = [_drawable(one.history, ["utility"])["utility"].dropna().to_numpy() for one in searches.values()]
        _clip_low_outliers(axes, np.concatenate(drawn))
        figure.legend(loc="outside lower left", ncols=2, fontsize=8.5)
        return pages.figure_svg(figure, "What was maximised, against the molecules scored so far.")


def front(result: Outcome) -> pages.Html:
    """Every scored molecule by two of the goals, the front among them; a third goal is the colour."""
    names = result.utility.columns
    first, second, *others = names
    tables = result.history[result.history["utility"].notna()], result.pareto
    scored, best = (_drawable(as_predicted(table, names), names) for table in tables)
    best = best.sort_values(first)
    with pages.plot_style():
        figure, axes = pages.new_figure(*SIZE)
        colours = {"c": scored[others[0]], "cmap": "viridis"} if others else {"color": pages.MUTED}
        dots = axes.scatter(scored[first], scored[second], s=9, linewidths=0, rasterized=len(scored) > FEW, **colours)
        way = "o" if others else "-o"  # three goals have no order along the first
        axes.plot(best[first], best[second], way, ms=4, lw=1.3, mfc="none" if others else None, color=pages.SERIES[4])
        label = {name: f"{name} [{unit}]" for name, unit in units(result).items()}
        axes.set(xlabel=label.get(first, first), ylabel=label.get(second, second))
        targets = {goal.name.lower(): goal.target for goal in result.utility.goals if goal.target is not None}
        for name, draw in ((first, axes.axvline), (second, axes.axhline)):
            if name.lower() in targets:
                draw(targets[name.lower()], lw=1, ls=":", color=pages.MUTED, zorder=0)
        if others:
            figure.colorbar(dots, ax=axes, label=label.get(others[0], others[0]), fraction=0.045)
        ringed = "ringed" if others else "joined by the line"
        aims = "; a dotted line is a target" if {first.lower(), second.lower()} & set(targets) else ""
        return pages.figure_svg(figure, f"The {len(scored):,} scored molecules; those of the front are {ringed}{aims}.")


def streams(shares: dict[str, float], n_best: int) -> pages.Html:
    """Share of the best molecules by what proposed them, as small bars."""
    names = sorted(shares, key=shares.__getitem__)
    with pages.plot_style():
        figure, axes = pages.new_figure(SIZE[0], 0.7 + 0.26 * len(names))
        axes.barh([STREAMS.get(name, name) for name in names], [100 * shares[name] for name in names], color=pages.SERIES[0])
        axes.set(xlabel=f"% of the {n_best} best")
        return pages.figure_svg(figure, "What proposed the best molecules.")


def axis_label(result: Outcome) -> str:
    """What is maximised."""
    goals = result.utility.goals
    if len(goals) > 1:
        return "weighted desirability"
    if goals[0].target is not None:
        return f"- |{goals[0].name} - {goals[0].target:g}|"
    return ("" if goals[0].direction == "max" else "- ") + goals[0].name


def _drawable(table: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """The table with values an axis can hold: an oracle may give 1e308 for "never"."""
    return table.assign(**{name: table[name].clip(-LARGEST, LARGEST) for name in columns})


def _clip_low_outliers(axes: Axes, values: np.ndarray) -> None:
    """Let a few very poor molecules fall off the picture, not the interesting part."""
    if len(values) >= 20:
        low, high = np.quantile(values, CLIPPED), values.max()
        margin = 0.08 * (high - low) or 0.1
        axes.set_ylim(low - margin, high + margin)


def latent_path(result: Outcome) -> pages.Html | None:
    """The scored points among training molecules on two principal components, and the way of the best; None without points."""
    table = _drawable(result.history[result.history["utility"].notna()], ["utility"])
    table = table[np.array([np.isfinite(z).all() for z in table["z"]], dtype=bool)]
    if not len(table):
        return None
    points, utility = np.stack(table["z"].to_list()).astype(float), table["utility"].to_numpy()
    background = references(result.model, points.shape[1])
    place, shares = principal_plane(background if len(background) >= FEWEST_REFERENCES else points)
    leaders = np.flatnonzero(np.diff(running_top(utility, 1), prepend=-np.inf) > 0)
    with pages.plot_style():
        figure, axes = pages.new_figure(*SIZE)
        if len(background):
            axes.plot(
                *place(background).T, ".", ms=2, alpha=0.35, color=pages.MUTED, label="training molecules", rasterized=True
            )
        colours = {"c": utility, "cmap": "viridis", "vmin": np.quantile(utility, CLIPPED), "vmax": utility.max()}
        dots = axes.scatter(*place(points).T, s=9, linewidths=0, rasterized=len(points) > FEW, **colours)
        way = place(points[leaders])
        axes.plot(*way.T, "-o", ms=4, lw=1.3, color=pages.SERIES[4], label="each new best")
        axes.plot(*way[-1:].T, "*", ms=13, color=pages.SERIES[4], label="the best")
        axes.set(xlabel=f"component 1 ({shares[0]:.0%})", ylabel=f"component 2 ({shares[1]:.0%})")
        figure.colorbar(dots, ax=axes, label=axis_label(result), fraction=0.045)
        figure.legend(loc="outside lower left", ncols=3, fontsize=8.5)
        return pages.figure_svg(figure, _path_caption(len(points), len(background)))


def _path_caption(n_points: int, n_references: int) -> str:
    plane = f"{n_references:,} training molecules" if n_references >= FEWEST_REFERENCES else "these points"
    return (
        f"The points that {n_points:,} scored molecules were decoded from, on the two leading principal components of {plane}, "
        "with the share of the variance that each shows. The line joins each new best."
    )


def references(model: MolVAE | None, latent_dim: int) -> np.ndarray:
    """The latents of training molecules that a model keeps [R, D]; R = 0 where it keeps none."""
    kept = getattr(getattr(model, "latent_statistics", None), "references", None)
    rows = np.empty((0, latent_dim)) if kept is None else kept.detach().cpu().numpy().astype(float)
    return rows[~np.isnan(rows).any(axis=1)]


def principal_plane(rows: np.ndarray) -> tuple[Any, tuple[float, float]]:
    """Fit the plane of the two leading principal components.

    Parameters
    ----------
    rows : ndarray [N, D]

    Returns
    -------
    place : callable
        Points [M, D] -> coordinates [M, 2]; the same orientation for the same rows.
    shares : (float, float)
        Of the variance.

    Examples
    --------
    >>> place, shares = principal_plane(np.array([[0.0, 0.0, 0.0], [2.0, 0.0, 0.0], [0.0, 1.0, 0.0], [2.0, 1.0, 0.0]]))
    >>> place(np.array([[2.0, 1.0, 5.0]])).tolist(), shares
    ([[1.0, 0.5]], (0.8, 0.2))
    """
    centre = rows.mean(axis=0)
    _, spread, axes = np.linalg.svd(rows - centre, full_matrices=False)
    axes = np.vstack([axes, np.zeros((2, rows.shape[1]))])[:2]  # [2, D]; one row has no second component
    leading = axes[np.arange(2), np.abs(axes).argmax(axis=1)]
    axes = axes * np.where(leading < 0, -1.0, 1.0)[:, None]
    variance = np.append(spread**2, [0.0, 0.0])
    shares = variance[:2] / max(variance.sum(), 1e-300)
    return (lambda points: (points - centre) @ axes.T), (float(shares[0]), float(shares[1]))
