"""No file above 1 MB is committed unless it is named here: what is once in the history stays there for everybody who clones.

python .ci/check_sizes.py
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

LIMIT = 1_000_000
"""Bytes."""
NAMED = {
    "chemvae/maps/assets/rdkit/RDKit_minimal.wasm.gz": 2_500_000,
    "chemvae/weights/drug/model.safetensors": 17_000_000,
    "chemvae/weights/drug/training_index.parquet": 3_000_000,
    "chemvae/weights/oled/model.safetensors": 14_000_000,
    "chemvae/weights/oled/prior.safetensors": 4_000_000,
    "chemvae/weights/oled/training_index.parquet": 2_000_000,
    "chemvae/weights/oled/trees.safetensors": 2_500_000,
}
"""File -> what it may have; a new version of one of them is worth a thought, too."""


def too_large(root: Path) -> list[str]:
    """Tracked and staged files that have more than they may."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=True).stdout
    found = []
    for name in filter(None, listed.split("\0")):
        path, most = root / name, NAMED.get(name, LIMIT)
        if path.is_file() and not path.is_symlink() and path.stat().st_size > most:
            found.append(f"{name} has {path.stat().st_size:,} bytes; at most {most:,} (see .ci/check_sizes.py)")
    return found


if __name__ == "__main__":
    sys.exit("\n".join(too_large(Path(__file__).resolve().parent.parent)) or 0)
