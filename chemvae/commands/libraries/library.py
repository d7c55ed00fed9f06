"""chemvae library: build, append, info, verify, index."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chemvae.commands.shared import console
from chemvae.commands.shared.help import Group, add, examples
from chemvae.commands.shared.options import (
    RUNNING,
    Data,
    Device,
    Folder,
    Jobs,
    Json,
    Model,
    SmilesColumn,
    Standardize,
    command,
)
from chemvae.commands.shared.settings_fields import choices
from chemvae.errors import ChemVAEError, command_line

if TYPE_CHECKING:
    from chemvae.library.manifest import Manifest

app = typer.Typer(
    cls=Group,
    epilog=examples("library"),
    no_args_is_help=True,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Very many molecules in files that `chemvae search` looks through: build one, add to it, see what is in it.",
)
Files = Annotated[list[str], typer.Argument(metavar="DATA...", show_default=False, help=Data.__metadata__[0].help)]
Library = Annotated[Path, typer.Argument(metavar="LIB", show_default=False, help="The library's folder.")]
IdColumn = Annotated[str | None, typer.Option(metavar="COLUMN", help="Column of names to keep.")]
Engine = Annotated[
    str,
    typer.Option(
        metavar=choices("parallel/pool.py", "ENGINES"),
        rich_help_panel=RUNNING,
        help="Where workers are: here, or a Ray cluster.",
    ),
]
MOST_SHOWN = 20


@command
def build(
    files: Files,
    output: Folder,
    model: Model = None,
    properties: Annotated[
        list[str] | None,
        typer.Option(
            "-p",
            "--property",
            metavar="NAME",
            help="One more column to search by: computed (qed, SAS, ...), or a column of numbers of yours; repeat for several.",
        ),
    ] = None,
    id_column: IdColumn = None,
    smiles_column: SmilesColumn = None,
    standardize: Standardize = "none",
    jobs: Jobs = 1,
    engine: Engine = "local",
    device: Device = "auto",
) -> None:
    """Build a library of the molecules of some tables, each once: codes, fingerprints, properties.

    If it is ended, even killed, the same command goes on where it ended.
    """  # fmt: skip
    from chemvae import library

    reading = library.Reading(smiles_column, id_column, standardize, jobs)
    work = library.Work(jobs, engine, device)
    with console.counting("Building", "rows") as count:
        made = library.build(files, output, model, properties or (), reading, work, progress=lambda now: count(now.done))
    _say_what_is_there(output, made)


@command
def append(
    library: Library,
    files: Files,
    model: Model = None,
    id_column: IdColumn = None,
    smiles_column: SmilesColumn = None,
    jobs: Jobs = 1,
    engine: Engine = "local",
    device: Device = "auto",
) -> None:
    """Add the molecules of more tables to a library; those that it holds already are passed over."""
    from chemvae import library as libraries

    reading, work = libraries.Reading(smiles_column, id_column, jobs=jobs), libraries.Work(jobs, engine, device)
    with console.counting("Adding", "rows") as count:
        made = libraries.append(library, files, model, reading, work, progress=lambda now: count(now.done))
    _say_what_is_there(library, made)


def _say_what_is_there(path: Path, manifest: Manifest) -> None:
    for source in manifest.sources:
        left_out = ", ".join(f"{reason}: {count:,}" for reason, count in source.left_out.items())
        words = f"{source.n_kept:,} new molecules of {source.n_rows:,} rows"
        words += f", {source.n_known:,} known already" if source.n_known else ""
        console.say(f"{source.name}: {words}" + (f"; left out: {left_out}" if left_out else ""))
    console.say(
        f"{manifest.n_rows:,} molecules in {len(manifest.shards):,} shards: {path}. "
        f"Next: {command_line('search', path, '--near', 'SMILES')}"
    )


@command
def info(library: Library, json: Json = None) -> None:
    """Show what a library holds: molecules, columns, its model, and the tables it was made of."""
    from chemvae import library as libraries

    found = libraries.info(library)
    console.write_json(json, found)
    if json == "-":
        return
    units = [name if unit == "1" else f"{name} ({unit})" for name, unit in found["properties"].items()]
    rows: list[tuple[str, Any]] = [
        ("molecules", found["n_molecules"]), ("shards", found["n_shards"]), ("bytes", found["n_bytes"]),
        ("bytes per molecule", found["bytes_per_molecule"]), ("columns", ", ".join(units)), ("model", found["model"]),
        ("latent space", f"{found['latent_dim']} dimensions, {found['space']}"), ("standardize", found["standardize"]),
    ]  # fmt: skip
    rows += [(one["name"], _progress_of(one)) for one in found["sources"]]
    console.show(console.pairs(rows))


def _progress_of(source: dict[str, Any]) -> str:
    state = "" if source["is_complete"] else ", not read to its end: the same build or append goes on"
    return f"{source['n_kept']:,} molecules of {source['n_rows']:,} rows{state}"


@command
def verify(library: Library, json: Json = None) -> None:
    """Read every byte of a library and compare it with its checksum."""
    from chemvae import library as libraries

    with console.counting("Reading") as count:
        problems = libraries.verify(library, progress=lambda now: count(now.done))
    console.write_json(json, {"problems": problems})
    if problems:
        listed = "; ".join(problems[:MOST_SHOWN]) + (
            f"; and {len(problems) - MOST_SHOWN:,} more" * (len(problems) > MOST_SHOWN)
        )
        raise ChemVAEError(f"'{library}' is not as it was written: {listed}. Copy what differs again from its origin.")
    console.say(f"Every file of {library} is as it was written.")


@command
def index(library: Library, jobs: Annotated[int, typer.Option(metavar="N", help="Threads; 0: one per core.")] = 0) -> None:
    """Index a library's codes for 'search --approximate'; an index that is there is replaced. Needs the extra 'library'."""
    from chemvae import library as libraries

    with console.counting("Indexing", "rows") as count:
        facts = libraries.index(library, jobs, progress=lambda now: count(now.done))
    console.say(
        f"{facts.n_rows:,} molecules; of the 50 nearest of 20 of them the index finds {facts.recall:.1%}. "
        f"Next: {command_line('search', library, '--near', 'SMILES', '--approximate')}"
    )


for _name, _function in (("build", build), ("append", append), ("info", info), ("verify", verify), ("index", index)):
    add(app, _name, _function, under="library")
