"""Messages that are none of ours, bound to rooms, through the whole daemon."""

from typing import Any

import pytest

from .site import MakeSite, Site


def bind(site: Site, *tables: dict[str, Any]) -> None:
    """Start the daemon with these bindings; their topics stand beside those of our interface."""
    site.tables["bindings"] = [
        table | {"topic": f"{site.base}/devices/{table['topic']}"} for table in tables
    ]
    site.add_daemon()
    site.wait_ready()


def publish(site: Site, topic: str, payload: str, *, retain: bool = False) -> None:
    site.panel.publish(f"devices/{topic}", payload, retain=retain)


@pytest.mark.parametrize("protocol", [pytest.param("5", marks=pytest.mark.mqtt5), "3.1.1"])
def test_a_button_of_another_make(site: MakeSite, protocol: str) -> None:
    s = site(start=False, mqtt={"protocol": protocol})
    publish(s, "z/rec", '{"action":"single"}', retain=True)  # kept from the day before
    bind(
        s,
        {"topic": "z/rec", "match": {"action": "single"}, "room": "r0", "do": "toggle"},
        {"topic": "z/+", "match": {"action": "single"}, "room": "r1", "do": "record"},
        {"topic": "z/rec", "match": {"action": "bad"}, "room": "{{ json.room }}", "do": "record"},
    )
    publish(s, "z/rec", '{"action":"double"}')
    publish(s, "z/rec", "\0not JSON at all")
    publish(s, "z/rec", '{"action":"single","linkquality":39}')
    s.panel.wait_for("room/r0/ack", "toggle ok")
    s.panel.wait_for("room/r1/ack", "record ok")
    assert len(s.hmp.commands("startRecording")) == 2
    (result,) = s.panel.wait_for_results("r0", 1)
    assert result["origin"].endswith("/z/rec")
    # One whose room is none is answered, and the next is served all the same.
    publish(s, "z/rec", '{"action":"bad","room":"nowhere"}')
    refused = s.panel.wait_for("bridge/response/error")
    assert "'nowhere' is no room" in refused.payload
    publish(s, "z/rec", '{"action":"single"}')
    s.panel.wait_for_newest("room/r0/state", "idle")
    publish(s, "z/rec", "", retain=True)


def test_press_and_hold_and_an_event_with_a_title(site: MakeSite) -> None:
    s = site(start=False)
    short = {"topic": "panel/short", "payload": True, "room": "r0"}
    long = {"topic": "panel/long", "payload": True, "room": "r0"}
    bind(
        s,
        short | {"do": "record", "hold": "300ms"},
        short | {"do": "stop", "tap": "300ms"},
        long | {"do": "record", "hold": "60s"},
        long | {"do": "stop", "tap": "60s"},
        {
            "topic": "booking",
            "room": "r1",
            "event": "meeting_start",
            "fields": {"id": "{{ json.Id }}", "title": "{{ json.subject }}", "organizer": ""},
        },
    )
    s.panel.publish("devices/panel/short", "1")
    s.panel.wait_for("room/r0/ack", "record ok")
    # By now the one was held for too long to be tapped; the other cannot have been held.
    s.panel.publish_many(
        [("devices/panel/short", "0"), ("devices/panel/long", "1"), ("devices/panel/long", "0")]
    )
    held, tapped = s.panel.wait_for_results("r0", 2)
    assert (held["action"], held["outcome"]) == ("record", "ok")
    assert held["origin"].endswith("/panel/short")
    assert (tapped["action"], tapped["outcome"]) == ("stop", "ok")
    assert tapped["origin"].endswith("/panel/long")
    publish(s, "booking", '{"Id":"b1","subject":"He said \\"hi\\" | 😀"}')
    s.panel.wait_for("room/r1/state", "recording")
    s.panel.wait_for("room/r1/title", 'He said "hi" | 😀')


def test_what_is_said_again_after_a_restart_is_no_press(site: MakeSite) -> None:
    s = site(start=False)
    counted = {"topic": "s", "match": {"event": "S"}, "room": "r0", "do": "toggle", "unique": "n"}
    level = {"topic": "l", "payload": True, "room": "r1", "do": "toggle", "edge": "both"}
    bind(s, counted, level)
    said = [("devices/s", '{"event":"S","n":7}'), ("devices/l", "ON")]
    s.panel.publish_many(said)
    s.panel.wait_for("room/r0/state", "recording")
    s.panel.wait_for("room/r1/state", "recording")
    assert s.daemon.stop() == 0
    since = s.panel.mark()
    s.add_daemon(state=s.daemon.state)
    s.wait_ready(since)
    s.panel.publish_many(said)
    s.panel.publish("devices/s", '{"event":"S","n":8}')
    s.panel.wait_for_newest("room/r0/state", "idle")
    s.panel.publish("devices/l", "OFF")
    s.panel.wait_for_newest("room/r1/state", "idle")
    assert len(s.hmp.commands("startRecording")) == 2
    assert len(s.hmp.commands("stopRecording")) == 2


def test_a_booking_whose_end_cannot_be_made_is_recorded_and_says_so(site: MakeSite) -> None:
    s = site(start=False)
    end = "{{ json.start | as_datetime + json.minutes | minutes }}"
    fields = {"id": "{{ json.id }}", "end": end}
    bind(
        s,
        {"topic": "booking", "room": "r0", "event": "meeting_start", "fields": fields},
        {"topic": "booking", "room": "r1", "do": "record", "fields": {"title": end}},
    )
    publish(s, "booking", '{"id":"b1"}')
    for room, field in (("r0", "end"), ("r1", "title")):
        s.panel.wait_for_newest(f"room/{room}/state", "recording")
        (result,) = s.panel.wait_for_results(room, 1)
        assert (result["outcome"], result["error"]["code"]) == ("ok", "left_out")
        assert result["error"]["message"].startswith(f"fields.{field}: ")
