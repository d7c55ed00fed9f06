"""The demo's own figures: how the searches went."""

from __future__ import annotations

import numpy as np

from chemvae.demo.searches import METHODS, N_TOP, Comparison
from chemvae.design.result import running_top
from chemvae.pages import INK, MUTED, SERIES, Html, figure_svg, new_figure, plot_style

COLOURS = {"random": MUTED, "gradient": SERIES[0], "bayesian": SERIES[1]}


def trace(comparison: Comparison, best_known: float) -> Html:
    """Best so far, and mean of the ten best so far, against the number of oracle calls.

    Parameters
    ----------
    comparison : Comparison
    best_known : float
        Merit of the best training molecule, drawn as a line; NaN leaves it out.
    """
    with plot_style():
        figure, axes = new_figure(9.6, 3.5, columns=2)
        for axis, k, title in zip(axes, (1, N_TOP), ("Best so far", f"Mean of the {N_TOP} best so far"), strict=True):
            for method in comparison.results:
                curve = running_top(comparison.merits(method), k)
                axis.step(np.arange(1, len(curve) + 1), curve, where="post", color=COLOURS[method], label=METHODS[method])
            if np.isfinite(best_known):
                axis.axhline(best_known, color=INK, linewidth=0.9, linestyle=(0, (4, 3)), label="best training molecule")
            axis.set(title=title, xlabel="oracle calls", ylabel=comparison.task.unit)
            axis.set_ylim(*_limits(comparison, k, best_known))
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower left", ncols=4, fontsize=8.5)
        return figure_svg(figure, alt=f"{comparison.task.title}: merit against oracle calls")


def _limits(comparison: Comparison, k: int, best_known: float) -> tuple[float | None, float | None]:
    """From where the curves stand after the first tenth of the calls up to the best; the very first calls may fall below."""
    curves = [running_top(comparison.merits(method), k) for method in comparison.results]
    late = np.concatenate([curve[len(curve) // 10 :] for curve in curves])
    seen = np.append(late[np.isfinite(late)], best_known if np.isfinite(best_known) else [])
    if not len(seen):
        return None, None
    margin = 0.06 * (seen.max() - seen.min()) or 0.05
    return float(seen.min() - margin), float(seen.max() + margin)
