"""Fixtures around real etcd; loaded by the root conftest through `pytest_plugins`."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.brokers import Certificates

from .servers import Members, need_etcd

__all__ = ["Launch", "etcd", "in_memory", "launch_etcd"]

Launch = Callable[..., Members]

_MEMORY = Path("/dev/shm")  # noqa: S108 - the point is that it is memory
_TAKES = 400_000_000
"""Bytes that a member may take: its log is 64 MB at a time from the beginning."""


@contextmanager
def in_memory(count: int) -> Iterator[Path]:
    """A folder in memory where there is room: on a disk that others use, each commit waits."""
    roomy = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _TAKES * count
    with TemporaryDirectory(prefix="in-memory-", dir=_MEMORY if roomy else None) as name:
        yield Path(name)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what takes long on a cluster, unless it is asked for."""
    if "cluster" in config.getoption("-m"):
        return
    for item in items:
        if item.get_closest_marker("cluster") is not None:
            item.add_marker(pytest.mark.skip(reason="takes long: asked for by -m cluster"))


@pytest.fixture(scope="session")
def etcd() -> Iterator[Members]:
    """One server for all tests that do it no harm; each takes a prefix of its own."""
    need_etcd()
    with in_memory(1) as folder, Members(folder).running() as members:
        yield members


@pytest.fixture
def launch_etcd() -> Iterator[Launch]:
    """Start servers of one's own: `launch_etcd(3)`; they end with the test."""
    need_etcd()
    with ExitStack() as stack:

        def launch(
            count: int = 1, tls: Certificates | None = None, kind: type[Members] = Members
        ) -> Members:
            folder = stack.enter_context(in_memory(count))
            return stack.enter_context(kind(folder, count, tls).running())

        yield launch
