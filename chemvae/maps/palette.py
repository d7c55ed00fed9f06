"""Colours of the page and of the picture: perceptually uniform for numbers, safe for the colour-blind for categories."""

from __future__ import annotations

from functools import lru_cache

RAMP_STEPS = 254
"""Palette entries of a number; entry 254 is "missing" and 255 is unused."""

RAMP_RANGE = {"light": (0.0, 0.93), "dark": (0.12, 1.0)}
"""Part of viridis that keeps its contrast on either background (its ends are near white and near black)."""

MISSING = {"light": "#b9bcc2", "dark": "#5b606b"}

CATEGORIES = {
    "light": ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#332288", "#b8a400"],
    "dark": ["#3b9bd9", "#e69f00", "#1fbf94", "#e396c1", "#7cc8f2", "#f07b2e", "#9a8cf0", "#f0e442"],
}
"""After Okabe and Ito; yellow and black are replaced where the background would swallow them."""

TRAJECTORIES = {
    "light": ["#d5004a", "#1a1d23", "#0072b2", "#b06a00", "#7a3e9d", "#00735a"],
    "dark": ["#ff5c8a", "#ffffff", "#5db8ff", "#ffb13b", "#c99af0", "#35d0a5"],
}

MARKS = {
    "light": ["#d5004a", "#111418", "#b06a00", "#7a3e9d", "#00735a", "#0b63b6"],
    "dark": ["#ff5c8a", "#ffffff", "#ffb13b", "#c99af0", "#35d0a5", "#5db8ff"],
}
"""Of sets laid over the points: each has a shape of its own, too."""


@lru_cache(maxsize=2)
def number_ramp(theme: str) -> list[str]:
    """Return the ``RAMP_STEPS`` colours of a number, lowest first, for ``"light"`` or ``"dark"``.

    References
    ----------
    Smith & van der Walt, viridis, 2015. https://bids.github.io/colormap/

    Examples
    --------
    >>> ramp = number_ramp("light")
    >>> len(ramp), ramp[0]
    (254, '#440154')
    """
    import matplotlib
    import numpy as np
    from matplotlib.colors import to_hex

    return [to_hex(colour) for colour in matplotlib.colormaps["viridis"](np.linspace(*RAMP_RANGE[theme], RAMP_STEPS))]


def page_palette() -> dict[str, dict[str, list[str] | str]]:
    """Return every colour the page needs, by theme."""
    return {
        theme: {
            "ramp": number_ramp(theme),
            "missing": MISSING[theme],
            "categories": CATEGORIES[theme],
            "trajectories": TRAJECTORIES[theme],
            "marks": MARKS[theme],
        }
        for theme in ("light", "dark")
    }
