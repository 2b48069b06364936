"""The daemon killed over a bound message: nothing of it is lost, and nothing comes twice (R27)."""

import json
import signal
import sqlite3
import time
from contextlib import closing
from functools import partial
from typing import Any

import pytest
import trio
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from bridge.config.bindings import BindingTable
from bridge.journal.file import FileStore
from bridge.journal.inputs import key_of
from bridge.journal.journal import Journal

from .cutter import Cutter
from .site import MakeSite, Site
from .test_bindings import bind
from .watched import PATIENCE, Watched

pytestmark = pytest.mark.mqtt5


def remembered(s: Site) -> list[dict[str, Any]]:
    """What the journal has of the bindings' topics."""
    with closing(sqlite3.connect(s.daemon.state / "journal.db")) as journal:
        rows = journal.execute("SELECT document FROM notes WHERE name = 'bindings'").fetchall()
    bindings = json.loads(rows[0][0]).values() if rows else ()
    return [entry for topics in bindings for entry in topics.values()]


def kill_once_pressed(s: Site) -> int:
    """Kill the daemon when a press is written down that is still to act."""
    end = time.monotonic() + PATIENCE
    while not any("pressed" in entry for entry in remembered(s)):
        assert time.monotonic() < end
    mark = s.panel.mark()
    s.daemon.stop(signal.SIGKILL)
    s.panel.wait_for("bridge/state", "offline", since=mark)
    return s.panel.mark()


HOLD = 60.0
"""Seconds: no test takes so long that a press acts before its process is killed."""


def hold_the_button(s: Site) -> None:
    hold = f"{HOLD:g}s"
    bind(s, {"topic": "b", "payload": True, "room": "r0", "do": "toggle", "hold": hold})
    s.panel.publish("devices/b", "1")


def let_time_pass(s: Site) -> None:
    """As if the machine had run on, without the bridge, until the press is to act."""
    with closing(sqlite3.connect(s.daemon.state / "journal.db")) as journal, journal:
        [(document,)] = journal.execute("SELECT document FROM notes WHERE name = 'bindings'")
        bindings = json.loads(document)
        for topics in bindings.values():
            for entry in topics.values():
                entry["pressed"] -= HOLD
        later = (json.dumps(bindings),)
        journal.execute("UPDATE notes SET document = ? WHERE name = 'bindings'", later)


def test_a_press_that_is_held_acts_after_the_restart(site: MakeSite) -> None:
    s = site(start=False)
    hold_the_button(s)
    mark = kill_once_pressed(s)
    let_time_pass(s)
    s.add_daemon(state=s.daemon.state)
    s.panel.wait_for("room/r0/ack", "toggle ok", since=mark)
    assert len(s.hmp.commands("startRecording")) == 1
    # It has acted, and the next process knows that.
    assert s.daemon.stop() == 0
    mark = s.panel.mark()
    s.add_daemon(state=s.daemon.state)
    s.wait_ready(mark)
    s.panel.publish_many([("devices/b", "0"), ("room/r1/set", "record")])
    s.panel.wait_for("room/r1/ack", "record ok", since=mark)
    assert s.panel.newest("room/r0/state") == "recording"


def test_a_press_that_was_released_meanwhile_does_not_act(site: MakeSite) -> None:
    s = site(start=False)
    hold_the_button(s)
    kill_once_pressed(s)
    s.panel.publish("devices/b", "0")
    let_time_pass(s)
    mark = s.panel.mark()
    s.add_daemon(state=s.daemon.state)
    s.wait_ready(mark)
    s.panel.publish("room/r1/set", "record")
    s.panel.wait_for("room/r1/ack", "record ok", since=mark)
    assert s.daemon.stop() == 0
    assert s.panel.newest("room/r0/state") == "idle"
    assert len(s.hmp.commands("startRecording")) == 1
    assert not any("pressed" in entry for entry in remembered(s))


@pytest.mark.parametrize("repeated", ["unique", "edge"])
def test_what_a_device_says_again_after_a_kill_is_no_press(site: MakeSite, repeated: str) -> None:
    """The process ends at the acknowledgement; what it has acted on it must know by then."""
    s = site(start=False)
    with closing(Cutter(s.broker.port)) as line:
        s.tables["mqtt"]["port"] = line.port
        table = {"topic": "d", "match": {"on": True}, "room": "r0", "do": "toggle"}
        bind(s, table | ({"unique": "n"} if repeated == "unique" else {"edge": "rising"}))
        daemon = s.daemon

        def kill() -> None:
            s.hmp.wait_until(lambda hmp: hmp.commands("startRecording"), "startRecording")
            daemon.send_signal(signal.SIGKILL)

        line.arm_acknowledgement(f"{s.base}/devices/d", kill)
        s.panel.publish("devices/d", '{"on":true,"n":7}')
        daemon.wait()
        mark = s.panel.mark()
        s.add_daemon(state=daemon.state)
        s.wait_ready(mark)
        s.panel.publish_many([("devices/d", '{"on":true,"n":7}'), ("room/r1/set", "record")])
        s.panel.wait_for("room/r1/ack", "record ok", since=mark)
        assert s.daemon.lines_with("binding acts") == []
        assert len(s.hmp.commands("startRecording")) == 2


def test_a_redelivery_is_for_the_rooms_that_had_not_written_it_down(site: MakeSite) -> None:
    """One message for two rooms; the process ended between the two."""
    s = site(start=False)
    client_id = s.base.replace("/", "-")
    s.tables["mqtt"]["client_id"] = client_id
    button = {"topic": "b", "payload": True, "do": "toggle"}
    bind(s, button | {"room": "r0"}, button | {"room": "r1"})
    s.panel.publish("room/r0/set", "stop")
    s.panel.wait_for("room/r0/ack", "stop ignored")
    assert s.daemon.stop() == 0
    s.panel.publish("devices/b", "1")
    packet_id = _receive_and_die(s, client_id)
    first = BindingTable(**s.tables["bindings"][0]).binding(1).key
    taken = key_of(packet_id, f"{s.base}/devices/b", b"1", first)
    journal = Journal(FileStore(s.daemon.state))
    trio.run(partial(journal.save, "r0", journal.rooms()["r0"].document, [taken]))
    journal.close()
    mark = s.panel.mark()
    s.add_daemon(state=s.daemon.state)
    s.panel.wait_for("room/r1/ack", "toggle ok", since=mark)
    s.daemon.wait_for_line("redelivered message was carried out before")
    (started,) = s.hmp.commands("startRecording")
    assert s.sessions()["r1"] in str(started)


def _receive_and_die(s: Site, client_id: str) -> int:
    """Take a message in the daemon's place, as one does that is killed: no word to the broker."""
    received: Watched[int] = Watched()
    protocol = MQTTProtocolVersion.MQTTv5
    client = Client(CallbackAPIVersion.VERSION2, client_id, protocol=protocol, manual_ack=True)

    def on_message(_client: Client, _userdata: Any, message: MQTTMessage) -> None:
        received.add(message.mid)

    client.on_message = on_message
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = 3600
    client.connect("127.0.0.1", s.broker.port, clean_start=False, properties=properties)
    client.loop_start()
    packet_id = received.until(lambda seen: seen[0] if seen else None, "the message")
    client.loop_stop()
    connection = client.socket()
    assert connection is not None
    connection.close()
    return packet_id
