"""The words of a room: what can be asked of it, what it can be, what can come of it."""

from enum import Enum, StrEnum

__all__ = [
    "ALARMS",
    "ALWAYS_COUNT",
    "Action",
    "Alarm",
    "Goal",
    "Happening",
    "Outcome",
    "State",
    "StepKind",
    "Stop",
    "Target",
    "folded_word",
]

_FOLDED = str.maketrans({"-": "_", ".": "_", " ": "_"})


def folded_word(word: str) -> str:
    """An action or event as it is known, whether written with capitals, `-`, `.` or spaces."""
    return word.strip().lower().translate(_FOLDED)


class Action(StrEnum):
    """A thing that can be asked of a room."""

    RECORD = "record"
    STOP = "stop"
    PAUSE = "pause"
    RESUME = "resume"
    TOGGLE = "toggle"
    TOGGLE_PAUSE = "toggle_pause"
    MARK = "mark"
    EXTEND = "extend"
    ADOPT = "adopt"
    RESTREAM_START = "restream_start"
    RESTREAM_STOP = "restream_stop"
    LIVE_ON = "live_on"
    LIVE_OFF = "live_off"
    #: What a booking system says; not among the actions that a panel can send.
    MEETING_START = "meeting_start"
    MEETING_END = "meeting_end"
    MEETING_EXTEND = "meeting_extend"
    #: Metadata given by word.
    DESCRIBE = "describe"


ALWAYS_COUNT = frozenset(
    {
        Action.STOP,
        Action.RESTREAM_STOP,
        Action.MEETING_START,
        Action.MEETING_END,
        Action.MEETING_EXTEND,
    }
)
"""Taken however old (R16), and never turned away (R8): what is said again of these is ignored, so
that they do not add up."""


class State(StrEnum):
    """The published state of a room."""

    IDLE = "idle"
    STARTING = "starting"
    RECORDING = "recording"
    PAUSING = "pausing"
    PAUSED = "paused"
    RESUMING = "resuming"
    STOPPING = "stopping"
    ERROR = "error"
    UNKNOWN = "unknown"


UNDER_WAY = frozenset({State.STARTING, State.PAUSING, State.RESUMING, State.STOPPING})
"""The states that pass with an answer of HMP's."""


class Target(StrEnum):
    """The state that the room is wanted to have, after the latest request that counts (R10)."""

    IDLE = "idle"
    RECORDING = "recording"
    PAUSED = "paused"


class Outcome(StrEnum):
    """The end of a request."""

    OK = "ok"
    IGNORED = "ignored"
    EXPIRED = "expired"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Alarm(StrEnum):
    """A reason to look at the room. Declared in order of importance; the first is published."""

    OUTCOME_UNKNOWN = "outcome_unknown"
    DISK_FULL = "disk_full"
    WRITE_ERROR = "write_error"
    RECORDING_ERROR = "recording_error"
    SESSION_MISSING = "session_missing"
    NO_SOURCE = "no_source"
    SHARED_RECORDING = "shared_recording"
    STOPPED_UNEXPECTEDLY = "stopped_unexpectedly"
    STOPPED_BY_LIMIT = "stopped_by_limit"
    CUT_FAILED = "cut_failed"
    JOURNAL_FAILING = "journal_failing"
    PAUSED_TOO_LONG = "paused_too_long"
    ENDING_SOON = "ending_soon"
    DETAILS_FAILED = "details_failed"


ALARMS = tuple(Alarm)
"""All alarms, the most important first."""


class Happening(StrEnum):
    """What can become of a room that somebody may want to do something at, once each time."""

    RECORDING_STARTED = "recording_started"
    RECORDING_PAUSED = "recording_paused"
    RECORDING_RESUMED = "recording_resumed"
    RECORDING_STOPPED = "recording_stopped"
    ALARM_RAISED = "alarm_raised"


class Goal(StrEnum):
    """A thing that a pending request waits for."""

    START = "a recording of its own"
    PAUSE = "the pause"
    RESUME = "the recording going on"
    STOP = "the confirmed end"
    ADOPT = "HMP knowing the recording"
    RESTREAM = "the re-stream running"
    RESTREAM_END = "the re-stream ended"
    MEETING_END = "the meeting being over, and its recording ended"
    DETAIL = "the detail applied"
    LIVE = "the session shown live, or not"


class Stop(Enum):
    """How far the end of a recording has come. Once wanted it is never taken back (R8)."""

    NO = "not wanted"
    WANTED = "to be sent"
    ANSWERED = "answered, to be confirmed"


class StepKind(StrEnum):
    """Why a command is sent; decides its priority (R22) and what its answer means."""

    CREATE_SESSION = "make a session"
    ADD_SOURCE = "add a source to it"
    START = "start"
    STOP = "stop"
    CONFIRM = "confirm the stop"
    PAUSE = "pause"
    RESUME = "resume"
    SETTLE = "settle what is uncertain"
    ADOPT = "ask about a recording to be adopted"
    QUESTION = "ask whether the session is being recorded"
    PROVE = "ask whether the session that the room made is being recorded"
    WITNESS = "ask whether the session still records what HMP does not know any more"
    MARK = "mark"
    DETAIL = "give the recording a detail"
    LIVE = "show the session live, or not"
    VERIFY = "verify the start"
    REMOVE_SESSION = "remove a session that is not wanted any more"
    RESTREAM = "start the re-stream"
    RESTREAM_STOP = "stop the re-stream"
    POLL = "poll"
