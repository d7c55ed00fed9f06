"""The SA scorer that RDKit ships."""

from __future__ import annotations

from functools import lru_cache
from types import ModuleType


@lru_cache(maxsize=1)
def sa_scorer() -> ModuleType:
    """Load the Ertl scorer that ships inside the RDKit wheel (its fragment table takes a moment, so only when asked)."""
    try:
        from rdkit.Contrib.SA_Score import sascorer
    except ImportError:  # wheels where Contrib is data beside the package
        import sys
        from pathlib import Path

        from rdkit import RDConfig

        sys.path.append(str(Path(RDConfig.RDContribDir) / "SA_Score"))
        import sascorer
    return sascorer
