"""The 2D map of a latent space: projections, one offline page, a picture."""

from chemvae.maps.interactive import map_assets, map_component, read_map, write_map
from chemvae.maps.manifold import PaCMAPProjection, TSNEProjection, UMAPProjection
from chemvae.maps.payload import Trajectory
from chemvae.maps.picture import write_png
from chemvae.maps.projection import PCAProjection, Projection, load_projection, map_quality

PROJECTIONS: dict[str, type[Projection]] = {
    "pca": PCAProjection,
    "tsne": TSNEProjection,
    "umap": UMAPProjection,
    "pacmap": PaCMAPProjection,
}

__all__ = [
    "PROJECTIONS",
    "Projection",
    "Trajectory",
    "load_projection",
    "map_assets",
    "map_component",
    "map_quality",
    "read_map",
    "write_map",
    "write_png",
]
