"""What --help of every command ends with, and the class that shows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

EXAMPLES: dict[str, tuple[str, str]] = {
    "demo": ("chemvae demo", "chemvae demo --start 'CC(=O)Nc1ccc(O)cc1' -o paracetamol"),
    "doctor": ("chemvae doctor", "chemvae doctor --no-self-test --json doctor.json"),
    "cite": ("chemvae cite", "chemvae cite optimize iwae --bibtex > papers.bib"),
    "data": ("chemvae data list", "chemvae data check molecules.csv -p activity"),
    "data list": ("chemvae data list", "chemvae data list > sets.tsv"),
    "data show": ("chemvae data show esol", "chemvae data show virtual-drugs"),
    "data prepare": (
        "chemvae data prepare molecules.csv -p activity -o data/mine",
        "chemvae data prepare virtual-drugs -o data/drugs",
    ),
    "data check": (
        "chemvae data check molecules.csv -p activity",
        "chemvae data check molecules.csv -m drug > problems.tsv",
    ),
    "train": (
        "chemvae train molecules.csv -p activity --init drug -o runs/tuned",
        "chemvae train --resume -o runs/tuned",
    ),
    "evaluate": (
        "chemvae evaluate molecules.csv -o evaluation",
        "chemvae evaluate molecules.csv --n-samples 1000 --json figures.json",
    ),
    "bench": ("chemvae bench --quick", "chemvae bench --growth --json bench.json"),
    "encode": ("chemvae encode molecules.csv -o points.npy", "chemvae encode molecules.csv > points.csv"),
    "decode": ("chemvae decode points.npy -o again.csv", "chemvae decode points.npy --best-of 8 -o best.csv"),
    "sample": ("chemvae sample -n 1000 -o new.csv", "chemvae sample -n 20 --temperature 0.5 --seed 7"),
    "predict": (
        "chemvae predict molecules.csv --computed -o predicted.csv",
        "chemvae predict new.csv --fit molecules.csv -p activity -o activity.csv",
    ),
    "interpolate": (
        "chemvae interpolate 'CC(=O)Nc1ccc(O)cc1' 'CN1CCNCC1'",
        "chemvae interpolate 'CC(=O)Nc1ccc(O)cc1' 'CN1CCNCC1' --steps 15 -o path.html",
    ),
    "neighbors": (
        "chemvae neighbors 'CC(=O)Nc1ccc(O)cc1' --decodes 20",
        "chemvae neighbors 'CC(=O)Nc1ccc(O)cc1' --among molecules.csv --decodes 20 -o near.html",
    ),
    "edit": (
        "chemvae edit 'CC(=O)Nc1ccc(O)cc1' --along logP --steps 5 --keep c1ccccc1",
        "chemvae edit 'CC(=O)Nc1ccc(O)cc1' --pair Cc1ccccc1 Clc1ccccc1 -o chlorinated.html",
    ),
    "complete": (
        "chemvae complete 'CC(=O)N__c1ccc__'",
        "chemvae complete 'CC(=O)Nc1ccc(_{1,3})cc1' -o filled.html",
    ),
    "optimize": (
        "chemvae optimize --maximize qed --constraint 'SAS<3' --budget 200 -o hits",
        "chemvae optimize --start 'CC(=O)Nc1ccc(O)cc1' --maximize qed -o near",
    ),
    "library": ("chemvae library build molecules.csv -o LIB", "chemvae library info LIB"),
    "library build": (
        "chemvae library build molecules.csv new.csv -o both",
        "chemvae library build molecules.csv -p qed -p activity -o mine",
    ),
    "library append": ("chemvae library append LIB new.csv", "chemvae library append both molecules.csv new.csv"),
    "library info": ("chemvae library info LIB", "chemvae library info LIB --json library.json"),
    "library index": ("chemvae library index LIB", "chemvae library index LIB --jobs 1"),
    "library verify": ("chemvae library verify LIB", "chemvae library verify LIB --json problems.json"),
    "search": (
        "chemvae search LIB --near 'CC(=O)Nc1ccc(O)cc1' --where '1<logP<3' --without '[N+](=O)[O-]' -o hits.sdf",
        "chemvae search LIB --with c1ccncc1 --where 'MW<300 and TPSA>40' -n 20",
    ),
    "map": (
        "chemvae map molecules.csv --color activity -o map.html",
        "chemvae map molecules.csv --method tsne --png map.png -o tsne.html",
    ),
    "serve": ("chemvae serve --library LIB --open", "chemvae serve --library molecules.csv --project mine --port 0"),
}
"""Command -> two that run as printed where ``molecules.csv`` is a table with SMILES and a column ``activity``."""


class _BareFlags:
    """Flags that take nothing, --help among them, are shown without a word for what they take."""

    def get_params(self, ctx: Any) -> list[Any]:
        found = super().get_params(ctx)  # type: ignore[misc]  # of the class of click that stands behind this one
        for one in found:
            if getattr(one, "is_flag", False) and one.metavar is None:
                one.metavar = ""
        return found


class Command(_BareFlags, TyperCommand):
    """One command."""


class Group(_BareFlags, TyperGroup):
    """Commands under one name."""


def add(app: typer.Typer, name: str, function: Callable[..., None], *, under: str = "", panel: str | None = None) -> None:
    """Give an app a command, with the examples that its help ends with.

    Parameters
    ----------
    app : Typer
    name : str
    function : callable
    under : str
        Name of the group that the app is.
    panel : str, optional
        Heading that it stands under in the list of commands.
    """
    epilog = examples(f"{under} {name}".strip())
    app.command(name, cls=Command, rich_help_panel=panel, epilog=epilog)(function)


def examples(name: str) -> str:
    """The examples of a command as its help ends with them."""
    return "\n\n".join(["Examples", *(line.replace("[", r"\[") for line in EXAMPLES[name])])
