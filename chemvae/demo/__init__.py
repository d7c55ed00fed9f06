"""The demo: what the shipped model can do, or the whole path from SMILES to designed molecules, offline."""

from chemvae.demo.emitters import run_emitters
from chemvae.demo.run import run_demo
from chemvae.demo.sizes import DemoSizes

__all__ = ["DemoSizes", "run_demo", "run_emitters"]
