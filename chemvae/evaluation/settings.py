"""How much an evaluation measures."""

from __future__ import annotations

from dataclasses import dataclass

from chemvae.errors import SettingsError

_LEAST = {
    "n_molecules": 1, "n_samples": 1, "n_reconstruction": 1, "n_fcd": 0, "n_curve": 0, "n_codes": 0, "n_smoothness": 0,
    "likelihood": 0, "ais_temperatures": 1, "ais_chains": 1,
}  # fmt: skip


@dataclass(frozen=True)
class EvaluationSettings:
    """How much is measured."""

    n_molecules: int = 5_000
    """Molecules of the file that are used at most."""
    n_samples: int = 30_000
    """Decodes per sampling figure."""
    n_reconstruction: int = 1_000
    """Molecules of ``reconstruction_jt``; each costs 100 decodes."""
    n_fcd: int = 10_000
    """Generated molecules that the Frechet distance takes at most; 0 leaves it out."""
    n_curve: int = 500
    """Molecules per point of the curves against distance; 0 leaves the curves out."""
    n_codes: int = 1_000
    """Draws of each prior that are encoded again, to see whether z decides; 0 leaves that out."""
    n_smoothness: int = 500
    """Held-out codes that are stepped away from, to see how molecules change; 0 leaves that out."""
    likelihood: int = 0
    """Molecules whose log p(x) is estimated, by importance sampling and between two bounds; some seconds to minutes each."""
    ais_temperatures: int = 500
    """Steps of annealed importance sampling, if the likelihood is asked for."""
    ais_chains: int = 4
    """Its chains per molecule."""
    seed: int = 0
    """Of every draw."""
    jobs: int = 1
    """Worker processes for RDKit's part."""

    def __post_init__(self) -> None:
        complaints = [f"{k} must be >= {low}, got {getattr(self, k)}" for k, low in _LEAST.items() if getattr(self, k) < low]
        if complaints:
            raise SettingsError(complaints)
