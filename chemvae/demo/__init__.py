"""The demo: what the shipped model can do, or the whole path from SMILES to designed molecules, offline."""

from chemvae.demo.sizes import DemoSizes
from chemvae.demo.walk import run_demo

__all__ = ["DemoSizes", "run_demo"]
