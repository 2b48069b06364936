"""Any course of events at a room that makes a session for each recording.

What is promised of every room holds (`RoomAtAnHmp`); and here a lost reply leaves nothing to guess:
no recording of a lost start runs on unseen, at most one session is left over for each createSession
whose reply was lost, and none at all for any other reason where sessions are to be removed.
"""

import hypothesis.strategies as st
import pytest
from hypothesis.stateful import initialize, invariant, precondition, rule

from bridge.hmp.commands import SourceId
from bridge.room.facts.policy import Policy
from bridge.room.facts.vocabulary import Action, Goal, State, StepKind
from bridge.simulator.objects import Recording
from tests.room.policies import policy_of

from .site import Site, courses
from .test_stateful import KNOBS, RoomAtAnHmp

pytestmark = pytest.mark.timeout(600)  # a hundred courses of events, on a busy machine

SOURCES = (
    SourceId("b86befc3-7b44-4655-852f-21a77935d110"),
    SourceId("5d0c5b4e-3f0a-4f6f-9d6b-0d6b1f5f3a01"),
)


class SiteOfSources(Site):
    """A site whose room has sources instead of a session."""

    def __init__(self, policy: Policy, knobs: dict[str, object]) -> None:
        self.given: set[str] | None = None
        self.lost_sessions = 0
        super().__init__(policy, knobs)
        self.given = set(self.world.sessions)

    @property
    def made(self) -> list[str]:
        """The sessions that the room has made and HMP still has."""
        return [each for each in self.world.sessions if each not in (self.given or ())]

    def active(self) -> list[Recording]:
        """What HMP is recording in sessions that the room has made."""
        sessions = [self.world.sessions[each] for each in self.made]
        return [each for session in sessions for each in self.world.active_recordings(session)]

    def lose_connection(self, *, answer_first: bool, late: float | None = None) -> None:
        """A reply may be on its way."""
        if self.written and self.step is StepKind.CREATE_SESSION:
            self.lost_sessions += 1
        super().lose_connection(answer_first=answer_first, late=late)

    def power_cut(self, *, late: float | None) -> None:
        """The bridge is killed, whatever is under way, and starts again with its journal."""
        step = self.room.busy
        executed = self.reply is not None
        if self.written:
            self.lose_connection(answer_first=False, late=None if executed else late)
        elif step is not None and step.kind is StepKind.CREATE_SESSION:
            self.lost_sessions += 1  # journalled, and for all that the journal knows sent
        elif step is not None and step.kind is StepKind.START:
            self.lose_start()
        self.connected = False
        self._probe_at = None
        self.kill()


class RoomWithSources(RoomAtAnHmp):
    """The same events, and kills."""

    site: SiteOfSources

    @initialize(
        knobs=KNOBS,
        restart_lost=st.booleans(),
        restart_interrupted=st.booleans(),
        delete=st.booleans(),
        sources=st.integers(1, 2),
    )
    def begin(
        self,
        knobs: dict[str, object],
        restart_lost: bool,
        restart_interrupted: bool,
        delete: bool,
        sources: int,
    ) -> None:
        policy = policy_of(
            None,
            sources=SOURCES[:sources],
            delete_session=delete,
            restart_lost_start=restart_lost,
            restart_interrupted=restart_interrupted,
            restream_ip="239.1.1.1",
            restream_port=5000,
        )
        self.site = SiteOfSources(policy, knobs)
        self.upsets = 0

    @rule(late=st.none() | st.sampled_from([0.2, 5.0]))
    def power_cut(self, late: float | None) -> None:
        self.site.power_cut(late=late)

    @precondition(lambda self: self.site.connected)
    @rule(
        action=st.sampled_from([Action.RESTREAM_START, Action.RESTREAM_STOP]),
        executed=st.booleans(),
        killed=st.booleans(),
    )
    def lose_a_reply_about_a_stream(self, action: Action, executed: bool, killed: bool) -> None:
        """A recording is made and ended; the reply to what is then asked is lost."""
        site = self.site
        for before in (Action.RECORD, Action.STOP):
            site.press(before)
            site.live(1.0)
        self._lose_the_reply_to(action, executed=executed, killed=killed)

    @precondition(lambda self: self.site.connected)
    @rule(executed=st.booleans(), killed=st.booleans(), step=st.integers(0, 4))
    def lose_a_reply_on_the_way(self, executed: bool, killed: bool, step: int) -> None:
        """`record` is pressed, and the reply to one of its commands is lost."""
        self._lose_the_reply_to(Action.RECORD, step, executed=executed, killed=killed)

    def _lose_the_reply_to(
        self, action: Action, step: int = 0, *, executed: bool, killed: bool
    ) -> None:
        site = self.site
        site.press(action)
        for _ in range(step):
            if site.waits:
                site.write()
                site.execute()
                site.deliver()
        if site.waits:
            site.write()
            if executed:
                site.execute()
        if killed:
            site.power_cut(late=None)
        elif site.connected:
            site.lose_connection(answer_first=False)
        site.connect()
        site.live(0.5)

    @invariant()
    def at_most_one_recording_beside_the_reported(self) -> None:
        assert len(self.site.active()) <= 1 + len(self.site.reported)

    def may_wait(self) -> set[str | int]:
        """A re-stream waits for the end of the recording, and while nobody knows of one."""
        room = self.site.room
        if room.recording is None and room.lost_start is None:
            return set()
        return {each.request.id for each in room.pending if each.goal is Goal.RESTREAM}

    @rule()
    def calm(self) -> None:
        super().calm()
        site, room = self.site, self.site.room
        if room.state is State.IDLE:
            assert not {each.id for each in site.active()} & site.orphans
            assert room.session is None
        in_use = room.session
        if room.policy.delete_session:
            left = [each for each in site.made if each != in_use]
            recorded = {each.session for each in site.active()}
            assert len([each for each in left if each not in recorded]) <= site.lost_sessions
        self._streams_are_known()
        titles = [site.world.sessions[each].title for each in site.made]
        assert len(titles) == len(set(titles))

    def _streams_are_known(self) -> None:
        streams, held = self.site.world.streams, self.site.room.restream
        assert len(streams) <= 1
        if held is None:
            assert not streams or self.upsets, "a stream that nobody knows of"
        elif held.id is not None:
            assert held.id in streams


RoomWithSources.TestCase.settings = courses(60)
TestRoomWithSources = RoomWithSources.TestCase
