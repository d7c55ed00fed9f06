"""The demo: the whole path from SMILES to designed molecules, offline, on a data set that chemvae makes itself."""

from chemvae.demo.walk import DemoSizes, run_demo

__all__ = ["DemoSizes", "run_demo"]
