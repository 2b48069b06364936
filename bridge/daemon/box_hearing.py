"""What a box has heard of the others at the broker, and how much of that counts still (R36). Pure.

A word tells of the moment at which it was said. What comes after it may be missed: while the
process was stopped, on a line that died without a word, by a broker that was started anew, before
the other box has come back to it. So a box that is to act on what others say has them say it again.

Moments are of one clock, that goes on while the process is stopped; in seconds.
"""

from math import inf

from .box_words import BoxState, BoxWord
from .standing import Others

__all__ = ["BACK_WITHIN", "Hearing", "given_way_for"]

BACK_WITHIN = 10.0
"""Seconds in which whoever is at the broker has come back to it, or answered."""

_SHORTEST = 5.0
"""Seconds: a lease may be shorter than what a loaded machine takes to hear its own word."""

_SIGNS_END = 30.0
"""Seconds after which who is online has given a sign of it: three contacts (R16)."""


def given_way_for(ttl: float) -> float:
    """Seconds for which one that was away from the store lets go first who has led without it.

    For a little less than that what was heard counts for the latter.
    """
    return max(ttl, _SHORTEST)


class Hearing:
    """One connection after another, each of which begins with nothing."""

    def __init__(self) -> None:
        #: By box, the words of the others.
        self.words: dict[str, BoxWord] = {}
        #: By box, when it was last known to reach the store.
        self._there: dict[str, float] = {}
        #: Boxes of these that have gone since.
        self._gone: set[str] = set()
        self._asked_since: float | None = None
        self._heard_since: float | None = None
        self._proved_until = -inf
        self._offline_since: float | None = None
        self._sign_at: float | None = None

    @property
    def is_heard(self) -> bool:
        """True while whatever another box says is heard, if the line is what it seems."""
        return self._heard_since is not None

    def begin(self) -> None:
        """Nothing is heard, until it is proved: a connection has ended, or another one begins."""
        self.words.clear()
        self._there.clear()
        self._gone.clear()
        self._heard_since = self._offline_since = self._sign_at = None
        self._proved_until = -inf

    def proved(self, until: float, now: float) -> None:
        """Our own word has come back: whatever others said before that has, too.

        Nobody can have begun to lead before `until` of whom we would not have heard.
        """
        self._proved_until = until
        if self._heard_since is None:
            self._heard_since = now
            if self._sign_at is None and self._offline_since is None:
                self._offline_since = now

    def ask(self, asks: bool, now: float) -> bool:
        """Whether others are asked to say again that they reach the store; True: from now on."""
        begins = asks and self._asked_since is None
        if begins or not asks:
            self._asked_since = now if asks else None
        return begins

    @property
    def asks(self) -> bool:
        """True while others are asked."""
        return self._asked_since is not None

    def hear(self, box: str, word: BoxWord | None, now: float) -> None:
        """Another box's word; None for an emptied topic."""
        if word is None:
            self.words.pop(box, None)
        else:
            self.words[box] = word
        if word is None or word.state is BoxState.OFFLINE:
            if box in self._there and box not in self._gone:
                self._there[box] = now
                self._gone.add(box)
            return
        self._gone.discard(box)
        if word.store:
            self._there[box] = now
        else:
            self._there.pop(box, None)

    def others(self, now: float) -> Others:
        """What it all comes to.

        Who has gone, or does not answer, may be back before it is missed; so may one of whom a
        broker that we have just come to knows nothing.
        """
        if self._heard_since is None or now >= self._proved_until:
            return Others.UNHEARD
        if any(now < self._counts_until(box) for box in self._there):
            return Others.THERE
        return Others.UNHEARD if now < self._heard_since + BACK_WITHIN else Others.AWAY

    def _counts_until(self, box: str) -> float:
        at = self._there[box]
        if box in self._gone:
            return at + BACK_WITHIN
        return inf if self._asked_since is None else max(at, self._asked_since) + BACK_WITHIN

    # Who leads at this broker.

    def sign(self, now: float) -> None:
        """Whoever leads has said something, or had at last said that it is online."""
        self._sign_at, self._offline_since = now, None

    def offline(self, now: float) -> None:
        """Who led has gone."""
        self._offline_since = now

    def nobody_for(self, now: float) -> float:
        """Seconds for which nobody has been online at the broker, as far as that is heard."""
        if self._heard_since is None:
            return 0.0
        since = self._offline_since
        if since is None:
            since = now if self._sign_at is None else self._sign_at + _SIGNS_END
        return max(0.0, now - since)
