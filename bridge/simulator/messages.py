"""Every error that HMP's guide prints, command by command, in the guide's own words.

`MESSAGES` maps a command's name to its rows in the order of the guide's table, `GENERAL_MESSAGES`
holds the rows that any command may answer. A row is ``(code, message)``; the letters Y and Z (and
X) in a message are the guide's place holders and are filled in by `fill`.

The inconsistencies are the guide's and are kept on purpose: ``uuid`` and ``UUID`` (E10), four ways
to say how many parameters were expected (E11), three meanings of 070003 (E12), three ways to say
that there is no such recording (E13), two texts for 060003 (E14), seven digits in 0700014 (E8).
The restream commands have no row for 010003; there the general row applies with their own numbers.
"""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

__all__ = ["GENERAL_MESSAGES", "MESSAGES", "Row", "fill"]


class Row(NamedTuple):
    """One error as the guide prints it."""

    code: str
    message: str


UNKNOWN_ERROR: Final = Row("000000", "Unknown Error")
SYNTAX_ERROR: Final = Row("000001", "Syntax Error")
COMMAND_NOT_FOUND: Final = Row("000002", "Command not found")
NOT_AUTHORIZED: Final = Row("020000", "Not Authorized")
INTERNAL_SERVER_ERROR: Final = Row("070000", "Internal Server Error")
BUS_CLIENT_ERROR: Final = Row("070006", "Bus client error")
BUS_RESPONSE_PARSING_ERROR: Final = Row("070007", "Bus response parsing error")
NO_BUS_CONNECTION: Final = Row("090001", "No bus connection")

EXPECTED_1: Final = Row("010003", "Expected 1 parameter(s). Got Y parameter(s)")
EXPECTED_2: Final = Row("010003", "Expected 2 parameter(s). Got Y parameter(s)")
EXPECTED_3: Final = Row("010003", "Expected 3 parameter(s). Got Y parameter(s)")
EXPECTED_AT_LEAST_3: Final = Row("010003", "Expected at least 3 parameters. Got Y parameter(s)")
EXPECTED_2_PARAMETERS: Final = Row("010003", "Expected 2 parameters. Got Y parameter(s)")

NOT_A_UUID: Final = Row("010001", "'Y' is not a UUID")
NOT_A_LOWER_CASE_UUID: Final = Row("010001", "'Y' is not a uuid")
NOT_A_BOOLEAN: Final = Row("010001", "'Y' is not a boolean")
NOT_AN_IP_ADDRESS: Final = Row("010001", "'Y' is not an ip address")
NOT_A_PORT_NUMBER: Final = Row("010001", "'Y' is not a port number")
INVALID_FIELD_NAME: Final = Row("010001", "'Z' is an invalid field name")
SESSION_NAME_EMPTY: Final = Row("010001", "Session name must be at least 1 character")
SESSION_PERMISSION: Final = Row("010001", "Permission must be one of: WATCH, EDIT, RECORD, OWN")
RECORDING_PERMISSION: Final = Row("010001", "Permission must be one of: WATCH, EDIT, OWN")
VALUES_NOT_STRINGS: Final = Row("010001", "Values must be strings")
VALUES_EMPTY: Final = Row("010001", "Please provide non-empty values")
VALUES_PADDED: Final = Row("010001", "Please remove any leading or trailing spaces in the values")
VALUES_NOT_UNIQUE: Final = Row("010001", "Please verify that values are unique")

NOT_AN_ACTIVE_RECORDING: Final = Row("010004", "'Y' is not an active recording")
NOT_SINGLE_SOURCE: Final = Row("010005", "Only single source recordings can be streamed")
ADDRESS_IN_USE: Final = Row("010006", "Address or port already in use")
ADDRESS_IN_USE_BY_SOURCE: Final = Row("010006", "Address or port already in use by a source")

CANNOT_SHARE: Final = Row("030003", "Cannot share")
ACTIVE_RECORDING_NOT_FOUND: Final = Row("040001", "Active recording not found")
RECORDING_NOT_FOUND: Final = Row("040002", "Recording not found")
STREAM_NOT_FOUND: Final = Row("040003", "Stream not found")
USER_NOT_FOUND: Final = Row("040004", "User not found")
GROUP_NOT_FOUND: Final = Row("040005", "Group not found")
SESSION_NOT_FOUND: Final = Row("040006", "Session not found")
CATEGORY_NOT_FOUND: Final = Row("040007", "Category not found")
SOURCE_NOT_FOUND: Final = Row("040009", "Source not found")
NO_RESULTS: Final = Row("040012", "No results")

USER_WITHOUT_ROLES: Final = Row("060001", "User has no roles assigned")
GROUP_WITHOUT_ROLES: Final = Row("060002", "Group has no roles assigned")
RECORDING_IN_PROGRESS: Final = Row("060003", "Recording currently in progress")
ACTIVE_RECORDING_IN_PROGRESS: Final = Row("060003", "Active recording currently in progress")
HOTMARK_EXISTS: Final = Row("060004", "Hotmark already exists at this time")
SOURCE_ALREADY_ADDED: Final = Row("060008", "Source already added to this session")
NO_SOURCE: Final = Row("060009", "Session requires at least one source")

STATE_NOT_UPDATED: Final = Row("070003", "Failed to update state")
STOP_FAILED: Final = Row("070003", "Internal Server Error")
STATUS_NOT_FOUND: Final = Row("070003", "Recording not found")
STREAM_NOT_STARTED: Final = Row("070004", "Error while starting stream")
STREAM_NOT_STOPPED: Final = Row("070005", "Error while stopping stream")
USER_SEARCH_FAILED: Final = Row("070008", "Error searching for a user")
GROUP_SEARCH_FAILED: Final = Row("070009", "Error searching for a group")
TRACK_NOT_CREATED: Final = Row("070010", "Could not create a track")
RECORDING_NOT_LOCATED: Final = Row("070011", "Could not locate recording")
WRITE_ERROR: Final = Row("0700014", "Error writing to file")
RECORDING_NOT_UPDATED: Final = Row("070017", "Failed to update a recording")
SESSION_NOT_CREATED: Final = Row("070019", "Failed to create a session")
DISK_FULL: Final = Row("070027", "Insufficient Disk Space")

GENERAL_MESSAGES: Final[tuple[Row, ...]] = (
    UNKNOWN_ERROR,
    SYNTAX_ERROR,
    COMMAND_NOT_FOUND,
    NOT_A_UUID,
    Row("010003", "Expected X parameter(s). Got Y parameter(s)"),
    NOT_AUTHORIZED,
    INTERNAL_SERVER_ERROR,
    BUS_CLIENT_ERROR,
    BUS_RESPONSE_PARSING_ERROR,
    NO_BUS_CONNECTION,
)

_VALUES: Final = (VALUES_NOT_STRINGS, VALUES_EMPTY, VALUES_PADDED, VALUES_NOT_UNIQUE)
_USER: Final = (USER_SEARCH_FAILED, USER_NOT_FOUND, USER_WITHOUT_ROLES)
_GROUP: Final = (GROUP_SEARCH_FAILED, GROUP_NOT_FOUND, GROUP_WITHOUT_ROLES)
_OF_SESSION: Final = (EXPECTED_3, NOT_A_UUID, SESSION_PERMISSION)
_OF_RECORDING: Final = (EXPECTED_3, NOT_A_UUID, RECORDING_PERMISSION)
_SET_STATE: Final = (EXPECTED_1, NOT_A_UUID, ACTIVE_RECORDING_NOT_FOUND, STATE_NOT_UPDATED)

MESSAGES: Final[Mapping[str, tuple[Row, ...]]] = {
    "createSession": (EXPECTED_1, SESSION_NAME_EMPTY, SESSION_NOT_CREATED),
    "setLiveSession": (EXPECTED_2, NOT_A_LOWER_CASE_UUID, NOT_A_BOOLEAN, SESSION_NOT_FOUND),
    "deleteSession": (
        EXPECTED_1,
        NOT_A_LOWER_CASE_UUID,
        SESSION_NOT_FOUND,
        RECORDING_IN_PROGRESS,
        INTERNAL_SERVER_ERROR,
    ),
    "addSourceToSession": (
        EXPECTED_2,
        NOT_A_UUID,
        ACTIVE_RECORDING_IN_PROGRESS,
        TRACK_NOT_CREATED,
        SESSION_NOT_FOUND,
        SOURCE_NOT_FOUND,
        SOURCE_ALREADY_ADDED,
    ),
    "removeSourceFromSession": (
        EXPECTED_2,
        NOT_A_LOWER_CASE_UUID,
        SESSION_NOT_FOUND,
        SOURCE_NOT_FOUND,
        ACTIVE_RECORDING_IN_PROGRESS,
        INTERNAL_SERVER_ERROR,
    ),
    "shareSessionWithUser": (*_OF_SESSION, *_USER, SESSION_NOT_FOUND, CANNOT_SHARE),
    "shareSessionWithGroup": (*_OF_SESSION, *_GROUP, SESSION_NOT_FOUND, CANNOT_SHARE),
    "updateSessionMetadata": (
        EXPECTED_3,
        NOT_A_UUID,
        INVALID_FIELD_NAME,
        SESSION_NOT_FOUND,
        INTERNAL_SERVER_ERROR,
    ),
    "setSessionCategory": (
        EXPECTED_3,
        NOT_A_UUID,
        *_VALUES,
        CATEGORY_NOT_FOUND,
        SESSION_NOT_FOUND,
    ),
    "startRecording": (
        EXPECTED_1,
        NOT_A_UUID,
        SESSION_NOT_FOUND,
        WRITE_ERROR,
        INTERNAL_SERVER_ERROR,
        DISK_FULL,
        NO_SOURCE,
    ),
    "pauseRecording": _SET_STATE,
    "resumeRecording": _SET_STATE,
    "stopRecording": (EXPECTED_1, NOT_A_UUID, ACTIVE_RECORDING_NOT_FOUND, STOP_FAILED),
    "getRecordingStatus": (EXPECTED_1, NOT_A_UUID, ACTIVE_RECORDING_NOT_FOUND, STATUS_NOT_FOUND),
    "shareRecordingWithUser": (*_OF_RECORDING, *_USER, RECORDING_NOT_FOUND, CANNOT_SHARE),
    "shareRecordingWithGroup": (*_OF_RECORDING, *_GROUP, RECORDING_NOT_FOUND, CANNOT_SHARE),
    "updateMetadata": (
        EXPECTED_3,
        NOT_A_UUID,
        RECORDING_NOT_FOUND,
        RECORDING_NOT_UPDATED,
        INVALID_FIELD_NAME,
        NO_RESULTS,
    ),
    "setCategory": (
        EXPECTED_AT_LEAST_3,
        NOT_A_UUID,
        *_VALUES,
        CATEGORY_NOT_FOUND,
        RECORDING_NOT_FOUND,
        NO_RESULTS,
    ),
    "addHotmark": (
        EXPECTED_2_PARAMETERS,
        NOT_A_UUID,
        RECORDING_NOT_FOUND,
        HOTMARK_EXISTS,
        NOT_AN_ACTIVE_RECORDING,
        RECORDING_NOT_LOCATED,
    ),
    "startRestreamRecording": (
        NOT_A_UUID,
        NOT_AN_IP_ADDRESS,
        NOT_A_PORT_NUMBER,
        RECORDING_NOT_FOUND,
        NOT_SINGLE_SOURCE,
        ADDRESS_IN_USE,
        ADDRESS_IN_USE_BY_SOURCE,
        STREAM_NOT_STARTED,
    ),
    "stopRestreamRecording": (NOT_A_UUID, STREAM_NOT_STOPPED, STREAM_NOT_FOUND),
}

_PLACE_HOLDER = re.compile(r"\b[YZ]\b")


def fill(message: str, value: str) -> str:
    """The message with its place holder Y or Z replaced by `value`."""
    return _PLACE_HOLDER.sub(lambda _: value, message, count=1)
