"""``python -m chemvae`` is the command ``chemvae``."""

from chemvae.cli import main

main()
