"""Acknowledgements: in the order of handling, each once nothing of its message can be lost (R27).

What bindings remember of a message is written down after what came of it and before the broker
forgets it. So whenever the process is killed, a message that comes again is either known to each
room that has carried it out, or new to the bindings as well as to the rooms; and a release, or a
counter that asked for nothing, is never forgotten.
"""

from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import trio

from ..journal.inputs import InputKey, key_held, key_of
from ..process.progress import Progress
from .message import Message

__all__ = ["Acknowledgements", "Part", "Place"]

_LAST_WORD = 5.0
"""Seconds that may pass, when the bridge is stopped, until what came last is written down."""


class Place:
    """One message's place in the order."""

    __slots__ = ("_expected", "_order", "message", "remembered")

    def __init__(self, message: Message, order: "Acknowledgements") -> None:
        self.message = message
        self._expected = 1
        self._order = order
        #: What must be written down before it is acknowledged, as a document.
        self.remembered: Callable[[], str] | None = None

    def expect(self, times: int) -> None:
        """So many requests came of the message; each of them must be accepted."""
        self._expected = times
        self._order.advance()

    def accept(self) -> None:
        """One of them cannot be lost any more."""
        self._expected -= 1
        self._order.advance()

    @property
    def accepted(self) -> bool:
        """True once nothing that came of the message can be lost any more."""
        return self._expected <= 0


@dataclass(frozen=True, slots=True)
class Part:
    """As much of a message as one request is: all of it, or what one binding makes of it.

    `waited` are the seconds for which it may have waited for the bridge (R16). `name` tells it from
    other parts of the same message; `held_at` is when what has no message of its own began.
    """

    place: Place
    waited: float
    name: str = ""
    held_at: float | None = None

    @property
    def key(self) -> InputKey | None:
        """By this a redelivery is recognised; None at QoS 0.

        Made when it is asked for: of what is refused, nobody asks.
        """
        message = self.message
        if self.held_at is not None:
            return key_held(message.topic, self.held_at, self.name)
        if message.receipt is None:
            return None
        return key_of(message.receipt.number, message.topic, message.payload, self.name)

    @property
    def message(self) -> Message:
        """The message."""
        return self.place.message


class Acknowledgements:
    """The messages that are not acknowledged yet; `save` writes down what bindings remember."""

    def __init__(self, save: Callable[[str], Awaitable[None]]) -> None:
        self._save = save
        self._saved = ""
        self._places: deque[Place] = deque()
        #: Of `run`.
        self.progress = Progress()
        self._advanced = trio.lowlevel.ParkingLot()

    def place(self, message: Message) -> Place:
        """The last place is this message's."""
        place = Place(message, self)
        self._places.append(place)
        return place

    def none_before(self, moment: float) -> bool:
        """True where all that was received before a moment is acknowledged."""
        return all(place.message.received_at >= moment for place in self._places)

    def advance(self) -> None:
        """Acknowledge what can be."""
        places = self._places
        while places and places[0].accepted and places[0].remembered is None:
            places.popleft().message.acknowledge()
        if places and places[0].accepted:
            self.progress.wanted()
        if self._advanced:
            self._advanced.unpark_all()

    async def advanced(self) -> None:
        """Wait until more may have been acknowledged."""
        await self._advanced.park()

    async def run(self) -> None:
        """Write down, and acknowledge, until cancelled; then what the rooms accept at their end."""
        try:
            while True:
                await self._write_down()
        finally:
            with trio.move_on_after(_LAST_WORD, shield=True):
                while any(place.remembered is not None for place in self._places):
                    await self._write_down()

    async def _write_down(self) -> None:
        """Wait for something to write down; write down all that can be, at once."""
        await self.progress.until_wanted()  # then for the journal
        document, done = None, []
        for place in self._places:
            if not place.accepted:
                break
            document = place.remembered or document
            done.append(place)
        if document is not None and (text := document()) != self._saved:
            await self._save(text)
            self._saved = text
        for place in done:
            place.remembered = None
        self.advance()
