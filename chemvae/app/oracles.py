"""Which oracles a page may name: those that only compute. Programs, functions of modules and paths stay with the command line."""

from __future__ import annotations

SAFE = ("qed_minus_sas", "penalized_logP", "similarity", "rediscovery", "substructure", "isomers", "alerts", "predicted")
"""Of :data:`chemvae.design.oracles.factory.BUILTIN`: no program is run, nothing imported and no file read for these."""
