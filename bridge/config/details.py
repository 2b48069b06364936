"""The table `details` of a room: what recordings are to be given besides being started (R14)."""

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from ..hmp import arguments
from ..hmp.commands import CategoryId
from ..room.facts.detail import (
    FIELDS_OF_NOW,
    FIELDS_OF_ROOM,
    DetailKind,
    DetailPlan,
    Share,
    describe,
)
from ..room.facts.meeting import Meeting
from ..room.facts.values import Now
from ..templates.errors import TemplateError
from ..templates.template import Template
from .key_types import Table

__all__ = ["DetailsTable"]

_SAMPLE = Meeting(
    id="abc",
    start=1_772_359_200.0,
    end=1_772_362_800.0,
    title="Weekly",
    organizer="jdoe",
)
"""A meeting that templates are tried with."""

_SEEN: dict[str, tuple[str, ...]] = {
    "meeting": (),
    "now": FIELDS_OF_NOW,
    "room": FIELDS_OF_ROOM,
}
"""The names that templates of details see; a meeting also has whatever its event carried."""


def _template(source: str) -> str:
    try:
        Template(source).check(_SEEN)
    except TemplateError as error:
        raise ValueError(f"is no template: {error}") from None
    return source


_Template = Annotated[str, AfterValidator(_template)]
_Category = Annotated[str, AfterValidator(lambda value: arguments.category_id(value, "categories"))]
_Permission = Annotated[
    str, AfterValidator(lambda value: arguments.recording_permission(value, "permission"))
]


class ShareTable(Table):
    """Whom a recording is shared with: one of `user`, `group` and `organizer`."""

    user: _Template | None = None
    """Name of a user of HMP; a template."""
    group: _Template | None = None
    """Name of a group of HMP's directory; a template."""
    permission: _Permission | None = None
    """WATCH, EDIT, OWN, or the id of a custom permission."""
    organizer: _Permission | None = None
    """The permission that the meeting's organizer gets."""

    @model_validator(mode="after")
    def _one_of_them(self) -> "ShareTable":
        named = [each for each in (self.user, self.group) if each is not None]
        if self.organizer is not None:
            if named or self.permission is not None:
                raise ValueError('organizer stands alone, such as { organizer = "OWN" }')
        elif len(named) != 1 or self.permission is None:
            raise ValueError(
                'takes { user = "…", permission = "OWN" }, { group = "…", permission = "WATCH" } '
                'or { organizer = "OWN" }'
            )
        return self


class DetailsTable(Table):
    """Templates see ``room``, ``meeting`` and ``now``."""

    title: _Template | None = None
    """Title of the recording; a template."""
    description: _Template | None = None
    """Description of the recording; a template."""
    createdby: _Template | None = None
    """Name that HMP shows as the author; a template."""
    categories: dict[_Category, Annotated[tuple[_Template, ...], Field(min_length=1)]] = Field(
        default_factory=dict
    )
    """Values by the id of their category; templates."""
    share: tuple[ShareTable, ...] = ()
    """Whom recordings are shared with."""
    organizer: _Template = "{{ meeting.organizer }}"
    """The user name of the organizer, where the booking system sends something else."""
    live: bool = False
    """Show the session live while it is recorded."""

    @model_validator(mode="after")
    def _renders(self) -> "DetailsTable":
        """Find at start-up what would fail at every recording, with a meeting and without."""
        plan = self.plan({"key": "room", "name": "Room"})
        for meeting in (_SAMPLE, None):
            for item in describe(plan, meeting, (), Now(0.0, 1_772_359_200.0)):
                if item.problem is not None:
                    raise ValueError(f"{item.name}: {item.problem.message}")
        for values in self.categories.values():
            if len(values) > arguments.VALUES_LIMIT:
                raise ValueError(f"categories: at most {arguments.VALUES_LIMIT} values each")
        return self

    def plan(self, room: dict[str, str]) -> DetailPlan:
        """The plan for the room model; `room` is what templates see of the room."""
        texts = (
            (DetailKind.TITLE, self.title),
            (DetailKind.DESCRIPTION, self.description),
            (DetailKind.CREATEDBY, self.createdby),
        )
        return DetailPlan(
            room=tuple(room.items()),
            texts=tuple((kind, Template(text)) for kind, text in texts if text is not None),
            categories=tuple(
                (CategoryId(category), tuple(Template(value) for value in values))
                for category, values in self.categories.items()
            ),
            shares=tuple(self._share(each) for each in self.share),
            live=self.live,
        )

    def _share(self, table: ShareTable) -> Share:
        if table.user is not None:
            kind, name, permission = DetailKind.USER, table.user, table.permission
        elif table.group is not None:
            kind, name, permission = DetailKind.GROUP, table.group, table.permission
        else:
            kind, name, permission = DetailKind.USER, self.organizer, table.organizer
        return Share(kind, Template(name), arguments.recording_permission(permission))
