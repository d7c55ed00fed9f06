"""The flags that commands share, written once, and what every command gets: --config, -q and -v."""

from __future__ import annotations

import difflib
import functools
import inspect
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chemvae.commands.shared import console
from chemvae.commands.shared.settings_fields import Field, choices
from chemvae.disk.toml import parse_toml
from chemvae.errors import ChemVAEError, SettingsError

if TYPE_CHECKING:
    from chemvae.models.vae import MolVAE

READING, RUNNING = "Reading the data", "Running"
STANDARDIZE_MODES = choices("chem/molecules.py", "STANDARDIZE_MODES")

Data = Annotated[
    str,
    typer.Argument(
        metavar="DATA",
        show_default=False,
        help="A .csv .tsv .smi .sdf .parquet or .xlsx (x.xlsx:SHEET) file (.gz .zst), a folder, -, or a name of `data list`.",
    ),
]
MaybeData = Annotated[str | None, Data.__metadata__[0]]
Model = Annotated[
    str | None,
    typer.Option("-m", "--model", metavar="MODEL", help="Run folder, or the name of a shipped model.", show_default=False),
]
Properties = Annotated[
    list[str] | None,
    typer.Option("-p", "--property", metavar="COLUMN", help="Label column; repeat for several. Labels may be missing."),
]
SmilesColumn = Annotated[
    str | None,
    typer.Option("-s", "--smiles-column", metavar="COLUMN", rich_help_panel=READING, help="Found by itself if not given."),
]
SplitColumn = Annotated[
    str | None,
    typer.Option("--split-column", metavar="COLUMN", rich_help_panel=READING, help="A column 'split' is used by itself."),
]
Standardize = Annotated[
    str,
    typer.Option(metavar=STANDARDIZE_MODES, rich_help_panel=READING, help="Stereo is always kept, tautomers are left alone."),
]
OnInvalid = Annotated[
    str,
    typer.Option(
        metavar=choices("tables/rows.py", "ON_INVALID"),
        rich_help_panel=READING,
        help="What to do with a row that cannot be used.",
    ),
]
Output = Annotated[str, typer.Option("-o", "--output", metavar="FILE", help="The ending says the format; - is CSV on stdout.")]
Folder = Annotated[Path, typer.Option("-o", "--output", metavar="FOLDER", help="Where to write.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", metavar="", help="Replace what is there.")]


def _known_to_every_generator(seed: int) -> int:
    if not 0 <= seed < 2**32:
        raise typer.BadParameter(f"a seed is a whole number from 0 to {2**32 - 1}, got {seed}")
    return seed


Seed = Annotated[
    int,
    typer.Option(metavar="N", help="Same seed, same result.", rich_help_panel=RUNNING, callback=_known_to_every_generator),
]
Device = Annotated[str, typer.Option(metavar="auto|cpu|cuda|cuda:1|mps", help="Where to compute.", rich_help_panel=RUNNING)]
Jobs = Annotated[
    int, typer.Option(metavar="N", help="Worker processes for RDKit's part; 0: one per core.", rich_help_panel=RUNNING)
]
Json = Annotated[str | None, typer.Option("--json", metavar="FILE", help="Also write the figures there; - is stdout.")]

_KINDS = {"int": (int, "N"), "float": (float, "X"), "str": (str, "NAME")}


def command(function: Callable[..., None]) -> Callable[..., None]:
    """Make a function a command: it gains --config, -q and -v, and its sentences are shown while it runs."""
    own = inspect.signature(function, eval_str=True)

    @functools.wraps(function)
    def run(**given: Any) -> None:
        given.pop("config")
        with console.talking(given.pop("quiet"), given.pop("verbose")):
            function(**given)

    fixed = [p.replace(kind=p.KEYWORD_ONLY) for p in own.parameters.values() if p.kind is not p.VAR_KEYWORD]
    generated = getattr(function, "generated_parameters", [])
    shown = sorted([*fixed, *generated, *_common_parameters()], key=lambda p: _panel(p) == RUNNING)
    vars(run)["__signature__"] = own.replace(parameters=shown)
    run.__annotations__ = {}
    run.__doc__ = "\n\n".join(" ".join(part.split()) for part in (function.__doc__ or "").split("\n\n"))
    return run


def _panel(parameter: inspect.Parameter) -> str | None:
    """The heading in --help that a parameter stands under."""
    return next((info.rich_help_panel for info in getattr(parameter.annotation, "__metadata__", ())), None)


def settings_flags(
    panel: str, fields: list[Field], names: Mapping[str, str] | None = None
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command that takes ``**settings`` one flag per field of a settings class; what is not given stays out.

    Parameters
    ----------
    panel : str
        Heading in --help.
    fields : list of Field
    names : mapping, optional
        Field to flag, where it is not the field's name with dashes.
    """

    def extend(function: Callable[..., None]) -> Callable[..., None]:
        made = [_parameter(field, panel, (names or {}).get(field.name)) for field in fields]
        vars(function)["generated_parameters"] = [*getattr(function, "generated_parameters", []), *made]
        return function

    return extend


def given_only(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what the user did not say.

    Examples
    --------
    >>> given_only({"beta": 0.1, "epochs": None, "patience": 0})
    {'beta': 0.1, 'patience': 0}
    """
    return {name: value for name, value in settings.items() if value is not None}


def load_model(name: str | None, device: str) -> MolVAE:
    """Load the model that -m names, by default the shipped "drug"."""
    with console.working("Loading the model"):
        from chemvae import api

        return api.load(name, device)


def _parameter(field: Field, panel: str, flag: str | None) -> inspect.Parameter:
    flag = flag or "--" + field.name.replace("_", "-")
    kind, metavar = _KINDS[field.kind]
    metavar = "|".join(field.choices) or metavar
    words = (field.help[:1].upper() + field.help[1:]).replace("``", "").replace("[", r"\[")
    option = typer.Option(flag, metavar=metavar, help=words, rich_help_panel=panel, show_default=False)
    annotation: Any = Annotated[kind | None, option]
    return inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _common_parameters() -> list[inspect.Parameter]:
    config = typer.Option(
        "--config", metavar="FILE", callback=_use_config, is_eager=True, rich_help_panel=RUNNING,
        help="Flags from a .toml or .json file; a flag given here goes before it.",
    )  # fmt: skip
    quiet = typer.Option("-q", "--quiet", metavar="", help="Warnings and errors only.", rich_help_panel=RUNNING)
    verbose = typer.Option(
        "-v", "--verbose", metavar="", callback=_remember, is_eager=True, rich_help_panel=RUNNING,
        help="More messages, and the traceback of an unexpected error.",
    )  # fmt: skip
    rows = [("config", Annotated[Path | None, config], None), ("quiet", Annotated[bool, quiet], False)]
    rows.append(("verbose", Annotated[bool, verbose], False))
    kind = inspect.Parameter.KEYWORD_ONLY
    return [inspect.Parameter(name, kind, default=default, annotation=annotation) for name, annotation, default in rows]


def _remember(ctx: typer.Context, value: bool) -> bool:
    ctx.meta["chemvae.verbose"] = value
    return value


def _use_config(ctx: typer.Context, value: Path | None) -> Path | None:
    """Make the file's entries the defaults of this call."""
    if value is not None and not ctx.resilient_parsing:
        ctx.default_map = {**(ctx.default_map or {}), **match_config(read_config(value), ctx.command.params, value)}
    return value


def read_config(path: Path) -> dict[str, Any]:
    """Read a TOML or JSON file of flags; sections only group them, but those of ``[stages.NAME]`` stay together.

    Raises
    ------
    ChemVAEError
        If the file cannot be read as what its ending says.
    """
    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text) if path.suffix.lower() == ".json" else parse_toml(text)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ChemVAEError(f"The configuration {path} cannot be read ({reason}). Write it as .toml or .json.") from None
    if not isinstance(content, dict):
        raise ChemVAEError(f"The configuration {path} must be a table of flags, such as epochs = 10.")
    if isinstance(stages := content.get("stages"), dict):
        content = {**content, "stages": json.dumps(stages)}
    sections = [value for value in content.values() if isinstance(value, dict)]
    flat = {key: value for key, value in content.items() if not isinstance(value, dict)}
    return functools.reduce(lambda all_, section: all_ | section, sections, flat)


def match_config(content: Mapping[str, Any], parameters: list[Any], source: Path) -> dict[str, Any]:
    """Match a configuration's keys with a command's flags.

    Raises
    ------
    SettingsError
        Listing every key that is no flag, each with the nearest one.
    """
    known = {key: parameter for parameter in parameters for key in _keys(parameter)}
    complaints, found = [], {}
    for key, value in content.items():
        parameter = known.get(key.replace("-", "_"))
        if parameter is None:
            near = difflib.get_close_matches(key.replace("-", "_"), known, n=1)
            complaints.append(f"{source} has the unknown key '{key}'" + (f"; did you mean '{near[0]}'?" if near else ""))
            continue
        several = getattr(parameter, "multiple", False) and not isinstance(value, list)
        found[parameter.name] = [value] if several else value
    if complaints:
        raise SettingsError(complaints)
    return found


def _keys(parameter: Any) -> set[str]:
    """What a parameter may be called in a file: its long flags, and its name."""
    flags = {opt[2:].replace("-", "_") for opt in parameter.opts if opt.startswith("--")}
    return (flags | {parameter.name}) - {"config", "help"}
