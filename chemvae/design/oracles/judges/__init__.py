"""Judges that others have made, as oracles: ADMET predictors, docking, benchmarks."""
