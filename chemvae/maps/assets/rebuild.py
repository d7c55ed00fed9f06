"""Re-create the third-party assets of the map page (or of another card) from their npm package, or check those that are here.

    python rebuild.py            download with npm, compare with assets.json, write
    python rebuild.py --check    compare the files that are here with assets.json; needs neither npm nor a network
    python rebuild.py --version 2026.9.1 --accept    take another release and write its checksums
    python rebuild.py --card ../../app/static/sketcher/assets.json    the same for the app's sketcher

Only this script needs npm; the package and its tests do not. The licence text (rdkit/LICENSE) is RDKit's own, which the npm
package leaves out.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import logging
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
CARD = HERE / "assets.json"

log = logging.getLogger("rebuild")


def read_content(path: Path) -> bytes:
    """Bytes of an asset, uncompressed: checksums do not depend on the gzip that made the file."""
    raw = path.read_bytes()
    return gzip.decompress(raw) if path.suffix == ".gz" else raw


def digest(content: bytes) -> str:
    """Return the sha256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def complaints(card: dict, folder: Path = HERE) -> list[str]:
    """Files of the card that are missing from its folder or differ."""
    found = []
    for name, facts in card["files"].items():
        path = folder / name
        if not path.exists():
            found.append(f"{name} is missing")
        elif digest(read_content(path)) != facts["sha256"]:
            found.append(f"{name} differs from its checksum")
    return found


def fetch(package: str, version: str, folder: Path) -> Path:
    """Download and unpack the npm package; return its folder."""
    packed = subprocess.run(
        ["npm", "pack", f"{package}@{version}", "--silent"], cwd=folder, check=True, capture_output=True, text=True
    )
    with tarfile.open(folder / packed.stdout.strip().splitlines()[-1]) as archive:
        archive.extractall(folder, filter="data")
    return folder / "package"


def rebuild(card: dict, version: str, path: Path = CARD, *, accept: bool) -> None:
    """Write every file of the card at ``path`` from the npm package; refuse unknown content unless ``accept``."""
    with tempfile.TemporaryDirectory() as name:
        package = fetch(card["package"], version, Path(name))
        contents = {target: (package / facts["source"]).read_bytes() for target, facts in card["files"].items()}
    for target, content in contents.items():
        if digest(content) != card["files"][target]["sha256"] and not accept:
            sys.exit(f"{target}: the package's file differs from assets.json. Look at it, then run again with --accept.")
        card["files"][target] |= {"sha256": digest(content), "bytes": len(content)}
        squeezed = gzip.compress(content, compresslevel=9, mtime=0) if target.endswith(".gz") else content
        (path.parent / target).write_bytes(squeezed)
        log.info("%s: %d bytes", target, len(squeezed))
    card["version"] = version
    path.write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    """Run from the command line."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description="Rebuild or check the third-party assets of the map page.")
    parser.add_argument("--check", action="store_true", help="only compare the files that are here")
    parser.add_argument("--version", help="release to take; default: the one in assets.json")
    parser.add_argument("--accept", action="store_true", help="write new checksums")
    parser.add_argument("--card", type=Path, default=CARD, help="assets.json of another folder; its files lie beside it")
    options = parser.parse_args()
    card = json.loads(options.card.read_text("utf-8"))
    if not options.check:
        rebuild(card, options.version or card["version"], options.card, accept=options.accept)
    if found := complaints(card, options.card.parent):
        sys.exit("; ".join(found))
    log.info("all files agree with assets.json")


if __name__ == "__main__":
    main()
