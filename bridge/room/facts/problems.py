"""Why the bridge itself refuses a request, in words for panels and sentences for people."""

from ...hmp.commands import RecordingId
from .values import Problem

__all__ = [
    "ALL_DAY",
    "ALREADY_HELD",
    "ALREADY_RECORDING",
    "BLANK_TITLE",
    "BUSY_MARKING",
    "CUT_FAILED",
    "DETAIL_TOO_LATE",
    "ENDED",
    "ID_UNKNOWN",
    "INTERNAL_ERROR",
    "MEETING_OVER",
    "NOTHING_TO_STREAM",
    "NOT_CERTAIN",
    "NOT_RECORDING",
    "NOT_UNDERSTOOD",
    "NO_DESTINATION",
    "NO_SESSION",
    "NO_SUCH_MEETING",
    "NO_SUCH_RECORDING",
    "OUTCOME_UNKNOWN",
    "ROOM_REMOVED",
    "SESSION_NOT_MADE",
    "STREAMS_ELSEWHERE",
    "STREAM_ID_UNKNOWN",
    "TOO_LATE",
    "TOO_LONG",
    "TOO_MANY",
    "TOO_MANY_MEETINGS",
    "TOO_OLD",
    "WHICH_MEETING",
    "another_recording",
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
ROOM_REMOVED = Problem(
    "room_removed",
    "The room was taken out of the configuration meanwhile",
    "What it still recorded runs on. Stop it in HMP's web pages, or bring the room back.",
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
NOT_UNDERSTOOD = Problem(
    "not_understood",
    "HMP answered with a word that its guide does not have",
    "Look at the recording in HMP's web pages. What HMP said is in the bridge's log.",
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
STREAMS_ELSEWHERE = Problem(
    "streams_elsewhere",
    "A re-stream of this room is sent to another address already",
    "status.restream says where to. Send restream_stop first: a room has one re-stream at a time.",
)
STREAM_ID_UNKNOWN = Problem(
    "stream_id_unknown",
    "The re-stream was started, but its id was lost with a reply",
    "Stop it in HMP's web pages. restream_start asks HMP whether it still runs.",
)
CUT_FAILED = Problem(
    "cut_failed",
    "The recording of the meeting before could not be ended in time",
    "It runs on and belongs to this meeting now; look at HMP and at the network to it.",
)
MEETING_OVER = Problem(
    "meeting_over",
    "The meeting is over",
    "Nothing is recorded for it. Look at the end that the booking system sent, at its zone and at "
    "this box's clock.",
)
NO_SUCH_MEETING = Problem(
    "no_such_meeting",
    "No such meeting runs in this room",
    "Send the id with which the meeting was started, or none where only one runs.",
)
WHICH_MEETING = Problem(
    "which_meeting",
    "Several meetings run in this room",
    "Send the id of the meeting that is meant, as it was sent at its start.",
)
ALL_DAY = Problem(
    "all_day",
    "The meeting lasts all day",
    "A day of the calendar is not recorded. Send times of day, or set record_all_day in the room's "
    "table of the configuration.",
)
TOO_MANY_MEETINGS = Problem(
    "too_many_meetings",
    "Too many meetings run in this room at once",
    "Send meeting_end, or an end with every start, so that meetings can be over.",
)
TOO_LONG = Problem(
    "max_extend",
    "The end has been moved as far as the room allows",
    "Raise max_extend in the room's table of the configuration, or record again afterwards.",
)
NO_SESSION = Problem(
    "no_session",
    "The room has no session at present",
    "In a room with sources a session exists only while it is being recorded. Record first.",
)
BLANK_TITLE = Problem(
    "malformed",
    "A recording's title must not be blank",
    "Nothing was changed. Send the title as text.",
)
DETAIL_TOO_LATE = Problem(
    "details_too_late",
    "HMP could not be asked to apply this detail in time",
    "The recording has ended. Set the detail in HMP's web pages.",
)
INTERNAL_ERROR = Problem(
    "internal_error",
    "The bridge met a fault of its own over this message",
    "Its log says which. Report it, and ask in another way: sent again, it comes to the same.",
)


def another_recording(recording_id: RecordingId | None) -> Problem:
    """HMP has an active one that the room's retained topics spoke of, beside the one it holds."""
    return Problem(
        "another_recording",
        f"HMP also records {recording_id}, of which this room's retained status spoke",
        "Stop it in HMP's web pages, or adopt it when the recording that is held has ended.",
    )
