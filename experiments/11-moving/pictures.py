"""Draw the pictures of docs/pages/moving.md with the shipped model: a path, an edit, and a random walk as a film.

python experiments/11-moving/pictures.py [FOLDER]
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

import torch
from PIL import Image

from chemvae import api, sampling
from chemvae.chem.alignment import aligned, differing_atoms
from chemvae.chem.drawing import molecule_png
from chemvae.moving import random_walk
from chemvae.tables.film import others_before, write_film
from chemvae.tables.path_page import write_path

FIGURES = Path(__file__).parents[2] / "docs" / "pages" / "figures"
PARACETAMOL, CAFFEINE = "CC(=O)Nc1ccc(O)cc1", "Cn1c(=O)c2c(ncn2C)n(C)c1=O"
CELECOXIB = "Cc1ccc(-c2cc(C(F)(F)F)nn2-c2ccc(S(N)(=O)=O)cc2)cc1"
N_WALK, RADIUS, SECONDS = 27, 0.15, 0.7


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FIGURES
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    model = api.load("drug", "cpu")
    path = sampling.interpolate(model, PARACETAMOL, CAFFEINE, n_steps=9, properties=["logP"])
    write_path(path, folder / "moving-path.png", PARACETAMOL, CAFFEINE)
    edit = {"steps": 8, "radius": 0.5, "direction": "min", "keep": "S(N)(=O)=O", "overwrite": True}
    api.edit(CELECOXIB, "logP", model, out=folder / "moving-edit.png", **edit)
    walk = random_walk(model, N_WALK, RADIUS, seed=1)
    smiles, valid = walk["smiles"].tolist(), walk["valid"].tolist()
    write_film(folder / "moving-walk.png", smiles, [""] * N_WALK, valid)
    write_gif(folder / "moving-walk.gif", smiles, valid)


def write_gif(path: Path, smiles: list[str], valid: list[bool]) -> None:
    """The molecules of a walk one after the other, each laid out as the one before it; what is no molecule is left out."""
    frames = []
    for text, is_valid, other in zip(smiles, valid, others_before(smiles, valid), strict=True):
        compared = {} if other is None else {"layout": aligned(text, other), "highlight": differing_atoms(text, other)}
        drawn = molecule_png(text, 420, 300, **compared) if is_valid else None
        if drawn is not None:
            frames.append(Image.open(io.BytesIO(drawn)).convert("P", palette=Image.Palette.ADAPTIVE, colors=32))
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=int(1000 * SECONDS), loop=0, optimize=True)


if __name__ == "__main__":
    main()
