"""Days of bookings in seconds: meetings, presses, time and a link that fails, in any order.

`BookedDay` checks what must hold whatever comes: a person's recording is ended by a person or by
its own time alone, every request gets one result, and after every calm a room is being recorded
exactly when a meeting that nobody dismissed runs, or a person wants it. `test_a_day_of_bookings`
compares what HMP recorded with the calendar, minute by minute.
"""

from dataclasses import replace
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bridge.hmp.commands import RecordingId
from bridge.room.facts.meeting import Meeting, is_meeting
from bridge.room.facts.vocabulary import Action, Alarm, State, Target

from .bookings import BOOKED, BookedRoom
from .driven import WALL
from .site import courses

pytestmark = pytest.mark.timeout(600)  # a hundred courses of events, on a busy machine

NAMES = st.sampled_from(["", "a", "b", "c"])
PRESSES = st.sampled_from(
    [Action.RECORD, Action.STOP, Action.TOGGLE, Action.PAUSE, Action.RESUME, Action.EXTEND]
)
SECONDS = st.sampled_from([1.0, 12.0, 45.0, 300.0, 1800.0])
POLICIES = st.builds(
    lambda grace, longest, pause, act: replace(
        BOOKED,
        stop_grace=grace,
        max_duration=longest,
        max_pause=pause,
        on_max_pause=act,
        poll_interval=30.0,
    ),
    grace=st.sampled_from([0.0, 30.0, 120.0]),
    longest=st.sampled_from([900.0, 7200.0]),
    pause=st.sampled_from([None, 600.0]),
    act=st.sampled_from(["resume", "stop"]),
)


class WatchedRoom(BookedRoom):
    """A booked room that knows which recordings a person has ended, by word or in HMP."""

    def __init__(self, policy: object) -> None:
        self.ended_by_people: set[str] = set()
        #: Owners of meetings that a person's stop has dismissed and that run still.
        self.dismissed: set[str] = set()
        super().__init__(policy, {"active_check": "before"})  # type: ignore[arg-type]  # a Policy

    def press(self, action: Action | str, **details: Any) -> int:
        if action in (Action.STOP, Action.TOGGLE):
            self.ended_by_people |= {each.id for each in self.world.recordings.values()}
            held = self.room.recording  # which HMP may have lost
            self.ended_by_people |= {held.id} if held is not None and held.id is not None else set()
            self.ended_by_people |= {"starting"} if self.room.recording is None else set()
        if action is Action.STOP:
            self.dismissed |= {each.owner for each in self.room.meetings}
        if action is Action.MEETING_START:
            given = details["meeting"]
            assert isinstance(given, Meeting)
            running = {each.owner for each in self.room.meetings if each.is_same(given)}
            self.dismissed &= running | {each.owner for each in self.room.meetings} - {given.owner}
        return super().press(action, **details)

    def _check_start(self) -> None:
        running = {each.owner for each in self.room.meetings if each.owner in self.dismissed}
        assert self.room.next_owner not in running, "a meeting that a person had stopped"

    def _check_stop(self) -> None:
        held = self.room.recording
        assert held is not None
        if (
            is_meeting(held.owner)
            or held.id in self.ended_by_people
            or "starting" in self.ended_by_people
        ):
            return
        age = self.clock - (held.began if held.began is not None else held.started_at - WALL)
        limit = self.room.policy.max_duration + held.extended
        by_pause = held.pause_over and self.room.policy.on_max_pause == "stop"
        wrong = Alarm.RECORDING_ERROR in self.room.alarms
        assert age >= limit - 1e-6 or by_pause or wrong, "a person's recording was cut"


class BookedDay(RuleBasedStateMachine):
    """Events in any order; `calm` may come at any point."""

    @initialize(policy=POLICIES)
    def begin(self, policy: object) -> None:
        self.site = WatchedRoom(policy)

    # -- the booking system ----------------------------------------------------------------------

    @rule(
        name=NAMES,
        late=st.sampled_from([0.0, 600.0]),
        length=st.none() | st.sampled_from([60.0, 900.0, 3600.0]),
    )
    def start(self, name: str, late: float, length: float | None) -> None:
        start = self.site.clock - late
        self.site.meeting(name, start, None if length is None else start + length)

    @rule(pick=st.integers(0, 3), later=st.sampled_from([0.0, 600.0]))
    def start_again(self, pick: int, later: float) -> None:
        running = self.site.room.meetings
        if not running:
            return
        chosen = running[pick % len(running)]
        end = None if chosen.end is None else chosen.end + later
        self.site.press(Action.MEETING_START, meeting=replace(chosen, end=end))

    @rule(name=NAMES)
    def end(self, name: str) -> None:
        self.site.meeting_end(name)

    @rule(name=NAMES, seconds=st.sampled_from([60.0, 900.0]))
    def extend(self, name: str, seconds: float) -> None:
        self.site.meeting_extend(name, seconds=seconds)

    # -- people ----------------------------------------------------------------------------------

    @rule(action=PRESSES)
    def press(self, action: Action) -> None:
        self.site.ask(action)

    @rule(what=st.sampled_from(["pause", "stop", "delete"]))
    def web_pages(self, what: str) -> None:
        for each in self.site.active()[:1]:
            if what != "pause" or each.state.name == "RECORDING":
                self.site.in_web_pages(what, RecordingId(each.id))

    # -- the link, the process, the clock --------------------------------------------------------

    @precondition(lambda self: self.site.connected)
    @rule(
        answer_first=st.booleans(),
        step=st.sampled_from(["no", "written", "executed"]),
        name=NAMES,
    )
    def lose_connection(self, answer_first: bool, step: str, name: str) -> None:
        site = self.site
        if step != "no":
            site.press(
                Action.MEETING_START,
                meeting=Meeting(name, WALL + site.clock, WALL + site.clock + 900.0),
            )
            if site.waits:
                site.write()
                if step == "executed":
                    site.execute()
        site.lose_connection(answer_first=answer_first)

    @precondition(lambda self: not self.site.connected)
    @rule()
    def connect(self) -> None:
        self.site.connect()

    @precondition(lambda self: not self.site.written)
    @rule(same_boot=st.booleans())
    def kill(self, same_boot: bool) -> None:
        self.site.lose_connection(answer_first=True)
        self.site.kill(same_boot=same_boot)

    @rule(code=st.sampled_from(["060009", "070000", "070019"]))
    def hmp_refuses_a_start(self, code: str) -> None:
        self.site.fault(f"error:startRecording:{code}:count=1")

    @rule(seconds=SECONDS)
    def live(self, seconds: float) -> None:
        self.site.live(seconds)

    # -- what must be true -----------------------------------------------------------------------

    @invariant()
    def at_most_one_meeting_owns_the_recording(self) -> None:
        room = self.site.room
        owners = [each.owner for each in room.meetings]
        assert len(owners) == len(set(owners))
        assert room.recording is None or Alarm.ENDING_SOON not in room.alarms or room.ends_at

    @rule()
    def calm(self) -> None:
        """Everything works for a while: the room is recorded if, and only if, it should be."""
        site = self.site
        unanswered = site.calm(130.0)
        waiting = {pending.request.id for pending in site.room.pending}
        assert unanswered <= waiting, "a request without a result"
        self._is_as_it_should_be()

    def _is_as_it_should_be(self) -> None:
        site, room = self.site, self.site.room
        wanted = [each for each in room.meetings if not each.dismissed and each.ended_at is None]
        if room.state in (State.UNKNOWN, State.ERROR) or site.lost_starts:
            return  # the promise is another one: tests of lost starts look at it
        if room.recording is None:
            assert room.target is Target.IDLE
            assert not wanted, "a meeting is not recorded"
        elif is_meeting(room.recording.owner):
            assert room.owner_meeting is not None, "the recording of a meeting that is over"
        assert {each.id for each in site.active()} == (
            set() if room.recording is None else {room.recording.id}
        )

    def teardown(self) -> None:
        if not hasattr(self, "site"):
            return
        self.calm()
        longest = self.site.room.policy.max_duration + self.site.room.policy.max_extend
        self.site.live(2 * longest + 3600.0 + 600.0)
        if not self.site.lost_starts:
            assert not self.site.active(), "something is recorded all night"
            assert set(self.site.results) == set(self.site.asked)


BookedDay.TestCase.settings = courses(60)
TestBookedDay = BookedDay.TestCase


@given(
    bookings=st.lists(
        st.tuples(st.integers(0, 90), st.integers(1, 30)), min_size=1, max_size=40, unique=True
    ),
    grace=st.sampled_from([0.0, 60.0]),
    ends=st.booleans(),
)
@settings(max_examples=25)
def test_a_day_of_bookings(bookings: list[tuple[int, int]], grace: float, ends: bool) -> None:
    """Back to back, overlapping, nested: every minute of every meeting is recorded, no other is."""
    room = BookedRoom(replace(BOOKED, stop_grace=grace, poll_interval=60.0))
    # A room with meetings looks at the clock every ten seconds: the shorter a slot, the shorter the
    # test. This is short enough, and longer than whatever the room waits for between two meetings.
    slot = 120.0
    calendar = sorted((start * slot, (start + length) * slot) for start, length in bookings)
    events = [(start, 1, number) for number, (start, _) in enumerate(calendar)]
    if ends:
        events += [(end, 0, number) for number, (_, end) in enumerate(calendar)]
    for at, is_start, number in sorted(events):
        room.live(at - room.clock)
        start, end = calendar[number]
        if is_start:
            room.meeting(str(number), start, end, title=f"Meeting {number}")
        else:
            room.meeting_end(str(number))
    last = max(end for _, end in calendar)
    room.live(last + grace + 60.0 - room.clock)
    assert room.state is State.IDLE
    assert set(room.results) == set(room.asked)
    recordings = list(room.world.recordings.values())
    assert all(each.title.startswith("Meeting ") for each in recordings)
    for minute in range(0, int(last), 60):
        moment = WALL + minute + 1.0
        running = any(start <= minute < end for start, end in calendar)
        after = any(end <= minute < end + grace for _, end in calendar)
        recorded = sum(
            each.started_at <= moment < (each.stopped_at or moment) for each in recordings
        )
        assert recorded <= 1
        assert recorded == 1 if running else (recorded == 0 or after)
