"""What recordings are given: titles, descriptions, categories, shares, live state (R14)."""

import json
from dataclasses import replace

import pytest

from bridge.config.details import DetailsTable
from bridge.hmp.arguments import TITLE_LIMIT
from bridge.hmp.commands import RecordingId, SourceId, UpdateMetadata
from bridge.mqtt.topics import Topics, render_room
from bridge.room.facts.detail import Fate
from bridge.room.facts.vocabulary import Action, Alarm, Outcome, State, StepKind
from bridge.simulator.execution import execute

from ..bookings import BOOKED, BookedRoom
from ..driven import IS_RECORDING, LOST, OK, SESSION, STARTED, DrivenRoom, refused

CATEGORY = "692e9ab8-d446-4bfd-b64d-e39e8e57c4c5"
TABLE = DetailsTable.model_validate(
    {
        "title": "{{ room.name }} {{ meeting.title or 'recording' }} {{ now.strftime('%Y') }}",
        "description": "{{ meeting.course }}",
        "createdby": "Room system",
        "categories": {CATEGORY: ["Surgery", "{{ meeting.course }}", "{{ meeting.course }}"]},
        "share": [
            {"user": "creator", "permission": "OWN"},
            {"group": "Staff", "permission": "WATCH"},
            {"organizer": "OWN"},
        ],
        "live": True,
    }
)
PLAN = TABLE.plan({"key": "boardroom", "name": "Boardroom"})
DETAILED = replace(BOOKED, details=PLAN)
WORDS = dict.fromkeys(State, "word")
ALL = ["title", "description", "createdby", f"category {CATEGORY}", "user creator", "group Staff"]


def details(room: BookedRoom) -> dict[str, Fate]:
    """What became of each detail, by its name."""
    held = room.room.details
    return {} if held is None else {item.name: item.fate for item in held.items}


def test_everything_is_given_after_the_start_in_order() -> None:
    room = BookedRoom(DETAILED)
    room.meeting("a", 0, 3600, title="Weekly")
    recording = room.newest
    assert recording.title == "Boardroom Weekly 2023"
    assert recording.createdby == "Room system"
    assert recording.categories == {CATEGORY: ["Surgery"]}
    assert recording.shares == {"user:creator": "OWN", "group:Staff": "WATCH"}
    assert room.world.sessions[SESSION].live
    applied = [name for name in ALL if name != "description"]
    assert details(room) == dict.fromkeys([*applied, "live"], Fate.APPLIED)
    kinds = [kind for kind in room.sent if kind is not StepKind.POLL]
    assert kinds == [StepKind.START, *[StepKind.DETAIL] * 6, StepKind.VERIFY]
    values = render_room(Topics(), "r", room.room, WORDS)
    assert values["hmp/room/r/title"] == "Boardroom Weekly 2023"
    status = json.loads(values["hmp/room/r/status"])
    assert status["details"]["title"] == {"state": "applied", "error": None}


def test_an_organizer_and_further_fields_are_the_meetings() -> None:
    table = TABLE.model_copy(update={"organizer": "{{ meeting.organizer.split('@')[0] }}"})
    policy = replace(BOOKED, details=table.plan({"key": "r", "name": "R"}))
    room = BookedRoom(policy)
    meeting = room.meeting_with(
        "a", title='Say "hi" | \n🎥', organizer="viewer@example.edu", fields=(("course", "X-ray"),)
    )
    assert room.outcome(meeting) is Outcome.OK
    recording = room.newest
    assert recording.title == 'R Say "hi" | \n🎥 2023'
    assert recording.description == "X-ray"
    assert recording.categories == {CATEGORY: ["Surgery", "X-ray"]}
    assert recording.shares["user:viewer"] == "OWN"


def test_a_long_title_is_cut_where_a_reader_sees_a_character_end() -> None:
    room = BookedRoom(DETAILED)
    room.meeting("a", title="👩‍👩‍👧‍👦" * 2000)
    title = room.newest.title
    assert len(title) <= TITLE_LIMIT
    assert title.endswith("👩‍👩‍👧‍👦…")


def test_a_meetings_title_needs_no_template_and_a_press_needs_no_title() -> None:
    room = BookedRoom()
    room.meeting("a", title="Weekly")
    assert room.newest.title == "Weekly"
    room.ask("stop")
    room.meeting_end("a")
    room.ask("record")
    assert details(room) == {}
    assert room.room.recording is not None
    assert room.room.recording.title is None


def test_the_way_back_has_the_meetings_title() -> None:
    room = BookedRoom(DETAILED)
    room.meeting("a", 0, 3600, title="Weekly")
    room.ask("stop")
    room.ask("record")
    assert (room.owner, room.newest.title) == ("manual", "Boardroom Weekly 2023")


def test_the_title_is_applied_after_the_start_and_never_fails_it() -> None:
    room = DrivenRoom()
    room.press(Action.RECORD, title="Weekly")
    room.answer(STARTED)
    assert room.room.busy is not None
    assert isinstance(room.room.busy.command, UpdateMetadata)
    room.answers(LOST, IS_RECORDING)
    room.wait(1.0)
    room.answer(refused("070017", "Failed to update a recording", "updateMetadata"))
    assert (room.state, room.room.alarm) == (State.RECORDING, Alarm.DETAILS_FAILED)
    assert room.sent == [StepKind.START, StepKind.DETAIL, StepKind.VERIFY, StepKind.DETAIL]
    room = DrivenRoom()
    room.press(Action.RECORD, title="Weekly")
    room.answers(STARTED, OK)
    assert (room.step, room.room.alarm) == (StepKind.VERIFY, None)


@pytest.mark.parametrize("code", ["070000", "070008", "090001"])
def test_what_passes_is_tried_again(code: str) -> None:
    room = BookedRoom(DETAILED)
    room.fault(f"error:shareRecordingWithUser:{code}:count=3")
    room.meeting("a", 0, 3600, title="Weekly")
    assert details(room)["user creator"] is Fate.WAITING
    room.live(60)
    assert details(room)["user creator"] is Fate.APPLIED
    assert not room.room.alarms


@pytest.mark.unmeasured
def test_a_detail_is_tried_for_as_long_as_its_recording_lives() -> None:
    room = BookedRoom(replace(DETAILED, max_duration=200_000.0, poll_interval=600.0))
    room.fault("error:shareRecordingWithUser:070008")
    room.ask("record")
    room.live(70_000)  # more than a thousand times
    room.world.faults.clear()
    room.live(61)
    assert details(room)["user creator"] is Fate.APPLIED


def test_a_detail_that_waits_keeps_no_other_from_being_applied() -> None:
    room = BookedRoom(DETAILED)
    room.fault("error:shareRecordingWithUser:070008")
    room.meeting("a", 0, 3600)
    waiting = [name for name, fate in details(room).items() if fate is Fate.WAITING]
    assert waiting == ["user creator"]
    room.live(1)
    room.ask("stop")
    room.live(700)
    assert details(room)["user creator"] is Fate.FAILED
    assert room.room.alarm is Alarm.DETAILS_FAILED


def test_what_is_refused_for_good_is_said_and_harms_nothing() -> None:
    room = BookedRoom(DETAILED)
    room.world.groups.clear()
    room.meeting("a", 0, 3600, title="Weekly")
    assert (room.state, room.room.alarm) == (State.RECORDING, Alarm.DETAILS_FAILED)
    status = json.loads(render_room(Topics(), "r", room.room, WORDS)["hmp/room/r/status"])
    assert status["details"]["group Staff"]["state"] == "failed"
    assert status["details"]["group Staff"]["error"]["code"] == "040005"
    assert details(room)["live"] is Fate.APPLIED
    sent = room.sent.count(StepKind.DETAIL)
    room.live(120)
    assert room.sent.count(StepKind.DETAIL) == sent
    room.ask("stop")
    room.meeting_end("a")
    room.world.groups.clear()
    room.room = replace(room.room, policy=BOOKED)
    room.ask("record")
    assert not room.room.alarms, "the next recording starts"


@pytest.mark.parametrize("code", ["040002", "040012"])
def test_what_hmp_takes_only_of_a_finished_recording_is_sent_after_the_end(code: str) -> None:
    room = BookedRoom(DETAILED)
    room.fault(f"error:updateMetadata:{code}:count=2")
    room.meeting("a", 0, 3600, title="Weekly")
    assert details(room)["title"] is Fate.AFTER_THE_END
    assert not room.room.alarms
    room.live(60)
    room.ask("stop")
    room.live(1)
    assert room.newest.title == "Boardroom Weekly 2023"
    assert details(room)["title"] is Fate.APPLIED


def test_a_short_recording_gets_its_details_after_its_end() -> None:
    room = BookedRoom(DETAILED)
    room.press("record")
    room.write()
    room.press("stop")
    room.flow()
    assert room.state is State.IDLE
    assert room.newest.shares == {"user:creator": "OWN", "group:Staff": "WATCH"}


def test_details_are_given_over_a_restart_and_beside_the_next_recording() -> None:
    room = BookedRoom(DETAILED)
    room.fault("error:shareRecordingWithUser:070008")
    room.ask("record")
    room.ask("stop")
    room.ask("record")
    assert room.unfinished == 1
    room.kill()
    room.world.faults.clear()
    room.connect()
    room.live(5)
    assert room.unfinished == 0
    for recording in room.world.recordings.values():
        assert recording.shares["user:creator"] == "OWN"


def test_a_recording_that_is_handed_over_does_not_show_the_details_of_the_one_before() -> None:
    room = BookedRoom(DETAILED)
    room.fault("error:shareRecordingWithUser:070008")
    room.ask("record")
    room.ask("stop")
    others = RecordingId(execute(room.world, f"startRecording {SESSION}").removeprefix("OK|"))
    room.press("adopt", recording_id=others)
    room.flow()
    assert (room.owner, details(room), room.unfinished) == ("adopted", {}, 1)
    room.live(590)
    room.ask("stop")
    room.live(20)
    assert room.unfinished == 0, "given up ten minutes after the end of its own recording"
    assert room.room.alarm is Alarm.DETAILS_FAILED


def test_a_session_is_removed_only_after_the_details() -> None:
    sources = (SourceId("b86befc3-7b44-4655-852f-21a77935d110"),)
    policy = replace(DETAILED, session=None, sources=sources, delete_session=True)
    room = BookedRoom(policy)
    room.fault("error:shareRecordingWithGroup:070009")
    room.ask("record")
    made = room.room.session
    room.ask("stop")
    room.live(60)
    assert made in room.world.sessions
    room.world.faults.clear()
    room.live(60)
    assert made not in room.world.sessions
    assert room.newest.shares["group:Staff"] == "WATCH"


# -- by word --------------------------------------------------------------------------------------


def test_metadata_by_word_goes_before_the_template_for_one_recording() -> None:
    room = BookedRoom(DETAILED)
    assert room.outcome(room.press("describe", text="Thesis")) is Outcome.OK
    room.press("describe", field="description", text="x")
    room.press("describe", field="description", text="")
    room.ask("record")
    assert (room.newest.title, room.newest.description) == ("Thesis", "")
    room.ask("stop")
    room.ask("record")
    assert room.newest.title == "Boardroom recording 2023"


def test_metadata_of_the_recording_that_runs() -> None:
    room = BookedRoom(DETAILED)
    room.ask("record")
    first = room.press("describe", text="One")
    second = room.press("describe", text="Two")
    room.flow()
    assert (room.outcome(first), room.outcome(second)) == (Outcome.IGNORED, Outcome.OK)
    assert room.newest.title == "Two"
    assert room.code(room.press("describe", text=" ")) == "malformed"
    room.press("describe", field="description", text="Text")
    room.flow()
    assert room.newest.description == "Text"
    room.fault("error:updateMetadata:070017")
    failed = room.press("describe", field="createdby", text="Me")
    room.flow()
    assert (room.outcome(failed), room.code(failed)) == (Outcome.FAILED, "070017")


def test_the_title_of_a_press_goes_before_all_others() -> None:
    room = BookedRoom(DETAILED)
    room.press("describe", text="Thesis")
    room.press("record", title="Vote")
    room.flow()
    assert room.newest.title == "Vote"


# -- live -----------------------------------------------------------------------------------------


def test_live_on_and_off() -> None:
    room = BookedRoom()
    session = room.world.sessions[SESSION]
    assert room.outcome(room.ask("live_on")) is Outcome.OK
    assert [session.live] == [True]
    assert room.outcome(room.ask("live_off")) is Outcome.OK
    first, second = room.press("live_on"), room.press("live_off")
    room.flow()
    assert (room.outcome(first), room.outcome(second)) == (Outcome.IGNORED, Outcome.OK)
    assert not session.live
    room.fault("error:setLiveSession:040006")
    refused = room.ask("live_on")
    assert (room.outcome(refused), room.code(refused)) == (Outcome.FAILED, "040006")


def test_a_person_says_last_whether_it_is_live() -> None:
    room = BookedRoom(DETAILED)
    room.fault("error:setLiveSession:070008:count=1")
    room.ask("record")
    assert details(room)["live"] is Fate.WAITING
    assert room.outcome(room.ask("live_off")) is Outcome.OK
    room.live(60)
    assert not room.world.sessions[SESSION].live


def test_details_that_are_given_up_are_said() -> None:
    room = BookedRoom(DETAILED)
    room.fault("error:updateMetadata:070008")
    for _ in range(40):
        room.ask("record")
        room.ask("stop")
    assert Alarm.DETAILS_FAILED in room.room.alarms


def test_live_needs_a_session_and_a_link() -> None:
    sources = (SourceId("b86befc3-7b44-4655-852f-21a77935d110"),)
    room = BookedRoom(replace(BOOKED, session=None, sources=sources))
    assert room.code(room.ask("live_on")) == "no_session"
    room = BookedRoom()
    room.lose_connection(answer_first=True)
    request = room.ask("live_on")
    room.live(31)
    assert room.outcome(request) is Outcome.EXPIRED
    room.connect()
    room.live(5)
    assert not room.world.sessions[SESSION].live
