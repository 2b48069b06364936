"""The gate: what every request over HTTP must pass, and what every answer bears.

An ASGI application around the door's own. It keeps out what comes by another name than the
bridge's (a name that somebody points at this address, so that a browser takes his page for ours),
and what a page of somebody else sends. Requests have their turns here, presses before all else.
"""

from collections.abc import Callable, Collection
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..logs.internal_error import report_internal_error
from ..room.facts.problems import INTERNAL_ERROR
from ..room.facts.values import Problem
from .answers import refusal
from .pages import POLICY
from .turns import Turns

__all__ = ["LOCAL_HOSTS", "Gate", "forged", "host_of"]

log = structlog.get_logger("web")

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
"""The names by which somebody on this box calls it."""

_SAFE = frozenset({"GET", "HEAD"})

_FOREIGN_HOST = Problem(
    "foreign_host",
    "This is not the name of this bridge",
    "Open it by another name; or add this one to web.hosts.",
)
_FORGED = Problem(
    "cross_site",
    "Another site's page has sent this",
    "Requests are taken from the bridge's own page, or from programs.",
)
_TWO_LENGTHS = Problem(
    "two_lengths",
    "Two headers say where the body ends, and a proxy may go by the other one",
    "Send Content-Length or Transfer-Encoding.",
)
_OLD = Problem("http_version", "HTTP/1.1 is spoken here", "Send HTTP/1.1.")

_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Gate:
    """Lets through what may pass. `hosts` are the names that may be used; empty: any."""

    def __init__(self, inside: ASGIApp, hosts: Collection[str]) -> None:
        self._inside = inside
        self.hosts = hosts
        self._turns, self._turns_of_presses = Turns(), Turns()

    @property
    def due_at(self) -> float:
        """By when whoever has his turn goes on (`Progress`)."""
        return min(self._turns.progress.due_at, self._turns_of_presses.progress.due_at)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await receive()
            await send({"type": "websocket.close"})
            return
        pressed = scope["method"] not in _SAFE
        turns = self._turns_of_presses if pressed else self._turns
        async with turns.turn((scope.get("client") or ("",))[0]) as over:
            await self._answer(scope, receive, send, over)

    async def _answer(
        self, scope: Scope, receive: Receive, send: Send, over: Callable[[], None]
    ) -> None:
        """Answer; `over` is called before anything of the peer is waited for."""
        begun = False

        async def awaited() -> Message:
            over()
            return await receive()

        async def with_headers(message: Message) -> None:
            nonlocal begun
            over()
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        app = self._refused(scope) or self._inside
        try:
            await app(scope, awaited, with_headers)
        except Exception as error:  # noqa: BLE001 - a request that fails is no reason to end
            report_internal_error(error, "the request was not answered", path=scope["path"])
            if not begun:
                await refusal(500, INTERNAL_ERROR)(scope, awaited, with_headers)

    def _refused(self, scope: Scope) -> ASGIApp | None:
        headers = Headers(scope=scope)
        if scope["http_version"] not in ("1.0", "1.1"):
            return refusal(505, _OLD)
        if "content-length" in headers and "transfer-encoding" in headers:
            return refusal(400, _TWO_LENGTHS, Connection="close")
        if self.hosts and host_of(headers.get("host", "")) not in self.hosts:
            return refusal(421, _FOREIGN_HOST)
        if forged(scope["method"], headers):
            return refusal(403, _FORGED)
        return None


def host_of(authority: str) -> str:
    """The host that a ``Host`` header names, without port and brackets, in lower case."""
    try:
        return (urlsplit(f"//{authority}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def forged(method: str, headers: Headers) -> bool:
    """True where a page of another site has the browser send this.

    Browsers say so, by ``Sec-Fetch-Site``, or, where they are older or the connection is not
    secure, by ``Origin``. A link that somebody follows is none.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        followed = method in _SAFE and headers.get("sec-fetch-mode") == "navigate"
        return site not in ("same-origin", "none") and not followed
    origin = headers.get("origin")
    if origin is None:
        return False
    return method not in _SAFE and _authority(origin) != headers.get("host", "").lower()


def _authority(origin: str) -> str:
    """Host and port of an origin; empty where it has none, as ``null``."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""
