"""Rooms with a re-stream of their last finished recording, at every stage of one."""

from bridge.hmp.commands import StreamId
from bridge.mqtt.topics import Topics, render_room
from bridge.room.facts.answer import Done
from bridge.room.facts.policy import Policy
from bridge.room.facts.vocabulary import Action, State
from tests.room.policies import policy_of

from .driven import FINISHED, IS_RECORDING, OK, RECORDING_ID, SESSION, STARTED, DrivenRoom, refused

__all__ = [
    "IN_USE",
    "MULTI",
    "NOT_READY",
    "NOT_STOPPED",
    "NO_STREAM",
    "POLICY",
    "START",
    "STOP",
    "STREAMS",
    "STREAM_ID",
    "published",
    "recorded",
    "streaming",
    "without_id",
]

POLICY = policy_of(SESSION, restream_ip="239.1.1.1", restream_port=5000)
STREAM_ID = StreamId("bfdac49c-beb7-4271-8acb-de79f3fd2ddf")
STREAMS = Done(STREAM_ID)
START, STOP = Action.RESTREAM_START, Action.RESTREAM_STOP
IN_USE = refused("010006", "Address or port already in use", "startRestreamRecording")
MULTI = refused("010005", "Only single source recordings can be streamed", START)
NO_STREAM = refused("040003", "Stream not found", "stopRestreamRecording")
NOT_STOPPED = refused("070005", "Error while stopping stream", "stopRestreamRecording")
NOT_READY = refused("070000", "Internal Server Error", "startRestreamRecording")


def recorded(policy: Policy = POLICY) -> DrivenRoom:
    """A room whose recording has finished."""
    room = DrivenRoom(policy)
    room.press(Action.RECORD)
    room.answers(STARTED, IS_RECORDING)
    room.press(Action.STOP)
    room.answers(OK, FINISHED)
    assert room.room.last_recording_id == RECORDING_ID
    return room


def streaming() -> DrivenRoom:
    """A room whose last recording is being re-streamed."""
    room = recorded()
    room.press(START)
    room.answer(STREAMS)
    return room


def without_id() -> DrivenRoom:
    """A re-stream that runs, whose id was lost with the reply to its start."""
    room = recorded()
    room.press(START)
    room.cut()
    room.answer(IN_USE)
    return room


def published(room: DrivenRoom) -> str:
    """The `stream_id` that panels see."""
    return render_room(Topics(), "r", room.room, dict.fromkeys(State, ""))["hmp/room/r/stream_id"]
