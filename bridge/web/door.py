"""The door: which path leads where, and what is done there.

Whoever asks shows a cookie or a secret. A room that somebody may not look at is not told from one
that does not exist.
"""

import json
import re
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from math import ceil
from typing import Protocol

import structlog
import trio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from ..room.facts.values import Problem, Result
from .access import COOKIE, Access, Pass, Role
from .answers import json_answer, refusal, result_answer
from .events import Stream, until_gone
from .feed import Feed
from .gate import Gate
from .guesses import Guesses
from .pages import Pages

__all__ = ["Asked", "Asking", "Door"]

log = structlog.get_logger("web")

_PATIENCE = 60.0
"""Seconds that an answer waits for a result."""

_ARRIVAL = 10.0
"""Seconds for the body of a request to arrive."""

_LONGEST_BODY = 64 * 1024
"""Bytes: a title of 255 characters and an invitation's worth of words beside it."""

_YEAR = 400 * 24 * 3600
"""Seconds that a browser keeps a cookie: as long as any does."""

_ROOM = re.compile(r"[a-z0-9_-]{1,40}")
"""A room's key, as the configuration has it."""

_SIGN_IN = Problem(
    "not_signed_in",
    "Whoever asks has not said who they are",
    "Open the page by its link, enter the secret there, or send it: Authorization: Bearer …",
)
_WRONG_SECRET = Problem(
    "wrong_secret",
    "This secret opens nothing here",
    "Ask whoever looks after the bridge for the secret of this room.",
)
_SLOWLY = Problem("too_many_wrong_secrets", "Too many secrets were wrong", "Wait, and try again.")
_MAY_NOT = Problem(
    "not_allowed",
    "The secret that was shown does not allow this",
    "Show one that operates this room, or only look.",
)
_NOTHING_HERE = Problem("not_found", "There is nothing here", "Begin at / or at /openapi.json.")
_NO_ROOM = Problem("unknown_room", "This is no room of this bridge", "GET /rooms has them all.")
_METHOD = Problem("method", "This is not how it is asked for", "See /openapi.json.")
_TOO_LONG = Problem("too_long", f"The body has more than {_LONGEST_BODY} bytes", "Send less.")
_TOO_SLOW = Problem("too_slow", "The body did not arrive in time", "Send it again.")
_NO_SECRET = Problem("malformed", "The body is no secret", 'Send a JSON object: {"secret": "…"}.')


class Asked(Protocol):
    """A request under way.

    `named`: whoever asked knows its id, and may ask for its result by that.
    """

    named: bool

    @property
    def id(self) -> str | int:
        """The sender's name for it, or one made up."""

    @property
    def word(self) -> str:
        """The action or event."""

    @property
    def done(self) -> trio.Event:
        """Set once `result` is there."""

    @property
    def result(self) -> Result | None:
        """What became of it."""

    def awaiting(self) -> AbstractContextManager[None]:
        """Within it, somebody is there who is answered with the result."""


class Asking(Protocol):
    """Whoever takes what is asked of rooms: the `Callers` of ``intake/callers``."""

    def ask(self, room: str, leaf: str, body: bytes, origin: str) -> Asked:
        """Ask what a message with this body would on the room's topic `leaf`."""


class Door:
    """The whole of it, as the ASGI application `app`.

    `openapi` gives the description of all this, with these rooms. `health` is open to everybody,
    `metrics` to whoever may look at all rooms. `hosts` are the names by which the bridge may be
    called; empty: any.
    """

    def __init__(
        self,
        access: Access,
        feed: Feed,
        asking: Asking,
        *,
        hosts: Collection[str],
        openapi: Callable[[Sequence[str]], str],
        health: Sequence[BaseRoute],
        metrics: ASGIApp,
    ) -> None:
        self._access = access
        self._feed = feed
        self._asking = asking
        self._openapi = openapi
        self._metrics = metrics
        self._guesses = Guesses()
        self._pages = Pages()
        self.routes: Sequence[BaseRoute] = [
            Route("/", self._pages.page),
            Route("/static/{name}", self._pages.static),
            Route("/session", self._sign_in, methods=["POST"]),
            Route("/session", self._sign_out, methods=["DELETE"]),
            Route("/events", self._events),
            Route("/rooms", self._rooms),
            Route("/rooms/{room}", self._room),
            Route("/rooms/{room}/events", self._events),
            Route("/rooms/{room}/event", self._event, methods=["POST"]),
            Route("/rooms/{room}/metadata/{field}", self._metadata, methods=["POST"]),
            Route("/rooms/{room}/{action}", self._action, methods=["POST"]),
            Route("/openapi.json", self._description),
            Route("/metrics", self._measures),
            *health,
            Route("/{room}", self._page),
        ]
        handlers = {404: _nothing_here, 405: _other_method, _Refused: _refused}
        self._gate = Gate(Starlette(routes=self.routes, exception_handlers=handlers), hosts)
        self.app: ASGIApp = self._gate

    @property
    def due_at(self) -> float:
        """By when whoever has his turn is answered (`Progress`)."""
        return self._gate.due_at

    def reconfigured(self, access: Access, hosts: Collection[str]) -> None:
        """Go by other secrets and names; whoever reads events has to come again."""
        self._access = access
        self._gate.hosts = hosts
        self._feed.rights_changed()

    # What is shown.

    async def _page(self, request: Request) -> Response:
        if _ROOM.fullmatch(request.path_params["room"]) is None:
            raise _Refused(404, _NOTHING_HERE)
        return await self._pages.page(request)

    async def _rooms(self, request: Request) -> Response:
        reader = self._reader(request)
        views = []
        for room in list(self._feed.rooms):
            if (role := reader.role(room)) is not None and (view := self._feed.view(room, role)):
                views.append(b"%s:%s" % (json.dumps(room).encode(), view))
                await trio.lowlevel.checkpoint()
        return json_answer(b'{"rooms":{%s}}' % b",".join(views))

    async def _room(self, request: Request) -> Response:
        if "text/html" in request.headers.get("accept", ""):
            return await self._page(request)
        room, role = self._seen(request)
        view = self._feed.view(room, role)
        if view is None:
            raise _Refused(404, _NO_ROOM)
        return json_answer(view)

    async def _events(self, request: Request) -> ASGIApp | Response:
        reader = self._reader(request)
        room = None if "room" not in request.path_params else self._seen(request)[0]
        if request.method == "HEAD":
            return Response(media_type="text/event-stream")
        return Stream(self._feed, reader, room, request.headers.get("last-event-id", ""))

    async def _description(self, request: Request) -> Response:
        reader = self._shown(request)
        return json_answer(self._openapi([each for each in self._feed.rooms if reader.role(each)]))

    async def _measures(self, request: Request) -> ASGIApp:
        if self._reader(request).everywhere is None:
            raise _Refused(403, _MAY_NOT)
        return self._metrics

    # What is asked.

    async def _action(self, request: Request) -> Response:
        return await self._ask(request, f"press/{request.path_params['action']}")

    async def _event(self, request: Request) -> Response:
        return await self._ask(request, "event")

    async def _metadata(self, request: Request) -> Response:
        return await self._ask(request, f"press/metadata/{request.path_params['field']}")

    async def _ask(self, request: Request, leaf: str) -> Response:
        room, role = self._seen(request)
        if role is not Role.OPERATE:
            raise _Refused(403, _MAY_NOT)
        body = await _body(request)
        if room not in self._feed.rooms:  # it may have gone while the body came
            raise _Refused(404, _NO_ROOM)
        asked = self._asking.ask(room, leaf, body, f"http {_address(request)}")
        with asked.awaiting(), trio.move_on_after(_PATIENCE) as patience:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(until_gone, request.receive, nursery.cancel_scope)
                await asked.done.wait()
                nursery.cancel_scope.cancel()
        if asked.result is None:
            asked.named = asked.named or patience.cancelled_caught  # who has gone hears no id
            return json_answer(_under_way(asked), 202)
        return result_answer(asked.result)

    # Who asks.

    def _reader(self, request: Request) -> Pass:
        """What whoever asks may do. Raises `_Refused` where that is nothing at all."""
        found = self._shown(request)
        if not found:
            raise _Refused(401, _SIGN_IN, WWW_Authenticate="Bearer")
        return found

    def _shown(self, request: Request) -> Pass:
        """What whoever asks may do, if anything. Raises `_Refused` where the secret is wrong."""
        kind, _, secret = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and not self._access.is_open:
            return self._by_secret(request, secret.strip())
        return self._access.nobody or self._access.by_cookies(request.cookies)

    def _seen(self, request: Request) -> tuple[str, Role]:
        """The room of the path, and the role in it. Raises `_Refused` where there is none."""
        room = request.path_params["room"]
        role = self._reader(request).role(room)
        if role is None:
            raise _Refused(403, _MAY_NOT)
        if room not in self._feed.rooms:
            raise _Refused(404, _NO_ROOM)
        return room, role

    def _by_secret(self, request: Request, secret: str) -> Pass:
        address, now = _address(request), trio.current_time()
        if (wait := self._guesses.wait(address, now)) > 0:
            raise _Refused(429, _SLOWLY, Retry_After=str(ceil(wait)))
        found = self._access.by_secret(secret)
        if found is None:
            self._guesses.wrong(address, now)
            log.warning("wrong secret", address=address, what_to_do="look who is trying")
            raise _Refused(401, _WRONG_SECRET, WWW_Authenticate="Bearer")
        return found

    async def _sign_in(self, request: Request) -> Response:
        try:
            secret = json.loads(await _body(request))["secret"]
        except (ValueError, TypeError, KeyError, RecursionError):
            secret = None
        if not isinstance(secret, str):
            raise _Refused(422, _NO_SECRET)
        answer = Response(status_code=204, headers={"Cache-Control": "no-store"})
        if not self._access.is_open:
            self._by_secret(request, secret)
            name, value = self._access.cookie(secret)
            secure = request.url.scheme == "https"
            answer.set_cookie(name, value, _YEAR, secure=secure, httponly=True, samesite="strict")
        return answer

    async def _sign_out(self, request: Request) -> Response:
        answer = Response(status_code=204, headers={"Cache-Control": "no-store"})
        for name in request.cookies:
            if name.startswith(COOKIE):
                answer.delete_cookie(name, httponly=True, samesite="strict")
        return answer


class _Refused(Exception):
    """A request gets no further; the answer is its reason."""

    def __init__(self, status: int, problem: Problem, **headers: str) -> None:
        super().__init__(problem.code)
        self.answer = refusal(status, problem, **headers)


async def _body(request: Request) -> bytes:
    """The whole body. Raises `_Refused` where it is too long or does not come."""
    body, more = b"", True
    with trio.move_on_after(_ARRIVAL) as patience:
        while more:
            part = await request.receive()
            body += part.get("body", b"")
            more = part.get("more_body", False)
            if part["type"] == "http.disconnect":
                raise _Refused(400, _TOO_SLOW)
            if len(body) > _LONGEST_BODY:
                raise _Refused(413, _TOO_LONG)
    if patience.cancelled_caught:
        raise _Refused(408, _TOO_SLOW)
    return body


def _under_way(asked: Asked) -> str:
    """The members of a result that there is not yet."""
    known = {"id": asked.id, "action": asked.word, "outcome": None, "state": None, "error": None}
    return json.dumps(known, ensure_ascii=False)


def _address(request: Request) -> str:
    return "" if request.client is None else request.client.host


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, _Refused)  # noqa: S101 - what it is registered for
    return error.answer


async def _nothing_here(_: Request, __: Exception) -> Response:
    return refusal(404, _NOTHING_HERE)


async def _other_method(_: Request, error: Exception) -> Response:
    return refusal(405, _METHOD, **getattr(error, "headers", None) or {})
