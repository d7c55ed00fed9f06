"""chemvae serve."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chemvae.commands.shared import console
from chemvae.commands.shared.options import RUNNING, Model, command

SAFETY = "Safety"


@command
def serve(
    library: Annotated[
        str | None,
        typer.Option(metavar="LIB", help="A library, or a table or catalog name to make one of; the project's own by default."),
    ] = None,
    model: Model = None,
    project: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Searches, uploads and campaigns are kept there, in ordinary files.")
    ] = Path("chemvae-project"),
    host: Annotated[
        str, typer.Option(rich_help_panel=SAFETY, help="Where to listen; anything but this machine asks for a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="N", help="0 takes a free one.")] = 8080,
    open: Annotated[bool, typer.Option("--open", metavar="", help="Open the page in the browser.")] = False,
    workers: Annotated[
        int, typer.Option(metavar="N", rich_help_panel=RUNNING, help="Jobs at once; 0: one per core, four at most.")
    ] = 0,
    memory_limit: Annotated[
        float | None,
        typer.Option(
            metavar="GIB", rich_help_panel=SAFETY, help="Memory that one job may take; half of the machine's by default."
        ),
    ] = None,
    token: Annotated[
        str | None, typer.Option(rich_help_panel=SAFETY, help="What a browser must show; drawn where other machines can ask.")
    ] = None,
) -> None:
    """Open the app: a library's map, molecules, searches and campaigns in the browser, on this machine.

    Everything is kept in the project's folder: a job that runs when the server ends is gone on with when it starts again, and
    each search there is one that chemvae optimize --resume goes on with too.
    """
    from chemvae.app.running import serve as run
    from chemvae.app.settings import ServeSettings

    def tell(address: str) -> None:
        console.say(f"Open {address}\nProject: {project}. End with Ctrl-C; what runs then goes on the next time.")
        if open:
            import webbrowser

            webbrowser.open(address)

    run(ServeSettings(project, library, model, host, port, workers, memory_limit, token), tell)
