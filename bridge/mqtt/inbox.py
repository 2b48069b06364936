"""Messages between the broker and whoever receives them: bounded, in arrival order, once each."""

from collections import OrderedDict, deque

import structlog
import trio

from .message import Message, Receipt

__all__ = ["Inbox"]

log = structlog.get_logger()


class Inbox:
    """A queue of `capacity` messages that outlives connections.

    The memory bound: MQTT 5's Receive Maximum keeps a broker from having more than `capacity`
    QoS 1 messages unacknowledged. What it does not govern (QoS 0, and QoS 1 of a 3.1.1 broker
    without a limit of its own) is dropped when the queue is full, counted in `dropped`, and
    logged when dropping begins.

    A receipt stays known until it has surely served: when the session is resumed, a message that
    is still unacknowledged, or whose PUBACK was lost with the connection, is delivered again and
    recognised, so that `receive` returns it once (R27: a `toggle` never happens twice).
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.dropped = 0
        self._queue: deque[Message] = deque()
        self._arrival = trio.lowlevel.ParkingLot()
        self._open: dict[int, Receipt] = {}
        # As many PUBACKs as the broker may be waiting for can be lost with a connection.
        self._served: OrderedDict[int, Receipt] = OrderedDict()
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
        if len(self._queue) >= self.capacity:
            self._drop(message)
            message.acknowledge()
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
        """Whether this is a redelivery of what was put before; then its receipt is renewed."""
        known = self._open.get(again.mid) or self._served.get(again.mid)
        if known is None or (known.topic, known.payload) != (again.topic, again.payload):
            return False
        known.send = again.send
        if known.acknowledged:
            known.send(known.mid)
        return True

    def _acknowledged(self, receipt: Receipt) -> None:
        if self._open.get(receipt.mid) is receipt:
            del self._open[receipt.mid]
            self._served[receipt.mid] = receipt
            if len(self._served) > self.capacity:
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
                hint="publish inputs at QoS 1 over MQTT 5, which the broker holds back for us",
            )
