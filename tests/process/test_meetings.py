"""Meetings over the broker: what a booking system says, what HMP then has, what panels are told."""

import json
import random
import signal
import time
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from .hmp import CATEGORY
from .panel import Seen
from .site import MakeSite, Site

DETAILS = {
    "title": "{{ room.name }}: {{ meeting.title or 'recording' }}",
    "createdby": "Room system",
    "categories": {CATEGORY: ["Surgery", "{{ meeting.course }}"]},
    "share": [{"group": "Surgeons", "permission": "WATCH"}, {"organizer": "OWN"}],
    "live": True,
}
ROOMS, MEETINGS, UNIT = 8, 8, 1.0


def at(wall: float) -> str:
    """A time as booking systems write it."""
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds")


def say(site: Site, room: str, event: str, **fields: Any) -> None:
    """Publish an event of a booking system."""
    site.panel.publish(f"room/{room}/event", json.dumps({"event": event} | fields))


def test_a_meeting_is_recorded_and_its_recording_is_given_everything(site: MakeSite) -> None:
    s = site(room={"name": "Boardroom", "details": DETAILS})
    now = time.time()
    title = 'He said "hi" | \\ 🎥\nTwo'
    say(
        s,
        "r0",
        "Meeting.Start",
        id="abc",
        title=title,
        organizer="creator",
        course="X-ray",
        start=at(now - 60),
        end=at(now + 3600),
    )
    s.panel.wait_for("room/r0/ack", "meeting_start ok")
    shown = datetime.fromtimestamp(now + 3600, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    s.panel.wait_for("room/r0/ends_at", shown)
    s.panel.wait_for("room/r0/title", f"Boardroom: {title}")
    s.hmp.wait_until(lambda hmp: hmp.do("snapshot", log=0)["sessions"][0]["live"], "a live session")
    [row] = s.hmp.recordings()
    assert row["title"] == f"Boardroom: {title}"
    assert row["createdby"] == "Room system"
    assert row["categories"] == {CATEGORY: ["Surgery", "X-ray"]}
    assert row["shares"] == {"group:Surgeons": "WATCH", "user:creator": "OWN"}
    s.panel.wait_until(
        lambda _: (
            all(
                each["state"] == "applied"
                for each in (s.panel.status("r0")["details"] or {}).values()
            )
            and s.panel.status("r0")["details"]
        ),
        "every detail applied",
    )
    status = s.panel.status("r0")
    assert (status["owner"], status["alarms"]) == ("meeting:abc", [])
    [meeting] = status["meetings"]
    assert (meeting["id"], meeting["title"], meeting["dismissed"]) == ("abc", title, False)

    s.panel.publish("room/r0/set", json.dumps({"action": "extend", "minutes": 30, "id": "x"}))
    s.panel.wait_for("room/r0/ack", "extend ok")
    s.panel.publish("room/r0/metadata/title", "Thesis")
    s.panel.wait_for("room/r0/ack", "metadata/title ok")
    assert [row["title"] for row in s.hmp.recordings()] == ["Thesis"]
    s.panel.press("r0", "live_off")
    s.panel.wait_for("room/r0/ack", "live_off ok")
    say(s, "r0", "meeting_end", id="abc")
    s.panel.wait_for("room/r0/ack", "meeting_end ok")
    s.panel.wait_for("room/r0/ends_at", "none")
    assert [row["state"] for row in s.hmp.recordings()] == ["FINISHED"]


def test_what_a_booking_system_says_wrongly_is_recorded_and_said(site: MakeSite) -> None:
    s = site()
    say(s, "r0", "meeting_start", id="abc", end="half past ten")
    [result] = s.panel.wait_for_results("r0", 1)
    assert result["outcome"] == "ok"
    assert result["error"]["code"] == "left_out"
    assert "half past ten" in result["error"]["message"]
    say(s, "r1", "meeting_start", id="abc", end=at(time.time() - 1))
    [result] = s.panel.wait_for_results("r1", 1)
    assert (result["outcome"], result["error"]["code"]) == ("expired", "meeting_over")
    assert len(s.hmp.recordings()) == 1


def test_a_meeting_ends_though_the_box_was_dead_at_its_end(site: MakeSite) -> None:
    s = site(mqtt={"session_expiry": "10m"})
    end = time.time() + 15.0  # a machine may stop for seconds before the box is dead
    say(s, "r0", "meeting_start", id="abc", end=at(end))
    say(s, "r1", "meeting_start", id="def", end=at(end + 3600))
    for room in ("r0", "r1"):
        s.panel.wait_for(f"room/{room}/ack", "meeting_start ok")
    s.daemon.send_signal(signal.SIGKILL)
    s.daemon.wait()
    say(s, "r1", "meeting_end", id="def")
    while time.time() < end:
        time.sleep(0.1)
    assert len(s.hmp.recordings("RECORDING")) == 2
    mark = s.panel.mark()
    s.add_daemon(state=s.daemon.state)
    for room in ("r0", "r1"):
        s.panel.wait_for(f"room/{room}/state", "idle", since=mark)
    s.panel.wait_for("room/r1/ack", "meeting_end ok", since=mark)
    assert len(s.hmp.recordings("FINISHED")) == 2


def results_in(seen: list[Seen]) -> list[dict[str, Any]]:
    """All results among the messages, decoded."""
    return [json.loads(each.payload) for each in seen if each.topic.endswith("/result")]


def stopped_for(site: Site) -> float:
    """How long this machine, or a program on it, seems to have been stopped while rooms recorded.

    Every second there is another `bridge/health` then, for every poll changes what it says.
    """
    recording = [seen.at for seen in site.panel.seen.since() if seen.payload == "recording"]
    moments = [seen.at for seen in site.panel.messages("bridge/health") if seen.at > recording[0]]
    longest = max(after - before for before, after in pairwise([recording[0], *moments]))
    return longest if longest > 1.5 else 0.0


def test_a_day_in_eight_rooms(site: MakeSite) -> None:
    """Back to back, overlapping and nested bookings, some ended by word, some by their end."""
    s = site(ROOMS, room={"details": {"title": "{{ meeting.id }}"}})
    chance = random.Random(7)
    begin = time.time() + 0.5
    calendar = {}
    for name in s.sessions():
        for number in range(MEETINGS):
            start = begin + number * UNIT * chance.choice([1.0, 1.0, 0.9])
            calendar[name, f"m{number}"] = (start, start + UNIT * chance.choice([1, 1, 2, 3]))
    events = [(start, "meeting_start", key) for key, (start, _) in calendar.items()]
    events += [
        (end, "meeting_end", key) for key, (_, end) in calendar.items() if key[1] in ("m2", "m5")
    ]
    late = 0.0
    for moment, event, (room, meeting) in sorted(events):
        time.sleep(max(0.0, moment - time.time()))
        late = max(late, time.time() - moment)
        _, end = calendar[room, meeting]
        times = {"end": at(end)} if event == "meeting_start" else {}
        say(s, room, event, id=meeting, title=meeting, **times)

    s.panel.wait_until(lambda seen: len(results_in(seen)) >= len(events), "every event answered")

    def evening(_: object) -> bool:
        said = [s.panel.status(room) for room in s.sessions()]
        return all((each["state"], each["meetings"]) == ("idle", []) for each in said)

    s.panel.wait_until(evening, "every room idle in the evening")
    rows = s.hmp.recordings()
    assert all(row["state"] == "FINISHED" for row in rows)
    results = results_in(s.panel.seen.since())
    assert len(results) == len(events)
    # What this machine took at most, twice: from one recording to the next there is a stop and a
    # start. A meeting that nobody records lacks a whole unit.
    slack = 0.3 + late + 2 * max(result["took_ms"] for result in results) / 1000 + stopped_for(s)
    names = {row["title"] for row in rows}
    assert names <= {meeting for _, meeting in calendar}
    assert names >= {name for (_, name), (start, end) in calendar.items() if end - start > slack}
    by_session = s.sessions()
    for (room, meeting), (start, end) in calendar.items():
        mine = [row for row in rows if row["session"] == by_session[room]]
        covered = sum(
            max(0.0, min(end, row["stopped_at"]) - max(start, row["started_at"])) for row in mine
        )
        assert covered >= end - start - slack, (room, meeting)
        assert sum(row["started_at"] <= (start + end) / 2 < row["stopped_at"] for row in mine) <= 1
