"""Rooms in every state, and a result, for whatever renders or reads them."""

from dataclasses import replace

from bridge.hmp.commands import RecordingId, RecordingStatus, SessionId
from bridge.room.facts.state import LostStart, Recording, RoomState
from bridge.room.facts.values import Problem, Result
from bridge.room.facts.vocabulary import ALARMS, Outcome, State, Stop, Target
from tests.room.policies import policy_of

__all__ = ["FRESH", "RECORDING", "RECORDING_ID", "RESULT", "ROOMS", "RUNNING", "SESSION", "TALLY"]

SESSION = SessionId("71edd346-2cf0-4c62-b3d3-9d457b287394")
RECORDING_ID = RecordingId("f678f415-0665-48cd-b141-1e95283469f1")
TALLY = dict.fromkeys(State, "blink") | {State.IDLE: "off", State.RECORDING: "red"}

FRESH = RoomState(policy_of(SESSION), link_ready=True, not_ready_since=None)
RECORDING = Recording(
    id=RECORDING_ID,
    session=SESSION,
    started_at=1_700_000_000.4,
    status=RecordingStatus.RECORDING,
    owner="meeting:7",
    verified_at=1_700_000_002.9,
    title='Weekly "é" 🎥',
)
RUNNING = replace(FRESH, recording=RECORDING, target=Target.RECORDING, elapsed=30)

ROOMS = [
    FRESH,
    RUNNING,
    replace(FRESH, link_ready=False),
    replace(FRESH, target=Target.RECORDING),
    replace(RUNNING, target=Target.PAUSED),
    replace(RUNNING, recording=replace(RECORDING, status=RecordingStatus.PAUSED)),
    replace(
        RUNNING,
        target=Target.PAUSED,
        recording=replace(RECORDING, status=RecordingStatus.PAUSED),
    ),
    replace(RUNNING, recording=replace(RECORDING, stop=Stop.WANTED), target=Target.IDLE),
    replace(RUNNING, recording=replace(RECORDING, status=RecordingStatus.ERROR)),
    replace(RUNNING, recording=replace(RECORDING, id=None), alarms=frozenset(ALARMS)),
    replace(RUNNING, recording=replace(RECORDING, unsettled=True, verified_at=None)),
    replace(FRESH, lost_start=LostStart(SESSION, 0.0, 0.0, 0.0)),
    replace(FRESH, problem=Problem("070027", "Insufficient Disk Space", "Make room.")),
]

RESULT = Result(
    id="e1",
    word="stop",
    origin="hmp/room/boardroom/press/stop",
    outcome=Outcome.FAILED,
    state=State.RECORDING,
    problem=Problem("040001", "Active recording not found", "It has ended."),
    took=0.01234,
)
