"""The kinds of job, by name."""

from __future__ import annotations

from collections.abc import Callable

from chemvae.app.work.campaigns import do_campaign
from chemvae.app.work.learning import do_fit, do_place, do_train
from chemvae.app.work.libraries import do_library, do_map, do_sample
from chemvae.app.work.moving import do_edit, do_interpolate, do_neighbors
from chemvae.app.work.order import Order
from chemvae.app.work.searching import do_optimize

KINDS: dict[str, Callable[[Order], str]] = {
    "neighbors": do_neighbors,
    "interpolate": do_interpolate,
    "edit": do_edit,
    "optimize": do_optimize,
    "fit": do_fit,
    "train": do_train,
    "place": do_place,
    "library": do_library,
    "sample": do_sample,
    "map": do_map,
    "campaign": do_campaign,
}
"""What a worker can do; the answer is what is said of how it ended, empty where there is nothing to say."""
