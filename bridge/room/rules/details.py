"""Giving a recording its details: after the start, in order, and never in its way (R14).

Each detail is one command that can be repeated. What passes (HMP's back end or its directory is
down, a lost reply) is tried again while the recording lives and some minutes longer; what HMP will
take only of a finished recording is sent once more after the end (E27); everything else has failed,
and says so in ``status.details``.
"""

from dataclasses import replace

from ...hmp.arguments import CategoryId
from ...hmp.commands import (
    Command,
    MetadataField,
    PermissionId,
    RecordingStatus,
    SessionId,
    SetCategory,
    SetLiveSession,
    ShareRecordingWithGroup,
    ShareRecordingWithUser,
    UpdateMetadata,
)
from ...hmp.errors import ErrorKind, Refused
from ..facts import problems
from ..facts.answer import Answer, Done, problem_of
from ..facts.detail import Detail, DetailKind, Details, Fate, describe
from ..facts.state import Recording, RoomState, Step
from ..facts.values import Now, Problem, Request
from ..facts.vocabulary import Alarm, Goal, Outcome, StepKind
from .turn import Turn

__all__ = [
    "answered",
    "begin",
    "begin_without",
    "describe_pressed",
    "drop_live",
    "settle",
    "step",
]

_MOST_UNFINISHED = 32
"""Recordings whose details are still to be applied; before that many, the oldest is given up."""

_LONGEST_RETRY = 60.0
"""Seconds between two attempts at a detail."""

_PASSES = frozenset({ErrorKind.TRANSIENT, ErrorKind.DIRECTORY})
_AFTER_THE_END = frozenset({ErrorKind.RECORDING_NOT_FOUND, ErrorKind.NO_RESULTS})

_TEXTS = {
    DetailKind.TITLE: MetadataField.TITLE,
    DetailKind.DESCRIPTION: MetadataField.DESCRIPTION,
    DetailKind.CREATEDBY: MetadataField.CREATEDBY,
}


# What people ask.


def describe_pressed(turn: Turn, request: Request) -> None:
    """Metadata of the current recording, or of the next one when none is running.

    `Request.word` ends in the field's name. An empty text takes back what was given for the next.
    """
    kind, text = DetailKind(request.word.rpartition("/")[2]), request.text or ""
    room = turn.room
    if room.recording is None or room.recording.id is None:
        others = tuple(each for each in room.texts if each[0] is not kind)
        turn.update(texts=(*others, (kind, text)) if text.strip() else others)
        turn.answer(request, Outcome.OK)
        return
    if kind is DetailKind.TITLE and not text.strip():
        turn.answer(request, Outcome.FAILED, problems.BLANK_TITLE)
        return
    turn.resolve({Goal.DETAIL}, Outcome.IGNORED, about=kind)
    held = room.details
    if held is None or held.recording != room.recording.id:  # it is known from what was retained
        held = Details(room.recording.id, room.recording.session)
        _open(turn, held)
    others_now = tuple(each for each in held.items if each.kind is not kind)
    turn.update(details=replace(held, items=(Detail(kind, (text,)), *others_now)))
    if kind is DetailKind.TITLE:
        turn.update_recording(title=text)
    turn.wait_for(request, Goal.DETAIL, None, about=kind)


# What the start brings about.


def begin(turn: Turn, recording: Recording, title: str | None) -> None:
    """The recording has an id: render what it is to be given. `title` goes before all others."""
    room = turn.room
    if recording.id is None:
        return
    meeting = turn.meeting(recording.owner) or next(reversed(room.meetings), None)
    texts = dict(room.texts) | ({} if title is None else {DetailKind.TITLE: title})
    items = describe(room.policy.details, meeting, tuple(texts.items()), turn.now)
    _open(turn, Details(recording.id, recording.session, items))
    turn.update(texts=())
    shown = next((item.values for item in items if item.kind is DetailKind.TITLE), ())
    turn.update_recording(title=shown[0] if shown else None)
    if any(item.fate is Fate.FAILED for item in items):
        turn.alarm(Alarm.DETAILS_FAILED)


def begin_without(turn: Turn, recording: Recording) -> None:
    """The recording is others': no template is for it, and what is shown is of no other one."""
    if recording.id is not None:
        _open(turn, Details(recording.id, recording.session))


def _open(turn: Turn, details: Details) -> None:
    """From now on these are the present recording's; what is left of others goes on beside it."""
    before, unfinished = turn.room.details, turn.room.unfinished
    if before is not None and before.outstanding:
        unfinished = (*unfinished, before)
        if len(unfinished) > _MOST_UNFINISHED:
            unfinished = unfinished[1:]
            turn.alarm(Alarm.DETAILS_FAILED)
    turn.update(details=details, unfinished=unfinished)


# What to send.


def step(room: RoomState, now: Now) -> Step | None:
    """The next detail of the recording that runs, or of one that has ended."""
    for details in _all(room):
        for item in details.items:
            if item.fate is Fate.WAITING and now.has_come(item.not_before):
                command = _command(details, item)
                if command is not None:
                    return Step(StepKind.DETAIL, command)
    return None


def _all(room: RoomState) -> tuple[Details, ...]:
    return room.unfinished if room.details is None else (room.details, *room.unfinished)


def _command(details: Details, item: Detail) -> Command[None] | None:
    recording = details.recording
    match item.kind:
        case DetailKind.CATEGORY:
            return SetCategory(recording, CategoryId(item.subject), item.values)
        case DetailKind.USER:
            return ShareRecordingWithUser(item.subject, PermissionId(item.values[0]), recording)
        case DetailKind.GROUP:
            return ShareRecordingWithGroup(item.subject, PermissionId(item.values[0]), recording)
        case DetailKind.LIVE:
            if details.session is None:
                return None
            return SetLiveSession(details.session, item.values[0] == "true")
        case _:
            return UpdateMetadata(recording, _TEXTS[item.kind], item.values[0])


def drop_live(turn: Turn, session: SessionId) -> None:
    """A person says whether the session is live: no detail says otherwise any more (R10)."""
    for each in _all(turn.room):
        items = tuple(item for item in each.items if item.kind is not DetailKind.LIVE)
        if each.session == session and items != each.items:
            _replace(turn, each, replace(each, items=items))


# What HMP answers.


def answered(turn: Turn, sent: Step, answer: Answer) -> None:
    """The answer to one detail, whichever recording it was for."""
    for details in _all(turn.room):
        for item in details.items:
            if item.fate is Fate.WAITING and _command(details, item) == sent.command:
                _put(turn, details, item, _after(turn, details, item, answer))
                return


def _after(turn: Turn, details: Details, item: Detail, answer: Answer) -> Detail:
    if isinstance(answer, Done):
        turn.resolve({Goal.DETAIL}, Outcome.OK, about=item.kind)
        return replace(item, fate=Fate.APPLIED, problem=None)
    attempts = item.attempts + 1
    again_at = turn.next_try_at(attempts, _LONGEST_RETRY)
    if not isinstance(answer, Refused):
        return replace(item, attempts=attempts, not_before=again_at)
    problem = problem_of(answer)
    if answer.kind in _PASSES or answer.backend_down:
        return replace(item, attempts=attempts, not_before=again_at, problem=problem)
    if answer.kind in _AFTER_THE_END and details.until is None:
        return replace(item, fate=Fate.AFTER_THE_END, problem=problem)
    _fail(turn, item, problem)
    return replace(item, fate=Fate.FAILED, problem=problem)


def _fail(turn: Turn, item: Detail, problem: Problem | None) -> None:
    turn.resolve({Goal.DETAIL}, Outcome.FAILED, problem, about=item.kind)
    turn.update(problem=problem)
    turn.alarm(Alarm.DETAILS_FAILED)


def _put(turn: Turn, details: Details, before: Detail, after: Detail) -> None:
    items = tuple(after if each is before else each for each in details.items)
    _replace(turn, details, replace(details, items=items))


def _replace(turn: Turn, before: Details, after: Details) -> None:
    if turn.room.details is before:
        turn.update(details=after)
    else:
        others = (after if each is before else each for each in turn.room.unfinished)
        turn.update(unfinished=tuple(each for each in others if each.outstanding))


# What passes by itself.


def settle(turn: Turn) -> None:
    """Details that HMP takes of a finished recording only are due after it; then time runs out."""
    for details in _all(turn.room):
        if not details.outstanding:
            continue
        if details.until is None:
            _give_up_what_is_lost(turn, details)
            continue
        over = turn.now.has_come(details.until)
        items = []
        for item in details.items:
            after = item
            if item.fate is Fate.AFTER_THE_END:
                after = replace(item, fate=Fate.WAITING)
            elif item.fate is Fate.WAITING and over and not turn.room.sending(StepKind.DETAIL):
                _fail(turn, item, item.problem or problems.DETAIL_TOO_LATE)
                after = replace(item, fate=Fate.FAILED)
            items.append(after)
        if tuple(items) != details.items:
            _replace(turn, details, replace(details, items=tuple(items)))
    _answer_what_nothing_answers(turn)


def _give_up_what_is_lost(turn: Turn, details: Details) -> None:
    """HMP says ERROR, or has lost the recording: it will never be one that has finished."""
    held = turn.room.recording
    if held is None or held.id != details.recording or held.status is not RecordingStatus.ERROR:
        return
    for item in details.items:
        if item.fate is Fate.AFTER_THE_END:
            _fail(turn, item, item.problem)
            _put(turn, turn.room.details or details, item, replace(item, fate=Fate.FAILED))


def _answer_what_nothing_answers(turn: Turn) -> None:
    if not turn.room.awaits(Goal.DETAIL) or turn.room.sending(StepKind.DETAIL):
        return
    open_kinds = {
        item.kind
        for details in _all(turn.room)
        for item in details.items
        if item.fate in (Fate.WAITING, Fate.AFTER_THE_END)
    }
    for kind in _TEXTS.keys() - open_kinds:
        turn.resolve({Goal.DETAIL}, Outcome.IGNORED, about=kind)
