"""Tables that chemvae wrote itself as CSV, read back as they were."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

_EXACTLY: dict[str, Any] = (
    {"float_precision": "round_trip"} if tuple(map(int, pd.__version__.split(".")[:2])) < (3, 1) else {}
)  # from 3.1 on pandas reads exactly unasked, and wants to be rid of the option


def read_csv(path: str | Path) -> pd.DataFrame:
    """Read a table with every float to its last bit, in any pandas.

    Raises
    ------
    OSError, ValueError
        If it cannot be read, or is none.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "one.csv").write_text("y\\n-1.5e-299\\n")
    ...     read_csv(Path(folder, "one.csv"))["y"][0]
    np.float64(-1.5e-299)
    """
    return pd.read_csv(path, **_EXACTLY)
