"""Against the real Home Assistant: `pytest -m homeassistant`, with its program in $HASS_PROGRAMS.

It needs Python 3.13 for its releases up to early 2026 and 3.14 since. With `HASS_INSTALL=1` it is
installed from PyPI, beside the checkout, where such a Python is found.
"""

import itertools
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from tests.brokers import Broker, BrokerOptions, has_mosquitto
from tests.process.daemon import toml
from tests.process.site import Site

from .real import HomeAssistant, programs

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


class House:
    """Everything: broker, HMP, bridge, and Home Assistant that knows nothing of the others."""

    def __init__(self, hass: str, folder: Path, stack: ExitStack) -> None:
        self.broker = Broker(folder, BrokerOptions(persistence=True))
        self.broker.start()
        stack.callback(self.broker.kill)
        self.site = Site(folder, self.broker, stack)
        self.site.add_hmp(2)
        self.site.configure(rooms=2, room={"restream": {"ip": "239.1.1.1", "port": 5000}})
        tables = self.site.tables
        tables["homeassistant"] = {"enabled": True, "default_entity_id": True, "all_rooms": True}
        for key, name in (("r0", "Boardroom"), ("r1", "Hörsaal")):
            tables["rooms"][key]["name"] = name
        tables["rooms"]["r-0"] = tables["rooms"].pop("r1")
        self.site.add_panel()
        self.state = folder / "state"
        self.start_bridge()
        self.hass = HomeAssistant(hass, folder / "ha", self.broker.port)
        stack.enter_context(closing(self.hass))
        self.hass.set_up()

    def start_bridge(self) -> None:
        """Start it, or another one in its place."""
        self.site.add_daemon(state=self.state)
        self.site.wait_ready(since=self.site.panel.mark() and 0)

    def reload(self) -> None:
        """Have the bridge go by the tables."""
        tables = self.site.tables
        tables["bridge"] |= {"state_dir": str(self.state)}
        self.site.daemon.file.write_text(toml(tables), encoding="utf-8")
        since = len(self.site.daemon.lines)
        self.site.daemon.send_signal(signal.SIGHUP)
        self.site.daemon.wait_for_line("configuration reloaded", since=since)

    def restart(self, part: str) -> None:
        """Stop and start one of the three."""
        match part:
            case "home assistant":
                self.hass.stop()
                self.hass.start()
            case "broker":
                self.broker.stop()
                self.broker.start()
            case _:
                self.site.daemon.stop()
                self.start_bridge()


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
    hass.stop()
    assert "hmp/room" not in _devices(hass)
    # 2025 clears a device's topic once more for each entity of it that is disabled, and hears that.
    echo = "No device components to cleanup"
    assert [line for line in hass.complaints() if echo not in line] == []


def _said(hass: HomeAssistant, action: str) -> dict[str, Any] | None:
    event = hass.states()["event.r0_result"]
    return event if event["attributes"].get("action") == action else None


def _gone(hass: HomeAssistant, part: str) -> Callable[[], bool | None]:
    return lambda: None if any(part in each for each in hass.ours()) else True


def _digits(hass: HomeAssistant) -> str:
    """What tells `r-0` from others whose key is made the same."""
    [entity] = [each for each in hass.ours() if each.startswith("switch.r_0_") and "record" in each]
    return entity.removeprefix("switch.r_0_").partition("_")[0]


def _devices(hass: HomeAssistant) -> str:
    text = (hass.folder / ".storage/core.device_registry").read_text(encoding="utf-8")
    return text.partition('"deleted_devices"')[0]
