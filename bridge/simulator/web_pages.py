"""The doings of people in HMP's web pages, past the API's back (E51)."""

from .objects import Recording, RecordingState, Session
from .recording_commands import new_recording
from .world import World

__all__ = [
    "WebPagesError",
    "create_session",
    "delete_recording",
    "delete_session",
    "fail_recording",
    "lose_active_recordings",
    "pause_recording",
    "resume_recording",
    "start_recording",
    "stop_recording",
]


class WebPagesError(ValueError):
    """The web pages would not offer this: no such object, or not in this state."""


def _session(world: World, session_id: str) -> Session:
    try:
        return world.sessions[session_id.lower()]
    except KeyError:
        raise WebPagesError(f"no session {session_id}") from None


def _recording(world: World, recording_id: str, *states: RecordingState) -> Recording:
    recording = world.recordings.get(recording_id.lower())
    if recording is None:
        raise WebPagesError(f"no recording {recording_id}")
    recording.settle(world.now())
    if states and recording.state not in states:
        raise WebPagesError(
            f"recording {recording.id} is {recording.state}, not {' or '.join(states)}"
        )
    return recording


def create_session(world: World, title: str, sources: list[str]) -> Session:
    """Make a session of these sources."""
    for source in sources:
        if source.lower() not in world.sources:
            raise WebPagesError(f"no source {source}")
    session = Session(world.new_id(), title, sources=[source.lower() for source in sources])
    world.sessions[session.id] = session
    return session


def delete_session(world: World, session_id: str) -> None:
    """Delete a session, even one that is being recorded: its recordings end."""
    session = _session(world, session_id)
    for recording in world.active_recordings(session):
        recording.stop(world.now())
    del world.sessions[session.id]


def start_recording(world: World, session_id: str) -> Recording:
    """Start a recording whose id the API's clients do not know."""
    return new_recording(world, _session(world, session_id))


def pause_recording(world: World, recording_id: str) -> None:
    """Pause it."""
    _recording(world, recording_id, RecordingState.RECORDING).pause(world.now())


def resume_recording(world: World, recording_id: str) -> None:
    """Resume it."""
    _recording(world, recording_id, RecordingState.PAUSED).resume(world.now())


def stop_recording(world: World, recording_id: str) -> None:
    """Stop it."""
    _recording(
        world,
        recording_id,
        RecordingState.RECORDING,
        RecordingState.PAUSED,
        RecordingState.ERROR,
    ).stop(world.now())


def delete_recording(world: World, recording_id: str) -> None:
    """Delete it, whatever its state, and end the streams made of it."""
    recording = _recording(world, recording_id)
    del world.recordings[recording.id]
    for stream in [each for each in world.streams.values() if each.recording == recording.id]:
        del world.streams[stream.id]


def fail_recording(world: World, recording_id: str) -> None:
    """Not a person but the encoder: the recording turns ERROR."""
    recording = _recording(world, recording_id, RecordingState.RECORDING, RecordingState.PAUSED)
    recording.fail(world.now())


def lose_active_recordings(world: World, *, forget: bool) -> None:
    """A crash: active recordings are gone without a trace, or in state ERROR."""
    for recording in [each for each in world.recordings.values() if each.active]:
        if forget:
            del world.recordings[recording.id]
        else:
            recording.fail(world.now())
