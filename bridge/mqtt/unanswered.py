"""Answers that the broker still owes us: a PUBACK, SUBACK or UNSUBACK per packet identifier."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import trio
from paho.mqtt.reasoncodes import ReasonCode

from .failures import BrokerFailure, unanswered

__all__ = ["Awaited", "Unanswered"]


@dataclass(slots=True, eq=False)
class Awaited:
    """One packet and its answer; `codes` stay empty when the connection ends before it comes."""

    sent_at: float
    acknowledged: Callable[[ReasonCode], None] | None = None
    codes: Sequence[ReasonCode] = ()
    # Of most of them nobody waits for the answer.
    _arrived: trio.Event | None = None
    _ended: bool = False

    async def arrived(self, within: float = math.inf) -> None:
        """Wait until it has come, or will not come any more.

        Raises `BrokerFailure` when that takes more than so many seconds.
        """
        if self._ended:
            return
        self._arrived = self._arrived or trio.Event()
        with trio.move_on_after(within):
            await self._arrived.wait()
        if not self._ended:
            raise unanswered(within)

    def end(self) -> None:
        """It has come, or will not."""
        self._ended = True
        if self._arrived is not None:
            self._arrived.set()


class Unanswered:
    """At most `window` QoS 1 publications at a time (MQTT 5, 4.9: Receive Maximum)."""

    def __init__(self, window: int) -> None:
        self.window = window
        self.round_trip: float | None = None
        self._answers: dict[int, Awaited] = {}
        self._room = trio.lowlevel.ParkingLot()

    def __len__(self) -> int:
        return len(self._answers)

    @property
    def has_room(self) -> bool:
        """True if another publication fits the window."""
        return len(self._answers) < self.window

    def overdue(self, patience: float) -> BrokerFailure | None:
        """The failure of a packet that has waited for longer, in seconds, if there is one."""
        first = next(iter(self._answers.values()), None)
        late = first is not None and trio.current_time() - first.sent_at > patience
        return unanswered(patience) if late else None

    async def room(self) -> None:
        """Wait until `has_room` may have become true, or `abandon`."""
        await self._room.park()

    def expect(self, mid: int, acknowledged: Callable[[ReasonCode], None] | None = None) -> Awaited:
        """A packet was sent; `acknowledged` is called with the first code of its answer."""
        answer = self._answers[mid] = Awaited(trio.current_time(), acknowledged)
        return answer

    def arrived(self, mid: int, codes: Sequence[ReasonCode]) -> None:
        """The broker answered. Identifiers that nothing expects are ignored."""
        answer = self._answers.pop(mid, None)
        if answer is None:
            return
        self.round_trip = trio.current_time() - answer.sent_at
        answer.codes = codes
        answer.end()
        if self._room and self.has_room:
            self._room.unpark_all()
        if answer.acknowledged is not None:
            answer.acknowledged(codes[0])

    def abandon(self) -> None:
        """The connection has ended: wake whoever waits."""
        self._room.unpark_all()
        for answer in self._answers.values():
            answer.end()
