"""The meanings that an error of HMP can have."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["ErrorKind", "Meaning"]


class ErrorKind(StrEnum):
    """The meanings of errors, resolved from command, code and wording; branch on these."""

    UNKNOWN = "unknown"
    SYNTAX_ERROR = "syntax_error"
    COMMAND_NOT_FOUND = "command_not_found"
    BAD_ARGUMENT = "bad_argument"
    WRONG_ARITY = "wrong_arity"
    #: addHotmark to a recording that has ended
    NOT_ACTIVE = "not_active"
    NOT_SINGLE_SOURCE = "not_single_source"
    ADDRESS_IN_USE = "address_in_use"
    NOT_AUTHORIZED = "not_authorized"
    CANNOT_SHARE = "cannot_share"
    #: three codes (E13); after 040001 a finished recording with this ID may still exist
    RECORDING_NOT_FOUND = "recording_not_found"
    STREAM_NOT_FOUND = "stream_not_found"
    USER_NOT_FOUND = "user_not_found"
    GROUP_NOT_FOUND = "group_not_found"
    SESSION_MISSING = "session_missing"
    CATEGORY_NOT_FOUND = "category_not_found"
    SOURCE_NOT_FOUND = "source_not_found"
    NO_RESULTS = "no_results"
    NO_ROLES = "no_roles"
    #: the session is being recorded
    ACTIVE_RECORDING = "active_recording"
    #: what was asked for is so already: count it as success
    ALREADY_DONE = "already_done"
    NO_SOURCE = "no_source"
    #: HMP's back end is down or restarting; passes
    TRANSIENT = "transient"
    #: HMP's user directory does not answer; passes
    DIRECTORY = "directory"
    #: HMP failed inside
    INTERNAL = "internal"
    WRITE_ERROR = "write_error"
    DISK_FULL = "disk_full"


@dataclass(frozen=True, slots=True)
class Meaning:
    """One thing that a code can mean."""

    #: the guide's wordings
    messages: tuple[str, ...]
    kind: ErrorKind
    #: for people: what is the matter
    explanation: str
    #: for people: what to do
    what_to_do: str
    #: commands for which this is meant when the wording is none of the guide's
    commands: frozenset[str] = frozenset()
