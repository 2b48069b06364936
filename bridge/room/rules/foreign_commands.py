"""Commands that somebody gave HMP by name, and the room whose recording they are about.

They did not come from the room, so nothing of it waits for them; but HMP's answer to them is as
good as its answer to the room's own (R1). A `stopRecording` by name is a person's stop.
"""

from ...hmp.commands import Command, PauseRecording, RecordingStatus, ResumeRecording, StopRecording
from ..facts.state import Change, RoomState
from ..facts.values import Now
from ..facts.vocabulary import Goal, Outcome, Stop, Target
from .turn import Turn

__all__ = ["ABOUT_RECORDING", "carried_out", "is_about", "perhaps_carried_out"]

ABOUT_RECORDING = (StopRecording, PauseRecording, ResumeRecording)
"""The commands that change what a room is."""


def is_about(room: RoomState, command: Command[object]) -> bool:
    """True if the command changes the recording that this room holds."""
    held = None if room.recording is None else room.recording.id
    return (
        isinstance(command, ABOUT_RECORDING)
        and held is not None
        and held.lower() == command.recording.lower()
    )


def carried_out(room: RoomState, command: Command[object], now: Now) -> Change:
    """HMP has answered ``OK``; what follows is asked of HMP at once."""
    turn = Turn(room, now)
    if not is_about(room, command):
        return turn.finish()
    match command:
        case StopRecording():
            turn.want_nothing()
            turn.update(problem=None)
            turn.update_recording(stop=Stop.ANSWERED, stop_taken=True, witness_due=False)
            turn.update_recording(stop_answered_at=now.monotonic, not_before=0.0)
            turn.dismiss_meetings()
        case _ if turn.recording.stop is not Stop.NO or room.target is Target.IDLE:
            pass  # it is being stopped, which is what counts
        case PauseRecording():
            _change(turn, RecordingStatus.PAUSED, Target.PAUSED, Goal.PAUSE)
        case ResumeRecording():
            _change(turn, RecordingStatus.RECORDING, Target.RECORDING, Goal.RESUME)
    return turn.finish()


def _change(turn: Turn, status: RecordingStatus, target: Target, goal: Goal) -> None:
    turn.update(target=target)
    turn.set_status(status)
    turn.update_recording(asked=False, not_before=0.0)
    turn.resolve({goal}, Outcome.OK)


def perhaps_carried_out(room: RoomState, command: Command[object], now: Now) -> Change:
    """HMP refused the command or never answered it: what it says of the recording settles it."""
    turn = Turn(room, now)
    if is_about(room, command):
        turn.update_recording(unsettled=True, not_before=0.0)
    return turn.finish()
