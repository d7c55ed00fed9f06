"""Filters: what a molecule must fulfil to be sent to the oracle."""
