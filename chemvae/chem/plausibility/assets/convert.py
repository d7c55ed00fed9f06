"""Make the tables of ring systems and bonds once more from the package chembl-gen-check, or check those that are here.

    python convert.py FOLDER     FOLDER holds the package's files: pip download --no-deps chembl-gen-check, then unzip
    python convert.py --check    compare the files that are here with tables.json

The ring systems are copied as they are. The bonds come as a pickle with counts, and become a set: a bond that occurs once is
often all of a small molecule. The pickle is read by an unpickler that knows numbers, texts and dicts, and no classes or
functions: it executes nothing.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import pickle
import sys
from pathlib import Path

from chemvae.chem.plausibility.bloom import BloomFilter

HERE = Path(__file__).resolve().parent
CARD = HERE / "tables.json"
RINGS, BONDS = "chembl_rings.bloom", "chembl_bonds.bloom"
SOURCE = {RINGS: "data/chembl_ring_system.bloom", BONDS: "data/chembl_lacan.pkl"}
BOND_HASHES = 10


class PlainUnpickler(pickle.Unpickler):
    """Reads built-in containers, numbers and texts, and nothing that runs."""

    def find_class(self, module: str, name: str) -> None:
        """Refuse."""
        raise pickle.UnpicklingError(f"the table names {module}.{name}, which a table has no need of")


def main() -> int:
    """Rebuild or check; 0 if all is well."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, help="the package chembl_gen_check")
    parser.add_argument("--check", action="store_true")
    said = parser.parse_args()
    if said.folder is not None and not said.check:
        write_rings(said.folder)
        n_bonds = write_bonds(said.folder)
        update_card(said.folder, n_bonds)
    wrong = [
        name for name, facts in json.loads(CARD.read_text("utf-8"))["files"].items() if digest(HERE / name) != facts["sha256"]
    ]
    print("\n".join(f"{name} is not the one of tables.json" for name in wrong) or "All tables are those of tables.json.")
    return len(wrong)


def digest(path: Path) -> str:
    """The sha256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_rings(folder: Path) -> None:
    """Copy the table of ring systems."""
    BloomFilter.read(folder / SOURCE[RINGS]).write(HERE / RINGS)


def write_bonds(folder: Path) -> int:
    """Make a set of the bonds; how many these are."""
    with (folder / SOURCE[BONDS]).open("rb") as file:
        counts = PlainUnpickler(file).load()["pairs"]
    kept = [f"{first} {second}" for first, second in sorted(counts)]
    BloomFilter.of(kept, BOND_HASHES).write(HERE / BONDS)
    return len(kept)


def update_card(folder: Path, n_bonds: int) -> None:
    """Put the checksums of what was made, and of what it was made from, on the card."""
    card = json.loads(CARD.read_text(encoding="utf-8"))
    facts = card["files"]
    for name, source in SOURCE.items():
        table = BloomFilter.read(HERE / name)
        facts[name] |= {
            "sha256": digest(HERE / name),
            "source_sha256": digest(folder / source),
            "false_share": table.false_share,
        }
    facts[BONDS] |= {"n_kept": n_bonds}
    CARD.write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
