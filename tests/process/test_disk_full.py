"""A disk that fills, then a kill: the retained topics know what the journal does not (R9)."""

import json
import resource
from functools import partial

import pytest

from .site import MakeSite, Site
from .test_restarts import kill, outcome, start_again

FOREIGN = "0f0f0f0f-0665-48cd-b141-1e95283469f1"


def fill_disk(s: Site) -> None:
    """From now on the daemon can write nothing; the one that is started next can."""
    resource.prlimit(s.daemon.pid, resource.RLIMIT_FSIZE, (0, 0))


def record(s: Site, room: str = "r0") -> str:
    """Press, and return the id that is published, whatever became of the journal."""
    mark = s.panel.mark()
    s.panel.press(room, "record")
    s.panel.wait_for(f"room/{room}/ack", "record ok", since=mark)
    return str(s.panel.newest(f"room/{room}/recording_id"))


def is_verified(s: Site, room: str, _: object) -> bool:
    """Whether HMP has said to the process that published last that it has the recording."""
    status = s.panel.status(room)
    return status["verified_at"] is not None and not status["stale"]


@pytest.mark.mqtt5
def test_what_the_retained_topics_know_better_is_not_forgotten(site: MakeSite) -> None:
    """The journal has all of a first recording, nothing of a second; of r1 one topic is left.

    Meanwhile somebody presses once more: that is taken up when the room knows what it records.
    """
    s = site()
    first = record(s)
    s.panel.press("r0", "stop")
    s.panel.wait_for("room/r0/ack", "stop ok")
    fill_disk(s)
    held = {room: record(s, room) for room in s.sessions()}
    assert first != held["r0"]
    s.panel.wait_for("room/r0/alarm", "journal_failing")
    mark = kill(s)
    s.panel.publish("room/r1/status", "", retain=True)
    s.panel.publish("room/r0/set", '{"action":"record","id":"again"}')
    start_again(s)
    s.wait_ready(mark)
    assert outcome(s, "r0", "again", mark) == "ignored"
    for room, recording_id in held.items():
        s.panel.wait_until(partial(is_verified, s, room), "HMP's word", since=mark)
        assert s.panel.newest(f"room/{room}/recording_id") == recording_id
        assert s.panel.newest(f"room/{room}/state") == "recording"
        s.panel.press(room, "stop")
        s.panel.wait_for(f"room/{room}/ack", "stop ok", since=mark)
    assert s.hmp.recordings("RECORDING") == []
    assert len(s.hmp.commands("startRecording")) == 3


def test_a_recording_that_the_journal_has_running_is_not_taken_for_the_next_one(
    site: MakeSite,
) -> None:
    """It was stopped and another one started after the disk had filled: HMP is asked for both."""
    s = site()
    first = record(s)
    fill_disk(s)
    s.panel.press("r0", "stop")
    s.panel.wait_for("room/r0/ack", "stop ok")
    second = record(s)
    mark = kill(s)
    start_again(s)
    s.wait_ready(mark)
    s.panel.wait_for("room/r0/recording_id", second, since=mark)
    s.panel.wait_for("room/r0/state", "recording", since=mark)
    assert s.panel.newest("room/r0/last_recording_id") == first
    s.panel.press("r0", "stop")
    s.panel.wait_for("room/r0/ack", "stop ok", since=mark)
    assert s.hmp.recordings("RECORDING") == []
    assert len(s.hmp.commands("startRecording")) == 2


def test_a_forged_status_makes_no_room_forget_what_the_journal_knows(site: MakeSite) -> None:
    """In r0 it names another recording, in r1 none."""
    s = site()
    forged = {"r0": FOREIGN, "r1": None}
    held = {room: record(s, room) for room in forged}
    for room in forged:
        s.panel.wait_until(partial(is_verified, s, room), "a verified recording")
    mark = kill(s)
    for room, named in forged.items():
        told = {"state": "idle", "revision": 2**52, "recording_id": named}
        s.panel.publish(f"room/{room}/status", json.dumps(s.panel.status(room) | told), retain=True)
    asked = {room: len(s.hmp.commands(f"getRecordingStatus {held[room]}")) for room in held}
    start_again(s)
    s.wait_ready(mark)
    s.hmp.wait_until(lambda hmp: hmp.commands(f"getRecordingStatus {FOREIGN}"), "its question")
    for room, recording_id in held.items():
        s.panel.wait_until(partial(is_verified, s, room), "HMP's word", since=mark)
        assert len(s.hmp.commands(f"getRecordingStatus {recording_id}")) > asked[room]
        assert s.panel.newest(f"room/{room}/recording_id") == recording_id
        assert s.panel.newest(f"room/{room}/state") == "recording"
    assert s.hmp.commands("stopRecording") == []
