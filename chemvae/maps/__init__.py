"""The 2D map of a latent space: projections, one offline page, a picture."""

from chemvae.maps.factory import PROJECTIONS, load_projection
from chemvae.maps.interactive import map_assets, map_component, read_map, write_map
from chemvae.maps.lattice import LatentLattice, LatticeSettings, decode_lattice
from chemvae.maps.library_map import map_molecules
from chemvae.maps.manifold import PaCMAPProjection, TSNEProjection, UMAPProjection
from chemvae.maps.molecule_map import MapSettings, MoleculeMap
from chemvae.maps.payload import MapOptions, Trajectory
from chemvae.maps.picture import write_png
from chemvae.maps.projection import PCAProjection, Projection, map_quality
from chemvae.maps.regions import RegionLabel, region_labels

__all__ = [
    "PROJECTIONS",
    "LatentLattice",
    "LatticeSettings",
    "MapOptions",
    "MapSettings",
    "MoleculeMap",
    "PCAProjection",
    "PaCMAPProjection",
    "Projection",
    "RegionLabel",
    "TSNEProjection",
    "Trajectory",
    "UMAPProjection",
    "decode_lattice",
    "load_projection",
    "map_assets",
    "map_component",
    "map_molecules",
    "map_quality",
    "read_map",
    "region_labels",
    "write_map",
    "write_png",
]
