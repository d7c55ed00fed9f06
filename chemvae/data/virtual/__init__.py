"""Libraries that chemvae makes by reactions."""

from chemvae.deprecation.modules import moved_names

__getattr__ = moved_names(
    __name__,
    "data.virtual.enumeration",
    ("stream_library", "enumerate_drugs", "enumerate_oleds", "make_product", "library_size", "routes", "is_drug_like"),
)
