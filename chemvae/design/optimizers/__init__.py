"""Optimizers: ``ask(n) -> z``, ``tell(z, y)``."""
