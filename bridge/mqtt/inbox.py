"""Messages between the broker and whoever receives them: bounded, in fair turns, once each."""

from collections import OrderedDict, deque
from collections.abc import Callable

import structlog
import trio

from ..journal.inputs import numbers_of
from ..process.progress import Progress
from .message import Message, Receipt
from .shares import Shares, Source

__all__ = ["Inbox", "none_held", "one_share"]

log = structlog.get_logger("mqtt")

LENIENCY = 16


def none_held(_share: str) -> bool:
    """True for a share that must wait: none."""
    return False


def one_share(_topic: str) -> Source:
    """The source of every topic where nobody tells them apart."""
    return Source("", 0, "#")


class Inbox:
    """A queue that outlives connections and holds about `capacity` messages of each share.

    `source_of` says which share a topic belongs to. `get` takes turns between shares, but for those
    that are `held`; whoever holds one says `look_again` when that may have ended. PUBACKs are sent
    in the order of arrival (MQTT 5, 4.6).

    The memory bound: MQTT 5's Receive Maximum has the broker keep back what exceeds `capacity`
    unacknowledged QoS 1 messages. mosquitto 2.0 keeps to it only until the first PUBACK: each one
    then releases as many again from its queue. A 3.1.1 broker need not keep to anything. So QoS 1
    may exceed the capacity `LENIENCY` times before a message is dropped. It is acknowledged all the
    same: left open, a few of them would take up all that the broker lets be under way, and nothing
    would come any more, for any room. QoS 0 is dropped at `capacity`. Both are
    dropped of a share alone that has its part of that and more: never of one that nobody floods.
    What was dropped is counted in `dropped`, and logged when dropping begins.

    What was acknowledged stays known until that has surely arrived: when the session is resumed, a
    message that is still unacknowledged, or whose PUBACK was lost with the connection, is delivered
    again and recognised, so that `get` returns it once (R27: a `toggle` never happens twice).
    """

    def __init__(
        self,
        capacity: int,
        source_of: Callable[[str], Source] = one_share,
        held: Callable[[str], bool] = none_held,
    ) -> None:
        self.capacity = capacity
        self.dropped = 0
        self._source_of = source_of
        self._held = held
        self._waiting: Shares[Message] = Shares()
        #: Of whoever takes messages out.
        self.progress = Progress()
        self._open: dict[int, Receipt] = {}
        self._order: deque[Receipt] = deque()
        # As many PUBACKs as there may be unacknowledged messages can be lost with a connection.
        # Fingerprints alone: a receipt would keep its connection in memory long after its end.
        self._served: OrderedDict[int, int] = OrderedDict()
        self._full: set[str] = set()
        self._numbers = numbers_of(0)

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def unacknowledged(self) -> int:
        """QoS 1 messages for which no PUBACK has been sent."""
        return len(self._open)

    def none_before(self, moment: float) -> bool:
        """True where nothing waits that was received before a moment."""
        return all(first.received_at >= moment for first in self._waiting.first_of_each())

    def connected(self, *, session_present: bool, session: int = 0) -> None:
        """A connection begins, in one of the sessions that there are.

        Without its session the broker uses packet identifiers afresh.
        """
        self._numbers = numbers_of(session)
        if not session_present:
            void = self._numbers
            self._order = deque(each for each in self._order if each.number not in void)
            for known in (self._open, self._served):
                for number in [each for each in known if each in void]:
                    del known[number]

    def put(self, message: Message) -> None:
        """Take what a connection delivered."""
        receipt = message.receipt
        if receipt is not None:
            receipt.number = self._numbers[receipt.mid]
            if message.duplicate and self._is_known(receipt):
                return
        source = self._source_of(message.topic)
        is_full = self._is_full(source.share, receipt)
        if is_full:
            self._drop(source, receipt)
        else:
            self._full.discard(source.share)
            self._waiting.put(source.share, source.rank, message)
        if receipt is not None:
            receipt.on_acknowledged = self._acknowledge
            number = receipt.number
            self._served.pop(number, None)
            self._open[number] = receipt
            self._order.append(receipt)
            if is_full:
                receipt.acknowledge()
        self.progress.wanted()

    async def get(self) -> Message:
        """The next message: of each share in its turn, within one in the order of arrival.

        Yields to other tasks only when it must wait: the capacity bounds how long they wait.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        while True:
            try:
                message = self._waiting.take(self._held)
            except IndexError:
                await self.progress.rest()
            else:
                self.progress.within(0.0)
                return message

    def look_again(self) -> None:
        """A share may be held no more."""
        if self._waiting:
            self.progress.wanted()

    def _is_full(self, share: str, receipt: Receipt | None) -> bool:
        limit = self.capacity if receipt is None else self.capacity * LENIENCY
        if len(self._waiting) < limit:
            return False
        waiting = self._waiting.waiting(share)
        return waiting * max(1, self._waiting.count) >= limit

    def _is_known(self, again: Receipt) -> bool:
        """True for a redelivery of what was put before; its receipt is renewed then."""
        known = self._open.get(again.number)
        if known is not None and known.fingerprint == again.fingerprint:
            known.send = again.send
            return True
        if self._served.get(again.number) == again.fingerprint:
            again.send(again.mid)
            return True
        return False

    def _acknowledge(self) -> None:
        """Send the PUBACKs that are due, none before that of an earlier message."""
        while self._order and self._order[0].acknowledged:
            receipt = self._order.popleft()
            receipt.send(receipt.mid)
            number = receipt.number
            if self._open.get(number) is receipt:
                del self._open[number]
                self._served[number] = receipt.fingerprint
                if len(self._served) > self.capacity * LENIENCY:
                    self._served.popitem(last=False)

    def _drop(self, source: Source, receipt: Receipt | None) -> None:
        self.dropped += 1
        if source.share not in self._full:
            self._full.add(source.share)
            # Nothing that is another each time: equal lines are counted.
            log.warning(
                "mqtt inbox full, dropping messages",
                topics=source.name,
                qos=0 if receipt is None else 1,
                what_to_do="find who sends so much; publish inputs at QoS 1 over MQTT 5, which a "
                "broker holds back",
            )
