"""All 21 commands, by name, and how text from outside becomes one of them."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from ..text.nearest import folded, nearest
from .arguments import (
    CategoryId,
    MetadataField,
    PermissionId,
    RecordingId,
    SessionId,
    SourceId,
    StreamId,
)
from .command import Command, Parameter, Repeat, TimeoutClass, parameters
from .errors import InvalidArgument
from .recording_commands import (
    AddHotmark,
    GetRecordingStatus,
    PauseRecording,
    RecordingStatus,
    ResumeRecording,
    SetCategory,
    ShareRecordingWithGroup,
    ShareRecordingWithUser,
    StartRecording,
    StartRestreamRecording,
    StopRecording,
    StopRestreamRecording,
    UpdateMetadata,
)
from .session_commands import (
    AddSourceToSession,
    CreateSession,
    DeleteSession,
    RemoveSourceFromSession,
    SetLiveSession,
    SetSessionCategory,
    ShareSessionWithGroup,
    ShareSessionWithUser,
    UpdateSessionMetadata,
)

__all__ = [
    "COMMANDS",
    "AddHotmark",
    "AddSourceToSession",
    "CategoryId",
    "Command",
    "CreateSession",
    "DeleteSession",
    "GetRecordingStatus",
    "MetadataField",
    "PauseRecording",
    "PermissionId",
    "RecordingId",
    "RecordingStatus",
    "RemoveSourceFromSession",
    "Repeat",
    "ResumeRecording",
    "SessionId",
    "SetCategory",
    "SetLiveSession",
    "SetSessionCategory",
    "ShareRecordingWithGroup",
    "ShareRecordingWithUser",
    "ShareSessionWithGroup",
    "ShareSessionWithUser",
    "SourceId",
    "StartRecording",
    "StartRestreamRecording",
    "StopRecording",
    "StopRestreamRecording",
    "StreamId",
    "TimeoutClass",
    "UpdateMetadata",
    "UpdateSessionMetadata",
    "command_class",
    "parse_command",
    "usage",
]

_CLASSES: tuple[type[Command[Any]], ...] = (
    CreateSession,
    SetLiveSession,
    DeleteSession,
    AddSourceToSession,
    RemoveSourceFromSession,
    ShareSessionWithUser,
    ShareSessionWithGroup,
    UpdateSessionMetadata,
    SetSessionCategory,
    StartRecording,
    PauseRecording,
    ResumeRecording,
    StopRecording,
    GetRecordingStatus,
    ShareRecordingWithUser,
    ShareRecordingWithGroup,
    UpdateMetadata,
    SetCategory,
    AddHotmark,
    StartRestreamRecording,
    StopRestreamRecording,
)

#: The guide's name of a command → its class, in the guide's order.
COMMANDS: Mapping[str, type[Command[Any]]] = MappingProxyType(
    {command.name: command for command in _CLASSES}
)


def command_class(name: str) -> type[Command[Any]]:
    """The command called `name`; raises `InvalidArgument` with the nearest one that there is."""
    command = COMMANDS.get(name)
    if command is None:
        near = nearest(name, COMMANDS)
        hint = f"; did you mean {near}?" if near else f"; the commands are {', '.join(COMMANDS)}"
        raise InvalidArgument("command", name, f"is no command of HMP{hint}")
    return command


def usage(command: type[Command[Any]]) -> str:
    """The command's parameters as a JSON object, for people."""
    pairs = [
        f'"{item.argument.name}": {"[…]" if item.many else "…"}' for item in parameters(command)
    ]
    return f"{{{', '.join(pairs)}}}"


def parse_command(
    name: str,
    given: Sequence[object] | Mapping[str, object] = (),
    *,
    allow_ipv6: bool = False,
) -> Command[Any]:
    """The command `name` with positional parameters, or named ones.

    Parameters are called as in the guide (``sessionId``); case and underscores do not matter.
    Category values come as the words that are left, or as a list under ``values``. Raises
    `InvalidArgument` for an unknown command, and for missing, extra, unknown or wrong parameters.
    """
    command = command_class(name)
    expected = parameters(command)
    if isinstance(given, Mapping):
        values = _named(command, expected, given)
    else:
        values = _positional(command, expected, given)
    if command is StartRestreamRecording:
        values["allow_ipv6"] = allow_ipv6
    return command(**values)


def _positional(
    command: type[Command[Any]], expected: Sequence[Parameter], given: Sequence[object]
) -> dict[str, Any]:
    many = expected[-1].many
    if len(given) < len(expected) or (len(given) > len(expected) and not many):
        least = "at least " if many else ""
        raise InvalidArgument(
            command.name,
            list(given),
            f"takes {least}{len(expected)} parameter(s) ({_names(expected)}), not {len(given)}",
        )
    values: dict[str, Any] = {
        parameter.field: value for parameter, value in zip(expected, given, strict=False)
    }
    if many:
        last = given[len(expected) - 1 :]
        # a JSON array may hold the values as a list of their own
        alone = len(last) == 1 and isinstance(last[0], (list, tuple))
        values[expected[-1].field] = last[0] if alone else tuple(last)
    return values


def _named(
    command: type[Command[Any]], expected: Sequence[Parameter], given: Mapping[str, object]
) -> dict[str, Any]:
    by_key = {folded(parameter.argument.name): parameter for parameter in expected}
    if expected[-1].many:
        by_key["value"] = expected[-1]
    values: dict[str, Any] = {}
    for key, value in given.items():
        parameter = by_key.get(folded(key))
        if parameter is None:
            near = nearest(key, [item.argument.name for item in expected])
            hint = f"; did you mean {near}?" if near else ""
            raise InvalidArgument(
                key, value, f"is no parameter of {command.name} ({_names(expected)}){hint}"
            )
        if parameter.field in values:
            raise InvalidArgument(key, value, "is given twice")
        values[parameter.field] = value
    for parameter in expected:
        if parameter.field not in values:
            raise InvalidArgument(
                parameter.argument.name,
                list(given),
                f"is missing; {command.name} takes {_names(expected)}",
            )
    return values


def _names(expected: Sequence[Parameter]) -> str:
    return ", ".join(parameter.argument.name for parameter in expected)
