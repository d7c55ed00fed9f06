"""Evaluators: how the molecules a campaign has chosen come to their scores, and what is written down."""
