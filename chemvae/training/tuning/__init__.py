"""Tunings: further training of a decoder for what it writes."""
