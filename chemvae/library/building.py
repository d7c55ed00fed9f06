"""Build a library and add to it: shard after shard, each whole when it appears, so that what ends the work costs little.

A killed build is gone on with by the same command: the manifest says how far each source was read, the keys of the molecules
see to it that none stands in the library twice.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from chemvae.chem.molecules import parse
from chemvae.chem.properties import PROPERTIES
from chemvae.data.files.columns import list_names
from chemvae.data.prepare.sources import Data
from chemvae.disk.files import clear_leftovers, remove
from chemvae.disk.locks import held
from chemvae.errors import (
    CancelledError,
    ChemVAEError,
    InterruptedRunError,
    NothingUsableError,
    SettingsError,
    command_line,
)
from chemvae.library.features import Featurize, Piece, stream_features
from chemvae.library.keys import KnownKeys
from chemvae.library.manifest import FILE, LibrarySettings, Manifest, SourceFacts, is_library, read_manifest
from chemvae.library.opening import name_of, open_own_model, read_shards, settings_of
from chemvae.library.shard import Molecules, Shard, write_shard
from chemvae.library.sources import Reading, describe_source, read_pieces
from chemvae.models.storage import open_model
from chemvae.models.vae import MolVAE
from chemvae.parallel import Workers
from chemvae.progress import CancelToken, ProgressCallback, Step, steps

logger = logging.getLogger(__name__)

SHARD_ROWS = 131_072


@dataclass(frozen=True)
class Work:
    """How a library is built, whatever is in it; fields as ``chemvae library build`` has flags."""

    jobs: int = 1
    """Worker processes; 0 takes one per core."""
    engine: str = "local"
    """"local" or "ray"."""
    device: str = "auto"
    """Where a model that is named is loaded."""
    shard_rows: int = SHARD_ROWS
    """Molecules in memory before a shard is written; what is lost at most if the work is killed."""

    def __post_init__(self) -> None:
        if self.shard_rows < 1:
            raise SettingsError(f"shard_rows must be >= 1, got {self.shard_rows}")


def build_library(
    files: Data | Sequence[Data],
    out: str | Path,
    model: MolVAE | str | Path | None = None,
    properties: Sequence[str] = (),
    reading: Reading | None = None,
    work: Work | None = None,
    progress: ProgressCallback | None = None,
    cancel: CancelToken | None = None,
) -> Manifest:
    """Build a library of the molecules of some tables, or go on with a build of the same that was ended.

    Parameters
    ----------
    files : table or list of tables
        As :func:`chemvae.encode` takes them; a list of texts is one of files if the first is no molecule.
    out : path
        The library's folder.
    model : MolVAE, name or run folder
        The shipped one by default.
    properties : sequence of str
        Beside :data:`chemvae.library.opening.USUAL_PROPERTIES`: of :data:`chemvae.chem.properties.PROPERTIES`,
        else columns of numbers of the tables.
    reading : Reading, optional
    work : Work, optional
    progress : callable, optional
        Told of each :class:`chemvae.progress.Progress`, rows read.
    cancel : CancelToken, optional

    Returns
    -------
    Manifest

    Raises
    ------
    ChemVAEError
        If the folder holds a library of other settings or tables, or cannot be written.
    InterruptedRunError
        If it was ended; what was done is saved.
    """
    out, tables, reading, work = Path(out), as_tables(files), reading or Reading(), work or Work()
    vae = open_model(model, work.device)
    settings = settings_of(vae, name_of(model), properties, reading.standardize)
    with held(out):
        manifest = Manifest(settings)
        if is_library(out):
            manifest = read_manifest(out)
            _check_same(out, manifest, settings, [describe_source(table, reading.smiles_column) for table in tables])
        return _Builder(out, manifest, vae, reading, work, steps(progress, cancel)).take(tables)


def append_library(
    library: str | Path,
    files: Data | Sequence[Data],
    model: MolVAE | str | Path | None = None,
    reading: Reading | None = None,
    work: Work | None = None,
    progress: ProgressCallback | None = None,
    cancel: CancelToken | None = None,
) -> Manifest:
    """Add the molecules of more tables to a library; those it holds already are passed over.

    Parameters
    ----------
    library : path
    files, reading, work, progress, cancel
        As in :func:`build_library`; how SMILES are standardised, the library says.
    model : MolVAE, name or run folder
        The library's own by default.

    Raises
    ------
    LibraryError
        If there is no library, or it was made by another model.
    """
    library, reading, work = Path(library), reading or Reading(), work or Work()
    with held(library):
        manifest = read_manifest(library)
        vae = open_own_model(library, manifest.settings, model, work.device)
        reading = replace(reading, standardize=manifest.settings.standardize)
        return _Builder(library, manifest, vae, reading, work, steps(progress, cancel)).take(as_tables(files))


def as_tables(files: Data | Sequence[Data]) -> list[Data]:
    """One table or several as a list of tables."""
    if isinstance(files, (str, Path, pd.DataFrame, pd.Series)) or not isinstance(files, (list, tuple)):
        return [files]
    if not files:
        raise NothingUsableError("There is no table to read. Name files, or sets of `chemvae data list`.")
    is_molecules = isinstance(files[0], str) and not Path(files[0]).exists() and parse(files[0]) is not None
    return [list(files)] if is_molecules else list(files)


def _check_same(out: Path, manifest: Manifest, settings: LibrarySettings, sources: Sequence[SourceFacts]) -> None:
    """Refuse to go on with a library of other settings, or of tables that are not among those asked for."""
    ours = {one.sha256 for one in sources}
    others = [one.name for one in manifest.sources if one.sha256 is not None and one.sha256 not in ours]
    same = replace(manifest.settings, model=settings.model) == settings
    if same and not others:
        return
    problem = "with other settings" if not same else f"of other tables ({list_names(others, 3)})"
    raise ChemVAEError(
        f"'{out}' holds a library {problem}. Add to it with {command_line('library', 'append', out, 'FILES')}, or choose "
        "another folder."
    )


class _Builder:
    """Adds the molecules of tables to a library whose folder this program holds."""

    def __init__(self, path: Path, manifest: Manifest, model: MolVAE, reading: Reading, work: Work, step: Step):
        self.path, self.manifest, self.model, self.reading, self.work, self.step = path, manifest, model, reading, work, step
        self._known = KnownKeys([shard.array("keys") for shard in read_shards(path, manifest)])
        self._sources = list(manifest.sources)
        self._waiting: list[Molecules] = []
        self._remove_strangers()

    def _remove_strangers(self) -> None:
        """Remove what a killed writer has left, of which the manifest knows nothing."""
        clear_leftovers(self.path / FILE)
        ours = {shard.name for shard in self.manifest.shards}
        for one in self.path.iterdir():
            if one.is_dir() and one.name.split(".")[0].isdigit() and one.name not in ours:
                remove(one)

    def take(self, tables: Sequence[Data]) -> Manifest:
        """Read all tables; whatever ends that, what was computed is saved first."""
        computed = tuple(name for name in self.manifest.settings.properties if name in PROPERTIES)
        with (
            self._saved_at_the_end(),
            Workers(Featurize(self.model, computed), self.work.jobs, engine=self.work.engine) as workers,
        ):
            for table in tables:
                self._take_one(table, workers)
        if not self.manifest.n_rows:
            raise NothingUsableError("None of the tables has a molecule that the model can encode.")
        return self.manifest

    @contextmanager
    def _saved_at_the_end(self) -> Iterator[None]:
        try:
            yield
        except (KeyboardInterrupt, CancelledError):
            self._save()
            raise InterruptedRunError(
                f"Ended by the user or the system; {self.manifest.n_rows:,} molecules are saved in '{self.path}'. The same "
                "command goes on from there."
            ) from None
        except ChemVAEError:
            self._save()
            raise
        self._write()

    def _save(self) -> None:
        """Write what is in memory, unless it was just written when the interruption came."""
        if not is_library(self.path) or read_manifest(self.path) == self.manifest:
            self._write()

    def _take_one(self, table: Data, workers: Workers) -> None:
        at = self._place(describe_source(table, self.reading.smiles_column))
        if self._sources[at].is_complete:
            logger.info("%s is in the library already.", self._sources[at].name)
            return
        given = tuple(name for name in self.manifest.settings.properties if name not in PROPERTIES)
        reading = replace(self.reading, piece_rows=min(self.reading.piece_rows, self.work.shard_rows))
        pieces = read_pieces(table, reading, self.model, given, self._known, self._sources[at])
        facts: list[SourceFacts] = []

        def kept() -> Iterator[Piece]:
            for piece, one in pieces:
                facts.append(one)
                yield piece

        stream = stream_features(kept(), workers)
        for done, molecules in enumerate(stream):
            self._sources[at] = facts[done]
            self._keep(molecules)
            self.step("rows", facts[done].n_rows, None)

    def _place(self, found: SourceFacts) -> int:
        """Where a source stands among those of the library: one of the same bytes, else a new place."""
        known = [i for i, one in enumerate(self._sources) if found.sha256 is not None and one.sha256 == found.sha256]
        if not known:
            self._sources.append(found)
        return known[0] if known else len(self._sources) - 1

    def _keep(self, molecules: Molecules | None) -> None:
        if molecules is not None:
            self._waiting.append(molecules)
        if sum(map(len, self._waiting)) >= self.work.shard_rows:
            self._write()

    def _write(self) -> None:
        """Write what is in memory as a shard, then the manifest that makes it part of the library."""
        shard = None
        if self._waiting:
            molecules, name = Molecules.joined(self._waiting), f"{len(self.manifest.shards):06d}"
            shard = write_shard(self.path, name, self.manifest.n_rows, molecules)
            self._known.settle(Shard(self.path, shard, 0).array("keys"), molecules.smiles)
        manifest = self.manifest.with_shard(shard, self._sources)
        if manifest != self.manifest and manifest.shards:
            manifest.write(self.path)
            self.manifest = manifest
        self._waiting = []
