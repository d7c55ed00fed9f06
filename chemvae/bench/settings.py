"""What a benchmark run measures, and how many seconds it may take for each measurement."""

from __future__ import annotations

from dataclasses import dataclass, replace

from chemvae.errors import SettingsError


@dataclass(frozen=True)
class BenchSettings:
    """How much is measured.

    Attributes
    ----------
    data : DATA as everywhere; None takes ZINC250k where a copy is at hand, else the library virtual-drugs.
    model : run folder or shipped model for decoding and sampling; None takes the shipped "drug", else one is trained.
    preset : whose architecture is trained.
    device : "auto", "cpu", "cuda", "cuda:1".
    threads : CPU threads; 0 takes torch's choice.
    seed : of molecules, weights and draws.
    n_molecules : rows read of the data.
    seconds : of one measurement; at least one repetition is always finished.
    rounds : how often the contenders are measured in turn.
    batch_sizes : tried for chemvae and for torch.nn.GRU.
    moses_batch_sizes : tried for the MOSES-shaped model's training.
    moses_sample_sizes : tried for its sampling.
    product_sizes : sides of the square matrix products.
    n_decoded : molecules of one encoding or decoding measurement.
    n_sampled : molecules of the end-to-end sampling measurement.
    n_starts : fresh processes per start-up figure; 0 leaves start-up out.
    train_s : seconds a model is trained for decoding where none is given.
    growth : also measure how cost grows with molecules, length, batch and width.
    growth_molecules : numbers of molecules of that.
    growth_encoded : numbers of molecules encoded in it.
    growth_lengths : tokens per molecule in it.
    growth_batch_sizes : batch sizes in it.
    growth_widths : decoder widths in it.
    compile : also time a step under torch.compile, which takes half a minute to compile.
    """

    data: str | None = None
    model: str | None = None
    preset: str = "cpu"
    device: str = "auto"
    threads: int = 0
    seed: int = 0
    n_molecules: int = 40_000
    seconds: float = 3.0
    rounds: int = 3
    batch_sizes: tuple[int, ...] = (128, 256, 512)
    moses_batch_sizes: tuple[int, ...] = (128, 256, 512)
    moses_sample_sizes: tuple[int, ...] = (256, 512, 1024)
    product_sizes: tuple[int, ...] = (1024, 2048, 4096)
    n_decoded: int = 8192
    n_sampled: int = 30_000
    n_starts: int = 3
    train_s: float = 90.0
    growth: bool = False
    growth_molecules: tuple[int, ...] = (1_000, 10_000, 100_000, 1_000_000)
    growth_encoded: tuple[int, ...] = (1_000, 10_000, 100_000)
    growth_lengths: tuple[int, ...] = (20, 50, 100, 200, 400, 600)
    growth_batch_sizes: tuple[int, ...] = (16, 32, 64, 128, 256, 512, 1024)
    growth_widths: tuple[int, ...] = (128, 256, 512, 1024, 2048)
    compile: bool = False

    def complaints(self) -> list[str]:
        """Say what is wrong with these settings, all at once."""
        at_least_one = ("n_molecules", "rounds", "n_decoded", "n_sampled")
        not_negative, positive = ("threads", "n_starts"), ("seconds", "train_s")
        several = [name for name, value in vars(self).items() if isinstance(value, tuple)]
        found = [f"{name} must be >= 1, got {getattr(self, name)}" for name in at_least_one if getattr(self, name) < 1]
        found += [f"{name} must be >= 0, got {getattr(self, name)}" for name in not_negative if getattr(self, name) < 0]
        found += [f"{name} must be > 0, got {getattr(self, name)}" for name in positive if not getattr(self, name) > 0]
        for name in several:
            values = getattr(self, name)
            if not values or min(values) < 1:
                found.append(f"{name} must hold numbers >= 1, got {list(values)}")
        return found

    def __post_init__(self) -> None:
        if found := self.complaints():
            raise SettingsError(found)

    def quick(self) -> BenchSettings:
        """The same in about a minute: one round, short measurements; the figures scatter more.

        Examples
        --------
        >>> BenchSettings(seed=3).quick().rounds, BenchSettings(seed=3).quick().seed
        (1, 3)
        """
        return replace(
            self, n_molecules=8_000, seconds=0.7, rounds=1, batch_sizes=(128, 512), moses_batch_sizes=(128,),
            moses_sample_sizes=(256,), product_sizes=(1024, 2048), n_decoded=1024, n_sampled=4_000, n_starts=1, train_s=15.0,
        )  # fmt: skip
