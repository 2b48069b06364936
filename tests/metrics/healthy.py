"""A bridge with nothing wrong, as metrics and health see it, and what may be wrong with it."""

from collections.abc import Callable
from typing import Any

from bridge.hmp.arguments import SessionId
from bridge.hmp.link import LinkHealth, LinkState
from bridge.journal.journal import JournalHealth
from bridge.metrics.snapshot import Snapshot
from bridge.mqtt.broker_health import BrokerHealth, BrokerState
from bridge.room.facts.state import RoomState
from tests.room.policies import policy_of

__all__ = ["IDLE", "SESSION", "broker_health", "link_health", "look"]

SESSION = SessionId("71edd346-2cf0-4c62-b3d3-9d457b287394")
IDLE = RoomState(policy_of(SESSION), link_ready=True)


def link_health(state: LinkState = LinkState.READY, **changes: Any) -> LinkHealth:
    """A link that is well."""
    values: dict[str, Any] = {
        "round_trip": 0.001,
        "last_answer": 5.0,
        "queue_depth": 0,
        "reconnects": 0,
        "error": None,
    }
    return LinkHealth(state=state, **values | changes)


def broker_health(state: BrokerState = BrokerState.ONLINE, **changes: Any) -> BrokerHealth:
    """A broker that is well."""
    values: dict[str, Any] = {
        "address": "localhost:1883",
        "protocol": "5",
        "session_present": True,
        "round_trip": 0.001,
        "reconnects": 0,
        "received_unacknowledged": 0,
        "received_dropped": 0,
        "unconfirmed": 0,
        "outbox_dropped": 0,
        "refused": 0,
        "refused_filters": {},
        "withheld": (),
        "contested": (),
        "error": None,
    }
    return BrokerHealth(state=state, **values | changes)


def look(**changes: Any) -> Callable[[], Snapshot]:
    """A bridge with one server, `main`, and nothing wrong."""
    well = Snapshot({"main": link_health()}, broker_health(), JournalHealth(None, 0.001), [IDLE], 0)
    return lambda: well._replace(**changes)
