"""Fixtures of the process tier: a whole site, and who asks its bridge for something."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from tests.brokers import Broker
from tests.cluster.fixtures import Launch as LaunchEtcd

from .pair import Cut, Line, Pair
from .reloading import Reloading
from .requester import Ask, Requester
from .site import MakeSite, Site


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """What ends with the test."""
    with ExitStack() as resources:
        yield resources


@pytest.fixture
def site(tmp_path: Path, broker: Broker, stack: ExitStack) -> MakeSite:
    """Make a site and wait until it is ready: `site(rooms=2, broker=…, knobs=…, room=…)`."""

    def make(
        rooms: int = 2,
        *,
        broker: Broker = broker,
        knobs: Sequence[str] = (),
        start: bool = True,
        **changes: Any,
    ) -> Site:
        made = Site(tmp_path, broker, stack)
        made.add_hmp(rooms, knobs=knobs)
        made.configure(rooms=rooms, **changes)
        made.add_panel()
        if start:
            made.add_daemon()
            made.wait_ready()
        return made

    return make


@pytest.fixture
def asking(stack: ExitStack) -> Ask:
    """Connect a requester to a site: `asking(site, mqtt5=True)`."""

    def connect(site: Site, *, mqtt5: bool = False) -> Requester:
        made = Requester(site.broker.port, site.base, mqtt5=mqtt5)
        return stack.enter_context(closing(made))

    return connect


@pytest.fixture
def reloading(site: MakeSite, asking: Ask) -> Reloading:
    """A site whose configuration can be changed; two of its HMP's six sessions are rooms."""
    made = site(start=False)
    made.hmp.close()
    made.add_hmp(6)
    made.configure(rooms=2, hmp_port=made.hmp.port)
    made.add_daemon()
    made.wait_ready()
    return Reloading(made, asking(made))


@pytest.fixture
def cut(stack: ExitStack) -> Cut:
    """A line to a port, to be cut."""
    return lambda port: stack.enter_context(closing(Line(port)))


@pytest.fixture
def pair(site: MakeSite, stack: ExitStack, launch_etcd: LaunchEtcd) -> Pair:
    """Two boxes that are yet to be started, with the broker that all tests share."""
    return Pair(site, stack, launch_etcd)
