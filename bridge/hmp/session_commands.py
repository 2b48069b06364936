"""The nine commands about sessions (guide, *Session Commands*)."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from . import arguments as check
from .arguments import CategoryId, MetadataField, PermissionId, SessionId, SourceId
from .command import Argument, Command, NoResult, Repeat, id_in

__all__ = [
    "AddSourceToSession",
    "CreateSession",
    "DeleteSession",
    "RemoveSourceFromSession",
    "SetLiveSession",
    "SetSessionCategory",
    "ShareSessionWithGroup",
    "ShareSessionWithUser",
    "UpdateSessionMetadata",
]

_Session = Annotated[SessionId, Argument("sessionId", check.session_id)]
_Source = Annotated[SourceId, Argument("sourceId", check.source_id)]
_Permission = Annotated[PermissionId, Argument("permissionId", check.session_permission)]


@dataclass(frozen=True, slots=True)
class CreateSession(Command[SessionId]):
    """Make a session; titles are not unique, so a repeat would make a second one."""

    title: Annotated[str, Argument("sessionTitle", check.session_title)]

    name: ClassVar = "createSession"
    repeat: ClassVar = Repeat.NEVER

    def result(self, value: str | None) -> SessionId:
        """The new session's ID."""
        return id_in(value, check.session_id, self)


@dataclass(frozen=True, slots=True)
class SetLiveSession(NoResult):
    """Show the session among the live ones, or not; sessions are not live by default."""

    session: _Session
    active: Annotated[bool, Argument("active", check.boolean)]

    name: ClassVar = "setLiveSession"


@dataclass(frozen=True, slots=True)
class DeleteSession(NoResult):
    """Delete a session of which nothing is being recorded; by ID, never by title (E7)."""

    session: _Session

    name: ClassVar = "deleteSession"


@dataclass(frozen=True, slots=True)
class AddSourceToSession(NoResult):
    """Add one source; a session takes up to four (E29)."""

    session: _Session
    source: _Source

    name: ClassVar = "addSourceToSession"


@dataclass(frozen=True, slots=True)
class RemoveSourceFromSession(NoResult):
    """Remove one source from a session that is not being recorded."""

    session: _Session
    source: _Source

    name: ClassVar = "removeSourceFromSession"


@dataclass(frozen=True, slots=True)
class ShareSessionWithUser(NoResult):
    """Let a user see, edit, record or own the session; the ID comes last on the wire."""

    user: Annotated[str, Argument("username", check.principal)]
    permission: _Permission
    session: _Session

    name: ClassVar = "shareSessionWithUser"


@dataclass(frozen=True, slots=True)
class ShareSessionWithGroup(NoResult):
    """The same for a group; groups exist only with LDAP or Active Directory."""

    group: Annotated[str, Argument("groupname", check.principal)]
    permission: _Permission
    session: _Session

    name: ClassVar = "shareSessionWithGroup"


@dataclass(frozen=True, slots=True)
class UpdateSessionMetadata(NoResult):
    """Set one metadata field of a session (the guide's example shows the wrong command, E6)."""

    session: _Session
    field: Annotated[MetadataField, Argument("fieldName", check.metadata_field)]
    value: Annotated[str, Argument("value", check.text)]

    name: ClassVar = "updateSessionMetadata"


@dataclass(frozen=True, slots=True)
class SetSessionCategory(NoResult):
    """Set the values of one category; always give the complete list (E24)."""

    session: _Session
    category: Annotated[CategoryId, Argument("categoryId", check.category_id)]
    values: Annotated[tuple[str, ...], Argument("values", check.category_values)]

    name: ClassVar = "setSessionCategory"
