"""What waits to be published, in fair turns of those whose it is (R28). Pure.

The broker's window may be small and its round trip long, so that the results of a room that is
flooded would be in the way of those of all others. Of one share everything leaves in the order in
which it was first touched: a result never before the state that it speaks of (R1).
"""

from collections import OrderedDict
from collections.abc import Callable

from .outgoing import Outgoing
from .shares import Shares

__all__ = ["A_TURN", "Outbox"]

A_TURN = 10
"""Publications of one share before another has its turn: all that a press says is together."""


class Outbox:
    """Topics that are to be published with their newest values, and messages, each once.

    `share_of` says whose a topic is.
    """

    def __init__(self, share_of: Callable[[str], str]) -> None:
        self._share_of = share_of
        #: By ticket, what came since the last `take`: while nothing leaves it is given no turn, for
        #: most of it is withdrawn, once everything was announced.
        self._come: dict[int, Outgoing] = {}
        self._waiting: Shares[Outgoing] = Shares(A_TURN)  # all else, of both of these
        #: Those that are to be published.
        self.topics: dict[str, Outgoing] = {}
        #: Those that wait, by ticket: as they came, behind those that were put back.
        self.messages: OrderedDict[int, Outgoing] = OrderedDict()

    def __len__(self) -> int:
        return len(self.topics) + len(self.messages)

    def put(self, outgoing: Outgoing) -> None:
        """The last of its share; its topic, where that is retained, does not wait yet."""
        self._note(outgoing)
        self._come[outgoing.ticket] = outgoing

    def take(self) -> Outgoing:
        """The next one. Raises `IndexError` for nothing."""
        if self._come:
            for outgoing in self._come.values():
                self._waiting.put(self._its_share(outgoing), 0, outgoing)
            self._come.clear()
        outgoing = self._waiting.take()
        if outgoing.retain:
            del self.topics[outgoing.topic]
        else:
            del self.messages[outgoing.ticket]
        return outgoing

    def put_back(self, outgoing: Outgoing) -> None:
        """It leaves once more, the first of its share; its topic does not wait meanwhile."""
        self._note(outgoing)
        if not outgoing.retain:
            self.messages.move_to_end(outgoing.ticket, last=False)
        self._waiting.put_back(self._its_share(outgoing), 0, outgoing)

    def withdraw(self, topic: str) -> int:
        """Publish it no more; its ticket. Raises `KeyError` for one that does not wait."""
        outgoing = self.topics.pop(topic)
        self._remove(outgoing)
        return outgoing.ticket

    def drop_oldest(self) -> Outgoing:
        """The first of the messages is not to leave at all. Raises `KeyError` for none."""
        _, oldest = self.messages.popitem(last=False)
        self._remove(oldest)
        return oldest

    def _note(self, outgoing: Outgoing) -> None:
        if outgoing.retain:
            self.topics[outgoing.topic] = outgoing
        else:
            self.messages[outgoing.ticket] = outgoing

    def _its_share(self, outgoing: Outgoing) -> str:
        """That of its topic, where it has none of its own."""
        outgoing.share = outgoing.share or self._share_of(outgoing.topic)
        return outgoing.share

    def _remove(self, outgoing: Outgoing) -> None:
        if self._come.pop(outgoing.ticket, None) is None:
            self._waiting.remove(outgoing.share, 0, outgoing)
