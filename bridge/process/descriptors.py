"""File descriptors: as many as the bridge needs, or a sentence that says how many those are."""

import resource
import sys

__all__ = ["MOST_CONNECTIONS", "TooFewDescriptors", "ensure_descriptors", "spare_descriptors"]

MOST_CONNECTIONS = 1000
"""Of browsers and programs over HTTP at once, where there are as many file descriptors."""

_FOR_ITSELF = 24
"""The event loop, the journal, the broker, standard streams, and what is open for a moment."""

_PER_SERVER = 2
"""A connection, and the next one while that is closed or its name looked up."""


class TooFewDescriptors(Exception):
    """This process may not open as many files and sockets as it must."""


def ensure_descriptors(servers: int, *, wanted: int = 0) -> None:
    """Raise the soft limit to what this many HMPs take. Raises `TooFewDescriptors`.

    And to so many more as are `wanted`, or to as many of them as there may be.
    """
    needed = _needed(servers)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    if soft == unlimited or soft >= needed + wanted:
        return
    if hard != unlimited and hard < needed:
        raise TooFewDescriptors(
            f"this process may open {hard} files and connections, and needs {needed} for {servers} "
            f"servers; raise the limit (LimitNOFILE={needed} in the unit, or ulimit -n)"
        )
    enough = needed + wanted if hard == unlimited else min(needed + wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, enough), hard))


def spare_descriptors(servers: int) -> int:
    """As many as may be open besides those that the bridge and so many HMPs need."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft - _needed(servers)


def _needed(servers: int) -> int:
    return _FOR_ITSELF + _PER_SERVER * servers
