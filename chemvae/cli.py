"""The command line: the list of commands, and the one place where errors become a sentence and an exit code."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any

import typer

from chemvae import __version__
from chemvae.commands import (
    bench,
    cite,
    data,
    decode,
    demo,
    doctor,
    encode,
    evaluate,
    map,
    optimize,
    predict,
    sample,
    serve,
    train,
)
from chemvae.commands.libraries import library, search
from chemvae.commands.moving import complete, edit, interpolate, neighbors
from chemvae.commands.shared.help import Group, add
from chemvae.errors import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE, ChemVAEError
from chemvae.progress import signals_raise

FIRST, MODELS, MOLECULES, DESIGN = "First steps", "Models", "Molecules and latent space", "Design and overview"
LIBRARIES = "Libraries of many molecules"


class Commands(Group):
    """A group of commands whose errors are sentences."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; whatever goes wrong becomes one line on stderr and an exit code."""
        with signals_raise() as heard:
            try:
                answer = super().invoke(ctx)
                sys.stdout.flush()
                return answer
            except (typer.Exit, typer.Abort):
                raise
            except (Exception, KeyboardInterrupt) as error:
                if hasattr(error, "format_message"):  # typer's own usage errors, which it shows itself
                    raise
                code = explain(error, ctx.meta.get("chemvae.verbose", False))
                raise typer.Exit(heard.exit_code if code == EXIT_INTERRUPTED else code) from None


def explain(error: BaseException, verbose: bool = False) -> int:
    """Say on stderr what went wrong, and return the exit code."""
    if isinstance(error, ChemVAEError):
        _complain(str(error))
        return error.exit_code
    if isinstance(error, KeyboardInterrupt):
        _complain("Interrupted.")
        return EXIT_INTERRUPTED
    if isinstance(error, BrokenPipeError):  # the reader (head, less) has seen enough
        _close_stdout()
        return 0
    if verbose:
        _show_traceback(error)
    _complain(_unexpected(error))
    return EXIT_FAILED


def _unexpected(error: BaseException) -> str:
    """One line for what nobody foresaw; what the machine refused is said in its own words."""
    if isinstance(error, UnicodeEncodeError):
        letter = error.object[error.start : error.start + 1]
        return (
            f"{letter!a} cannot be written in the encoding {error.encoding} of the standard output. Write to a file (-o), or "
            "set PYTHONIOENCODING=utf-8."
        )
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}." if error.filename else f"{error.strerror}."
    full = isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
    if full or isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return "Memory ran out. Use a smaller --batch-size, fewer molecules at a time, or --device cpu."
    text = str(error).strip().splitlines()
    return (
        f"This should not have happened: {type(error).__name__}{': ' + text[0] if text else ''}. Please report it with the "
        "command, what it printed with -v, and the output of `chemvae doctor`."
    )


def _complain(sentence: str) -> None:
    from rich.console import Console
    from rich.text import Text

    Console(stderr=True, highlight=False).print(Text(f"error: {sentence}", style="red"), soft_wrap=True)


def _show_traceback(error: BaseException) -> None:
    import traceback

    traceback.print_exception(type(error), error, error.__traceback__)


def _close_stdout() -> None:
    """Let the interpreter's last flush go nowhere."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError, AttributeError):  # stdout is not a file
        sys.stdout = open(os.devnull, "w", encoding="utf-8")


def _print_version(asked: bool) -> None:
    if asked:
        sys.stdout.write(f"chemvae {__version__}\n")
        raise typer.Exit()


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start with `chemvae demo`, or with your own molecules: `chemvae train my.csv -p logP -o runs/mine`. "
    "Data goes to stdout, everything else to stderr. Exit codes: 0 done, 1 failed, 2 usage, 3 nothing usable in the data, "
    "130 interrupted after saving, 143 ended by SIGTERM, SIGHUP or SIGUSR1 after saving.",
)


@app.callback()
def chemvae(
    version: Annotated[
        bool, typer.Option("--version", metavar="", help="Show the version and leave.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Design molecules in the latent space of a SMILES variational autoencoder."""


add(app, "demo", demo.demo, panel=FIRST)
add(app, "doctor", doctor.doctor, panel=FIRST)
app.add_typer(data.app, name="data", rich_help_panel=FIRST)
add(app, "cite", cite.cite, panel=FIRST)
add(app, "train", train.train, panel=MODELS)
add(app, "evaluate", evaluate.evaluate, panel=MODELS)
add(app, "bench", bench.bench, panel=MODELS)
add(app, "encode", encode.encode, panel=MOLECULES)
add(app, "decode", decode.decode, panel=MOLECULES)
add(app, "sample", sample.sample, panel=MOLECULES)
add(app, "predict", predict.predict, panel=MOLECULES)
add(app, "interpolate", interpolate.interpolate, panel=MOLECULES)
add(app, "neighbors", neighbors.neighbors, panel=MOLECULES)
add(app, "edit", edit.edit, panel=MOLECULES)
add(app, "complete", complete.complete, panel=MOLECULES)
add(app, "optimize", optimize.optimize, panel=DESIGN)
add(app, "map", map.map, panel=DESIGN)
add(app, "serve", serve.serve, panel=DESIGN)
app.add_typer(library.app, name="library", rich_help_panel=LIBRARIES)
add(app, "search", search.search, panel=LIBRARIES)


def _open_streams() -> None:
    """Let streams that the caller has closed lead nowhere: Python has None in their place."""
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")


def _settle_threads() -> str:
    """What is wrong with OMP_NUM_THREADS, "" if nothing; of a list, one number for each level, numexpr is given the first."""
    value = os.environ.get("OMP_NUM_THREADS", "").strip()
    levels = [one.strip() for one in value.split(",")]
    if value and not all(one.isdecimal() and int(one) > 0 for one in levels):
        return f"The environment says OMP_NUM_THREADS={value}, which is no number of threads. Set it to 1 or more, or unset it."
    if len(levels) > 1:
        os.environ.setdefault("NUMEXPR_NUM_THREADS", levels[0])
    return ""


def main() -> None:
    """Run the command line."""
    _open_streams()
    if wrong := _settle_threads():
        _complain(wrong)
        sys.exit(EXIT_USAGE)
    try:
        app(prog_name="chemvae")
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)


if __name__ == "__main__":
    main()
