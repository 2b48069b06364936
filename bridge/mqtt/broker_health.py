"""How the broker link stands, in words and figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from .settings import Protocol

__all__ = ["BrokerHealth", "BrokerState"]


class BrokerState(StrEnum):
    """How the link stands."""

    #: Trying, or waiting to try again.
    CONNECTING = "connecting"
    #: `online` has been published and confirmed.
    ONLINE = "online"
    #: The last attempt or connection failed; another one follows.
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class BrokerHealth:
    """The link in figures. `round_trip`: the last PUBLISH to PUBACK, in seconds.

    `address` is where the broker is that is in use, or was tried last. `refused_filters` has the
    broker's reason for each filter that it does not let us subscribe to, `withheld` the topics of
    which it would not have the newest value, `contested` those to which somebody else goes on
    writing. `certificates` has when each certificate of the link ends, in seconds since the epoch:
    those in use, and the broker's of the last connection.
    """

    state: BrokerState
    address: str
    protocol: Protocol | None
    session_present: bool
    round_trip: float | None
    reconnects: int
    received_unacknowledged: int
    received_dropped: int
    unconfirmed: int
    outbox_dropped: int
    refused: int
    refused_filters: Mapping[str, str]
    withheld: Sequence[str]
    contested: Sequence[str]
    error: str | None
    certificates: Mapping[str, float] = field(default_factory=dict)
