"""Surrogates: Gaussian processes and predictors that stand in for the oracle."""
