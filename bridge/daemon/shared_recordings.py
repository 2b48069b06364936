"""One recording that two rooms hold: copied journals and topics can bring that about (R5)."""

from collections import defaultdict

from ..room.facts.vocabulary import Alarm
from ..room.worker import Room

__all__ = ["SharedRecordings"]


class SharedRecordings:
    """Who holds which recording; rooms that hold one with another are told, and told when not."""

    def __init__(self) -> None:
        #: Server and id of the recording that each room holds.
        self._held: dict[Room, tuple[str, str]] = {}
        self._holders: defaultdict[tuple[str, str], set[Room]] = defaultdict(set)
        self._sharing: set[Room] = set()

    def note(self, room: Room) -> None:
        """Look at what the room holds, whenever its state has changed."""
        recording = room.state.recording
        held = None if recording is None or recording.id is None else recording.id.lower()
        self._hold(room, None if held is None or room.retired else (room.server, held))

    def forget(self, room: Room) -> None:
        """The room has said its last word."""
        self._hold(room, None)

    def _hold(self, room: Room, held: tuple[str, str] | None) -> None:
        before = self._held.pop(room, None)
        if held is not None:
            self._held[room] = held
        if held == before:
            return
        concerned = {room}
        if before is not None:
            self._holders[before].discard(room)
            concerned |= self._holders[before]
            if not self._holders[before]:
                del self._holders[before]
        if held is not None:
            self._holders[held].add(room)
            concerned |= self._holders[held]
        for each in concerned:
            shared = each in self._held and len(self._holders[self._held[each]]) > 1
            if shared is not (each in self._sharing):
                self._sharing ^= {each}
                each.alarm_changed(Alarm.SHARED_RECORDING, raised=shared)
