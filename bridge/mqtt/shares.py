"""Fair shares: who waits goes in turns with everybody else who waits, however many each has. Pure.

A share is a room, or something else that messages are for. Within one, what has a lower rank goes
first, and what has the same in the order in which it came. So nobody waits for more than one turn
of each other share before the first of its own.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from typing import Generic, NamedTuple, TypeVar

__all__ = ["RANKS", "Shares", "Source"]

T = TypeVar("T")

RANKS = 3
"""Ranks from 0 on: presses and events, metadata, marks."""


class Source(NamedTuple):
    """Where a message comes from, as far as its topic tells.

    `name` is a topic filter that says which topics are taken together where somebody sends too
    many that are refused: there are no more of them than the configuration names.
    """

    share: str
    rank: int
    name: str


class Shares(Generic[T]):
    """Messages that wait, by share and rank; a turn takes as many as `a_turn` of one share."""

    def __init__(self, a_turn: int = 1) -> None:
        self._shares: OrderedDict[str, tuple[deque[T], ...]] = OrderedDict()
        self._length = 0
        self._a_turn = a_turn
        # Whose turn it is, and what is left of it.
        self._served, self._left = "", 0

    def __len__(self) -> int:
        return self._length

    @property
    def count(self) -> int:
        """Shares of which something waits."""
        return len(self._shares)

    def waiting(self, share: str) -> int:
        """So much of this share waits."""
        return sum(map(len, self._shares.get(share, ())))

    def put(self, share: str, rank: int, item: T) -> None:
        """The last of its share and rank."""
        ranks = self._shares.get(share)
        if ranks is None:
            ranks = self._shares[share] = _ranks()
        ranks[rank].append(item)
        self._length += 1

    def put_back(self, share: str, rank: int, item: T) -> None:
        """The first of its share and rank, which was taken before."""
        self._shares.setdefault(share, _ranks())[rank].appendleft(item)
        self._length += 1

    def remove(self, share: str, rank: int, item: T) -> None:
        """Not to be taken any more. Raises `KeyError` or `ValueError` where it does not wait."""
        ranks = self._shares[share]
        ranks[rank].remove(item)
        self._length -= 1
        if not any(ranks):
            del self._shares[share]

    def take(self, held: Callable[[str], bool] | None = None) -> T:
        """The next one of the shares that are not `held`. Raises `IndexError` for nothing."""
        for share in self._shares:
            if held is None or not held(share):
                break
        else:
            raise IndexError("nothing waits that may go on")
        ranks = self._shares[share]
        item = next(filter(None, ranks)).popleft()
        self._length -= 1
        if share != self._served or not self._left:
            self._served, self._left = share, self._a_turn
        self._left -= 1
        if not any(ranks):
            del self._shares[share]
            self._left = 0
        elif not self._left:
            self._shares.move_to_end(share)
        return item

    def first_of_each(self) -> Iterator[T]:
        """The one of each share and rank that has waited longest."""
        return (rank[0] for ranks in self._shares.values() for rank in ranks if rank)


def _ranks() -> tuple[deque[T], ...]:
    return deque(), deque(), deque()
