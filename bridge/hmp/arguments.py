"""The arguments that HMP takes, and the checks that keep all else off the wire (R17).

Every check takes the parameter's name and a value from anywhere (a configuration, a JSON payload,
a command line), returns the checked and typed value, and raises `InvalidArgument` saying what
would be right. IDs are `NewType`s, so that a source's ID never passes for a session's.

HMP echoes a bad argument in its error (``'Y' is not a UUID``), so an unchecked one could corrupt
the framing of replies (E38).
"""

import ipaddress
import re
from enum import StrEnum
from typing import NewType

from ..text.nearest import nearest
from .errors import InvalidArgument
from .syntax import UNSENDABLE

__all__ = [
    "NAME_LIMIT",
    "TEXT_LIMIT",
    "TITLE_LIMIT",
    "UUID_PATTERN",
    "VALUES_LIMIT",
    "CategoryId",
    "MetadataField",
    "PermissionId",
    "RecordingId",
    "SessionId",
    "SourceId",
    "StreamId",
    "any_ip_address",
    "boolean",
    "category_id",
    "category_values",
    "drop_control_characters",
    "ip_address",
    "metadata_field",
    "port",
    "principal",
    "recording_id",
    "recording_permission",
    "session_id",
    "session_permission",
    "session_title",
    "source_id",
    "stream_id",
    "text",
    "title",
]

SessionId = NewType("SessionId", str)
SourceId = NewType("SourceId", str)
RecordingId = NewType("RecordingId", str)
StreamId = NewType("StreamId", str)
CategoryId = NewType("CategoryId", str)
#: ``WATCH`` ``EDIT`` ``RECORD`` ``OWN``, or the ID of a custom permission
PermissionId = NewType("PermissionId", str)


class MetadataField(StrEnum):
    """The fields that updateSessionMetadata and updateMetadata can change."""

    TITLE = "title"
    DESCRIPTION = "description"
    #: a display name, which HMP does not fill in for what is made through this API
    CREATEDBY = "createdby"


#: Characters. The guide gives no limits; these keep a line far below what any reader buffers.
TITLE_LIMIT = 255
NAME_LIMIT = 255
TEXT_LIMIT = 4000
VALUES_LIMIT = 100

#: anchored, for JSON Schema as well
UUID_PATTERN = r"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"

_UUID = re.compile(UUID_PATTERN.strip("^$"))
_LOOK_ALIKES = str.maketrans({"l": "1", "I": "1", "O": "0", "o": "0"})
_SESSION_PERMISSIONS = ("WATCH", "EDIT", "RECORD", "OWN")
_RECORDING_PERMISSIONS = ("WATCH", "EDIT", "OWN")


def _string(field: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidArgument(field, value, "must be text")
    return value


def _uuid(field: str, value: object) -> str:
    if isinstance(value, str) and _UUID.fullmatch(value):
        return value
    meant = _meant_uuid(value) if isinstance(value, str) else None
    hint = "" if meant is None else f"; did you mean {meant}?"
    example = " such as 71edd346-2cf0-4c62-b3d3-9d457b287394" if meant is None else ""
    raise InvalidArgument(field, value, f"must be a UUID{example}{hint}")


def _meant_uuid(value: str) -> str | None:
    """The UUID that lost hyphens, or took on braces, spaces or look-alike letters (E3)."""
    digits = re.sub(r"[-\s{}]", "", value).translate(_LOOK_ALIKES)
    if not re.fullmatch(r"[0-9A-Fa-f]{32}", digits):
        return None
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def session_id(value: object, field: str = "sessionId") -> SessionId:
    """A session's UUID, any version, as given (E41)."""
    return SessionId(_uuid(field, value))


def source_id(value: object, field: str = "sourceId") -> SourceId:
    """A source's UUID, as HMP shows it under Administration > Configuration > Sources."""
    return SourceId(_uuid(field, value))


def recording_id(value: object, field: str = "recordingId") -> RecordingId:
    """A recording's UUID."""
    return RecordingId(_uuid(field, value))


def stream_id(value: object, field: str = "streamId") -> StreamId:
    """A re-stream's UUID."""
    return StreamId(_uuid(field, value))


def category_id(value: object, field: str = "categoryId") -> CategoryId:
    """A category's UUID."""
    return CategoryId(_uuid(field, value))


def boolean(value: object, field: str = "active") -> bool:
    """``true`` or ``false``, in lower case where it is text (E34)."""
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return value == "true"
    raise InvalidArgument(field, value, "must be true or false")


def port(value: object, field: str = "port") -> int:
    """A port number, 1 to 65535; HMP itself would take 0 (E32)."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 5:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 65535:
        return value
    raise InvalidArgument(field, value, "must be a port number from 1 to 65535")


def ip_address(value: object, field: str = "ip", *, allow_ipv6: bool = False) -> str:
    """An IP address to send to; IPv6 only where `allow_ipv6` says that this HMP takes it."""
    kinds = "an IPv4 or IPv6 address" if allow_ipv6 else "an IPv4 address such as 239.1.1.1"
    if isinstance(value, str) and "%" not in value:
        try:
            address = ipaddress.ip_address(value)
        except ValueError:
            pass
        else:
            if address.version == 4 or allow_ipv6:
                return value
            kinds = f"{kinds}: IPv6 needs HMP 3.10.2 or later and is not allowed here"
    raise InvalidArgument(field, value, f"must be {kinds}")


def any_ip_address(value: object, field: str = "ip") -> str:
    """An IPv4 or IPv6 address."""
    return ip_address(value, field, allow_ipv6=True)


def metadata_field(value: object, field: str = "fieldName") -> MetadataField:
    """The name of a metadata field."""
    name = _string(field, value)
    try:
        return MetadataField(name)
    except ValueError:
        names = ", ".join(MetadataField)
        raise InvalidArgument(field, value, f"must be one of {names}") from None


def _permission(field: str, value: object, keywords: tuple[str, ...]) -> PermissionId:
    if isinstance(value, str) and (value in keywords or _UUID.fullmatch(value)):
        return PermissionId(value)
    near = nearest(value, keywords) if isinstance(value, str) else None
    hint = f"; did you mean {near}?" if near else ""
    raise InvalidArgument(
        field, value, f"must be one of {', '.join(keywords)}, or a custom permission's UUID{hint}"
    )


def session_permission(value: object, field: str = "permissionId") -> PermissionId:
    """The permission of a share of a session (E18): a keyword in upper case, or a UUID."""
    return _permission(field, value, _SESSION_PERMISSIONS)


def recording_permission(value: object, field: str = "permissionId") -> PermissionId:
    """The permission of a share of a recording: as for sessions, but there is no ``RECORD``."""
    return _permission(field, value, _RECORDING_PERMISSIONS)


def text(value: object, field: str = "value", *, limit: int = TEXT_LIMIT) -> str:
    """Text of up to `limit` characters: CR LF becomes LF, tabs stay, other controls are refused."""
    checked = _string(field, value)
    if "\r" in checked:  # much sooner found than a pair
        checked = checked.replace("\r\n", "\n")
    if len(checked) > limit:
        raise InvalidArgument(
            field, value, f"is {len(checked)} characters long; the limit is {limit}"
        )
    if found := UNSENDABLE.search(checked):
        raise InvalidArgument(
            field, value, f"contains U+{ord(found[0]):04X}, which cannot be sent to HMP"
        )
    return checked


def drop_control_characters(value: str) -> str:
    """The text without what `text` would refuse, for what templates produce; CR LF becomes LF."""
    return UNSENDABLE.sub("", value)


def title(value: object, field: str = "title") -> str:
    """The title of a HotMark; may not be blank, for HMP's web pages list marks by title."""
    return _not_blank(field, text(value, field, limit=TITLE_LIMIT))


def session_title(value: object, field: str = "sessionTitle") -> str:
    """The title of a session; HMP refuses an empty one, we refuse a blank one as well (E40)."""
    return _not_blank(field, text(value, field, limit=TITLE_LIMIT))


def principal(value: object, field: str = "username") -> str:
    """The name of a user or a group."""
    return _not_blank(field, text(value, field, limit=NAME_LIMIT))


def _not_blank(field: str, value: str) -> str:
    if not value.strip():
        raise InvalidArgument(field, value, "must not be blank")
    return value


def category_values(value: object, field: str = "values") -> tuple[str, ...]:
    """One or more values of a category: each trimmed, not empty, given once (E24).

    HMP takes what it gets as the whole list, so give all of them.
    """
    given = (value,) if isinstance(value, str) else value
    if not isinstance(given, (list, tuple)) or not given:
        raise InvalidArgument(field, value, "must be one or more texts")
    if len(given) > VALUES_LIMIT:
        raise InvalidArgument(field, value, f"are {len(given)} values; the limit is {VALUES_LIMIT}")
    checked = tuple(text(item, field, limit=NAME_LIMIT) for item in given)
    for item in checked:
        if not item:
            raise InvalidArgument(field, value, "must not contain an empty value")
        if item != item.strip():
            raise InvalidArgument(field, item, "must not have spaces around it")
    if len(set(checked)) != len(checked):
        raise InvalidArgument(field, value, "must not contain a value twice")
    return checked
