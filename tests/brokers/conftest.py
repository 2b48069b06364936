"""Fixtures of the brokers' tier: one broker of a kind for all its tests, and a site on it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.process.site import Site

from . import Broker, Kind, has_mosquitto
from .others import installed

KINDS: dict[Kind, bool] = {
    "mosquitto": has_mosquitto(),
    "embedded": True,
    **installed(),  # type: ignore[dict-item]  # its keys are kinds
}


@pytest.fixture(scope="session", params=KINDS)
def each_broker(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Broker]:
    """A broker of every kind that is installed."""
    if not KINDS[request.param]:
        pytest.skip("is not installed here, or not asked for: tests/brokers/others.py")
    broker = Broker(tmp_path_factory.mktemp("broker"), kind=request.param)
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture
def on(tmp_path: Path) -> Iterator[Callable[[Broker], Site]]:
    """A site on a broker, its daemon running: `on(broker)`."""
    with ExitStack() as stack:

        def make(broker: Broker) -> Site:
            site = Site(tmp_path, broker, stack)
            site.add_hmp(2)
            site.configure(rooms=2)
            site.add_panel()
            site.add_daemon()
            site.wait_ready()
            return site

        yield make
