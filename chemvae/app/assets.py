"""Files that the page is made of: its own, and those of the map, which are taken from where the map keeps them."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

TYPES = {
    "js": "text/javascript; charset=utf-8", "mjs": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml", "png": "image/png", "ico": "image/x-icon", "woff2": "font/woff2", "json": "application/json",
    "wasm": "application/wasm", "txt": "text/plain; charset=utf-8", "webmanifest": "application/manifest+json",
}  # fmt: skip
COMPRESSED_FROM = 1_024


@dataclass(frozen=True)
class Asset:
    """A file as it is sent."""

    body: bytes
    """Compressed by gzip where ``is_compressed``."""
    media_type: str
    is_compressed: bool

    @property
    def etag(self) -> str:
        """Changes with the file."""
        return f'"{hashlib.sha256(self.body).hexdigest()[:20]}"'


@lru_cache(maxsize=256)
def find_asset(name: str) -> Asset | None:
    """A static file by its path under ``/static/``; None where there is none.

    What is there only with the ending ``.gz`` goes by its plain name too.
    """
    parts = name.split("/")
    ending = parts[-1].rpartition(".")[2].lower()
    if ending not in TYPES or any(part.startswith(".") or not part for part in parts) or "\\" in name:
        return None
    if parts[0] == "map" and len(parts) == 2 and parts[1] in MAP_PARTS:
        body = MAP_PARTS[parts[1]]()
        return packed(body, TYPES[ending])
    own = resources.files("chemvae.app")
    plain, smaller = own.joinpath(f"static/{name}"), own.joinpath(f"static/{name}.gz")
    if plain.is_file():
        return packed(plain.read_bytes(), TYPES[ending])
    return Asset(smaller.read_bytes(), TYPES[ending], True) if smaller.is_file() else None


def packed(body: bytes, media_type: str) -> Asset:
    """A file as it is sent: compressed where that is worth it."""
    if body[:2] == b"\x1f\x8b":
        return Asset(body, media_type, True)
    worth = len(body) >= COMPRESSED_FROM and not media_type.startswith(("image/png", "font/"))
    return Asset(gzip.compress(body, 6, mtime=0) if worth else body, media_type, worth)


def _of_map(name: str) -> bytes:
    return resources.files("chemvae.maps").joinpath("assets", *name.split("/")).read_bytes()


def _rdkit_script() -> bytes:
    """RDKit.js, whose functions are made by ``EmbindFunction`` of ``static/embind.js`` and not from text."""
    inner = _of_map("rdkit/RDKit_minimal.js")
    head = b"var initRDKitModule = ((Function) => {\n"
    return head + inner + b"\nreturn initRDKitModule;\n})(globalThis.EmbindFunction);\n"


MAP_PARTS = {
    "map.css": lambda: _of_map("page/map.css"),
    "rdkit.js": _rdkit_script,
    "RDKit_minimal.wasm": lambda: _of_map("rdkit/RDKit_minimal.wasm.gz"),
    "LICENSE.txt": lambda: _of_map("rdkit/LICENSE"),
}
"""Of the map, by their names under ``/static/map/``; ``map.js`` is put together at the desk."""
