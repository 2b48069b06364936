"""Guesses of secrets, slowed down by the address that they come from. Pure."""

from collections import OrderedDict
from ipaddress import IPv6Address, ip_address

__all__ = ["Guesses", "network"]

_AT_ONCE = 5
"""Wrong secrets that an address may show in a row; a person mistypes one."""

_EVERY = 10.0
"""Seconds until it may show another one."""

_MOST_ADDRESSES = 4096
"""Addresses that are remembered; the one that was heard of longest ago goes first."""


class Guesses:
    """Counts the wrong secrets of each address; of IPv6, of each network of 64 bits."""

    def __init__(self) -> None:
        #: When all of an address's guesses will be forgotten.
        self._forgotten_at: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        """The addresses that are remembered."""
        return len(self._forgotten_at)

    def wait(self, address: str, now: float) -> float:
        """Seconds until a secret from this address is looked at; 0 if at once."""
        owed = self._forgotten_at.get(network(address), now) - now
        return max(0.0, owed - (_AT_ONCE - 1) * _EVERY)

    def wrong(self, address: str, now: float) -> None:
        """A secret from this address was wrong."""
        of = network(address)
        before = max(now, self._forgotten_at.get(of, now))
        self._forgotten_at[of] = before + _EVERY
        self._forgotten_at.move_to_end(of)
        if len(self._forgotten_at) > _MOST_ADDRESSES:
            self._forgotten_at.popitem(last=False)


def network(address: str) -> str:
    """The address, or the part of it that a household or an attacker has whole."""
    try:
        whole = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(whole, IPv6Address) and whole.ipv4_mapped is None:
        return str(int(whole) >> 64)
    return str(whole)
