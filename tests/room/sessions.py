"""Rooms that make a session for each recording, at every stage of one."""

from dataclasses import replace

from bridge.hmp.commands import CreateSession, SessionId, SourceId
from bridge.mqtt.topics import Topics, render_room
from bridge.room.facts.answer import Done
from bridge.room.facts.policy import Policy
from bridge.room.facts.vocabulary import Action, State
from tests.room.policies import policy_of

from .driven import FINISHED, IS_RECORDING, OK, STARTED, DrivenRoom, refused

__all__ = [
    "CAMERA",
    "CREATED",
    "CREATED_AGAIN",
    "GONE",
    "KEEPS",
    "MADE",
    "POLICY",
    "RECORDS",
    "SECOND",
    "SLIDES",
    "lost_start",
    "recording",
    "session_id",
    "starting",
    "stopped",
    "title",
    "unwanted",
]

CAMERA = SourceId("b86befc3-7b44-4655-852f-21a77935d110")
SLIDES = SourceId("c1d5a6f0-7b44-4655-852f-21a77935d110")
MADE = SessionId("0a0a0a0a-0cf0-4c62-b3d3-9d457b287394")
SECOND = SessionId("0b0b0b0b-0cf0-4c62-b3d3-9d457b287394")
POLICY = policy_of(None, sources=(CAMERA, SLIDES), delete_session=True, session_title="Boardroom")
KEEPS = replace(POLICY, delete_session=False)
CREATED, CREATED_AGAIN = Done(MADE), Done(SECOND)
RECORDS = refused("060003", "Recording currently in progress", "deleteSession")
GONE = refused("040006", "Session not found", "deleteSession")


def starting(policy: Policy = POLICY) -> DrivenRoom:
    """`record` was pressed: the session is on its way."""
    room = DrivenRoom(policy)
    room.press(Action.RECORD)
    return room


def recording(policy: Policy = POLICY) -> DrivenRoom:
    """HMP records in the session that was made."""
    room = starting(policy)
    room.answers(CREATED, OK, OK, STARTED, IS_RECORDING)
    return room


def stopped(policy: Policy = POLICY) -> DrivenRoom:
    """The recording has ended; its session is of no use any more."""
    room = recording(policy)
    room.press(Action.STOP)
    room.answers(OK, FINISHED)
    return room


def lost_start(policy: Policy = POLICY) -> DrivenRoom:
    """The reply to the start was lost; the link is back."""
    room = starting(policy)
    room.answers(CREATED, OK, OK)
    room.cut()
    return room


def session_id(room: DrivenRoom) -> str:
    """As it is published."""
    words = dict.fromkeys(State, "")
    return render_room(Topics(), "r", room.room, words)["hmp/room/r/session_id"]


def title(room: DrivenRoom) -> str:
    """The title of the session that is being made."""
    command = room.command()
    assert isinstance(command, CreateSession)
    return command.title


def unwanted(room: DrivenRoom) -> list[str]:
    """The sessions that are to be removed."""
    return [each.id for each in room.room.sessions.unwanted]
