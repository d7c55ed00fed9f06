"""What is known about a data set: where it comes from, what its columns mean, what to expect and to beware of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Column:
    """One column of a data set as chemvae hands it on."""

    name: str
    unit: str = ""
    """Unit of the numbers; "1" for a pure number, "" for text."""
    meaning: str = ""
    role: str = "property"
    """smiles, property, id, split or text."""


@dataclass(frozen=True)
class Upstream:
    """A file at its publisher."""

    url: str
    sha256: str | None = None
    size: int | None = None
    """Bytes."""
    columns: Mapping[str, str] | None = None
    """The publisher's column -> ours; None where chemvae cannot read the file by itself."""
    constants: Mapping[str, str] = field(default_factory=dict)
    """Columns of ours that are the same for every row of this file."""

    @property
    def readable(self) -> Mapping[str, str]:
        """The publisher's column -> ours, of a file that chemvae can read by itself."""
        assert self.columns is not None, "is_downloadable is asked first"
        return self.columns

    @property
    def file_name(self) -> str:
        """Last part of the address."""
        return self.url.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class LocalFile:
    """The copy chemvae's own figures were made with: our column names, one gzip-compressed CSV."""

    name: str
    sha256: str
    size: int
    """Bytes."""


@dataclass(frozen=True)
class Counts:
    """What reading the file gives, so that anyone can check that they have the same."""

    rows: int
    distinct: int
    """Molecules left when rows of the same canonical SMILES are one."""
    split: tuple[int, int, int] | None = None
    """Distinct molecules in train, valid and test."""


@dataclass(frozen=True)
class DatasetCard:
    """Everything chemvae knows about one data set."""

    name: str
    title: str
    description: str
    columns: tuple[Column, ...]
    citation: str
    licence: str
    local: tuple[LocalFile, ...] = ()
    """Read one after the other."""
    upstream: tuple[Upstream, ...] = ()
    counts: Counts | None = None
    """Of the local file."""
    upstream_counts: str = ""
    """In words, where the publisher's file differs."""
    split_rule: str = "hash"
    """hash, or "column" where the set brings its own."""
    recompute: tuple[str, ...] = ()
    """Properties that the publisher's file has in an older form and that are computed anew from it."""
    quirks: tuple[str, ...] = ()
    maker: str = ""
    """Name of the virtual library, for sets that chemvae makes itself."""
    parts: tuple[str, ...] = ()
    """Names of the sets that this one joins."""
    pooled: bool = False
    """Whether it takes of its parts the structures alone, and computes its properties from them."""

    @property
    def smiles_column(self) -> str:
        """Name of the column of SMILES."""
        return next(column.name for column in self.columns if column.role == "smiles")

    @property
    def properties(self) -> tuple[str, ...]:
        """Names of the columns of numbers."""
        return tuple(column.name for column in self.columns if column.role == "property")

    @property
    def units(self) -> dict[str, str]:
        """Property -> unit."""
        return {column.name: column.unit for column in self.columns if column.role == "property"}

    @property
    def is_downloadable(self) -> bool:
        """Whether chemvae can fetch and read the publisher's files by itself."""
        return bool(self.upstream) and all(file.columns is not None for file in self.upstream)


def card_text(card: DatasetCard) -> str:
    """Write a card as Markdown; the files ``data/<name>/card.md`` are this text.

    Examples
    --------
    >>> card = DatasetCard("toy", "A toy", "Two molecules.", (Column("smiles", role="smiles"),), "nobody", "CC0")
    >>> card_text(card).splitlines()[0]
    '# toy: A toy'
    """
    parts = [f"# {card.name}: {card.title}", card.description, _column_table(card), _numbers(card), _sources(card)]
    parts.append(f"## Citation and licence\n\n{card.citation}\n\nLicence: {card.licence}")
    if card.quirks:
        parts.append("## Beware\n\n" + "\n".join(f"- {quirk}" for quirk in card.quirks))
    return "\n\n".join(part for part in parts if part) + "\n"


def _column_table(card: DatasetCard) -> str:
    rows = [f"| `{c.name}` | {c.role} | {c.unit} | {c.meaning} |" for c in card.columns]
    return "\n".join(["## Columns", "", "| column | role | unit | meaning |", "|---|---|---|---|", *rows])


def _numbers(card: DatasetCard) -> str:
    if card.counts is None:
        return ""
    counts = card.counts
    lines = ["## What to expect", "", f"- rows: {counts.rows:,}"]
    lines.append(f"- distinct molecules (RDKit canonical isomeric SMILES): {counts.distinct:,}")
    repeated = "further rows of a molecule" if card.parts else "dropped as duplicates of an earlier row"
    lines.append(f"- {repeated}: {counts.rows - counts.distinct:,}; not readable: 0")
    if counts.split:
        train, valid, test = counts.split
        rule = "the set's own column" if card.split_rule == "column" else "the hash rule of chemvae.data.splits"
        lines.append(f"- train {train:,}, valid {valid:,}, test {test:,} ({rule})")
    if card.upstream_counts:
        lines.append(f"- the publisher's file: {card.upstream_counts}")
    return "\n".join(lines)


def _sources(card: DatasetCard) -> str:
    if card.maker:
        made = "Made by chemvae itself (`chemvae.data.virtual`); nothing is downloaded."
        return f"## Source\n\n{made} `data prepare {card.name}`."
    if card.parts:
        return f"## Source\n\nJoined from the sets {', '.join(card.parts)}, each found or fetched as its own card says."
    lines = ["## Source", ""]
    for file in card.upstream:
        facts = [f"{file.size:,} bytes" if file.size else "", f"sha256 `{file.sha256}`" if file.sha256 else "sha256 unknown"]
        lines.append(f"- {file.url} ({', '.join(fact for fact in facts if fact)})")
    if not card.is_downloadable:
        lines.append("- chemvae does not assemble this set by itself: bring a copy with `--from PATH` or `CHEMVAE_DATA`")
    for local in card.local:
        lines.append(f"- copy used for our figures: `{local.name}` ({local.size:,} bytes, sha256 `{local.sha256}`)")
    return "\n".join(lines)
