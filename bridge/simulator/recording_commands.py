"""The twelve recording commands, once their arguments look right (guide, *Recordings API*).

Each function gets the world and the arguments; it looks things up from left to right, then checks
states, then acts, and raises `Refusal` with the guide's row.
"""

import ipaddress

from . import messages
from .checks import Refusal
from .messages import Row
from .objects import Recording, RecordingState, Session, Stream
from .session_commands import find_session
from .sharing import find_group, find_user, share
from .world import World

__all__ = [
    "add_hotmark",
    "get_recording_status",
    "new_recording",
    "pause_recording",
    "resume_recording",
    "set_category",
    "share_recording_with_group",
    "share_recording_with_user",
    "start_recording",
    "start_restream_recording",
    "stop_recording",
    "stop_restream_recording",
    "update_metadata",
]


def new_recording(world: World, session: Session) -> Recording:
    """Start recording the session, whoever asked for it; the title is the session's (E28)."""
    now = world.now()
    recording = Recording(
        world.new_id(),
        session.id,
        f"{session.title} - {world.date_and_time()}",
        now,
        tuple(session.sources),
        session.description,
        running_since=now,
        ends_at=now + world.knobs.max_recording * 3600 if world.knobs.max_recording else None,
    )
    world.recordings[recording.id] = recording
    session.recordings.append(recording.id)
    return recording


def start_recording(world: World, arguments: list[str]) -> str:
    """startRecording: one recording of all sources; a second one runs beside the first (E23)."""
    session = find_session(world, arguments[0])
    if not session.sources:
        raise Refusal(messages.NO_SOURCE)
    if world.knobs.second_start == "060003" and world.active_recordings(session):
        # Not in the guide's table for this command; the text is the one of the source commands.
        raise Refusal(messages.ACTIVE_RECORDING_IN_PROGRESS)
    if session.broken:
        raise Refusal(messages.INTERNAL_SERVER_ERROR)
    fails_at = None
    if world.faults:
        if world.faults.take("disk_full", "startRecording"):
            raise Refusal(messages.DISK_FULL)
        if world.faults.take("write_error", "startRecording"):
            raise Refusal(messages.WRITE_ERROR)
        if fault := world.faults.take("recording_error", "startRecording"):
            fails_at = world.now() + fault.number
    recording = new_recording(world, session)
    recording.fails_at = fails_at
    return recording.id


def _find(world: World, recording_id: str, otherwise: Row) -> Recording:
    recording = world.recordings.get(recording_id.lower())
    if recording is None:
        raise Refusal(otherwise)
    recording.settle(world.now())
    return recording


def _set_running(world: World, recording_id: str, *, running: bool) -> None:
    recording = _find(world, recording_id, messages.ACTIVE_RECORDING_NOT_FOUND)
    if not recording.active:
        raise Refusal(messages.ACTIVE_RECORDING_NOT_FOUND)
    if recording.broken:
        raise Refusal(messages.STATE_NOT_UPDATED)
    if running != (recording.state is RecordingState.RECORDING):
        now = world.now()
        (recording.resume if running else recording.pause)(now)
    elif world.knobs.pause_when_paused == "040001":
        raise Refusal(messages.ACTIVE_RECORDING_NOT_FOUND)
    elif world.knobs.pause_when_paused == "070003":
        raise Refusal(messages.STATE_NOT_UPDATED)


def pause_recording(world: World, arguments: list[str]) -> None:
    """pauseRecording."""
    _set_running(world, arguments[0], running=False)


def resume_recording(world: World, arguments: list[str]) -> None:
    """resumeRecording."""
    _set_running(world, arguments[0], running=True)


def stop_recording(world: World, arguments: list[str]) -> None:
    """stopRecording: of one in ERROR too (E33)."""
    recording = _find(world, arguments[0], messages.ACTIVE_RECORDING_NOT_FOUND)
    if recording.state is RecordingState.FINISHED:
        raise Refusal(messages.ACTIVE_RECORDING_NOT_FOUND)
    if recording.broken:
        raise Refusal(messages.STOP_FAILED)
    recording.stop(world.now())


def get_recording_status(world: World, arguments: list[str]) -> str:
    """getRecordingStatus: of a finished one as the knobs have it (E22)."""
    knobs = world.knobs
    unknown = (
        messages.STATUS_NOT_FOUND
        if knobs.status_of_unknown == "070003"
        else messages.ACTIVE_RECORDING_NOT_FOUND
    )
    recording = _find(world, arguments[0], unknown)
    if recording.stopped_at is None:
        return _word(world, recording.state)
    finished_for = world.now() - recording.stopped_at - knobs.stop_takes
    if finished_for < 0:
        return _word(world, recording.before_stop)
    if knobs.status_after_stop == "070003":
        raise Refusal(messages.STATUS_NOT_FOUND)
    word, _, seconds = knobs.status_after_stop.partition(":")
    if word == "040001" or (seconds and finished_for >= float(seconds)):
        raise Refusal(messages.ACTIVE_RECORDING_NOT_FOUND)
    return recording.state.value


def _word(world: World, state: RecordingState) -> str:
    """The word for a state that is not the end (E54)."""
    match world.knobs.status_word:
        case "guide":
            return state.value
        case "lower":
            return state.value.lower()
        case word:
            return word


def share_recording_with_user(world: World, arguments: list[str]) -> None:
    """shareRecordingWithUser."""
    name, permission, recording_id = arguments
    user = find_user(world, name)
    recording = _find(world, recording_id, messages.RECORDING_NOT_FOUND)
    share(world, recording, permission, user)


def share_recording_with_group(world: World, arguments: list[str]) -> None:
    """shareRecordingWithGroup."""
    name, permission, recording_id = arguments
    group = find_group(world, name)
    recording = _find(world, recording_id, messages.RECORDING_NOT_FOUND)
    share(world, recording, permission, group)


def update_metadata(world: World, arguments: list[str]) -> None:
    """updateMetadata: in every state (E27)."""
    recording_id, name, value = arguments
    recording = _find(world, recording_id, messages.RECORDING_NOT_FOUND)
    if recording.no_results:
        raise Refusal(messages.NO_RESULTS)
    if recording.broken:
        raise Refusal(messages.RECORDING_NOT_UPDATED)
    setattr(recording, name, value)


def set_category(world: World, arguments: list[str]) -> None:
    """setCategory: the values take the place of those that were set before (E24)."""
    recording_id, category_id, *values = arguments
    recording = _find(world, recording_id, messages.RECORDING_NOT_FOUND)
    if category_id.lower() not in world.categories:
        raise Refusal(messages.CATEGORY_NOT_FOUND)
    if recording.no_results:
        raise Refusal(messages.NO_RESULTS)
    recording.categories[category_id.lower()] = values


def add_hotmark(world: World, arguments: list[str]) -> None:
    """addHotmark: one for each second of recorded time, so one in a whole pause (E26)."""
    recording_id, title = arguments
    recording = _find(world, recording_id, messages.RECORDING_NOT_FOUND)
    if not recording.active:
        raise Refusal(messages.NOT_AN_ACTIVE_RECORDING, recording_id)
    if recording.broken:
        raise Refusal(messages.RECORDING_NOT_LOCATED)
    second = int(recording.recorded(world.now()))
    if second in recording.hotmarks:
        raise Refusal(messages.HOTMARK_EXISTS)
    recording.hotmarks[second] = title


def start_restream_recording(world: World, arguments: list[str]) -> str:
    """startRestreamRecording: of a finished recording with one source (E31)."""
    recording_id, address_text, port_text = arguments
    recording = _find(world, recording_id, messages.RECORDING_NOT_FOUND)
    stopped_at = recording.stopped_at
    finished = stopped_at is not None and world.now() >= stopped_at + world.knobs.stop_takes
    if not finished and world.knobs.restream_unfinished != "ok":
        raise Refusal(messages.RECORDING_NOT_FOUND)
    if len(recording.sources) != 1:
        raise Refusal(messages.NOT_SINGLE_SOURCE)
    # One spelling per address, so that ::1 and 0:0:0:0:0:0:0:1 collide.
    address, port = str(ipaddress.ip_address(address_text)), int(port_text)
    if any((each.address, each.port) == (address, port) for each in world.sources.values()):
        raise Refusal(messages.ADDRESS_IN_USE_BY_SOURCE)
    if any((each.address, each.port) == (address, port) for each in world.streams.values()):
        raise Refusal(messages.ADDRESS_IN_USE)
    if recording.broken:
        raise Refusal(messages.STREAM_NOT_STARTED)
    stream = Stream(world.new_id(), recording.id, address, port)
    world.streams[stream.id] = stream
    return stream.id


def stop_restream_recording(world: World, arguments: list[str]) -> None:
    """stopRestreamRecording."""
    stream = world.streams.get(arguments[0].lower())
    if stream is None:
        raise Refusal(messages.STREAM_NOT_FOUND)
    if stream.broken:
        raise Refusal(messages.STREAM_NOT_STOPPED)
    del world.streams[stream.id]
