"""Every error of the guide: its code, its wordings, what it means and what to do.

Forty logical codes (guide, *General Errors* and the tables of each command; ``01003`` is
``010003`` and ``0700014`` is ``070014``). Most codes mean one thing. Some mean different things by
command and wording (E12 to E14): these have several `Meaning`s, and `meaning_of` picks one.

In wordings ``{}`` stands for any text (a number, or the caller's own argument echoed back).
"""

import re
from functools import cache
from types import MappingProxyType

from .error_kinds import ErrorKind, Meaning

__all__ = [
    "ERRORS",
    "UNKNOWN_CODE",
    "code_for_message",
    "meaning_of",
    "normalise_code",
]

UNKNOWN_CODE = "000000"


_SUPPORT = "Look at HMP's logs (calypso.log); if it stays, ask Haivision's support."
_REPORT = "This is a mistake in the bridge: please report it with the log lines around it."
_PASSES = "Wait: HMP is starting or its services restart. If it lasts minutes, restart HMP."

_K = ErrorKind

# A table: wordings and kind; what is the matter; what to do.
# fmt: off
_TABLE: dict[str, tuple[Meaning, ...]] = {
    "000000": (
        Meaning(("Unknown Error",), _K.UNKNOWN,
            "HMP failed and does not say why.",
            _SUPPORT),
    ),
    "000001": (
        Meaning(("Syntax Error",), _K.SYNTAX_ERROR,
            "HMP could not read the command line.",
            _REPORT),
    ),
    "000002": (
        Meaning(("Command not found",), _K.COMMAND_NOT_FOUND,
            "This HMP does not know the command.",
            "Check the release of HMP: the commands are those of release 3.7 and later."),
    ),
    "010001": (
        Meaning(("'{}' is not a UUID",), _K.BAD_ARGUMENT,
            "HMP does not take this for an ID.",
            "Copy the ID from HMP's web pages or from an earlier reply."),
        Meaning(("'{}' is not a boolean",), _K.BAD_ARGUMENT,
            "HMP wants true or false here.",
            "Write true or false in lower case."),
        Meaning(("'{}' is not an ip address",), _K.BAD_ARGUMENT,
            "HMP does not take this for an IP address.",
            "Give an IPv4 address such as 239.1.1.1; IPv6 needs HMP 3.10.2 or later."),
        Meaning(("'{}' is not a port number",), _K.BAD_ARGUMENT,
            "HMP does not take this for a port number.",
            "Give a port from 1 to 65535."),
        Meaning(("'{}' is an invalid field name",), _K.BAD_ARGUMENT,
            "HMP does not know this metadata field.",
            "The fields are title, description and createdby."),
        Meaning(("Permission must be one of: {}",), _K.BAD_ARGUMENT,
            "HMP does not know this permission.",
            "Sessions take WATCH, EDIT, RECORD, OWN, recordings WATCH, EDIT, OWN; both take "
            "the ID of a custom permission."),
        Meaning(("Session name must be at least 1 character",), _K.BAD_ARGUMENT,
            "A session needs a title.",
            "Give a title that is not empty."),
        Meaning((
            "Values must be strings",
            "Please provide non-empty values",
            "Please remove any leading or trailing spaces in the values",
            "Please verify that values are unique",
            ), _K.BAD_ARGUMENT,
            "HMP does not take these category values.",
            "Give each value once, not empty, without spaces around it."),
    ),
    "010003": (
        Meaning((
            "Expected {} parameter(s). Got {} parameter(s)",
            "Expected {} parameters. Got {}",
            ), _K.WRONG_ARITY,
            "HMP expects another number of parameters for this command.",
            _REPORT),
    ),
    "010004": (
        Meaning(("'{}' is not an active recording",), _K.NOT_ACTIVE,
            "The recording has ended.",
            "HotMarks can only be set while a recording runs or is paused."),
    ),
    "010005": (
        Meaning(("Only single source recordings can be streamed",),
            _K.NOT_SINGLE_SOURCE,
            "The recording has more than one source.",
            "Re-streaming needs a recording of a session with one source."),
    ),
    "010006": (
        Meaning(("Address or port already in use",), _K.ADDRESS_IN_USE,
            "Another re-stream already goes to this address and port.",
            "Stop that re-stream, or choose another address or port."),
        Meaning(("Address or port already in use by a source",), _K.ADDRESS_IN_USE,
            "A source of HMP already uses this address and port.",
            "Choose another address or port."),
    ),
    "020000": (
        Meaning(("Not Authorized",), _K.NOT_AUTHORIZED,
            "HMP does not accept commands from this box.",
            "In HMP add this box's address under Administration > System Settings > API Access."),
    ),
    "030003": (
        Meaning(("Cannot share",), _K.CANNOT_SHARE,
            "HMP does not allow this share.",
            "Choose a lower permission, or check the custom permission's ID and the roles in HMP."),
    ),
    "040001": (
        Meaning(("Active recording not found",), _K.RECORDING_NOT_FOUND,
            "HMP has no active recording with this ID: it has ended, or never was.",
            "Look at the recording in HMP's web pages."),
    ),
    "040002": (
        Meaning(("Recording not found",), _K.RECORDING_NOT_FOUND,
            "HMP has no recording with this ID.",
            "Check the ID; the recording may have been deleted in HMP's web pages."),
    ),
    "040003": (
        Meaning(("Stream not found",), _K.STREAM_NOT_FOUND,
            "HMP has no re-stream with this ID: it has ended, or never was.",
            "Start the re-stream again if it is still wanted."),
    ),
    "040004": (
        Meaning(("User not found",), _K.USER_NOT_FOUND,
            "HMP has no user of this name.",
            "Check the name under Administration > Users in HMP."),
    ),
    "040005": (
        Meaning(("Group not found",), _K.GROUP_NOT_FOUND,
            "HMP has no group of this name.",
            "Check the name; groups exist only where HMP uses LDAP or Active Directory."),
    ),
    "040006": (
        Meaning(("Session not found",), _K.SESSION_MISSING,
            "HMP has no session with this ID, or hides it from this API.",
            "Check the session's ID in the configuration; it may be deleted or hidden in HMP."),
    ),
    "040007": (
        Meaning(("Category not found",), _K.CATEGORY_NOT_FOUND,
            "HMP has no category with this ID.",
            "Check the category's ID in the configuration."),
    ),
    "040009": (
        Meaning(("Source not found",), _K.SOURCE_NOT_FOUND,
            "HMP has no source with this ID.",
            "Copy the ID from Administration > Configuration > Sources in HMP."),
    ),
    "040012": (
        Meaning(("No results",), _K.NO_RESULTS,
            "HMP found nothing to change.",
            "Try again once the recording has finished."),
    ),
    "060001": (
        Meaning(("User has no roles assigned",), _K.NO_ROLES,
            "The user has no role in HMP.",
            "Give the user a role in HMP."),
    ),
    "060002": (
        Meaning(("Group has no roles assigned",), _K.NO_ROLES,
            "The group has no role in HMP.",
            "Give the group a role in HMP."),
    ),
    "060003": (
        Meaning((
            "Recording currently in progress",
            "Active recording currently in progress",
            ), _K.ACTIVE_RECORDING,
            "The session is being recorded.",
            "Stop all recordings of the session first."),
    ),
    "060004": (
        Meaning(("Hotmark already exists at this time",), _K.ALREADY_DONE,
            "There is a HotMark in this second already.",
            "Nothing: the moment is marked."),
    ),
    "060008": (
        Meaning(("Source already added to this session",), _K.ALREADY_DONE,
            "The session has this source already.",
            "Nothing: it is as wanted."),
    ),
    "060009": (
        Meaning(("Session requires at least one source",), _K.NO_SOURCE,
            "The session has no source, so there is nothing to record.",
            "Add a source to the session in HMP."),
    ),
    "070000": (
        Meaning(("Internal Server Error",), _K.TRANSIENT,
            "HMP could not do it just now; it says so while its services start.",
            _PASSES),
    ),
    "070003": (
        Meaning((
            "Failed to update state",
            "Internal Server Error",
            ), _K.INTERNAL,
            "HMP could not change the recording's state.",
            _SUPPORT),
        Meaning(("Recording not found",), _K.RECORDING_NOT_FOUND,
            "HMP has no recording with this ID.",
            "Check the ID; the recording may have been deleted in HMP's web pages.",
            frozenset({"getRecordingStatus"})),
    ),
    "070004": (
        Meaning(("Error while starting stream",), _K.INTERNAL,
            "HMP could not start the re-stream.",
            _SUPPORT),
    ),
    "070005": (
        Meaning(("Error while stopping stream",), _K.INTERNAL,
            "HMP could not stop the re-stream.",
            _SUPPORT),
    ),
    "070006": (
        Meaning(("Bus client error",), _K.TRANSIENT,
            "HMP's services do not reach each other.",
            _PASSES),
    ),
    "070007": (
        Meaning(("Bus response parsing error",), _K.TRANSIENT,
            "HMP's services do not understand each other.",
            _PASSES),
    ),
    "070008": (
        Meaning(("Error searching for a user",), _K.DIRECTORY,
            "HMP could not look the user up.",
            "Check HMP's connection to its directory (LDAP or Active Directory)."),
    ),
    "070009": (
        Meaning(("Error searching for a group",), _K.DIRECTORY,
            "HMP could not look the group up.",
            "Check HMP's connection to its directory (LDAP or Active Directory)."),
    ),
    "070010": (
        Meaning(("Could not create a track",), _K.INTERNAL,
            "HMP could not add the source to the session.",
            f"A session takes up to four sources. {_SUPPORT}"),
    ),
    "070011": (
        Meaning(("Could not locate recording",), _K.INTERNAL,
            "HMP could not find the recording's data.",
            _SUPPORT),
    ),
    "070014": (
        Meaning(("Error writing to file",), _K.WRITE_ERROR,
            "HMP cannot write the recording.",
            "Check HMP's storage: mounted, writable, not full."),
    ),
    "070017": (
        Meaning(("Failed to update a recording",), _K.INTERNAL,
            "HMP could not change the recording's details.",
            _SUPPORT),
    ),
    "070019": (
        Meaning(("Failed to create a session",), _K.INTERNAL,
            "HMP could not make the session.",
            _SUPPORT),
    ),
    "070027": (
        Meaning(("Insufficient Disk Space",), _K.DISK_FULL,
            "HMP's disk is full: nothing is recorded.",
            "Delete recordings that nobody needs, or give HMP more storage."),
    ),
    "090001": (
        Meaning(("No bus connection",), _K.TRANSIENT,
            "HMP's services are not connected.",
            _PASSES),
    ),
}
# fmt: on

#: Every logical code of the guide and what it can mean, the usual meaning first.
ERRORS = MappingProxyType(_TABLE)

_UNDOCUMENTED = Meaning(
    (),
    ErrorKind.UNKNOWN,
    "HMP answered with an error that its guide does not list.",
    _SUPPORT,
)
_UNDOCUMENTED_INTERNAL = Meaning(
    (),
    ErrorKind.INTERNAL,
    "HMP failed inside, with an error that its guide does not list.",
    _SUPPORT,
)


def normalise_code(raw: str) -> str:
    """The six-digit code meant by `raw`: ``01003`` is ``010003`` (E9), ``0700014`` ``070014`` (E8).

    Codes are two digits of class and a number, so what is too short lacks zeros after the class
    and what is too long has zeros too many there.
    """
    if len(raw) == 6 or len(raw) < 3:
        return raw.zfill(6)
    number = raw[2:].lstrip("0")
    return raw[:2] + number.zfill(4)


@cache
def _wording(template: str) -> re.Pattern[str]:
    words = ".*".join(re.escape(part) for part in " ".join(template.split()).split("{}"))
    return re.compile(words, re.IGNORECASE | re.DOTALL)


def _says(message: str, meaning: Meaning) -> bool:
    collapsed = " ".join(message.split())  # the guide breaks long wordings over lines (E4)
    return any(_wording(template).fullmatch(collapsed) for template in meaning.messages)


def meaning_of(code: str, message: str, command: str) -> Meaning:
    """The meaning of the normalised `code` with this `message` in answer to `command`.

    The wording decides where it is one of the guide's; else the command; else the usual meaning.
    """
    meanings = ERRORS.get(code)
    if meanings is None:
        return _UNDOCUMENTED_INTERNAL if code.startswith("07") else _UNDOCUMENTED
    if len(meanings) == 1:
        return meanings[0]
    for meaning in meanings:
        if _says(message, meaning):
            return meaning
    return next((meaning for meaning in meanings if command in meaning.commands), meanings[0])


def code_for_message(message: str) -> str:
    """The code that HMP left out (E5: ``ERROR|Command not found``), `UNKNOWN_CODE` if unclear."""
    for code, meanings in ERRORS.items():
        if any(_says(message, meaning) for meaning in meanings):
            return code
    return UNKNOWN_CODE
