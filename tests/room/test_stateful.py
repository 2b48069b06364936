"""Any course of events at one room, and what must be true all the while and after every calm.

Presses, web pages, lost connections at every point of an exchange, HMPs that answer late, refuse,
forget and fail: the model drives a simulated world (`Site`), and Hypothesis looks for a course that
breaks a promise. While it runs, `DrivenRoom` and `Site` watch that no request gets two results,
that no recording is let go that still runs, and that HMP is not asked without end.
"""

import hypothesis.strategies as st
import pytest
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bridge.hmp.commands import RecordingId
from bridge.hmp.errors import Refused
from bridge.mqtt.topics import Topics, render_room
from bridge.room.facts.vocabulary import Action, Alarm, Outcome, State, StepKind, Target
from bridge.simulator.objects import RecordingState
from tests.room.policies import policy_of

from .driven import OTHER_ID, POLICY
from .site import Site, courses

pytestmark = pytest.mark.timeout(600)  # a hundred courses of events, on a busy machine

PRESSES = st.sampled_from([action for action in Action if action is not Action.ADOPT])
SECONDS = st.sampled_from([0.1, 0.5, 1.0, 2.0, 6.0, 31.0, 130.0])
FAULTS = st.sampled_from(
    [
        "error:*:070000:seconds=10",
        "error:startRecording:070000:count=1",
        "error:pauseRecording:070003:count=1",
        "error:resumeRecording:070003:count=1",
        "error:stopRecording:070003:count=1",
        "error:getRecordingStatus:070000:count=1",
        "error:getRecordingStatus:040001:count=1",
        "error:getRecordingStatus:040001:count=3",
        "error:stopRecording:040001:count=1",
        "error:removeSourceFromSession:040006:count=1",
        "disk_full:startRecording:count=1",
        "write_error:startRecording:count=1",
        "recording_error:startRecording:3:count=1",
    ]
)
KNOBS = st.fixed_dictionaries(
    {
        "status_after_stop": st.sampled_from(["finished", "040001", "070003", "finished_for:1"]),
        "status_of_unknown": st.sampled_from(["040001", "070003"]),
        "stop_takes": st.sampled_from([0, 1.5]),
        "second_start": st.sampled_from(["new", "060003"]),
        "pause_when_paused": st.sampled_from(["ok", "040001", "070003"]),
        "active_check": st.sampled_from(["before", "after"]),
    }
)
TALLY = {
    State.IDLE: "off",
    State.STARTING: "blink",
    State.RECORDING: "red",
    State.PAUSING: "blink",
    State.PAUSED: "amber",
    State.RESUMING: "blink",
    State.STOPPING: "blink",
    State.ERROR: "fault",
    State.UNKNOWN: "fault",
}
#: recording and paused by state, None where it is what was last known.
FLAGS: dict[State, tuple[bool | None, bool | None]] = {
    State.IDLE: (False, False),
    State.STARTING: (False, False),
    State.RECORDING: (True, False),
    State.PAUSING: (True, False),
    State.PAUSED: (True, True),
    State.RESUMING: (True, True),
    State.STOPPING: (True, None),
    State.ERROR: (True, None),
    State.UNKNOWN: (None, None),
}


class RoomAtAnHmp(RuleBasedStateMachine):
    """Events in any order. `calm` ends a course, and may come at any point of it."""

    @initialize(knobs=KNOBS, restart_lost=st.booleans(), restart_interrupted=st.booleans())
    def begin(
        self, knobs: dict[str, object], restart_lost: bool, restart_interrupted: bool
    ) -> None:
        policy = policy_of(
            POLICY.session,
            restart_lost_start=restart_lost,
            restart_interrupted=restart_interrupted,
        )
        self.site = Site(policy, knobs)
        self.upsets = 0

    # -- people ----------------------------------------------------------------------------------

    @rule(action=PRESSES)
    def press(self, action: Action) -> None:
        self.site.press(action)

    @rule(action=PRESSES)
    def press_and_see(self, action: Action) -> None:
        self.site.press(action)
        if self.site.connected:
            self.site.flow()

    @rule()
    def record_with_a_title(self) -> None:
        self.site.press(Action.RECORD, title="Weekly")

    @rule(pick=st.integers(0, 5))
    def adopt(self, pick: int) -> None:
        ids = [RecordingId(each) for each in self.site.world.recordings] or [OTHER_ID]
        self.site.press(Action.ADOPT, recording_id=ids[pick % len(ids)])

    @rule(
        what=st.sampled_from(["pause", "resume", "stop", "fail", "delete"]), pick=st.integers(0, 3)
    )
    def web_pages(self, what: str, pick: int) -> None:
        active = self.site.active()
        if not active:
            return
        chosen = active[pick % len(active)]
        if what == "pause" and chosen.state is not RecordingState.RECORDING:
            return
        if what == "resume" and chosen.state is not RecordingState.PAUSED:
            return
        self.upsets += 1
        self.site.in_web_pages(what, RecordingId(chosen.id))

    # -- the link --------------------------------------------------------------------------------

    @precondition(lambda self: self.site.waits)
    @rule()
    def write(self) -> None:
        self.site.write()

    @precondition(lambda self: self.site.written and self.site.reply is None)
    @rule()
    def execute(self) -> None:
        self.site.execute()

    @precondition(lambda self: self.site.reply is not None)
    @rule()
    def deliver(self) -> None:
        self.site.deliver()

    @precondition(lambda self: self.site.connected)
    @rule(answer_first=st.booleans(), late=st.none() | st.sampled_from([0.2, 5.0, 25.0, 40.0]))
    def lose_connection(self, answer_first: bool, late: float | None) -> None:
        self.site.lose_connection(answer_first=answer_first, late=late)

    @precondition(lambda self: self.site.connected)
    @rule(
        action=st.sampled_from([Action.RECORD, Action.STOP, Action.PAUSE, Action.RESUME]),
        executed=st.booleans(),
        answer_first=st.booleans(),
        late=st.none() | st.sampled_from([0.2, 5.0, 25.0, 40.0]),
        away=st.sampled_from([0.0, 1.0, 40.0]),
    )
    def lose_a_reply(
        self,
        action: Action,
        executed: bool,
        answer_first: bool,
        late: float | None,
        away: float,
    ) -> None:
        site = self.site
        site.flow()
        site.press(action)
        if site.waits:
            site.write()
            if executed:
                site.execute()
        site.lose_connection(answer_first=answer_first, late=late)
        site.live(away)
        site.connect()
        site.live(0.5)

    @precondition(lambda self: not self.site.connected)
    @rule()
    def connect(self) -> None:
        self.site.connect()

    @rule(fault=FAULTS)
    def hmp_has_troubles(self, fault: str) -> None:
        self.upsets += 1
        self.site.fault(fault)

    @rule(word=st.sampled_from(["guide", "lower", "FINALIZING"]))
    def hmp_speaks_otherwise(self, word: str) -> None:
        self.site.speak(word)

    # -- time ------------------------------------------------------------------------------------

    @rule(seconds=SECONDS)
    def live(self, seconds: float) -> None:
        self.site.live(seconds)

    @rule(seconds=SECONDS)
    def hmp_is_slow(self, seconds: float) -> None:
        self.site.live(min(seconds, 29.0), answering=False)

    # -- what must be true -----------------------------------------------------------------------

    @invariant()
    def published_values_agree(self) -> None:
        room = self.site.room
        recording, paused = FLAGS[room.state]
        assert recording in (None, room.active)
        assert paused in (None, room.paused)
        assert not (room.paused and not room.active)
        values = render_room(Topics(), "r", room, TALLY)
        assert values["hmp/room/r/tally"] == TALLY[room.state]

    @invariant()
    def starts_are_accounted_for(self) -> None:
        """A start needs a press, a lost start's one restart, or an upset in HMP (R25).

        One that HMP refused is tried again while its meeting runs.
        """
        site = self.site
        starts = site.sent.count(StepKind.START)
        again = site.lost_starts + sum(isinstance(each, Refused) for each in site.starts_answered)
        assert starts <= len(site.asked) + again + 30 * self.upsets

    @rule()
    def calm(self) -> None:
        """Everything works for two minutes: nothing is left over, and the light tells the truth."""
        site = self.site
        sent = len(site.sent)
        assert site.calm(120.0) <= self.may_wait(), "a request without a result"
        assert len(site.sent) - sent < 3 * 120
        self._published_is_true()

    def may_wait(self) -> set[str | int]:
        """Requests that wait for more than calm."""
        return set()

    def _published_is_true(self) -> None:
        site, room = self.site, self.site.room
        recording, known = room.recording, site.known()
        assert not room.stale
        match room.state:
            case State.IDLE:
                assert room.target is Target.IDLE
                assert not {each.id for each in site.active()} & site.told
                if site.world.knobs.active_check == "before":
                    assert not {each.id for each in site.active()} & site.orphans - site.hidden
            case State.RECORDING if recording is not None and recording.id is None:
                assert site.active(), "HMP was said to record"
                assert Alarm.OUTCOME_UNKNOWN in room.alarms
            case State.RECORDING:
                assert known is not None
                assert known.state is RecordingState.RECORDING
            case State.PAUSED:
                assert known is not None
                assert known.state is RecordingState.PAUSED
            case State.ERROR:
                if known is not None and known.state is not RecordingState.ERROR:
                    # Stopped in the web pages of an HMP that does not tell that from lost (E22).
                    assert known.state is RecordingState.FINISHED
                    assert site.world.knobs.status_after_stop != "finished"
                assert Alarm.RECORDING_ERROR in room.alarms
            case State.UNKNOWN:
                assert Alarm.OUTCOME_UNKNOWN in room.alarms
                if known is not None:
                    assert not known.active
                    assert site.world.knobs.status_after_stop != "finished"
                else:
                    assert room.lost_start is not None or room.recording is not None
            case other:
                raise AssertionError(f"{other} does not last")

    def teardown(self) -> None:
        if hasattr(self, "site"):
            self.calm()
            # A stop that everybody agrees on is carried out, whatever came before.
            held = self.site.known()
            request_id = self.site.press(Action.STOP)
            self.calm()
            if held is not None and self.site.outcome(request_id) is not Outcome.FAILED:
                assert held.state is not RecordingState.RECORDING
                assert held.state is not RecordingState.PAUSED


RoomAtAnHmp.TestCase.settings = courses(100)
TestRoomAtAnHmp = RoomAtAnHmp.TestCase
