"""The pages about the bridge itself: ``/metrics``, ``/health/live``, ``/health/ready``."""

import json
from collections.abc import Callable, Sequence
from math import inf

import trio
from prometheus_client import CollectorRegistry, make_asgi_app
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .health import Verdict, alive, turn_of_the_loop

__all__ = ["health_pages", "measures"]

_LASTS = 1.0
"""Seconds for which a text of the measures serves whoever asks for the same."""

_MOST_TEXTS = 4
"""Kept at once: a scraper's form, a browser's, and few more."""


def measures(registry: CollectorRegistry) -> ASGIApp:
    """The application that answers with the registry's measures, as they were within a second.

    With a thousand rooms, a text takes the event loop as long as many presses.
    """
    made: ASGIApp = make_asgi_app(registry)
    texts: dict[object, list[Message]] = {}
    began = -inf

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal began
        if trio.current_time() >= began + _LASTS:
            texts.clear()
            began = trio.current_time()
        accepted = [each for each in scope["headers"] if each[0].startswith(b"accept")]
        form = (scope["query_string"], *accepted)
        text = texts.get(form, [])
        if not text:

            async def keep(message: Message) -> None:
                text.append(message)

            await made(scope, receive, keep)
            if text and len(texts) < _MOST_TEXTS:
                texts[form] = text
        for message in text:
            await send(dict(message))  # whoever adds headers does so to his own

    return app


def health_pages(ready: Callable[[], Verdict]) -> Sequence[BaseRoute]:
    """The pages for a supervisor; `ready` says whether presses get through."""

    async def live(_: Request) -> Response:
        return _verdict(*alive(await turn_of_the_loop()))

    async def is_ready(_: Request) -> Response:
        return _verdict(*ready())

    return [Route("/health/live", live), Route("/health/ready", is_ready)]


def _verdict(good: bool, details: dict[str, object]) -> Response:
    body = json.dumps(details, ensure_ascii=False) + "\n"
    headers = {"Cache-Control": "no-store"}
    return Response(body, 200 if good else 503, headers, media_type="application/json")
