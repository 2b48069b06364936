"""Messages between the broker and whoever receives them: bounded, in arrival order, once each."""

from collections import OrderedDict, deque

import structlog
import trio

from .message import Message, Receipt

__all__ = ["Inbox"]

log = structlog.get_logger("mqtt")

LENIENCY = 16


class Inbox:
    """A queue that outlives connections and holds about `capacity` messages.

    The memory bound: MQTT 5's Receive Maximum has the broker keep back what exceeds `capacity`
    unacknowledged QoS 1 messages. mosquitto 2.0 keeps to it only until the first PUBACK: each one
    then releases as many again from its queue. A 3.1.1 broker need not keep to anything. So QoS 1
    may exceed the capacity `LENIENCY` times before a message is dropped, and even then gets no
    PUBACK, so that a resumed session brings it again. QoS 0 is dropped at `capacity`. What was
    dropped is counted in `dropped`, and logged when dropping begins.

    What was acknowledged stays known until that has surely arrived: when the session is resumed, a
    message that is still unacknowledged, or whose PUBACK was lost with the connection, is delivered
    again and recognised, so that `get` returns it once (R27: a `toggle` never happens twice).
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.dropped = 0
        self._queue: deque[Message] = deque()
        self._arrival = trio.lowlevel.ParkingLot()
        self._open: dict[int, Receipt] = {}
        # As many PUBACKs as there may be unacknowledged messages can be lost with a connection.
        # Fingerprints alone: a receipt would keep its connection in memory long after its end.
        self._served: OrderedDict[int, int] = OrderedDict()
        self._full = False

    def __len__(self) -> int:
        return len(self._queue)

    @property
    def unacknowledged(self) -> int:
        """QoS 1 messages for which no PUBACK has been sent."""
        return len(self._open)

    def connected(self, *, session_present: bool) -> None:
        """A connection begins. Without its session the broker uses packet identifiers afresh."""
        if not session_present:
            self._open.clear()
            self._served.clear()

    def put(self, message: Message) -> None:
        """Take what a connection delivered."""
        receipt = message.receipt
        if receipt is not None and message.duplicate and self._is_known(receipt):
            return
        limit = self.capacity if receipt is None else self.capacity * LENIENCY
        if len(self._queue) >= limit:
            self._drop(message)
            return
        self._full = False
        if receipt is not None:
            receipt.on_acknowledged = self._acknowledged
            self._served.pop(receipt.mid, None)
            self._open[receipt.mid] = receipt
        self._queue.append(message)
        self._arrival.unpark()

    async def get(self) -> Message:
        """The next message, in arrival order.

        Yields to other tasks only when it must wait: the capacity bounds how long they wait.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        while not self._queue:
            await self._arrival.park()
        return self._queue.popleft()

    def _is_known(self, again: Receipt) -> bool:
        """True for a redelivery of what was put before; its receipt is renewed then."""
        known = self._open.get(again.mid)
        if known is not None and known.fingerprint == again.fingerprint:
            known.send = again.send
            return True
        if self._served.get(again.mid) == again.fingerprint:
            again.send(again.mid)
            return True
        return False

    def _acknowledged(self, receipt: Receipt) -> None:
        if self._open.get(receipt.mid) is receipt:
            del self._open[receipt.mid]
            self._served[receipt.mid] = receipt.fingerprint
            if len(self._served) > self.capacity * LENIENCY:
                self._served.popitem(last=False)

    def _drop(self, message: Message) -> None:
        self.dropped += 1
        if not self._full:
            self._full = True
            log.warning(
                "mqtt inbox full, dropping messages",
                topic=message.topic,
                qos=message.qos,
                waiting=len(self._queue),
                what_to_do="publish inputs at QoS 1 over MQTT 5, which a broker holds back",
            )
