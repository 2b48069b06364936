"""The state of a bridge at one moment, as metrics and health see it."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from ..hmp.link import LinkHealth
from ..journal.journal import JournalHealth
from ..mqtt.broker_health import BrokerHealth
from ..room.facts.state import RoomState

__all__ = ["Snapshot"]


class Snapshot(NamedTuple):
    """The state of everything at one moment."""

    servers: Mapping[str, LinkHealth]
    broker: BrokerHealth
    journal: JournalHealth
    rooms: Iterable[RoomState]
    retained_ignored: int
    #: Seconds since the epoch at which each certificate ends, of the broker link and the web.
    certificates: Mapping[str, float] = MappingProxyType({})
