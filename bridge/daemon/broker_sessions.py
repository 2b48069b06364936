"""Which of its sessions a broker has resumed, where there are several brokers (R16, R27). Pure.

The nodes of a cluster share the bridge's session: wherever the bridge connects, what was not
acknowledged comes again, and what has come is known by its packet id. Brokers that share nothing
have a session each, with packet ids and a backlog of its own. Nobody says which of them there are.
So each session has a number. A broker that is met for the first time and resumes a session shares
the one that we had last; one that has none begins the next. From then on a broker's session is
known by its address.
"""

import json

from ..journal.instant import Instant
from ..text.json_text import read_object

__all__ = ["NOTE", "BrokerSessions"]

NOTE = "broker sessions"
"""The journal's note of them."""


class BrokerSessions:
    """The numbers of the sessions that there are, and the last contact in those that were left.

    `kept` is what `document` gave last, in any process.
    """

    def __init__(self, kept: str = "") -> None:
        told = read_object(kept)
        self._by_address: dict[str, int] = told.get("addresses", {})
        #: The one in use, or in use last.
        self.current: int = told.get("current", 0)
        self._left = {int(number): Instant(*at) for number, at in told.get("left", {}).items()}

    @property
    def known(self) -> bool:
        """True once a broker has been met as one of several; the only one of today may be that."""
        return bool(self._by_address)

    def connected(
        self, address: str, *, present: bool, contact: Instant | None, expired: bool
    ) -> bool:
        """Note which session it is; True where it is another one than that in use last.

        `contact` is the last contact so far; `expired`: that is so long ago that no broker has kept
        a session, and that there is none tells nothing.
        """
        before, known = self.current, self._by_address.values()
        if address not in self._by_address:
            shared = present or expired or not known
            self._by_address[address] = before if shared else max(known) + 1
        self.current = self._by_address[address]
        if self.current == before:
            return False
        if contact is not None:
            self._left[before] = contact
        return True

    @property
    def contact(self) -> Instant | None:
        """The last contact in the session in use, as it was when it was left."""
        return self._left.get(self.current)

    def document(self) -> str:
        """All of it, in JSON."""
        left = {number: [at.boot, at.monotonic, at.wall] for number, at in self._left.items()}
        kept = {"addresses": self._by_address, "current": self.current, "left": left}
        return json.dumps(kept)
