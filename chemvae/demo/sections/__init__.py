"""Sections of the demo's report, one file for each subject."""
