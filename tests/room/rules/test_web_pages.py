"""What a person does in HMP's web pages, and meetings: whom the stop has dismissed (R11, R25)."""

import pytest

from bridge.hmp.commands import RecordingId
from bridge.room.facts.vocabulary import Alarm, Outcome, State

from ..bookings import BookedRoom


def test_a_stop_in_the_web_pages_is_a_persons() -> None:
    room = BookedRoom()
    room.meeting("a", 0, 3600)
    room.in_web_pages("stop", RecordingId(room.active()[0].id))
    room.live(600)
    assert room.room.alarm is Alarm.STOPPED_UNEXPECTEDLY
    assert room.outcome(room.meeting("a", 0, 3600)) is Outcome.IGNORED
    assert (room.state, len(room.recorded)) == (State.IDLE, 1)


def test_a_stop_in_the_web_pages_is_of_what_had_begun_when_hmp_last_recorded() -> None:
    """Nobody can tell whether it was before or after a start: that meeting is recorded."""
    room = BookedRoom()
    room.meeting("a", 0, 3600)
    room.ask("stop")
    room.ask("record")
    room.live(60)
    room.meeting("b", 60, 3600)
    room.live(60)
    room.lose_connection(answer_first=True)
    room.in_web_pages("stop", RecordingId(room.active()[0].id))
    room.live(300)
    room.meeting("c", 420, 900)
    room.connect()
    room.live(60)
    assert (room.owner, room.recorded[1:]) == ("meeting:c", [(0, 120), (420, None)])
    room.live(900)
    assert (room.word, len(room.recorded)) == ("idle", 3)


@pytest.mark.parametrize("same_boot", [True, False])
def test_a_stop_in_the_web_pages_while_the_bridge_was_killed(same_boot: bool) -> None:
    room = BookedRoom()
    room.ask("record")
    room.meeting("a", 0, 3600)
    room.live(60)
    room.kill(same_boot=same_boot)
    room.in_web_pages("stop", RecordingId(room.active()[0].id))
    room.live(1)
    room.meeting("b", 60, 900)
    room.connect()
    room.live(60)
    assert room.owner == "meeting:b"
    room.live(900)
    assert (room.word, len(room.recorded)) == ("idle", 2)


def test_a_meeting_that_took_the_recording_over_meanwhile_is_recorded() -> None:
    """Its cut was given up, for HMP was out of reach; whoever ended the recording, it runs."""
    room = BookedRoom()
    room.meeting("a", 0, 3600)
    room.live(60)
    room.lose_connection(answer_first=True)
    room.live(10)
    room.meeting("b", 70, 3600)
    room.live(60)
    assert room.owner == "meeting:b"
    room.in_web_pages("stop", RecordingId(room.active()[0].id))
    room.live(60)
    room.connect()
    room.live(1)
    assert (room.word, room.owner) == ("recording", "meeting:b")
