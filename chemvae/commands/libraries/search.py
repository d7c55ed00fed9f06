"""chemvae search."""

from __future__ import annotations

from typing import Annotated

import typer

from chemvae.commands.libraries.library import Engine, Library
from chemvae.commands.shared import console
from chemvae.commands.shared.options import Device, Model, Overwrite, command

CONDITIONS = "Conditions"


@command
def search(
    library: Library,
    near: Annotated[
        str | None,
        typer.Option(metavar="SMILES", help="Hits are the nearest to it; without it they come in the library's order."),
    ] = None,
    n: Annotated[int, typer.Option("-n", metavar="N", help="Hits at most.")] = 50,
    space: Annotated[
        str, typer.Option(metavar="latent|fingerprint", help="Near in latent space, or by ECFP4 Tanimoto similarity.")
    ] = "latent",
    where: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CONDITION",
            rich_help_panel=CONDITIONS,
            help="Such as '1<logP<3' or 'MW<=500 and not (qed<0.5 or rings>4)'; repeat for several.",
        ),
    ] = None,
    having: Annotated[
        list[str] | None,
        typer.Option(
            "--with", metavar="SMARTS", rich_help_panel=CONDITIONS, help="A substructure that must be there; repeatable."
        ),
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(metavar="SMARTS", rich_help_panel=CONDITIONS, help="A substructure that must not be there; repeatable."),
    ] = None,
    min_similarity: Annotated[
        float | None,
        typer.Option(metavar="T", rich_help_panel=CONDITIONS, help="ECFP4 Tanimoto similarity to --near, at least."),
    ] = None,
    output: Annotated[
        str,
        typer.Option("-o", "--output", metavar="FILE", help=".csv .tsv .parquet .xlsx .sdf, or .svg for a picture; - is CSV."),
    ] = "-",
    approximate: Annotated[
        bool,
        typer.Option(
            "--approximate",
            help="By the index of 'library index', which may miss some.",
        ),
    ] = False,
    overwrite: Overwrite = False,
    model: Model = None,
    jobs: Annotated[int, typer.Option(metavar="N", help="Threads, or tasks of a cluster; 0: one per core.")] = 0,
    engine: Engine = "local",
    device: Device = "auto",
) -> None:
    """Find molecules of a library: the nearest to one, those that fulfil conditions, or both at once.

    What comes is exactly what a look at every molecule would find, unless --approximate is asked for.
    """  # fmt: skip
    from chemvae import api
    from chemvae import library as libraries

    with console.working(f"Searching {library}"):
        hits = api.search(
            library, near, n, model, out=output, overwrite=overwrite, space=space, where=where or (), having=having or (),
            without=without or (), min_similarity=min_similarity, approximate=approximate, jobs=jobs, engine=engine,
            device=device,
        )  # fmt: skip
    console.say(f"{len(hits):,} hits: {'stdout' if output == '-' else output}")
    if approximate:
        recall = libraries.index_facts(library).recall
        console.say(f"Found by the index: of the true nearest of molecules of the library it knew {recall:.1%}.")
