"""A broker that refuses one binding, or one message: every room goes on (R23, R24)."""

import json
from pathlib import Path

import pytest

from tests.broker_fixtures import Launch
from tests.brokers import BrokerOptions
from tests.mqtt.dynamic_security import may_only

from .reloading import Reloading
from .requester import Ask
from .site import MakeSite, Site


@pytest.mark.mqtt5
def test_one_binding_that_the_broker_refuses_takes_nothing_offline(
    site: MakeSite, launch: Launch, tmp_path: Path
) -> None:
    broker = launch(BrokerOptions(extra=may_only(tmp_path, "+/hmp/#").lines))
    s = site(start=False, broker=broker)
    s.tables["bindings"] = [
        {"topic": "shelly/relay", "payload": True, "room": "r0", "do": "record"},
        {"topic": f"{s.base}/devices/a", "payload": True, "room": "r0", "do": "record"},
    ]
    s.add_daemon()
    s.wait_ready()
    (line,) = s.daemon.lines_with("mqtt subscription refused")
    assert "shelly/relay" in line
    assert "read access" in line
    s.panel.wait_until(
        lambda _: (
            '"refused_filters":{"shelly/relay":"Not authorized"}'
            in (s.panel.newest("bridge/health") or "")
        ),
        "what is refused, in health",
    )
    s.panel.publish("devices/a", "true")
    s.panel.wait_for("room/r0/ack", "record ok")
    s.panel.press("r0", "stop")
    s.panel.wait_for("room/r0/ack", "stop ok")


@pytest.mark.mqtt5
def test_a_binding_that_comes_by_a_reload_and_is_refused_takes_nothing_offline(
    site: MakeSite, launch: Launch, tmp_path: Path, asking: Ask
) -> None:
    broker = launch(BrokerOptions(extra=may_only(tmp_path, "+/hmp/#").lines))
    s = site(broker=broker)
    changed = Reloading(s, asking(s))
    changed.tables["bindings"] = [
        {"topic": "shelly/relay", "payload": True, "room": "r0", "do": "record"},
        {"topic": f"{s.base}/devices/a", "payload": True, "room": "r0", "do": "record"},
    ]
    changed.done()
    s.daemon.wait_for_line("mqtt subscription refused", "shelly/relay", "read access")
    s.panel.publish("devices/a", "true")
    s.panel.wait_for("room/r0/ack", "record ok")
    s.panel.wait_until(lambda _: _refused(s) == {"shelly/relay": "Not authorized"}, "it in health")
    del changed.tables["bindings"][0]
    changed.done()
    s.panel.wait_until(lambda _: _refused(s) == {}, "nothing refused any more")
    s.panel.press("r0", "stop")
    s.panel.wait_for("room/r0/ack", "stop ok")
    # One connection did all of it.
    assert len(s.daemon.lines_with("mqtt connected")) == 1


def _refused(s: Site) -> object:
    health = json.loads(s.panel.newest("bridge/health") or "{}")
    return health.get("broker", {}).get("refused_filters")


@pytest.mark.mqtt5
def test_a_status_that_is_too_long_for_the_broker_is_published_without_its_longest_texts(
    site: MakeSite, launch: Launch
) -> None:
    broker = launch(BrokerOptions(extra=("message_size_limit 1000",)))
    s = site(broker=broker)
    meeting = {
        "event": "meeting_start",
        "id": "m",
        "title": "t" * 200,
        "description": "d" * 600,
        "end": "2099-01-01T00:00:00Z",
    }
    since = s.panel.mark()
    s.panel.publish("room/r0/event", json.dumps(meeting))
    s.panel.wait_for("room/r0/state", "recording", since=since)
    s.panel.wait_until(
        lambda _: json.loads(s.panel.newest("room/r0/status") or "{}").get("state") == "recording",
        "the status of the recording, shortened",
    )
    s.daemon.wait_for_line("mqtt publication refused", "room/r0/status")
    s.panel.press("r0", "stop")
    s.panel.wait_for("room/r0/state", "idle", since=since)
    # One connection did all of it.
    assert len(s.daemon.lines_with("mqtt connected")) == 1
    assert s.daemon.lines_with("mqtt connection failed") == []
