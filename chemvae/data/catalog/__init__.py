"""Data sets known by name: their cards, where they lie, downloads, what is kept."""
