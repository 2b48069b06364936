"""The details that a recording is given besides being started, and what became of each (R14).

Values only. What a configuration wants is a `DetailPlan`; what one recording is to get, rendered
when it has started, are `Details`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ...hmp import arguments
from ...hmp.commands import CategoryId, PermissionId, RecordingId, SessionId
from ...templates.errors import TemplateError
from ...templates.template import Template
from ...text.cut import cut
from .meeting import Meeting
from .restart import Monotonic, Passing
from .values import Now, Problem

__all__ = [
    "FIELDS_OF_NOW",
    "FIELDS_OF_ROOM",
    "NO_DETAILS",
    "Detail",
    "DetailKind",
    "DetailPlan",
    "Details",
    "Fate",
    "Share",
    "Texts",
    "describe",
]


class DetailKind(StrEnum):
    """The kinds of details, in the order in which they are applied."""

    TITLE = "title"
    DESCRIPTION = "description"
    CREATEDBY = "createdby"
    CATEGORY = "category"
    USER = "user"
    GROUP = "group"
    LIVE = "live"


class Fate(StrEnum):
    """The fate of a detail; the values are published in ``status.details``."""

    #: To be sent, or sent again after a refusal that passes.
    WAITING = "waiting"
    #: HMP will take it once the recording has finished (E27).
    AFTER_THE_END = "after_the_end"
    APPLIED = "applied"
    FAILED = "failed"


@dataclass(frozen=True)
class Detail:
    """One thing that a recording is to be given.

    `subject` is the category's id or the user's or group's name, `values` the text, the category's
    values, or the permission.
    """

    kind: DetailKind
    values: tuple[str, ...]
    subject: str = ""
    fate: Fate = Fate.WAITING
    #: HMP's last refusal, or why the template gave nothing.
    problem: Problem | None = None
    attempts: Passing[int] = 0
    #: Before this it is not sent again.
    not_before: Passing[Monotonic] = 0.0

    @property
    def name(self) -> str:
        """Its name in ``status.details``."""
        return f"{self.kind} {self.subject}" if self.subject else str(self.kind)


@dataclass(frozen=True)
class Details:
    """The details of one recording. `until` is the time of giving up, once it has ended."""

    recording: RecordingId
    session: SessionId | None
    items: tuple[Detail, ...] = ()
    until: Monotonic | None = None

    @property
    def outstanding(self) -> bool:
        """True if anything is still to be applied."""
        return any(item.fate in (Fate.WAITING, Fate.AFTER_THE_END) for item in self.items)


Texts = tuple[tuple[DetailKind, str], ...]
"""Title, description and createdby as people gave them; they go before the templates."""


@dataclass(frozen=True, slots=True)
class Share:
    """Whom a recording is shared with: a user or a group, by a template that gives the name."""

    kind: DetailKind
    name: Template
    permission: PermissionId


@dataclass(frozen=True, slots=True)
class DetailPlan:
    """The details that every recording of a room gets; `room` is what templates see as ``room``."""

    room: tuple[tuple[str, str], ...] = ()
    texts: tuple[tuple[DetailKind, Template], ...] = ()
    categories: tuple[tuple[CategoryId, tuple[Template, ...]], ...] = ()
    shares: tuple[Share, ...] = ()
    live: bool = False


NO_DETAILS = DetailPlan()

FIELDS_OF_ROOM = ("key", "name")
"""The fields of ``room`` in templates."""

FIELDS_OF_NOW = ("year", "month", "day", "hour", "minute", "second")
"""The fields of ``now`` in templates, which is a time."""


def describe(
    plan: DetailPlan, meeting: Meeting | None, texts: Texts, now: Now
) -> tuple[Detail, ...]:
    """The details of a recording that starts now, rendered and made safe to send.

    What people gave by word goes before the templates. An empty text is no detail; a template that
    fails is one that has failed already.
    """
    values = _values(plan, meeting, now)
    given, details = dict(texts), []
    templates = dict(plan.texts)
    for kind in (DetailKind.TITLE, DetailKind.DESCRIPTION, DetailKind.CREATEDBY):
        if kind in given:
            details.append(Detail(kind, (given[kind],)))
        elif kind in templates:
            details += _rendered(kind, "", [templates[kind]], values)
        elif kind is DetailKind.TITLE and meeting is not None and meeting.title:
            details.append(Detail(kind, (cut(meeting.title, arguments.TITLE_LIMIT),)))
    for category, wanted in plan.categories:
        details += _rendered(DetailKind.CATEGORY, category, wanted, values)
    for share in plan.shares:
        details += _shared(share, values)
    if plan.live:
        details.append(Detail(DetailKind.LIVE, ("true",)))
    return tuple(details)


def _values(plan: DetailPlan, meeting: Meeting | None, now: Now) -> Mapping[str, object]:
    about = meeting or Meeting()
    return {
        "room": dict(plan.room),
        "meeting": dict(about.fields)
        | {
            "id": about.id,
            "title": about.title or "",
            "organizer": about.organizer or "",
            "start": _local(about.start),
            "end": _local(about.end),
        },
        "now": _local(now.wall),
    }


def _local(wall: float | None) -> datetime | None:
    return None if wall is None else datetime.fromtimestamp(wall).astimezone()


_LIMITS = {
    DetailKind.TITLE: arguments.TITLE_LIMIT,
    DetailKind.DESCRIPTION: arguments.TEXT_LIMIT,
    DetailKind.CREATEDBY: arguments.NAME_LIMIT,
    DetailKind.CATEGORY: arguments.NAME_LIMIT,
}


def _rendered(
    kind: DetailKind,
    subject: str,
    templates: tuple[Template, ...] | list[Template],
    values: Mapping[str, object],
) -> list[Detail]:
    """None, or one detail with every text that is not empty, each once."""
    texts: dict[str, None] = {}
    try:
        for template in templates:
            text = arguments.drop_control_characters(template.render(values)).strip()
            texts[cut(text, _LIMITS[kind]).strip()] = None
    except TemplateError as error:
        return [Detail(kind, (), subject, Fate.FAILED, _template_failed(error))]
    texts.pop("", None)
    return [Detail(kind, tuple(texts), subject)] if texts else []


def _shared(share: Share, values: Mapping[str, object]) -> list[Detail]:
    try:
        name = arguments.drop_control_characters(share.name.render(values)).strip()
    except TemplateError as error:
        return [Detail(share.kind, (share.permission,), "", Fate.FAILED, _template_failed(error))]
    if not name:
        return []  # a recording without an organizer is shared with none
    if len(name) > arguments.NAME_LIMIT:
        problem = Problem(
            "template_failed",
            f"the name to share with is {len(name)} characters long, at most "
            f"{arguments.NAME_LIMIT} are taken",
            "Look at the template under details.share, and at what the booking system sends.",
        )
        return [Detail(share.kind, (share.permission,), name[:40], Fate.FAILED, problem)]
    return [Detail(share.kind, (share.permission,), name)]


def _template_failed(error: TemplateError) -> Problem:
    return Problem("template_failed", str(error), "Correct the template under details.")
