"""Molecules changed and crossed as graphs: fragments, mutations, offspring."""
