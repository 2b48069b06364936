"""The next of several brokers: all that there are, before any is tried a second time (R21).

A broker that works is kept. Where its connection ends, or none can be made, the next one is tried
at once, until each has had its turn; then whoever asks waits before it goes round again. A host
with several addresses is tried at each, as is a service at each host that its records list.
"""

from collections.abc import Awaitable, Callable, Sequence

from ..process.service_records import service_addresses
from ..process.tcp import addresses_of
from .failures import BrokerFailure, FailureKind
from .settings import SERVICE, BrokerSettings, Node

__all__ = ["Nodes", "every_node"]

LookUp = Callable[[str], Awaitable[Sequence[Node]]]
"""Host and port of each that offers a service, by the service's name. Raises `OSError`."""


class Nodes:
    """The brokers of `settings`; `current` are the settings of the one that is tried, or in use."""

    def __init__(
        self,
        settings: BrokerSettings,
        look_up: LookUp = service_addresses,
    ) -> None:
        self._settings = settings
        self.current = settings.at(settings.nodes[0])
        self._look_up = look_up
        #: Those that have yet to have their turn in this round; None where one is to begin.
        self._waiting: list[Node] | None = None
        #: Addresses of the current host at which a connection could be made, and was of no use.
        self._tried: set[str] = set()
        self._tried_any = False

    @property
    def several(self) -> bool:
        """True where there may be more than one broker."""
        nodes = self._settings.nodes
        return len(nodes) > 1 or SERVICE.fullmatch(nodes[0][0]) is not None

    async def choose(self) -> BrokerSettings:
        """The settings for the next attempt. Raises `BrokerFailure` where no name is known."""
        if self._waiting is None:
            self._take(await self._in_turn())
        self._tried_any = True
        return self.current

    def reached(self, address: str) -> None:
        """The attempt has reached the host at this address."""
        self._tried.add(address)

    async def another(self, *, lived: bool) -> bool:
        """Go on to the next one; False where each has had its turn, and it is time to wait.

        `lived`: the connection that has ended was of use, and so it is every other one's turn.
        """
        if lived:
            self._waiting = await self._others()
        elif await self._at_another_address():
            return True
        if self._waiting:
            self._take(self._waiting)
            return True
        self._waiting = None
        return False

    @property
    def _here(self) -> Node:
        return self.current.host, self.current.port

    def _take(self, nodes: list[Node]) -> None:
        first, *self._waiting = nodes
        self.current = self._settings.at(first)
        self._tried.clear()

    async def _at_another_address(self) -> bool:
        """Stay with a host that has an address at which nothing was tried."""
        if not self._tried:
            return False
        try:
            known = await addresses_of(*self._here)
        except OSError:
            return False
        self.current = self._settings.at(self._here, self._tried)
        return bool(set(known) - self._tried)

    async def _others(self) -> list[Node]:
        try:
            return [each for each in await self._in_turn() if each != self._here]
        except BrokerFailure:
            return []  # the next attempt will say so

    async def _in_turn(self) -> list[Node]:
        """All of them, those first that come after the current one."""
        nodes = await every_node(self._settings, self._look_up)
        place = nodes.index(self._here) + 1 if self._tried_any and self._here in nodes else 0
        return nodes[place:] + nodes[:place]


async def every_node(settings: BrokerSettings, look_up: LookUp = service_addresses) -> list[Node]:
    """All brokers, those among them that service records list. Raises `BrokerFailure` for none."""
    nodes: list[Node] = []
    failure = ""
    for node in settings.nodes:
        if SERVICE.fullmatch(node[0]):
            try:
                nodes += await look_up(node[0])
            except OSError as error:
                failure = str(error)
        else:
            nodes.append(node)
    if not nodes:
        raise BrokerFailure(FailureKind.UNRESOLVED, failure)
    return list(dict.fromkeys(nodes))
