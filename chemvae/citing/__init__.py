"""Which papers stand behind what was used."""

from chemvae.citing.papers import ALWAYS, PAPERS, USES, Paper
from chemvae.citing.used import cite

__all__ = ["ALWAYS", "PAPERS", "USES", "Paper", "cite"]
