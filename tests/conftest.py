"""Fixtures that more than one tier of tests uses."""

import signal
import sys
import time
from collections.abc import Generator, Iterator

import pytest
import structlog
from hypothesis import HealthCheck, settings

from bridge.logs.log import configure_logs

pytest_plugins = ["tests.broker_fixtures", "tests.cluster.fixtures"]

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # So it is in the background of a shell, and so it would be in every program started from here.
    signal.signal(signal.SIGINT, signal.default_int_handler)

# How busy the machine is says nothing about what is tested.
settings.register_profile(
    "unhurried", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("unhurried")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what may take longest, so that no worker is left alone with it at the end."""
    items.sort(key=_longest, reverse=True)


def _longest(item: pytest.Item) -> float:
    """Seconds that a test is given, where it is given time of its own."""
    marker = item.get_closest_marker("timeout")
    return 0.0 if marker is None else float(marker.args[0])


_UNMEASURED = ("hypothesis", "unmeasured")
"""Marks of tests without coverage, the first of them Hypothesis' own."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Measure no coverage of what goes through the same lines over and over.

    It takes five times as long with it. Each of these lines has a test that is measured besides.
    """
    tracer = sys.gettrace()  # or a debugger's
    is_measured = type(tracer).__module__ == "coverage"
    if is_measured and any(map(item.get_closest_marker, _UNMEASURED)):
        sys.settrace(None)
    try:
        return (yield)
    finally:
        if is_measured:
            sys.settrace(tracer)


@pytest.fixture(autouse=True)
def log_as_before() -> Iterator[None]:
    """A command that a test runs in this process sets up the log; the next test begins without."""
    yield
    configure_logs()
    structlog.reset_defaults()


@pytest.fixture
def box_two_hours_ahead(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This box's time is two hours ahead of UTC."""
    monkeypatch.setenv("TZ", "BOX-2")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
