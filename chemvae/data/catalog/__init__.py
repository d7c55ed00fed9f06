"""Data sets known by name: their cards, where they lie, downloads, what is kept."""

from chemvae.deprecation.modules import moved_names

__getattr__ = moved_names(__name__, "data.catalog.locate", ("load_dataset", "is_catalog_name", "open_dataset", "Located"))
