"""What somebody who watches sees, from messages alone: the view, its rows and lines."""

import json
from dataclasses import replace
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from bridge.mqtt.topics import Topics, render_result, render_room
from bridge.room.facts.vocabulary import Alarm, Outcome
from bridge.watch.screen import Screen
from bridge.watch.view import View, message_line

from ..mqtt.samples import FRESH, RESULT, RUNNING, TALLY

TOPICS = Topics("site/hmp")


def view(rooms: int = 2) -> View:
    made = View("site/hmp", ["main"], [f"r{number}" for number in range(rooms)])
    made.failure = ""
    return made


def hear(watched: View, topic: str, payload: object, at: float = 0.0) -> None:
    text = payload if isinstance(payload, str) else json.dumps(payload)
    watched.take(topic, text.encode(), monotonic=at, wall=1_700_000_000 + at)


def hear_room(watched: View, name: str, state: Any, at: float = 0.0) -> None:
    status = TOPICS.room(name, "status")
    hear(watched, status, render_room(TOPICS, name, state, TALLY)[status], at)


def drawn(watched: View, *, width: int = 110, height: int = 24, now: float = 0.0) -> list[str]:
    """The screen as lines of text."""
    console = Console(width=width, height=height, record=True, color_system=None)
    with console.capture() as capture:
        console.print(Screen(watched, "localhost:1883", now), height=height)
    lines = capture.get().splitlines()
    assert all(cell_len(line) <= width for line in lines)
    return [line.rstrip() for line in lines]


def row(lines: list[str], name: str) -> str:
    [found] = [line for line in lines if line.startswith(f"{name} ")]
    return found


def test_nothing_heard_of_yet() -> None:
    fresh = View("site/hmp", ["main"], ["r0"])
    lines = drawn(fresh)
    assert "connecting" in lines[0]
    assert row(lines, "r0").split() == ["r0", "not", "heard", "of"]


def test_links_and_rooms() -> None:
    watched = view()
    hear(watched, TOPICS.bridge_state, "online")
    hear(watched, TOPICS.bridge_info, {"version": "1.2.3"})
    hear(watched, TOPICS.bridge_health, {"servers": {"main": {"round_trip_ms": 1.23}}})
    hear(watched, TOPICS.server_state("main"), "ready")
    hear_room(watched, "r0", RUNNING)
    hear_room(watched, "r1", replace(FRESH, alarms=frozenset({Alarm.NO_SOURCE})))
    lines = drawn(watched)
    assert "broker localhost:1883 connected  bridge online 1.2.3  main ready 1.2 ms" in lines[0]
    assert row(lines, "r0").split() == ["r0", "recording", "0:00:30", "Weekly", '"é"', "🎥"]
    assert row(lines, "r1").split() == ["r1", "idle", "no_source"]


LONG = "a-lecture-theatre-with-a-very-long-name"
WIDE = "会議室での週次報告 🎥 été " * 5


@pytest.mark.parametrize("width", [20, 40, 60, 80, 100, 200])
@pytest.mark.parametrize("height", [5, 12, 24, 60])
def test_it_fits(width: int, height: int) -> None:
    """Long names, wide and combining characters, four servers: what counts most stays readable."""
    watched = View("site/hmp", ["main", "north", "south", "spare"], [LONG, "r1"])
    watched.failure = ""
    for server in watched.servers:
        hear(watched, TOPICS.server_state(server), "unauthorized")
    hear_room(watched, LONG, replace(RUNNING, alarms=frozenset({Alarm.STOPPED_UNEXPECTEDLY})))
    hear_room(watched, "r1", RUNNING)
    watched.rooms["r1"].status["title"] = WIDE
    hear(watched, TOPICS.room("r1", "result"), render_result(RESULT))
    lines = drawn(watched, width=width, height=height)
    assert len(lines) <= max(height, 7)
    if width < 60 or height < 12:
        return
    assert "q leaves" in lines[0]
    [busy] = [line for line in lines if line.startswith("a-lec")]
    assert "recording" in busy
    assert "stopped_unexpectedly" in busy
    if height >= 24:
        links = "\n".join(lines).partition("\nroom")[0]
        assert all(f"{server} unauthorized" in links for server in watched.servers)
    assert ("会議室" in row(lines, "r1")) == (width >= 100)
    if width >= 80:
        assert "stop failed" in row(lines, "r1")


def test_time_goes_on_between_two_words_of_the_bridge() -> None:
    watched = view()
    hear_room(watched, "r0", RUNNING, at=100.0)
    assert "0:00:37" in row(drawn(watched, now=107.9), "r0")
    hear_room(watched, "r0", replace(RUNNING, elapsed=3661), at=110.0)
    assert "1:01:01" in row(drawn(watched, now=110.0), "r0")
    hear_room(watched, "r0", replace(RUNNING, link_ready=False), at=120.0)
    line = row(drawn(watched, now=150.0), "r0")
    assert "recording (stale)" in line
    assert "0:00:30" in line


def test_results_and_changes_are_shown_as_they_come() -> None:
    watched = view()
    hear(watched, TOPICS.bridge_state, "online")
    hear(watched, TOPICS.server_state("main"), "connecting")
    assert not watched.events, "what is so when we come is no news"
    hear(watched, TOPICS.room("r0", "result"), render_result(RESULT), at=1)
    hear(watched, TOPICS.error, render_result(replace(RESULT, origin="site/hmp/room/x/set")), at=2)
    hear(watched, TOPICS.server_state("main"), "ready", at=3)
    hear(watched, TOPICS.server_state("main"), "ready", at=4)
    hear(watched, TOPICS.bridge_state, "offline", at=5)
    ok = replace(RESULT, outcome=Outcome.OK, problem=None, word="record")
    hear(watched, TOPICS.room("r0", "result"), render_result(ok), at=6)
    assert [(event.subject, event.text, event.good) for event in watched.events] == [
        ("r0", "stop failed 040001 Active recording not found (12 ms)", False),
        ("room/x/set", "stop failed 040001 Active recording not found (12 ms)", False),
        ("server main", "ready", True),
        ("bridge", "offline", False),
        ("r0", "record ok (12 ms)", True),
    ]
    lines = drawn(watched)
    assert [line[10:] for line in lines if line.count(":") >= 2][-1] == "r0  record ok (12 ms)"
    assert "record ok (12 ms)" in row(lines, "r0")


def test_a_room_that_nobody_configured_and_one_that_is_gone() -> None:
    watched = view()
    hear_room(watched, "guest", FRESH)
    assert row(drawn(watched), "guest")
    hear(watched, TOPICS.room("guest", "status"), "")
    assert list(watched.rooms) == ["r0", "r1"]


def test_what_is_no_json_changes_nothing_for_the_worse() -> None:
    watched = view()
    for leaf in ("bridge/info", "bridge/health", "bridge/response/error", "room/r0/result"):
        for payload in ("", "{", "[1]", "nonsense", '{"took_ms": "x", "error": 1}', "\xff"):
            hear(watched, f"site/hmp/{leaf}", payload)
    hear(watched, TOPICS.room("r0", "status"), {"elapsed": "x", "alarm": 5, "title": [1]})
    hear(watched, TOPICS.bridge_health, {"servers": {"main": {"round_trip_ms": "x"}}})
    hear(watched, TOPICS.server_state("main"), "[red]odd[/red]")
    hear(watched, "site/hmp/other/topic", "x")
    assert row(drawn(watched), "r0")
    assert "[red]odd[/red]" in drawn(watched)[0]


def test_of_many_rooms_those_with_something_to_see() -> None:
    watched = view(rooms=60)
    for name in list(watched.rooms):
        hear_room(watched, name, FRESH)
    hear_room(watched, "r41", RUNNING)
    hear_room(watched, "r59", replace(FRESH, alarms=frozenset({Alarm.DISK_FULL})))
    lines = drawn(watched, height=20)
    assert len(lines) <= 20
    assert "recording" in row(lines, "r41")
    assert "disk_full" in row(lines, "r59")
    assert any(line.startswith("and 49 more rooms, all idle") for line in lines)
    lines = drawn(watched, height=10)
    assert len(lines) <= 10
    assert "disk_full" in row(lines, "r59")
    assert any(", 1 of them not idle: make the window taller" in line for line in lines)
    assert drawn(watched, height=3, width=20)


def test_messages_as_lines() -> None:
    line = message_line("hmp/room/boardroom/state", b"recording", 1_700_000_000.0)
    assert line is not None
    assert line[8:] == "  hmp/room/boardroom/state                 recording"
    assert message_line("hmp/room/boardroom/status", b"{}", 0.0) is None
    assert "�" in (message_line("hmp/room/boardroom/title", b"\xff", 0.0) or "")


def test_a_room_and_a_server_that_are_taken_out_are_not_shown() -> None:
    model = View("hmp", ["main", "other"], ["hall"])
    model.take("hmp/server/other/state", b"ready", monotonic=0.0, wall=0.0)
    model.take("hmp/server/other/state", b"", monotonic=1.0, wall=1.0)
    model.take("hmp/room/hall/status", b"", monotonic=1.0, wall=1.0)
    assert list(model.servers) == ["main"]
    assert model.rooms == {}
    assert list(model.events) == []


def test_what_others_write_does_not_act_on_the_terminal() -> None:
    """A title that sets the window's, a result that forges a line, a topic with a bell."""
    hostile = "\x1b]0;mine\x07\x9b2J\u202e\nok"
    watched = view(rooms=1)
    hear(watched, TOPICS.bridge_state, hostile)
    hear(watched, TOPICS.bridge_info, {"version": hostile})
    hear(watched, "site/hmp/server/main\x07/state", hostile)
    status = {"state": hostile, "title": hostile, "alarm": hostile, "deep": [hostile]}
    hear(watched, TOPICS.room("r0\x1b", "status"), status | {"recording": True})
    refused = {"action": hostile, "outcome": hostile, "error": {"code": "1", "message": hostile}}
    hear(watched, TOPICS.room("r0", "result"), refused)
    hear(watched, TOPICS.error, refused | {"origin": hostile})
    line = message_line("site/hmp/room/r0\x07/title", hostile.encode(), 0.0)
    assert line is not None
    for shown in (*drawn(watched, width=400), line):
        assert not {"\x1b", "\x07", "\x9b", "\u202e", "\n"} & {*shown}
    assert r"\u001b]0;mine\u0007\u009b2J\u202e\nok" in line
