"""The 21 commands as data: how many arguments, what each must look like, what carries it out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from . import messages, recording_commands, session_commands
from .checks import (
    Check,
    anything,
    boolean,
    field_name,
    ip_address,
    lower_case_uuid,
    port_number,
    recording_permission,
    session_permission,
    session_title,
    uuid,
)
from .messages import Row
from .world import World

__all__ = ["ALIASES", "COMMANDS", "Command"]


@dataclass(frozen=True, slots=True)
class Command:
    """One command.

    `arity` is the row for a wrong number of arguments. `act` gets the checked arguments, returns
    the value after ``OK|`` or None for a plain ``OK``, and raises `Refusal`. `with_values`: one or
    more category values follow the checked arguments.
    """

    arity: Row
    checks: tuple[Check, ...]
    act: Callable[[World, list[str]], str | None]
    with_values: bool = False


#: The name in the guide's introduction that its reference does not have (E16).
ALIASES: Final[Mapping[str, str]] = {"shareRecording": "shareRecordingWithUser"}

COMMANDS: Final[Mapping[str, Command]] = {
    "createSession": Command(
        messages.EXPECTED_1, (session_title,), session_commands.create_session
    ),
    "setLiveSession": Command(
        messages.EXPECTED_2, (lower_case_uuid, boolean), session_commands.set_live_session
    ),
    "deleteSession": Command(
        messages.EXPECTED_1, (lower_case_uuid,), session_commands.delete_session
    ),
    "addSourceToSession": Command(
        messages.EXPECTED_2, (uuid, uuid), session_commands.add_source_to_session
    ),
    "removeSourceFromSession": Command(
        messages.EXPECTED_2,
        (lower_case_uuid, lower_case_uuid),
        session_commands.remove_source_from_session,
    ),
    "shareSessionWithUser": Command(
        messages.EXPECTED_3,
        (anything, session_permission, uuid),
        session_commands.share_session_with_user,
    ),
    "shareSessionWithGroup": Command(
        messages.EXPECTED_3,
        (anything, session_permission, uuid),
        session_commands.share_session_with_group,
    ),
    "updateSessionMetadata": Command(
        messages.EXPECTED_3,
        (uuid, field_name, anything),
        session_commands.update_session_metadata,
    ),
    "setSessionCategory": Command(
        messages.EXPECTED_3,
        (uuid, uuid),
        session_commands.set_session_category,
        with_values=True,
    ),
    "startRecording": Command(messages.EXPECTED_1, (uuid,), recording_commands.start_recording),
    "pauseRecording": Command(messages.EXPECTED_1, (uuid,), recording_commands.pause_recording),
    "resumeRecording": Command(messages.EXPECTED_1, (uuid,), recording_commands.resume_recording),
    "stopRecording": Command(messages.EXPECTED_1, (uuid,), recording_commands.stop_recording),
    "getRecordingStatus": Command(
        messages.EXPECTED_1, (uuid,), recording_commands.get_recording_status
    ),
    "shareRecordingWithUser": Command(
        messages.EXPECTED_3,
        (anything, recording_permission, uuid),
        recording_commands.share_recording_with_user,
    ),
    "shareRecordingWithGroup": Command(
        messages.EXPECTED_3,
        (anything, recording_permission, uuid),
        recording_commands.share_recording_with_group,
    ),
    "updateMetadata": Command(
        messages.EXPECTED_3, (uuid, field_name, anything), recording_commands.update_metadata
    ),
    "setCategory": Command(
        messages.EXPECTED_AT_LEAST_3,
        (uuid, uuid),
        recording_commands.set_category,
        with_values=True,
    ),
    "addHotmark": Command(
        messages.EXPECTED_2_PARAMETERS, (uuid, anything), recording_commands.add_hotmark
    ),
    # The guide has no 010003 row for these two; the general one says X for the number (E11).
    "startRestreamRecording": Command(
        messages.EXPECTED_3,
        (uuid, ip_address, port_number),
        recording_commands.start_restream_recording,
    ),
    "stopRestreamRecording": Command(
        messages.EXPECTED_1, (uuid,), recording_commands.stop_restream_recording
    ),
}
