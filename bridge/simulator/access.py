"""Who may talk to the API: the switch and the list of authorized addresses (guide, *Enabling
Command Line API Access*), each change taking effect only after a while.
"""

import ipaddress
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field

__all__ = ["Access", "plain_address"]

EVERYONE = "*"


def plain_address(address: str) -> str:
    """One spelling per address; an IPv4 address that came in over an IPv6 socket is IPv4.

    Raises `ValueError` for what is neither an address nor ``*``, which stands for every address.
    """
    if address == EVERYONE:
        return address
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    return str(parsed)


@dataclass(slots=True)
class Access:
    """The access in effect: `enabled` is the API's switch, `allowed` the list of addresses.

    Changes wait in order for their time; `apply` puts those in effect that are due.
    """

    enabled: bool = True
    allowed: set[str] = field(default_factory=lambda: {EVERYONE})
    _coming: deque[tuple[float, bool | None, str, bool]] = field(default_factory=deque)

    def permits(self, address: str) -> bool:
        """True if a peer from there is served."""
        return EVERYONE in self.allowed or plain_address(address) in self.allowed

    def switch(self, *, enabled: bool, at: float) -> None:
        """Switch the API on or off, from that time on."""
        self._coming.append((at, enabled, "", False))

    def list_address(self, address: str, *, allowed: bool, at: float) -> None:
        """Put an address on the list or take it off, from that time on. Raises `ValueError`."""
        self._coming.append((at, None, plain_address(address), allowed))

    def next_change(self) -> float | None:
        """When the earliest pending change takes effect."""
        return self._coming[0][0] if self._coming else None

    def apply(self, now: float) -> bool:
        """Put in effect what is due; whether anything was."""
        applied = False
        while self._coming and self._coming[0][0] <= now:
            _, enabled, address, allowed = self._coming.popleft()
            if enabled is not None:
                self.enabled = enabled
            elif allowed:
                self.allowed.add(address)
            else:
                self.allowed.discard(address)
            applied = True
        return applied

    def listing(self) -> Collection[str]:
        """The addresses in effect, sorted."""
        return sorted(self.allowed)
