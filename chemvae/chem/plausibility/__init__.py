"""Plausibility: whether the ring systems, bonds and scaffolds of a molecule occur in molecules that people have made."""
