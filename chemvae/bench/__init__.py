"""Speed on this machine: chemvae beside its hardware's peak, torch.nn.GRU and a MOSES-shaped model, all in one run."""

from chemvae.bench.run import run_bench
from chemvae.bench.settings import BenchSettings

__all__ = ["BenchSettings", "run_bench"]
