"""Why the bridge itself refuses a request, in words for panels and sentences for people."""

from .state import Problem

__all__ = [
    "ALREADY_HELD",
    "ALREADY_RECORDING",
    "BUSY_MARKING",
    "ENDED",
    "ID_UNKNOWN",
    "NOTHING_TO_STREAM",
    "NOT_CERTAIN",
    "NOT_RECORDING",
    "NO_DESTINATION",
    "NO_SUCH_RECORDING",
    "OUTCOME_UNKNOWN",
    "SESSION_NOT_MADE",
    "STREAM_ID_UNKNOWN",
    "TOO_LATE",
    "TOO_MANY",
    "TOO_OLD",
]

NOT_RECORDING = Problem(
    "not_recording",
    "Nothing is being recorded",
    "There is no recording in this room that could be changed. Start one first.",
)
NOT_CERTAIN = Problem(
    "not_certain",
    "Nobody can say at present whether this room is being recorded",
    "A toggle could do the opposite of what is meant. Say record or stop instead.",
)
ID_UNKNOWN = Problem(
    "id_unknown",
    "HMP records this room, but the recording's id was lost with a reply",
    "Stop it in HMP's web pages, or hand its id over with the action adopt.",
)
OUTCOME_UNKNOWN = Problem(
    "outcome_unknown",
    "The command was sent and no reply came",
    "HMP may have carried it out. The room's state shows what HMP says as soon as it can be asked.",
)
TOO_LATE = Problem(
    "expired",
    "HMP could not be asked in time",
    "The server was out of reach for longer than the action keeps. Look at the server's state, "
    "then ask again.",
)
ENDED = Problem(
    "recording_ended",
    "The recording ended before this could be done",
    "It was stopped, or HMP lost it. Start another recording if one is wanted.",
)
ALREADY_RECORDING = Problem(
    "already_recording",
    "This room has a recording already",
    "Stop it before another recording is handed over.",
)
NO_SUCH_RECORDING = Problem(
    "no_such_recording",
    "HMP has no active recording with this id",
    "Look its id up in HMP's web pages; only an active recording can be handed over.",
)
BUSY_MARKING = Problem(
    "too_many_marks",
    "Too many HotMarks are waiting",
    "HMP takes one HotMark a second. Send fewer.",
)
TOO_MANY = Problem(
    "too_many_requests",
    "Too many requests of this room wait for HMP",
    "Look for a button that is stuck, or a program that does not wait for results.",
)
ALREADY_HELD = Problem(
    "already_held",
    "Another room has this recording",
    "A recording belongs to one room. Stop it there.",
)
TOO_OLD = Problem(
    "expired",
    "The message waited at the broker for longer than the action keeps",
    "The bridge was away when it was sent. Ask again if it is still wanted.",
)
SESSION_NOT_MADE = Problem(
    "session_not_made",
    "HMP made no session for the recording, or did not say so, twice",
    "Nothing is being recorded. Look at the network between the bridge and HMP, then record again.",
)
NOTHING_TO_STREAM = Problem(
    "nothing_to_stream",
    "This room has no finished recording",
    "A re-stream replays the last finished recording. Record and stop first.",
)
NO_DESTINATION = Problem(
    "no_destination",
    "It is not said where the re-stream is to be sent",
    "Send ip and port along, or set restream in the room's table of the configuration.",
)
STREAM_ID_UNKNOWN = Problem(
    "stream_id_unknown",
    "The re-stream was started, but its id was lost with a reply",
    "Stop it in HMP's web pages. restream_start asks HMP whether it still runs.",
)
