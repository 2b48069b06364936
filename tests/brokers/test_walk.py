"""The walk of a day on every broker: press, pause, mark, stop; restart, kill, another box."""

import shutil
import signal
from collections.abc import Callable

import pytest

from tests.process.site import Site

from . import Broker

On = Callable[[Broker], Site]


def ask(site: Site, action: str) -> None:
    """A press, and what became of it."""
    mark = site.panel.mark()
    site.panel.press("r0", action)
    site.panel.wait_for("room/r0/ack", f"{action} ok", since=mark)


def record(site: Site) -> str:
    """Record, until HMP has confirmed it; the recording's id."""
    ask(site, "record")
    site.panel.wait_until(lambda _: site.panel.status("r0")["verified_at"], "a verified recording")
    recording_id = site.panel.newest("room/r0/recording_id")
    assert recording_id is not None
    return recording_id


def known_again(site: Site, recording_id: str, mark: int) -> None:
    """The daemon shows this recording, never said another state, and stops it when asked."""
    site.wait_ready(mark)
    site.panel.wait_until(lambda _: not site.panel.status("r0")["stale"], "asked")
    assert site.panel.newest("room/r0/recording_id") == recording_id
    assert set(site.panel.payloads("room/r0/state", mark)) <= {"recording"}
    ask(site, "stop")
    assert site.hmp.recordings("RECORDING") == []
    assert len(site.hmp.commands("startRecording")) == 1


def test_a_recording_by_hand(each_broker: Broker, on: On) -> None:
    site = on(each_broker)
    for action in ("record", "pause", "resume", "mark", "stop"):
        ask(site, action)
    assert site.panel.newest("room/r0/state") == "idle"
    [recording] = site.hmp.recordings("FINISHED")
    assert site.panel.newest("room/r0/last_recording_id") == recording["id"]


def test_a_restart(each_broker: Broker, on: On) -> None:
    site = on(each_broker)
    recording_id = record(site)
    mark = site.panel.mark()
    assert site.daemon.stop() == 0
    site.panel.wait_for("bridge/state", "offline", since=mark)
    mark = site.panel.mark()
    site.add_daemon(state=site.daemon.state)
    known_again(site, recording_id, mark)


@pytest.mark.parametrize("replaced", [False, True], ids=["the same box", "another box"])
def test_a_kill(each_broker: Broker, on: On, *, replaced: bool) -> None:
    """A box that takes over has no journal, only what the broker retains (R9)."""
    site = on(each_broker)
    recording_id = record(site)
    mark = site.panel.mark()
    site.daemon.stop(signal.SIGKILL)
    site.panel.wait_for("bridge/state", "offline", since=mark)
    mark = site.panel.mark()
    if replaced:
        shutil.rmtree(site.daemon.state)
    site.add_daemon(state=site.daemon.state)
    known_again(site, recording_id, mark)
