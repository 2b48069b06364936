"""Retained messages on input topics are of the past: nothing happens, and it is said once (R16)."""

import pytest

from tests.broker_fixtures import Launch
from tests.brokers import Broker

from .site import MakeSite


@pytest.mark.parametrize("protocol", [pytest.param("5", marks=pytest.mark.mqtt5), "3.1.1", "auto"])
def test_left_on_the_broker_before_start(site: MakeSite, broker: Broker, protocol: str) -> None:
    """`record` waits on the broker; the bridge starts, connects again, and does nothing."""
    s = site(start=False, mqtt={"protocol": protocol})
    topics = ["room/r0/set", "room/r0/press/record", "room/r1/event"]
    words = ["record", "true", "meeting_start"]
    s.panel.publish_many(list(zip(topics, words, strict=True)), retain=True)
    s.add_daemon()
    s.wait_ready()
    # One that counts, sent after those that do not: by its answer they have been dealt with.
    s.panel.press("r1", "pause")
    s.panel.wait_for("room/r1/ack", "pause failed not_recording")
    assert s.hmp.commands("startRecording") == []
    assert s.panel.newest("room/r0/state") == "idle"
    assert s.panel.payloads("room/r0/ack") == []
    info = s.panel.newest("bridge/info") or ""
    spoken = protocol if protocol != "auto" else ("5" if broker.speaks_mqtt5 else "3.1.1")
    assert f'"protocol":"{spoken}"' in info
    s.panel.publish_many([(topic, "") for topic in topics], retain=True)


@pytest.mark.parametrize("protocol", [pytest.param("5", marks=pytest.mark.mqtt5), "3.1.1"])
def test_published_retained_while_running(site: MakeSite, launch: Launch, protocol: str) -> None:
    """MQTT 5 tells; 3.1.1 cannot, and acts once, but not again when the broker sends it again."""
    broker = launch()
    s = site(mqtt={"protocol": protocol}, broker=broker)
    for _ in range(2):
        s.panel.publish("room/r0/set", "record", retain=True)
    s.panel.press("r1", "pause")
    s.panel.wait_for("room/r1/ack", "pause failed not_recording")
    if protocol == "5":
        assert s.hmp.commands("startRecording") == []
        assert len(s.daemon.lines_with("retained message ignored", "room/r0/set")) == 1
        assert s.panel.payloads("room/r0/ack") == []
        s.panel.wait_for("bridge/health")
        s.panel.wait_until(
            lambda _: '"retained_ignored":2' in (s.panel.newest("bridge/health") or ""),
            "both counted",
        )
    else:
        s.panel.wait_for("room/r0/ack", "record ok")
        s.panel.press("r0", "stop")
        s.panel.wait_for("room/r0/ack", "stop ok")
        assert len(s.hmp.commands("startRecording")) == 1


@pytest.mark.parametrize("protocol", [pytest.param("5", marks=pytest.mark.mqtt5), "3.1.1"])
def test_what_is_retained_is_cleared_as_the_log_says(site: MakeSite, protocol: str) -> None:
    """Over 3.1.1 the empty message comes as a new one; it presses nothing all the same."""
    s = site(mqtt={"protocol": protocol})
    for _ in range(2):
        s.panel.publish("room/r0/press/record", "", retain=True)
        s.panel.publish("room/r0/press/record", "")
    s.panel.press("r1", "pause")
    s.panel.wait_for("room/r1/ack", "pause failed not_recording")
    assert s.hmp.commands("startRecording") == []
    assert s.panel.payloads("room/r0/ack") == []
    assert len(s.daemon.lines_with("empty press ignored", "room/r0/press/record")) == 1
    assert s.daemon.lines_with("request refused") == []


def test_an_empty_press_is_one_where_the_room_says_so(site: MakeSite) -> None:
    s = site(room={"empty_is_press": True})
    s.panel.publish("room/r0/press/record", "")
    s.panel.wait_for("room/r0/ack", "record ok")
