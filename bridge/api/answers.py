"""HMP's answer, its silence, or a room's result as the answer to the sender of a request. Pure."""

from ..hmp.commands import Command, Repeat
from ..hmp.errors import OutcomeUnknown, Refused
from ..mqtt.api_topics import Answer
from ..room.facts.answer import problem_of
from ..room.facts.values import Problem, Result
from ..room.facts.vocabulary import Outcome, State

__all__ = [
    "ALREADY_RECORDING",
    "EXPIRED",
    "LEFT_BEHIND",
    "NOT_CARRIED_OVER",
    "STOPPING",
    "TOO_LATE",
    "TOO_MANY",
    "done",
    "failed",
    "from_room",
    "refused",
    "unknown",
]


def failed(code: str, message: str, explanation: str) -> Answer:
    """It was not carried out; `explanation` says what to do."""
    return Answer(Outcome.FAILED, problem=Problem(code, message, explanation))


def _expired(code: str, message: str, explanation: str) -> Answer:
    return Answer(Outcome.EXPIRED, problem=Problem(code, message, explanation))


ALREADY_RECORDING = failed(
    "already_recording",
    "This session belongs to a room that has a recording already, or may have",
    "Nothing was sent. Stop that recording first; "
    '"force": true starts a second one beside it, which the room will not know.',
)
_OVERTAKEN = failed(
    "overtaken",
    "Something else was asked of the session's room before the start was sent",
    "Nothing was started. Send it again if it is still wanted.",
)
EXPIRED = _expired(
    "expired",
    "HMP could not be asked in time",
    "Nothing was sent. Look at the server's state, then send it again; "
    "the MQTT 5 message expiry says how long a request keeps.",
)
TOO_LATE = _expired(
    "expired",
    "The message may have waited at the broker for longer than a request keeps",
    "Nothing was sent: the bridge was away. Send it again if it is still wanted.",
)
STOPPING = _expired(
    "stopping",
    "The bridge was stopped, or this server taken out of it, before the command was sent",
    "Nothing was sent. Send it again once hmp/bridge/state says online and hmp/bridge/info has "
    "the server.",
)
NOT_CARRIED_OVER = _expired(
    "restarted",
    "The bridge was restarted before the command was sent",
    "Nothing was sent. Send it again if it is still wanted.",
)
TOO_MANY = failed(
    "too_many_requests",
    "Too many requests wait for this server",
    "Nothing was sent. Wait for answers before sending more.",
)
LEFT_BEHIND = Answer(
    Outcome.UNKNOWN,
    problem=Problem(
        "restarted",
        "The bridge was restarted while the command was on its way to HMP",
        "HMP may have carried it out. Look in HMP's web pages before sending it again.",
    ),
)

_AFTER_SILENCE = {
    Repeat.SAFE: "HMP may have carried it out. It does no harm to send it again.",
    Repeat.AFTER_STATUS: "HMP may have carried it out. Ask getRecordingStatus, then decide.",
    Repeat.NEVER: "HMP may have carried it out. Look in HMP's web pages before sending it again.",
}


def done(value: object) -> Answer:
    """HMP answered ``OK``; `value` is the command's typed result."""
    text = None if value is None else str(value)
    return Answer(Outcome.OK, value=text, raw="OK" if text is None else f"OK|{text}")


def refused(error: Refused) -> Answer:
    """HMP answered ``ERROR``."""
    parts = ["ERROR", error.raw_code, error.message] if error.raw_code else ["ERROR", error.message]
    return Answer(Outcome.FAILED, problem=problem_of(error), raw="|".join(parts))


def unknown(error: OutcomeUnknown, command: Command[object]) -> Answer:
    """It was sent, and no reply came."""
    problem = Problem("outcome_unknown", str(error), _AFTER_SILENCE[command.repeat])
    return Answer(Outcome.UNKNOWN, problem=problem)


def from_room(result: Result) -> Answer:
    """The result of a room that was asked to record its session, as startRecording's answer."""
    match result.outcome:
        case Outcome.OK if result.recording_id is not None:
            return done(result.recording_id)
        case Outcome.IGNORED if result.state is State.IDLE:
            return _OVERTAKEN
        case Outcome.IGNORED | Outcome.OK:
            return ALREADY_RECORDING
        case outcome:
            return Answer(outcome, problem=result.problem)
