"""The nine session commands, once their arguments look right (guide, *Sessions API*).

Each function gets the world and the arguments; it looks things up from left to right, then checks
states, then acts, and raises `Refusal` with the guide's row.
"""

from . import messages
from .checks import Refusal
from .objects import Session
from .sharing import find_group, find_user, share
from .world import World

__all__ = [
    "add_source_to_session",
    "create_session",
    "delete_session",
    "find_session",
    "remove_source_from_session",
    "set_live_session",
    "set_session_category",
    "share_session_with_group",
    "share_session_with_user",
    "update_session_metadata",
]


def find_session(world: World, session_id: str) -> Session:
    """The session of that id, in either case."""
    session = world.sessions.get(session_id.lower())
    if session is None:
        raise Refusal(messages.SESSION_NOT_FOUND)
    return session


def create_session(world: World, arguments: list[str]) -> str:
    """createSession: titles need not be unique; not live by default."""
    session = Session(world.new_id(), arguments[0])
    world.sessions[session.id] = session
    return session.id


def set_live_session(world: World, arguments: list[str]) -> None:
    """setLiveSession."""
    session_id, active = arguments
    find_session(world, session_id).live = active == "true"


def delete_session(world: World, arguments: list[str]) -> None:
    """deleteSession: its recordings stay."""
    session = find_session(world, arguments[0])
    if world.active_recordings(session):
        raise Refusal(messages.RECORDING_IN_PROGRESS)
    if session.broken:
        raise Refusal(messages.INTERNAL_SERVER_ERROR)
    del world.sessions[session.id]


def _refuse_while_recording(world: World, session: Session, moment: str) -> None:
    if world.knobs.active_check == moment and world.active_recordings(session):
        raise Refusal(messages.ACTIVE_RECORDING_IN_PROGRESS)


def add_source_to_session(world: World, arguments: list[str]) -> None:
    """addSourceToSession: up to four (E29)."""
    session_id, source_id = arguments
    session = find_session(world, session_id)
    _refuse_while_recording(world, session, "before")
    source = world.sources.get(source_id.lower())
    if source is None:
        raise Refusal(messages.SOURCE_NOT_FOUND)
    _refuse_while_recording(world, session, "after")
    if source.id in session.sources:
        raise Refusal(messages.SOURCE_ALREADY_ADDED)
    if source.broken or len(session.sources) >= world.knobs.most_sources:
        raise Refusal(messages.TRACK_NOT_CREATED)
    session.sources.append(source.id)


def remove_source_from_session(world: World, arguments: list[str]) -> None:
    """removeSourceFromSession: one not in the session is not found, the last may go (E30)."""
    session_id, source_id = arguments
    session = find_session(world, session_id)
    _refuse_while_recording(world, session, "before")
    if source_id.lower() not in session.sources:
        raise Refusal(messages.SOURCE_NOT_FOUND)
    _refuse_while_recording(world, session, "after")
    if session.broken:
        raise Refusal(messages.INTERNAL_SERVER_ERROR)
    session.sources.remove(source_id.lower())


def share_session_with_user(world: World, arguments: list[str]) -> None:
    """shareSessionWithUser."""
    name, permission, session_id = arguments
    user = find_user(world, name)
    share(world, find_session(world, session_id), permission, user)


def share_session_with_group(world: World, arguments: list[str]) -> None:
    """shareSessionWithGroup."""
    name, permission, session_id = arguments
    group = find_group(world, name)
    share(world, find_session(world, session_id), permission, group)


def update_session_metadata(world: World, arguments: list[str]) -> None:
    """updateSessionMetadata."""
    session_id, name, value = arguments
    session = find_session(world, session_id)
    if session.broken:
        raise Refusal(messages.INTERNAL_SERVER_ERROR)
    setattr(session, name, value)


def set_session_category(world: World, arguments: list[str]) -> None:
    """setSessionCategory: the values take the place of those that were set before (E24)."""
    session_id, category_id, *values = arguments
    session = find_session(world, session_id)
    if category_id.lower() not in world.categories:
        raise Refusal(messages.CATEGORY_NOT_FOUND)
    session.categories[category_id.lower()] = values
