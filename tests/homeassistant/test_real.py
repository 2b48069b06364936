"""Against the real Home Assistant: `pytest -m homeassistant`, with its program in $HASS_PROGRAMS.

It needs Python 3.13 for its releases up to early 2026 and 3.14 since. With `HASS_INSTALL=1` it is
installed from PyPI, beside the checkout, where such a Python is found.
"""

import itertools
import json
import statistics
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.brokers import has_mosquitto

from .expected import ENTITIES
from .house import House
from .real import CALENDAR, DASHBOARD, PATIENCE, HomeAssistant, programs
from .test_shipped import values

FOUND = programs()

pytestmark = [
    pytest.mark.homeassistant,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(not has_mosquitto(), reason="needs mosquitto"),
    pytest.mark.skipif(
        not FOUND,
        reason="needs Home Assistant: name its `hass` in $HASS_PROGRAMS, or set HASS_INSTALL=1 "
        "where Python 3.13 or 3.14 is installed",
    ),
]


@pytest.fixture(params=FOUND or ["none"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    with ExitStack() as stack:
        yield House(FOUND[request.param], tmp_path, stack)


def test_a_house(house: House) -> None:
    """One installation from its first start to the last room's removal."""
    hass = house.hass
    hass.wait_for("switch.r0_record", "off")
    # Every entity that is enabled has a state, but for what has none until somebody does something.
    shown = hass.states()
    found = {key: each for key, each in shown.items() if key.partition(".")[2].startswith("r0_")}
    unknown = {key for key, each in found.items() if each["state"] == "unknown"}
    assert {each["state"] for each in found.values()} & {"unavailable"} == set()
    assert unknown == {
        "button.r0_extend",
        "button.r0_mark",
        "event.r0_result",
        "sensor.r0_ends_at",
        "sensor.r0_started_at",
        "sensor.r0_title",
        "text.r0_mark_title",
    }
    assert found["sensor.r0_state"]["attributes"]["device_class"] == "enum"
    assert found["binary_sensor.r0_problem"]["state"] == "off"
    assert found["binary_sensor.r0_link"]["state"] == "on"
    assert "sensor.r0_elapsed" not in found  # disabled: its history would grow by itself
    assert found["switch.r0_record"]["attributes"]["friendly_name"] == "Boardroom Record"
    assert len([key for key in shown if key.startswith("switch.r_0_")]) == 3
    assert (shown["automation.alarms"]["state"], shown["automation.calendar"]["state"]) == (
        "on",
        "off",
    )
    # Pressed through Home Assistant, shown as HMP says it.
    hass.call("switch.turn_on", "switch.r0_record")
    hass.wait_for("sensor.r0_state", "recording")
    hass.wait_for("switch.r0_record", "on")
    hass.wait_for("binary_sensor.r0_recording", "on")
    result = hass.until(lambda: _said(hass, "record"), "a result")
    assert result["attributes"]["event_type"] == "ok"
    hass.call("text.set_value", "text.r0_mark_title", value="Erste Frage")
    hass.until(lambda: _said(hass, "mark"), "the mark's result")
    hass.call("switch.turn_on", "switch.r0_pause")
    hass.wait_for("sensor.r0_state", "paused")
    hass.call("switch.turn_off", "switch.r0_pause")
    hass.wait_for("sensor.r0_state", "recording")
    hass.wait_for("sensor.hmp_rooms_recording", "1")
    # Restarts in every order, with that recording under way.
    for order in itertools.permutations(("home assistant", "broker", "bridge")):
        for part in order:
            house.restart(part)
        hass.wait_for("sensor.r0_state", "recording")
        hass.wait_for("switch.r0_record", "on")
        hass.wait_for("switch.r_0_" + _digits(hass) + "_record", "off")
    hass.call("switch.turn_off", "switch.r0_record")
    hass.wait_for("sensor.r0_state", "idle")
    # A new name, an entity less, a room less, and all of it.
    rooms = house.site.tables["rooms"]
    rooms["r0"]["name"] = "Großer Saal"
    del rooms["r0"]["restream"]
    house.reload()
    hass.until(_gone(hass, "switch.r0_restream"), "no re-stream")
    hass.until(
        lambda: (
            hass.states()["switch.r0_record"]["attributes"]["friendly_name"] == "Großer Saal Record"
            or None
        ),
        "the name",
    )
    del rooms["r-0"]
    house.reload()
    hass.until(_gone(hass, "r_0_"), "no second room")
    assert "switch.r0_record" in hass.ours()
    house.site.tables["homeassistant"]["enabled"] = False
    house.reload()
    hass.until(lambda: True if hass.ours() == [] else None, "nothing")
    hass.until(lambda: True if hass.devices() == [] else None, "no device")
    hass.stop()
    assert _complaints(hass) == []


def test_what_is_shipped(house: House) -> None:
    """The dashboard and both blueprints, and what all of it leaves in the history."""
    hass, site = house.hass, house.site
    hass.wait_for("switch.r0_record", "off")
    # Every entity is what it is to be, and no other is there, but for those of the other room.
    ours = [each for each in hass.ours() if ".r_0_" not in each]
    assert {each: hass.entity(each) for each in ours} == ENTITIES
    # Every entity of the dashboard is there.
    dashboard = hass.command("lovelace/config", url_path=DASHBOARD)
    assert set(values(dashboard, "entity")) <= set(hass.states())
    # A recording with pauses, while much is said that changes nothing: right within a second.
    steps = [
        ("turn_on", "record", "startRecording", "recording"),
        *[
            ("turn_on", "pause", "pauseRecording", "paused"),
            ("turn_off", "pause", "resumeRecording", "recording"),
        ]
        * 5,
        ("turn_off", "record", "stopRecording", "idle"),
    ]
    took: list[float] = []
    with closing(hass.listen()) as ear:
        for service, switch, command, wanted in steps:
            since, before = len(ear.changes), len(site.hmp.commands(command))
            hass.call(f"switch.{service}", f"switch.r0_{switch}")
            change = ear.first("sensor.r0_state", wanted, since=since)
            took.append(change.at - site.hmp.commands(command)[before]["at"])
            restless = "room/r0/elapsed" if wanted == "recording" else "bridge/health"
            for _ in range(5):
                site.panel.wait_for(restless, since=site.panel.mark())
    print(f"from HMP's answer to the state: {statistics.median(took):.3f} s, {max(took):.3f} s")
    assert max(took) < 1
    # An alarm is told.
    site.hmp.fault("disk_full:startRecording:count=1")
    hass.call("switch.turn_on", "switch.r0_record")
    hass.until(
        lambda: (
            [
                each
                for each in hass.command("persistent_notification/get")
                if "disk_full" in each["message"]
            ]
            or None
        ),
        "the alarm is told",
    )
    # An event of the calendar is a meeting, with its title.
    hass.add_calendar()
    hass.until(lambda: hass.states().get(CALENDAR), "the calendar")
    begin = datetime.now(UTC) + timedelta(seconds=10)
    event = {"start_date_time": begin, "end_date_time": begin + timedelta(seconds=12)}
    hass.call(
        "calendar.create_event",
        CALENDAR,
        summary="Weekly",
        **{key: at.strftime("%Y-%m-%d %H:%M:%S%z") for key, at in event.items()},
    )
    since = site.panel.mark()
    hass.call("automation.turn_on", "automation.calendar")
    site.panel.wait_for("room/r0/title", "Weekly", since=since, timeout=PATIENCE)
    site.panel.wait_for("room/r0/state", "recording", since=since)
    site.panel.wait_for("room/r0/state", "idle", since=since, timeout=PATIENCE)
    site.panel.wait_until(
        lambda _: len(site.panel.payloads("room/r0/event", since)) >= 2 or None, "both", since=since
    )
    said = [json.loads(each)["event"] for each in site.panel.payloads("room/r0/event", since)]
    assert said == ["meeting_start", "meeting_end"]
    hass.wait_for("sensor.r0_state", "idle")
    # Without the bridge nothing can be used, but it is known that there is none.
    site.daemon.stop()
    hass.wait_for("binary_sensor.hmp_bridge_connected", "off")
    enabled = {each for each in hass.ours() if each in hass.states()}
    there = {each for each in enabled if hass.states()[each]["state"] != "unavailable"}
    assert there == {"binary_sensor.hmp_bridge_connected"}
    ours = hass.ours()
    hass.stop()
    # At most a row for each change.
    rows = {key: states for key, states in house.history().items() if key in ours}
    again = {
        key: states
        for key, states in rows.items()
        if any(a == b for a, b in itertools.pairwise(states))
    }
    print({key: len(states) for key, states in rows.items()})
    assert again == {}
    assert len(rows["sensor.r0_state"]) > 10
    assert hass.complaints() == []


def test_what_goes_while_it_is_away_is_forgotten(house: House) -> None:
    """A room, an entity, and a base topic."""
    hass, rooms = house.hass, house.site.tables["rooms"]
    hass.wait_for("switch.r0_record", "off")
    hass.until(lambda: True if _of(hass, "r_0_") else None, "the second room")
    hass.stop()
    del rooms["r-0"]
    del rooms["r0"]["restream"]
    house.reload()
    hass.start()
    hass.wait_for("switch.r0_record", "off")
    assert _of(hass, "r_0_")  # its registry has kept them
    hass.until(_gone(hass, "r_0_"), "no second room")
    hass.until(_gone(hass, "r0_restream"), "no re-stream")
    hass.wait_for("switch.r0_record", "off")
    base = house.site.base
    hass.until(lambda: None if f"{base}/room/r-0" in hass.devices() else True, "no second room")
    hass.stop()
    house.site.daemon.stop()
    house.site.tables["mqtt"]["base_topic"] = "elsewhere"
    house.site.add_daemon(state=house.state).wait_for_line("the base topic of before is emptied")
    hass.start()
    hass.until(lambda: True if _of(hass, "_record_2") else None, "the room elsewhere")
    hass.until(_gone(hass, "switch.r0_record", exactly=True), "not the one of before")
    hass.until(
        lambda: None if any(each.startswith(base) for each in hass.devices()) else True,
        "no device of before",
    )
    assert "elsewhere/room/r0" in hass.devices()
    hass.stop()
    assert _complaints(hass) == []


def _complaints(hass: HomeAssistant) -> list[str]:
    # 2025 clears a device's topic once more for each entity of it that is disabled, and hears that.
    echo = "No device components to cleanup"
    return [line for line in hass.complaints() if echo not in line]


def _of(hass: HomeAssistant, part: str) -> list[str]:
    return [each for each in hass.ours() if part in each]


def _said(hass: HomeAssistant, action: str) -> dict[str, Any] | None:
    event = hass.states()["event.r0_result"]
    return event if event["attributes"].get("action") == action else None


def _gone(hass: HomeAssistant, part: str, *, exactly: bool = False) -> Callable[[], bool | None]:
    def look() -> bool | None:
        found = hass.ours()
        return None if part in found or (not exactly and _of(hass, part)) else True

    return look


def _digits(hass: HomeAssistant) -> str:
    """What tells `r-0` from others whose key is made the same."""
    [entity] = [each for each in hass.ours() if each.startswith("switch.r_0_") and "record" in each]
    return entity.removeprefix("switch.r_0_").partition("_")[0]
