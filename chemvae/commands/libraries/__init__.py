"""Commands about libraries of very many molecules."""
