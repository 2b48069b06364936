"""A round trip to HMP, measured."""

from dataclasses import dataclass

import trio

from .client import ServerLink
from .errors import Refused
from .failures import backend_down
from .link import Priority
from .probe import ALIVE_CODES, probe

__all__ = ["RoundTrip", "measure"]


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """Seconds that a probe waited for its turn, and then took to HMP's back end and back."""

    waited: float
    took: float


async def measure(link: ServerLink) -> RoundTrip:
    """Ask HMP about a recording that does not exist (E49), in the turn of a request.

    Raises what `ServerLink.execute` raises, and `LinkDown` where HMP answers and its back end does
    not.
    """
    asked_at = trio.current_time()
    try:
        await link.execute(probe(), Priority.REQUEST)
    except Refused as error:
        if error.code not in ALIVE_CODES:
            raise backend_down(error.code, error.message) from None
    total = trio.current_time() - asked_at
    took = min(total, link.health().round_trip or total)
    return RoundTrip(total - took, took)
