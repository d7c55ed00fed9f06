"""Recipes: several trainings, one after the other, by one command."""
