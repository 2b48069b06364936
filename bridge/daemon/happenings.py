"""What Home Assistant is told besides what everybody is: what happens to rooms, how many do what.

The outlet notes every state of every room here. While nobody is shown it, nothing is published.
"""

from ..mqtt.image import Image
from ..mqtt.topics import Topics
from ..room.facts.happenings import Seen
from ..room.worker import Room

__all__ = ["Happenings"]


class Happenings:
    """Publishes what happens where `telling`, and the counts of all rooms where `counting`."""

    def __init__(self, topics: Topics, image: Image) -> None:
        self._topics = topics
        self._image = image
        self._seen: dict[Room, Seen] = {}
        self.telling = False
        self._counting = False

    @property
    def counts(self) -> tuple[str, str]:
        """The topics that are retained, while there is counting."""
        return self._topics.bridge_rooms_recording, self._topics.bridge_rooms_alarm

    def count(self, *, counting: bool) -> None:
        """Publish the counts from here on, once a room has been looked at, or not any more."""
        self._counting = counting
        self._say_counts()

    def note(self, room: Room) -> None:
        """Look at a room whose state has changed; the first look says what there was before."""
        after = Seen.of(room.state)
        before = self._seen.get(room, after)
        self._seen[room] = after
        if self.telling:
            for happening in before.until(after):
                self._image.send(self._topics.room(room.name, "happened"), str(happening))
        self._say_counts()

    def forget(self, room: Room) -> None:
        """The room has said its last word."""
        self._seen.pop(room, None)
        self._say_counts()

    def _say_counts(self) -> None:
        if self._counting and self._seen:
            recording = sum(seen.recording for seen in self._seen.values())
            with_an_alarm = sum(bool(seen.alarms) for seen in self._seen.values())
            for topic, count in zip(self.counts, (recording, with_an_alarm), strict=True):
                self._image.set(topic, str(count))
