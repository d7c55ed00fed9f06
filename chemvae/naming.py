"""What columns are called that are added to a table: never as one that is there, and never as another quantity."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

EXTRAS = {
    "distance": "distance_to_training",
    "similarity": "similarity_to_training",
    "reason": "reason_without_values",
    "novel": "not_in_training",
}
"""Columns beside predictions, and what they are called where a property has that name."""


class Stem(NamedTuple):
    """Columns that belong together and are renamed together."""

    columns: Sequence[tuple[str, str]]
    """Beginning and end of each name; what tells it apart comes between them."""
    suffix: str = ""
    """What is tried first to tell them apart, such as "_predicted"; then "_predicted_2" and so on."""


def property_stem(name: str, ends: Sequence[str] = ("", "_std"), suffix: str = "_predicted") -> Stem:
    """The columns of a property: its value and what belongs to it."""
    return Stem([(name, end) for end in ends], suffix)


def extra_stem(name: str, properties: Collection[str] = (), suffix: str = "_predicted") -> Stem:
    """A column of :data:`EXTRAS` beside those of some properties, none of which it is mistaken for."""
    return Stem([(EXTRAS[name] if name in properties else name, "")], suffix)


def prediction_stems(properties: Sequence[str]) -> list[Stem]:
    """The columns that a model predicts: each property's, and ``distance``."""
    return [*map(property_stem, properties), extra_stem("distance", properties)]


def prediction_columns(properties: Sequence[str]) -> tuple[dict[str, tuple[str, str]], str]:
    """Where a model's predictions stand: property -> columns of mean and standard deviation; and the column of distances.

    Examples
    --------
    >>> prediction_columns(["logP", "distance"])
    ({'logP': ('logP', 'logP_std'), 'distance': ('distance', 'distance_std')}, 'distance_to_training')
    >>> prediction_columns(["X", "X_std"])[0]["X"]
    ('X_predicted', 'X_predicted_std')
    """
    *names, distance = name_columns(prediction_stems(properties))
    return dict(zip(properties, zip(names[::2], names[1::2], strict=True), strict=True)), distance


def label_columns(properties: Sequence[str]) -> dict[str, tuple[str, str, str]]:
    """Property -> the columns of its label, and of its predicted mean and standard deviation beside that.

    Examples
    --------
    >>> label_columns(["logP"])
    {'logP': ('logP_label', 'logP', 'logP_std')}
    """
    names = name_columns([property_stem(name, ("_label", "", "_std")) for name in properties], ["smiles"])
    return dict(zip(properties, zip(names[::3], names[1::3], names[2::3], strict=True), strict=True))


def name_columns(stems: Sequence[Stem], taken: Collection[str] = ()) -> list[str]:
    """Name columns, stem by stem.

    Parameters
    ----------
    stems : sequence of Stem
    taken : collection of str
        Names that the table has already.

    Returns
    -------
    list of str
        One name for each column of each stem, all different and none of them taken.

    Examples
    --------
    >>> name_columns([property_stem("X"), extra_stem("distance")], ["smiles", "X"])
    ['X_predicted', 'X_predicted_std', 'distance']
    >>> name_columns([property_stem("X"), property_stem("X_std")])
    ['X_predicted', 'X_predicted_std', 'X_std', 'X_std_std']
    >>> name_columns([property_stem("X")], ["X", "X_std", "X_predicted", "X_predicted_std"])
    ['X_predicted_2', 'X_predicted_2_std']
    """
    used, names = set(map(str, taken)), []
    values = [start for stem in stems for start, end in stem.columns if not end]
    for stem in stems:
        own = {start for start, _ in stem.columns}
        others = used.union(start for start in values if start not in own)
        found = next(tried for tried in _tries(stem) if not others & set(tried))
        used.update(found)
        names += found
    return names


def _tries(stem: Stem) -> Iterator[list[str]]:
    """The names a stem may have, the plain ones first."""
    suffix, n = "", 1
    while True:
        yield [f"{start}{suffix}{end}" for start, end in stem.columns]
        suffix = stem.suffix if n == 1 and stem.suffix else f"{stem.suffix}_{max(n, 2)}"
        n += 1
