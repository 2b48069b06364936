"""Messages over which processes end: they are set aside, and no room waits (R27)."""

import json
import signal
import sqlite3
import time
from contextlib import closing

import pytest

from bridge.intake.suspects import HANDLING, SET_ASIDE

from .holder import Holder
from .site import MakeSite, Site
from .test_bindings import bind
from .watched import PATIENCE

pytestmark = pytest.mark.mqtt5


def note(s: Site, name: str) -> str:
    """What the journal has under this name."""
    with closing(sqlite3.connect(s.daemon.state / "journal.db")) as journal:
        rows = journal.execute("SELECT document FROM notes WHERE name = ?", [name]).fetchall()
    return next((document for (document,) in rows), "")


def wait_for_note(s: Site, name: str, ending: str) -> None:
    end = time.monotonic() + PATIENCE
    while not note(s, name).endswith(f" {ending}"):
        assert time.monotonic() < end, s.daemon.output


@pytest.mark.parametrize(
    ("topic", "payload"), [("room/nowhere/press/record", "true"), ("devices/p", "nowhere")]
)
def test_a_message_that_two_processes_ended_over_is_set_aside(
    site: MakeSite, topic: str, payload: str
) -> None:
    """Its refusal never reaches the broker: so it is still being handled when the process ends."""
    s = site(start=False)
    with closing(Holder(s.broker.port)) as line:
        s.tables["mqtt"]["port"] = line.port
        bind(s, {"topic": "p", "room": "{{ payload }}", "do": "record"})
        s.wait_ready()
        for room in ("r0", "r1"):  # so that the journal knows them, and nobody else is asked
            s.panel.publish(f"room/{room}/set", "stop")
            s.panel.wait_for(f"room/{room}/ack", "stop ignored")
        assert s.daemon.stop() == 0
        state = s.daemon.state
        s.panel.publish_many([(topic, payload), ("room/r0/set", "stop")])

        line.hold(f"{s.base}/bridge/response/error".encode())
        mark = line.mark()
        s.add_daemon(state=state)
        line.wait_until_delivered(f"{s.base}/{topic}".encode(), since=mark)
        s.daemon.wait_for_line("request refused")
        s.daemon.stop(signal.SIGKILL)
        assert not note(s, HANDLING)

        for times in ("1", "2"):
            s.add_daemon(state=state)
            wait_for_note(s, HANDLING, times)
            s.daemon.stop(signal.SIGKILL)
            assert not note(s, SET_ASIDE)

        line.let_go()
        since = s.panel.mark()
        s.add_daemon(state=state)
        s.daemon.wait_for_line("message set aside")
        # The line lets go of the refusals too that those who were killed had sent.
        [answer] = s.panel.wait_until(
            lambda _: [
                each
                for each in map(json.loads, s.panel.payloads("bridge/response/error", since))
                if each["error"]["code"] != "unknown_room"
            ],
            "an answer",
        )
        assert answer["outcome"] == "failed"
        assert answer["error"]["code"] == "set_aside"
        assert answer["origin"] == f"{s.base}/{topic}"
        s.wait_ready(since)
        s.panel.press("r0", "record")
        s.panel.wait_for("room/r0/ack", "record ok", since=since)
        [entry] = json.loads(note(s, SET_ASIDE))
        assert entry["topic"] == f"{s.base}/{topic}"
        assert s.daemon.stop() == 0
        assert not note(s, HANDLING)

        since = s.panel.mark()
        s.add_daemon(state=state)
        s.wait_ready(since)
        s.panel.press("r0", "stop")
        s.panel.wait_for("room/r0/ack", "stop ok", since=since)
        assert s.panel.payloads("bridge/response/error", since) == []
        assert s.daemon.lines_with("message set aside") == []


def test_a_number_of_thousands_of_digits_ends_nothing(site: MakeSite) -> None:
    s = site()
    digits = "9" * 4301
    s.panel.publish(
        "room/r0/event", f'{{"event":"meeting_start","id":"x","duration":"PT{digits}H"}}'
    )
    s.panel.publish("room/r1/event", f'{{"event":"meeting_start","id":"y","end":{digits}}}')
    for room in ("r0", "r1"):
        s.panel.wait_for(f"room/{room}/ack", "meeting_start ok")
        [result] = s.panel.wait_for_results(room, 1)
        assert result["error"]["code"] == "left_out"
    assert s.daemon.lines_with("internal error") == []


def test_a_topic_as_long_as_any_is_refused_in_few_words(site: MakeSite) -> None:
    s = site()
    s.panel.publish(f"room/{'a' * 60_000}/press/record", "true")
    error = json.loads(s.panel.wait_for("bridge/response/error").payload)["error"]
    assert error["code"] == "unknown_room"
    assert len(error["message"]) < 100
    assert len(s.daemon.wait_for_line("request refused")) < 3000
