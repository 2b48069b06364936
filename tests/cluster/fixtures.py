"""Fixtures around real etcd; loaded by the root conftest through `pytest_plugins`."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.brokers import Certificates

from .servers import Members, need_etcd

__all__ = ["Launch", "etcd", "launch_etcd"]

Launch = Callable[..., Members]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what takes long on a cluster, unless it is asked for."""
    if "cluster" in config.getoption("-m"):
        return
    for item in items:
        if item.get_closest_marker("cluster") is not None:
            item.add_marker(pytest.mark.skip(reason="takes long: asked for by -m cluster"))


@pytest.fixture(scope="session")
def etcd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Members]:
    """One server for all tests that do it no harm; each takes a prefix of its own."""
    need_etcd()
    with Members(tmp_path_factory.mktemp("etcd")).running() as members:
        yield members


@pytest.fixture
def launch_etcd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launch]:
    """Start servers of one's own: `launch_etcd(3)`; they end with the test."""
    need_etcd()
    with ExitStack() as stack:

        def launch(count: int = 1, tls: Certificates | None = None) -> Members:
            members = Members(tmp_path_factory.mktemp("etcd"), count, tls)
            return stack.enter_context(members.running())

        yield launch
