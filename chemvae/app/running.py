"""Serve the app until it is told to end."""

from __future__ import annotations

import contextlib
import secrets
import socket
from collections.abc import Callable
from dataclasses import replace

from chemvae.app.safety import Gate
from chemvae.app.settings import ServeSettings
from chemvae.disk.locks import held
from chemvae.errors import ChemVAEError, MissingExtraError


def serve(settings: ServeSettings, tell: Callable[[str], None] = lambda address: None) -> None:
    """Serve a project until the process is told to end (Ctrl-C); jobs that run then are gone on with the next time.

    Parameters
    ----------
    settings : ServeSettings
    tell : callable
        Told the address, once it can be opened.

    Raises
    ------
    MissingExtraError
        Without the extra ``app``.
    BusyFolderError
        If another server works in the project.
    ChemVAEError
        If the project or the library cannot be opened, or the port is taken.
    """
    try:
        import uvicorn
    except ImportError:
        raise MissingExtraError("uvicorn", "app", "The app") from None
    from chemvae.app.server import make_app

    token = settings.token or ("" if settings.is_local else secrets.token_urlsafe(24))
    with held(settings.project):
        listening = listen(settings)
        port = listening.getsockname()[1]
        app = Gate(make_app(replace(settings, port=port)), settings, token)
        config = uvicorn.Config(app, log_level="warning", server_header=False, date_header=False, access_log=False,
                                timeout_graceful_shutdown=2, limit_concurrency=1_000)  # fmt: skip
        tell(address_of(settings.host, port, token))
        with contextlib.suppress(KeyboardInterrupt):  # that is how a server is told to end
            uvicorn.Server(config).run(sockets=[listening])


def listen(settings: ServeSettings) -> socket.socket:
    """A socket that listens where it is to.

    Raises
    ------
    ChemVAEError
        If the port is taken, or there is no such address here.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((settings.host, settings.port))
    except OSError as error:
        made.close()
        raise ChemVAEError(
            f"Nothing can listen at {settings.host}:{settings.port} ({error.strerror}). Choose another --port (0: a free one)."
        ) from None
    made.listen(256)
    return made


def address_of(host: str, port: int, token: str = "") -> str:
    """What a browser opens.

    Examples
    --------
    >>> address_of("127.0.0.1", 8080), address_of("0.0.0.0", 80, "secret")
    ('http://127.0.0.1:8080/', 'http://127.0.0.1:80/?token=secret')
    """
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{port}/" + (f"?token={token}" if token else "")
