"""chemvae data: list, show, prepare, check."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chemvae.commands.shared import console
from chemvae.commands.shared.help import Group, add, examples
from chemvae.commands.shared.options import (
    STANDARDIZE_MODES,
    Data,
    Jobs,
    Json,
    Overwrite,
    Properties,
    SmilesColumn,
    SplitColumn,
    command,
)
from chemvae.commands.shared.settings_fields import choices
from chemvae.errors import NothingUsableError, command_line

if TYPE_CHECKING:
    from chemvae.data.catalog.cards.base import DatasetCard
    from chemvae.data.prepare.checking import Check
    from chemvae.data.prepare.preparation import Report

app = typer.Typer(
    cls=Group,
    epilog=examples("data"),
    no_args_is_help=True,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Data sets: what there is, fetch and clean one, find what is wrong with a file.",
)
From = Annotated[
    Path | None,
    typer.Option("--from", metavar="PATH", help="A copy of the set on this machine (file, or the folder it lies in)."),
]
MOST_SHOWN = 20
FEWEST_LABELS = 20  # that predict --fit needs
FEW = 5_000  # molecules: fewer are learned from the shipped model's weights on


@command
def list_() -> None:
    """List the data sets that chemvae knows by name."""
    from chemvae.data.catalog.locate import DATASETS

    rows = [_row(card) for card in DATASETS.values()]
    if not console.sys.stdout.isatty():
        console.write_stdout("\n".join("\t".join(row) for row in rows))
        return
    import pandas as pd
    from rich.console import Console

    Console(highlight=False).print(
        console.listing(pd.DataFrame(rows, columns=["name", "molecules", "labels", "what"]), most=99)
    )


def _row(card: DatasetCard) -> tuple[str, str, str, str]:
    labels = card.properties if len(card.properties) <= 4 else (*card.properties[:3], f"and {len(card.properties) - 3} more")
    return card.name, f"{card.counts.distinct:,}" if card.counts else "-", ", ".join(labels), card.title


@command
def show(name: Annotated[str, typer.Argument(help="From `chemvae data list`.", show_default=False)]) -> None:
    """Show the card of a data set: source, columns with units, counts, citation, licence."""
    from chemvae.data.catalog.locate import DATASETS, card_text
    from chemvae.registry import find

    console.write_stdout(card_text(find(DATASETS, name, "data set")[1]))


@command
def prepare(
    data: Data,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="FOLDER", help="Default: data/<name>.")] = None,
    from_: From = None,
    overwrite: Overwrite = False,
    properties: Properties = None,
    compute: Annotated[
        list[str] | None, typer.Option(metavar="P", help="Property for RDKit to compute, such as qed; repeat for several.")
    ] = None,
    split: Annotated[
        str,
        typer.Option(
            metavar=choices("data/prepare/preparation.py", "SPLIT_MODES"), help="How train, valid and test are told apart."
        ),
    ] = "auto",
    standardize: Annotated[
        str | None,
        typer.Option(metavar=STANDARDIZE_MODES, help="Default: none for a set of the catalog, salts for a file of yours."),
    ] = None,
    smiles_column: SmilesColumn = None,
    split_column: SplitColumn = None,
    id_column: Annotated[str | None, typer.Option(metavar="COLUMN", help="Column of names to keep.")] = None,
    jobs: Jobs = 1,
) -> None:
    """Clean a data set: canonical SMILES, no duplicates, a split, and a list of every row left out with its reason."""
    from chemvae import api

    folder = output or Path("data") / _stem(data)
    with console.working(f"Preparing {data}"):
        report = api.prepare(
            data, folder, smiles_column=smiles_column, properties=properties, id_column=id_column, split_column=split_column,
            standardize=standardize, split=split, compute=compute or (), source_path=from_, overwrite=overwrite, jobs=jobs,
        )  # fmt: skip
    rows = [("rows read", report.n_rows), ("molecules kept", report.n_kept)]
    rows += [(f"left out: {reason}", count) for reason, count in report.dropped.items()]
    rows += [("salts and solvents stripped", report.n_stripped)] if report.n_stripped else []
    rows += [("labels merged from several rows", report.n_merged)] if report.n_merged else []
    rows += list(report.splits.items())
    rows += [(f"without {name}", count) for name, count in report.n_missing.items() if count]
    rows += [(f"bounds in {name}, see bounds.csv", count) for name, count in report.n_bounds.items()]
    console.show(console.pairs([*rows, ("split", report.split_rule), ("standardize", report.standardize)]))
    words = [word for name in report.properties for word in ("-p", name)] + (["--init", "drug"] if report.n_kept < FEW else [])
    console.say(f"Written to {folder}. Next: {command_line('train', folder, *words, '-o', Path('runs') / folder.name)}")
    if report.n_kept < FEW and (learned := _learnable(report)):
        fitted = command_line("predict", folder, "--fit", folder, "-p", learned, "-o", f"{folder.name}-fitted.csv")
        console.say(f"How well '{learned}' can be learned from it, in seconds: {fitted}")


def _learnable(report: Report) -> str | None:
    """The first property with labels enough for ``predict --fit``."""
    enough = (name for name, n in report.n_missing.items() if report.n_kept - n >= FEWEST_LABELS)
    return next(enough, None)


def _stem(data: str) -> str:
    name = "stdin" if data == "-" else Path(data).name
    return name.split(".")[0] or "table"


@command
def check(
    data: Data,
    smiles_column: SmilesColumn = None,
    properties: Properties = None,
    standardize: Annotated[
        str | None, typer.Option(metavar=STANDARDIZE_MODES, help="Check after this cleaning. Default: that of `data prepare`.")
    ] = None,
    from_: From = None,
    model: Annotated[
        str | None, typer.Option("-m", "--model", metavar="MODEL", help="Also check for symbols that this model cannot write.")
    ] = None,
    json: Json = None,
    jobs: Jobs = 1,
) -> None:
    """Find what is wrong with a table, line by line: unreadable molecules, broken rows, duplicates, labels without a number."""
    from chemvae import api

    with console.working(f"Checking {data}"):
        found = api.check(
            data, properties, model, smiles_column=smiles_column, standardize=standardize, source_path=from_, jobs=jobs
        )
    if json is None:
        _list_offences(found)
    console.write_json(json, found.to_dict())
    _show_counts(found)
    if not found.n_valid:
        raise NothingUsableError(f"{found.source} has no usable molecule.")


def _list_offences(found: Check) -> None:
    """Tab-separated lines on stdout: line, reason, SMILES, what exactly."""
    lines = [
        f"{'line' if one.line else 'row'} {one.line or one.row}\t{one.reason}\t{one.smiles}\t{one.detail}"
        for one in found.offences
    ]
    live = console.sys.stdout.isatty()
    shown = lines[:MOST_SHOWN] if live else lines
    if shown:
        console.write_stdout("\n".join(shown))
    if len(found.offences) > len(shown):
        console.say(
            f"... and {sum(found.counts.values()) - len(shown):,} more; `chemvae data check ... > problems.tsv` lists them."
        )


def _show_counts(found: Check) -> None:
    rows = [("rows", found.n_rows), ("usable", found.n_valid), ("distinct molecules", found.n_distinct)]
    rows += [("longest SMILES, characters", found.longest), ("of several fragments", found.n_fragments)]
    rows += [(reason, count) for reason, count in found.counts.most_common()]
    rows += [(f"without {name}", count) for name, count in found.n_missing.items() if count]
    console.show(console.pairs([("SMILES column", found.smiles_column), *rows]))
    console.say(_what_prepare_does(found))


def _what_prepare_does(found: Check) -> str:
    """What `data prepare` makes of what was found."""
    from chemvae.data.prepare.checking import DUPLICATE, IS_BOUND, NOT_NUMERIC

    done = [
        (set(found.counts) - {DUPLICATE, IS_BOUND, NOT_NUMERIC}, "leaves out what is no molecule, and lists it in dropped.csv"),
        ({DUPLICATE}, "merges rows of the same molecule, and lists them in merged.csv"),
        ({NOT_NUMERIC}, "counts a label that is no number as missing"),
        ({IS_BOUND}, "lists bounds in bounds.csv, and learns nothing from them"),
    ]
    said = [words for reasons, words in done if any(found.counts[reason] for reason in reasons)]
    return f"`chemvae data prepare` {'; '.join(said)}." if said else "Nothing is wrong with it."


for _name, _function in (("list", list_), ("show", show), ("prepare", prepare), ("check", check)):
    add(app, _name, _function, under="data")
