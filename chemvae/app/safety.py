"""What stands before every request: who may ask (Host, Origin, token), how much may be sent, and what a browser may do.

A browser visits other pages too. One of them could let it ask this server (which listens on the same machine) under a name of
its own (DNS rebinding: its Host is not ours) or from its own page (its Origin is not ours): both are refused.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import time
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from chemvae.app.settings import LOOPBACK, Limits, ServeSettings

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "chemvae_token"
HEADER = "x-chemvae-token"
UPLOADS = ("/api/uploads", "/results")
"""Ends of the paths that take files."""
PAGE_POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; font-src 'self' data:; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
REPORT_POLICY = (
    "sandbox allow-scripts allow-downloads allow-popups; default-src 'none'; script-src 'unsafe-inline'; "
    "style-src 'unsafe-inline'; img-src data: blob:; font-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""Of a report, whose scripts stand in it: it is shown as a page of nobody, which can ask this server for nothing."""
ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "x-frame-options": "DENY",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}


class RefusedError(Exception):
    """A request that is not answered: a status, and a sentence."""

    def __init__(self, status: int, sentence: str):
        self.status, self.sentence = status, sentence
        super().__init__(sentence)


class Gate:
    """The application behind its checks.

    Parameters
    ----------
    app : ASGI application
    settings : ServeSettings
    token : str
        Empty where none is needed.
    """

    def __init__(self, app: ASGIApp, settings: ServeSettings, token: str):
        self.app, self.settings, self.token = app, settings, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # there is no other door
        headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope["headers"]}
        inward = _Receiver(receive, _most_bytes(scope["path"], self.settings.limits), self._seconds(scope["path"]))
        sender = _Sender(send, inward)
        try:
            self.check(scope, headers)
            inward.check_length(headers.get("content-length"))
            await self.app(scope, inward, sender)
        except RefusedError as refusal:
            if not sender.has_begun:
                await refuse(sender, refusal)

    def check(self, scope: Scope, headers: dict[str, str]) -> None:
        """Refuse who may not ask.

        Raises
        ------
        RefusedError
        """
        host = headers.get("host", "")
        if self.settings.is_local and not _is_ours(host):
            raise RefusedError(403, f"This server answers to 127.0.0.1 and localhost only, not to '{host[:80]}'.")
        if (origin := headers.get("origin")) is not None and urlsplit(origin).netloc.lower() != host.lower():
            raise RefusedError(403, f"Another page ('{origin[:80]}') may not ask this server for anything.")
        is_foreign = headers.get("sec-fetch-site") in ("cross-site", "same-site")
        if is_foreign and not (scope["path"] == "/" and headers.get("sec-fetch-mode") == "navigate"):
            raise RefusedError(403, "Another page may not ask this server for anything.")
        if self.token and not self._has_token(scope, headers):
            raise RefusedError(401, "A token is needed: open the address that `chemvae serve` printed, which holds it.")

    def _has_token(self, scope: Scope, headers: dict[str, str]) -> bool:
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        shown = [headers.get(HEADER, ""), bearer.strip() if scheme.lower() == "bearer" else "", _cookie(headers)]
        shown += parse_qs(scope["query_string"].decode("latin-1")).get("token", [])
        return any(hmac.compare_digest(one.encode(), self.token.encode()) for one in shown if one)

    def _seconds(self, path: str) -> float:
        return self.settings.limits.seconds * (10 if path.endswith(UPLOADS) else 1)


def _cookie(headers: dict[str, str]) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""


def _is_ours(host: str) -> bool:
    """Whether a Host header names this machine; its port may be that of a tunnel."""
    try:
        parts = urlsplit(f"//{host}")
        return parts.hostname in LOOPBACK and parts.username is None and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def _most_bytes(path: str, limits: Limits) -> int:
    return limits.upload_bytes + 65_536 if path.endswith(UPLOADS) else limits.body_bytes


class _Receiver:
    """What a client sends, counted and timed."""

    def __init__(self, receive: Receive, most: int, seconds: float):
        self.receive, self.most, self.n_bytes = receive, most, 0
        self.deadline = time.monotonic() + seconds
        self.is_whole = False
        self.refusal: RefusedError | None = None
        """Why no more was taken: whatever the application makes of that, this is what is answered."""

    def check_length(self, said: str | None) -> None:
        if said is not None and (not said.isdigit() or int(said) > self.most):
            raise self._refuse(413, self._too_much)

    @property
    def _too_much(self) -> str:
        return f"This is more than the {_size(self.most)} that are taken at once. Send less."

    def _refuse(self, status: int, sentence: str) -> RefusedError:
        self.refusal = RefusedError(status, sentence)
        return self.refusal

    async def __call__(self) -> Message:
        if self.is_whole:
            return await self.receive()
        try:
            message = await asyncio.wait_for(self.receive(), max(self.deadline - time.monotonic(), 0.01))
        except asyncio.TimeoutError:
            raise self._refuse(408, "The request did not come in within the time that is given. Send it again.") from None
        self.n_bytes += len(message.get("body", b""))
        self.is_whole = not message.get("more_body", False)
        if self.n_bytes > self.most:
            raise self._refuse(413, self._too_much)
        return message


class _Sender:
    """What is answered, with the headers that every answer has."""

    def __init__(self, send: Send, inward: _Receiver):
        self.send, self.inward, self.has_begun, self.is_replaced = send, inward, False, False

    async def __call__(self, message: Message) -> None:
        if self.is_replaced:
            return
        if not self.has_begun and self.inward.refusal is not None:
            refusal, self.inward.refusal = self.inward.refusal, None
            await refuse(self, refusal)
            self.is_replaced = True
            return
        if message["type"] == "http.response.start":
            self.has_begun = True
            there = {key.lower() for key, _ in message["headers"]}
            always = {**ALWAYS, "content-security-policy": "default-src 'none'; frame-ancestors 'none'"}
            always["cache-control"] = "no-store"
            added = [(key.encode(), value.encode()) for key, value in always.items() if key.encode() not in there]
            message = {**message, "headers": [*message["headers"], *added]}
        await self.send(message)


async def refuse(send: Any, refusal: RefusedError) -> None:
    """Answer with the sentence of a refusal."""
    body = json.dumps({"error": refusal.sentence}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _size(n_bytes: int) -> str:
    return f"{n_bytes >> 20} MiB" if n_bytes >> 20 else f"{n_bytes >> 10} KiB"
