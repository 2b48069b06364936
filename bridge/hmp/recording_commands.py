"""The twelve commands about recordings (guide, *Recording Commands*)."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, ClassVar

from ..text.shortened import shortened
from . import arguments as check
from .arguments import CategoryId, MetadataField, PermissionId, RecordingId, SessionId, StreamId
from .command import Argument, Command, NoResult, Repeat, TimeoutClass, id_in
from .errors import NotUnderstood

__all__ = [
    "AddHotmark",
    "GetRecordingStatus",
    "PauseRecording",
    "RecordingStatus",
    "ResumeRecording",
    "SetCategory",
    "ShareRecordingWithGroup",
    "ShareRecordingWithUser",
    "StartRecording",
    "StartRestreamRecording",
    "StopRecording",
    "StopRestreamRecording",
    "UpdateMetadata",
]

_Session = Annotated[SessionId, Argument("sessionId", check.session_id)]
_Recording = Annotated[RecordingId, Argument("recordingId", check.recording_id)]
_Permission = Annotated[PermissionId, Argument("permissionId", check.recording_permission)]


class RecordingStatus(StrEnum):
    """The states of a recording in HMP's words (guide, *Get Recording Status*)."""

    RECORDING = "RECORDING"
    PAUSED = "PAUSED"
    FINISHED = "FINISHED"
    #: any other error on the recording
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True)
class StartRecording(Command[RecordingId]):
    """Record all sources of a session.

    HMP has no *already recording* error (E23) and lists no recordings (E45): a repeat may start a
    second one, and a lost ID is lost.
    """

    session: _Session

    name: ClassVar = "startRecording"
    repeat: ClassVar = Repeat.NEVER
    timeout: ClassVar = TimeoutClass.START_STOP

    def result(self, value: str | None) -> RecordingId:
        """The new recording's ID."""
        return id_in(value, check.recording_id, self)


@dataclass(frozen=True, slots=True)
class PauseRecording(NoResult):
    """Pause a recording."""

    recording: _Recording

    name: ClassVar = "pauseRecording"
    repeat: ClassVar = Repeat.AFTER_STATUS


@dataclass(frozen=True, slots=True)
class ResumeRecording(NoResult):
    """Go on with a paused recording."""

    recording: _Recording

    name: ClassVar = "resumeRecording"
    repeat: ClassVar = Repeat.AFTER_STATUS


@dataclass(frozen=True, slots=True)
class StopRecording(NoResult):
    """End a recording for good; ``040001`` on a repeat means that it has ended."""

    recording: _Recording

    name: ClassVar = "stopRecording"
    timeout: ClassVar = TimeoutClass.START_STOP


@dataclass(frozen=True, slots=True)
class GetRecordingStatus(Command[RecordingStatus]):
    """Ask how a recording is; changes nothing, so it is the probe as well (E49)."""

    recording: _Recording

    name: ClassVar = "getRecordingStatus"
    timeout: ClassVar = TimeoutClass.QUERY
    changes: ClassVar = False

    def result(self, value: str | None) -> RecordingStatus:
        """The recording's status."""
        try:
            return RecordingStatus(value or "")
        except ValueError:
            said = shortened(repr(value), 80)
            raise NotUnderstood(self.name, f"HMP says {said}, no status of its guide") from None


@dataclass(frozen=True, slots=True)
class ShareRecordingWithUser(NoResult):
    """Let a user see, edit or own the recording; the ID comes last on the wire."""

    user: Annotated[str, Argument("username", check.principal)]
    permission: _Permission
    recording: _Recording

    name: ClassVar = "shareRecordingWithUser"


@dataclass(frozen=True, slots=True)
class ShareRecordingWithGroup(NoResult):
    """The same for a group; groups exist only with LDAP or Active Directory."""

    group: Annotated[str, Argument("groupname", check.principal)]
    permission: _Permission
    recording: _Recording

    name: ClassVar = "shareRecordingWithGroup"


@dataclass(frozen=True, slots=True)
class UpdateMetadata(NoResult):
    """Set one metadata field of a recording."""

    recording: _Recording
    field: Annotated[MetadataField, Argument("fieldName", check.metadata_field)]
    value: Annotated[str, Argument("value", check.text)]

    name: ClassVar = "updateMetadata"


@dataclass(frozen=True, slots=True)
class SetCategory(NoResult):
    """Set the values of one category; always give the complete list (E24)."""

    recording: _Recording
    category: Annotated[CategoryId, Argument("categoryId", check.category_id)]
    values: Annotated[tuple[str, ...], Argument("values", check.category_values)]

    name: ClassVar = "setCategory"


@dataclass(frozen=True, slots=True)
class AddHotmark(NoResult):
    """Mark this second of an active recording; a late repeat would mark another one."""

    recording: _Recording
    title: Annotated[str, Argument("title", check.title)]

    name: ClassVar = "addHotmark"
    repeat: ClassVar = Repeat.NEVER


@dataclass(frozen=True, slots=True)
class StartRestreamRecording(Command[StreamId]):
    """Send a finished recording of a single source as MPEG-TS to an address (E31)."""

    recording: _Recording
    ip: Annotated[str, Argument("ip", check.any_ip_address)]
    port: Annotated[int, Argument("port", check.port)]
    #: no argument: whether this HMP (3.10.2 and later) takes IPv6
    allow_ipv6: bool = field(default=False, kw_only=True, repr=False, compare=False)

    name: ClassVar = "startRestreamRecording"
    repeat: ClassVar = Repeat.NEVER
    timeout: ClassVar = TimeoutClass.START_STOP

    def __post_init__(self) -> None:
        """Check every argument, and the address against `allow_ipv6`."""
        Command.__post_init__(self)
        check.ip_address(self.ip, allow_ipv6=self.allow_ipv6)

    def result(self, value: str | None) -> StreamId:
        """The new re-stream's ID."""
        return id_in(value, check.stream_id, self)


@dataclass(frozen=True, slots=True)
class StopRestreamRecording(NoResult):
    """End a re-stream; ``040003`` on a repeat means that it has ended."""

    stream: Annotated[StreamId, Argument("streamId", check.stream_id)]

    name: ClassVar = "stopRestreamRecording"
    timeout: ClassVar = TimeoutClass.START_STOP
