"""The pages of the metrics' address: ``/metrics``, ``/health/live``, ``/health/ready``."""

import json
from collections.abc import Callable

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from .endpoint import Page, Pages
from .health import alive, ready, turn_of_the_loop
from .snapshot import Snapshot

__all__ = ["pages"]


def pages(registry: CollectorRegistry, snapshot: Callable[[], Snapshot]) -> Pages:
    """The pages that can be read of a bridge."""

    async def metrics(accept: str) -> Page:
        encode, content_type = choose_encoder(accept)
        return Page(200, content_type, encode(registry))

    async def health_live(_accept: str) -> Page:
        return _verdict(*alive(await turn_of_the_loop()))

    async def health_ready(_accept: str) -> Page:
        now = snapshot()
        return _verdict(*ready(now.broker, now.servers))

    return {"/metrics": metrics, "/health/live": health_live, "/health/ready": health_ready}


def _verdict(good: bool, details: dict[str, object]) -> Page:
    body = json.dumps(details, ensure_ascii=False).encode() + b"\n"
    return Page(200 if good else 503, "application/json", body)
