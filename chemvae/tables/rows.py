"""Read a table with every row judged: is it a molecule, and one that the model's vocabulary can write?"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chemvae.chem.molecules import check_standardize_mode
from chemvae.data.files.molecule_column import find_smiles_column
from chemvae.data.files.number_columns import read_columns
from chemvae.data.files.numbers import with_points
from chemvae.data.files.reading import Chunk
from chemvae.data.prepare.cleaning import BROKEN_ROW, Clean
from chemvae.data.prepare.sources import clean_pieces, open_source
from chemvae.errors import InvalidMoleculeError, NothingUsableError, SettingsError

if TYPE_CHECKING:
    from chemvae.models.vae import MolVAE

logger = logging.getLogger(__name__)

ON_INVALID = ("keep", "skip", "error")
REASON = "reason"
SALTS_HINT = "--standardize salts keeps the largest part of each"
UNKNOWN_SYMBOL = "unknown symbol"
UNWRITTEN_HINT = (
    " A model that writes them all: chemvae train DATA --init drug; predict --fit TABLE -p COLUMN needs no symbols of a model."
)
_ID_LIKE = re.compile(r"^[-+]?0\d")


@dataclass(frozen=True)
class Block:
    """Some rows of a table and what became of their SMILES."""

    frame: pd.DataFrame
    """Cells as they stand in the source; text for text formats."""
    smiles: list[str | None]
    """Canonical; None where the row cannot be used."""
    reasons: list[str]
    """Why not; "" where it can."""
    smiles_column: str
    """Where the SMILES stand."""

    def usable(self) -> dict[int, str]:
        """Place -> SMILES of the rows that can be used."""
        return {i: smiles for i, smiles in enumerate(self.smiles) if smiles is not None}


def read_blocks(
    model: MolVAE | None,
    data: Any,
    smiles_column: str | None = None,
    on_invalid: str = "keep",
    standardize: str = "none",
    jobs: int = 1,
) -> Iterator[Block]:
    """Read a table in blocks, each row judged: a molecule, and one that the model's vocabulary can write.

    Raises
    ------
    InvalidMoleculeError, UnknownTokenError
        At the first row that cannot be used, under ``on_invalid="error"``.
    NothingUsableError
        If there are no rows, or none can be used.
    """
    if on_invalid not in ON_INVALID:
        raise SettingsError(f"on_invalid must be one of {', '.join(ON_INVALID)}, got '{on_invalid}'")
    check_standardize_mode(standardize)
    source = open_source(data, jobs=jobs, smiles_column=smiles_column)
    head = next(source.chunks)
    column = find_smiles_column(head.frame, source.smiles_column, source.name)
    n_rows, first, n_salts, n_unwritten_salts = 0, "", 0, 0
    counts: Counter[str] = Counter()
    for chunk, cleaned in clean_pieces(chain([head], source.chunks), column, standardize, jobs, None):
        block = _judge(chunk, cleaned, column, model, on_invalid, counts)
        first = first or next((reason for reason in block.reasons if reason), "")
        n_rows += len(block.smiles)
        n_unwritten_salts += sum(SALTS_HINT in reason for reason in block.reasons)
        n_salts += sum("." in smiles for smiles in block.smiles if smiles is not None)
        if on_invalid == "skip":
            block = _only_usable(block)
        yield block
    if n_salts and standardize == "none":
        one, many = "a row of {0} is a salt or mixture and is", "{1:,} rows of {0} are salts or mixtures and are"
        logger.warning("%s taken whole; %s.", (one if n_salts == 1 else many).format(source.name, n_salts), SALTS_HINT)
    n_bad = sum(counts.values())
    if n_bad == n_rows:
        raise NothingUsableError(f"None of the {n_rows:,} rows of {source.name} can be used; the first: {first}.")
    if n_bad:
        listed = ", ".join(f"{reason}: {count:,}" for reason, count in counts.most_common())
        fate = f"they have no values, and a {REASON}" if on_invalid == "keep" else "they are left out"
        remedy = _unwritten_remedy(counts[UNKNOWN_SYMBOL], n_unwritten_salts)
        shown = f"{n_bad:,}", f"{n_rows:,}", source.name, listed, fate, remedy
        logger.warning("%s of %s rows of %s cannot be used (%s); %s.%s", *shown)


def _unwritten_remedy(n_unwritten: int, n_salts: int) -> str:
    """What to do about molecules with symbols that the model cannot write, of which some are salts."""
    salts = f" {n_salts:,} of these {'is a salt or mixture' if n_salts == 1 else 'are salts or mixtures'}: {SALTS_HINT}."
    return (salts if n_salts else "") + (UNWRITTEN_HINT if n_unwritten > n_salts else "")


def usable_smiles(data: Any) -> list[str]:
    """Canonical SMILES of the molecules in a table or file; what cannot be used is left out, and said."""
    return [one for block in read_blocks(None, data, on_invalid="skip") for one in block.smiles if one is not None]


def _judge(chunk: Chunk, cleaned: list[Clean], column: str, model: MolVAE | None, on_invalid: str, counts: Counter) -> Block:
    """Put a chunk and the verdicts on its rows together."""
    smiles, reasons = [], []
    for row, raw, clean in zip(chunk.frame.index.tolist(), chunk.frame[column].tolist(), cleaned, strict=True):
        clean = Clean(None, BROKEN_ROW, chunk.problems[row]) if row in chunk.problems else clean
        complaint = None
        if on_invalid == "error" and clean.smiles is None:
            raise InvalidMoleculeError(str(raw), clean.detail, row)
        if model is not None and clean.smiles is not None:
            complaint = model.vocabulary.complaint(clean.smiles)
            if on_invalid == "error" and complaint:
                model.vocabulary.encode(clean.smiles)  # raises, naming molecule, symbol and position
        if complaint:
            hint = f"; it is a salt or mixture: {SALTS_HINT}" if "." in (clean.smiles or "") else ""
            clean = Clean(None, UNKNOWN_SYMBOL, complaint + hint)
        counts.update([clean.reason] if clean.smiles is None else [])
        smiles.append(clean.smiles)
        reasons.append("" if clean.smiles is not None else clean.detail or clean.reason)
    return Block(with_points(chunk.frame), smiles, reasons, column)


def _only_usable(block: Block) -> Block:
    usable = [i for i, smiles in enumerate(block.smiles) if smiles is not None]
    smiles = [block.smiles[i] for i in usable]
    return Block(block.frame.iloc[usable], smiles, [""] * len(usable), block.smiles_column)


def with_numbers(frame: pd.DataFrame) -> pd.DataFrame:
    """Turn columns of text that hold numbers and gaps only into numbers; names such as 007 stay text.

    Examples
    --------
    >>> table = with_numbers(pd.DataFrame({"MW": ["46.1", ""], "id": ["007", "1"]}))
    >>> table["MW"].tolist(), table["id"].tolist()
    ([46.1, nan], ['007', '1'])
    """
    changed = {}
    texts = frame.loc[:, [not pd.api.types.is_numeric_dtype(kind) for kind in frame.dtypes]]
    for name, column in zip(texts.columns, read_columns(texts), strict=True):
        is_number = not column.refused and np.isfinite(column.values).any()
        if is_number and not any(_ID_LIKE.match(str(cell)) for cell in frame[name]):
            changed[name] = column.values
    if not changed:
        return frame
    table = pd.concat([frame.drop(columns=list(changed)), pd.DataFrame(changed, index=frame.index)], axis=1)[frame.columns]
    table.attrs = frame.attrs
    return table
