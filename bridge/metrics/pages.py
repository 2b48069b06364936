"""The pages about the bridge itself: ``/metrics``, ``/health/live``, ``/health/ready``."""

import json
from collections.abc import Callable, Sequence

from prometheus_client import CollectorRegistry, make_asgi_app
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from .health import alive, ready, turn_of_the_loop
from .snapshot import Snapshot

__all__ = ["health_pages", "measures"]


def measures(registry: CollectorRegistry) -> ASGIApp:
    """The application that answers with the registry's measures."""
    app: ASGIApp = make_asgi_app(registry)
    return app


def health_pages(snapshot: Callable[[], Snapshot]) -> Sequence[BaseRoute]:
    """The pages for a supervisor."""

    async def live(_: Request) -> Response:
        return _verdict(*alive(await turn_of_the_loop()))

    async def is_ready(_: Request) -> Response:
        now = snapshot()
        return _verdict(*ready(now.broker, now.servers))

    return [Route("/health/live", live), Route("/health/ready", is_ready)]


def _verdict(good: bool, details: dict[str, object]) -> Response:
    body = json.dumps(details, ensure_ascii=False) + "\n"
    headers = {"Cache-Control": "no-store"}
    return Response(body, 200 if good else 503, headers, media_type="application/json")
