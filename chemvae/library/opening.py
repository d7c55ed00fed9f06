"""The model of a library, and what it keeps of molecules: decided when it is built, and the same ever after."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from chemvae.chem.properties import PROPERTIES, require_programs
from chemvae.data.files.columns import list_names
from chemvae.errors import SettingsError
from chemvae.library.manifest import LibrarySettings, Manifest
from chemvae.library.shard import OWN_COLUMNS, Shard
from chemvae.models.storage import USUAL_MODEL, fingerprint, open_model, shipped_models
from chemvae.models.vae import MolVAE

USUAL_PROPERTIES = ("logP", "MW", "TPSA", "HBD", "HBA", "rotatable_bonds", "rings", "heavy_atoms")
IN_MEMORY = "a model in memory"
RESERVED = (*OWN_COLUMNS, "distance", "similarity")


def name_of(model: MolVAE | str | Path | None) -> str:
    """What to open a model by again, wherever from."""
    if isinstance(model, MolVAE):
        return IN_MEMORY
    name = str(USUAL_MODEL if model is None else model)
    return name if name in shipped_models() else str(Path(name).absolute())


def settings_of(vae: MolVAE, name: str, properties: Sequence[str], standardize: str) -> LibrarySettings:
    by_lower = {one.lower(): one for one in PROPERTIES}
    names = list(dict.fromkeys(by_lower.get(one.lower(), one) for one in (*USUAL_PROPERTIES, *properties)))
    if taken := sorted({one.lower() for one in names} & set(RESERVED)):
        raise SettingsError(f"{list_names(taken, 5)}: a library has columns of that name itself; rename those of the table")
    require_programs([one for one in names if one in PROPERTIES])
    units = {one: PROPERTIES[one].unit if one in PROPERTIES else "1" for one in names}
    return LibrarySettings(name, fingerprint(vae), vae.latent_dim, vae.latent_space.kind, units, standardize)


def open_own_model(
    library: Path, settings: LibrarySettings, model: MolVAE | str | Path | None = None, device: str = "auto"
) -> MolVAE:
    """The model that a library was made by.

    Raises
    ------
    SettingsError
        If another one is given, or the one of its name has changed.
    """
    if model is None and settings.model == IN_MEMORY:
        raise SettingsError(f"the library '{library}' was built with a model in memory; give that model")
    vae = open_model(settings.model if model is None else model, device)
    if fingerprint(vae) != settings.weights:
        raise SettingsError(
            f"the library '{library}' was built with another model ('{settings.model}', weights {settings.weights}); name that "
            "one with --model, or build the library anew"
        )
    return vae


def read_shards(library: Path, manifest: Manifest) -> Iterator[Shard]:
    """The shards of a library, in order, one after the other."""
    first_row = 0
    for facts in manifest.shards:
        yield Shard(library, facts, first_row)
        first_row += facts.n_rows
