"""The demo's own figures: how the searches went."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chemvae.demo.searches import METHODS, N_TOP, Comparison
from chemvae.pages import INK, MUTED, SERIES, Html, figure_svg, new_figure, plot_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = {"random": MUTED, "gradient": SERIES[0], "bayesian": SERIES[1], "auto": SERIES[2]}
SMALLEST = 1e-4  # on the logarithmic axis of distances


def trace(comparison: Comparison, best_known: float, reference_name: str) -> Html:
    """Best so far, and mean of the ten best so far, against the number of oracle calls; distances on a logarithmic axis.

    Parameters
    ----------
    comparison : Comparison
    best_known : float
        Measure of the best molecule of the reference, drawn as a line; NaN leaves it out.
    reference_name : str
        What the reference is called.
    """
    with plot_style():
        figure, axes = new_figure(9.6, 3.5, columns=2)
        for axis, k, title in zip(axes, (1, N_TOP), ("Best so far", f"Mean of the {N_TOP} best so far"), strict=True):
            curves = {method: _from_call(k, comparison.curve(method, k)) for method in comparison.results}
            _draw(axis, curves, best_known, f"best of the {reference_name}", is_distance=comparison.task.sign < 0)
            axis.set(title=title, xlabel="oracle calls", ylabel=comparison.task.measure)
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower left", ncols=5, fontsize=8.5)
        return figure_svg(figure, alt=f"{comparison.task.title}: {comparison.task.measure} against oracle calls")


def _from_call(k: int, curve: np.ndarray) -> np.ndarray:
    """Leave out what is a mean of fewer than k."""
    return np.where(np.cumsum(np.isfinite(curve)) >= k, curve, np.nan)


def _draw(axis: Axes, curves: dict[str, np.ndarray], best_known: float, words: str, is_distance: bool) -> None:
    for method, curve in curves.items():
        shown = np.maximum(curve, SMALLEST) if is_distance else curve
        axis.step(np.arange(1, len(curve) + 1), shown, where="post", color=COLOURS[method], label=METHODS[method])
    if np.isfinite(best_known):
        level = max(best_known, SMALLEST) if is_distance else best_known
        axis.axhline(level, color=INK, linewidth=0.9, linestyle=(0, (4, 3)), label=words)
    if is_distance:
        axis.set_yscale("log")
    else:
        axis.set_ylim(*_limits(curves, best_known))


def _limits(curves: dict[str, np.ndarray], best_known: float) -> tuple[float | None, float | None]:
    """From where the curves stand after the first tenth of the calls up to the best; the very first calls may fall below."""
    late = np.concatenate([curve[len(curve) // 10 :] for curve in curves.values()] + [np.array([best_known])])
    seen = late[np.isfinite(late)]
    if not len(seen):
        return None, None
    margin = 0.06 * (seen.max() - seen.min()) or 0.05
    return float(seen.min() - margin), float(seen.max() + margin)
