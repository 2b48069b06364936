"""The page of measures, by its application: made at most once a second."""

from collections.abc import Iterator
from typing import Any

import trio
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import GaugeMetricFamily

from bridge.metrics.pages import measures


class Counted:
    """Measures how often it was measured."""

    times = 0

    def collect(self) -> Iterator[Metric]:
        """One sample, another each time."""
        self.times += 1
        yield GaugeMetricFamily("times", "How often.", value=self.times)


async def read(app: Any, query: bytes = b"", accept: bytes = b"text/plain") -> tuple[bytes, bytes]:
    """Type and text of the page."""
    said: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        said.append(message)

    headers = [(b"host", b"bridge"), (b"accept", accept)]
    await app({"type": "http", "query_string": query, "headers": headers}, receive, send)
    return dict(said[0]["headers"])[b"Content-Type"], said[1]["body"]


async def test_a_text_serves_all_who_ask_within_a_second(autojump_clock: trio.abc.Clock) -> None:
    """In each form that is asked for; of however many forms, a few are kept."""
    registry = CollectorRegistry()
    registry.register(Counted())
    app = measures(registry)
    first = await read(app)
    assert [await read(app) for _ in range(10)] == [first] * 10
    kind, other = await read(app, accept=b"application/openmetrics-text;version=1.0.0")
    assert kind.startswith(b"application/openmetrics-text")
    assert other != first[1]
    await trio.sleep(1)
    later = await read(app)
    assert later[1] != first[1]
    many = [await read(app, b"%d" % number) for number in range(20)]
    assert len(set(many)) == 20
    assert await read(app) == later
