"""Quantum chemistry of single molecules: semi-empirical and density-functional calculators, offered as properties."""
