"""The manifest of a library: which shards belong to it, with their checksums, what they were made from, and by which model.

It is the only word on what a library holds: a shard counts from the moment at which the manifest that names it takes its place.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from chemvae.disk.checksums import json_sha256
from chemvae.errors import InputError, command_line
from chemvae.library.codes import Quantization
from chemvae.runs import write_json

FILE = "manifest.json"
FORMAT_VERSION = 1


class LibraryError(InputError):
    """A library that is missing, incomplete or damaged."""

    def __init__(self, path: Path | str, problem: str, remedy: str):
        self.path, self.problem, self.remedy = Path(path), problem, remedy
        super().__init__(f"The library '{path}' {problem} {remedy}")


@dataclass(frozen=True)
class FileFacts:
    """A file of a shard."""

    n_bytes: int
    sha256: str


@dataclass(frozen=True)
class ShardFacts:
    """A shard: its molecules stand one after the other, and after those of the shards before it."""

    name: str
    """Of its folder."""
    n_rows: int
    center: tuple[float, ...]
    """Of its codes, see :class:`chemvae.library.codes.Quantization`; so are the next two."""
    step: float
    error: float
    files: dict[str, FileFacts]

    @property
    def quantization(self) -> Quantization:
        """How its codes stand for its points."""
        return Quantization(np.array(self.center), self.step, self.error)


@dataclass(frozen=True)
class SourceFacts:
    """A file that molecules were taken from, and how far it was read."""

    name: str
    sha256: str | None
    """Of its bytes; None for a stream, which cannot be known again."""
    n_rows: int = 0
    """Rows read so far."""
    n_kept: int = 0
    """Molecules in the library that came from it first."""
    n_known: int = 0
    """Rows whose molecule was in the library already."""
    left_out: dict[str, int] = field(default_factory=dict)
    """Reason -> rows that are no molecule, or one that the model cannot write."""
    is_complete: bool = False


@dataclass(frozen=True)
class LibrarySettings:
    """What all shards of a library have in common."""

    model: str
    """A shipped name or a run folder."""
    weights: str
    """A short hash of the model's weights."""
    latent_dim: int
    space: str
    """"flat" or "sphere"."""
    properties: dict[str, str]
    """Column of numbers -> its unit."""
    standardize: str = "none"


@dataclass(frozen=True)
class Manifest:
    """Everything that manifest.json says."""

    settings: LibrarySettings
    shards: tuple[ShardFacts, ...] = ()
    sources: tuple[SourceFacts, ...] = ()

    @property
    def n_rows(self) -> int:
        """Molecules in the library."""
        return sum(shard.n_rows for shard in self.shards)

    def with_shard(self, shard: ShardFacts | None, sources: list[SourceFacts]) -> Manifest:
        """The manifest with one more shard, and what is now known of the sources."""
        shards = self.shards if shard is None else (*self.shards, shard)
        return replace(self, shards=shards, sources=tuple(sources))

    def write(self, library: Path) -> None:
        """Put the manifest in its place, whole."""
        content = {"format": "chemvae library", "format_version": FORMAT_VERSION, **asdict(self)}
        plain = json.loads(json.dumps(content))
        write_json(library / FILE, {**plain, "sha256": json_sha256(plain)})


def is_library(path: Path) -> bool:
    """Whether a folder holds a library."""
    return (path / FILE).is_file()


def read_manifest(library: Path) -> Manifest:
    """Read the manifest of a library.

    Raises
    ------
    LibraryError
        If there is none, it is damaged, or of a newer format.
    """
    try:
        content = json.loads((library / FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        remedy = f"Build one with: {command_line('library', 'build', 'FILES', '-o', library)}"
        raise LibraryError(library, f"has no {FILE}.", remedy) from None
    except (OSError, ValueError) as error:
        raise _damaged(library, getattr(error, "strerror", None) or "it is no JSON") from None
    if not isinstance(content, dict) or content.get("format") != "chemvae library":
        raise _damaged(library, "it is of something else")
    _check_version(library, content.get("format_version"))
    known = content.pop("sha256", None)
    if known != json_sha256(content):
        raise _damaged(library, "it was changed (its sha256 differs)")
    return _from_json(content)


def _check_version(library: Path, version: Any) -> None:
    if not isinstance(version, int) or version > FORMAT_VERSION:
        problem = f"has format version {version}; this chemvae reads up to {FORMAT_VERSION}."
        raise LibraryError(library, problem, "Update chemvae.")


def _damaged(library: Path, why: str) -> LibraryError:
    return LibraryError(library, f"has a {FILE} that cannot be used: {why}.", "Copy it again from its origin.")


def _from_json(content: dict[str, Any]) -> Manifest:
    shards = []
    for one in content["shards"]:
        files = {name: FileFacts(**facts) for name, facts in one["files"].items()}
        shards.append(ShardFacts(**{**one, "center": tuple(one["center"]), "files": files}))
    sources = tuple(SourceFacts(**one) for one in content["sources"])
    return Manifest(LibrarySettings(**content["settings"]), tuple(shards), sources)
