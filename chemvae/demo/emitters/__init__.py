"""The demo of emitters: random ones, one improved, a map."""

from chemvae.demo.emitters.run import run_emitters

__all__ = ["run_emitters"]
