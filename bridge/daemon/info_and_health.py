"""The JSON of `hmp/bridge/info` and `hmp/bridge/health`, and whose an info is."""

import json
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ..hmp.link import LinkHealth
from ..journal.journal import JournalHealth
from ..mqtt.link import BrokerHealth
from ..mqtt.topics import timestamp

__all__ = ["Identity", "identity_in", "render_health", "render_info"]


def render_info(
    *,
    version: str,
    instance_id: str,
    protocol: str,
    started_at: float,
    servers: Iterable[str],
    rooms: Iterable[str],
    digest: str,
) -> str:
    """What this bridge is. `started_at` is wall time, `protocol` the MQTT version in use."""
    return json.dumps(
        {
            "version": version,
            "instance": instance_id,
            "protocol": protocol,
            "started_at": timestamp(started_at),
            "servers": list(servers),
            "rooms": list(rooms),
            "configuration": digest,
        },
        separators=(",", ":"),
    )


class Identity(NamedTuple):
    """Who a bridge is; of two, the one that started earlier sorts first."""

    started_at: str
    instance: str


def identity_in(info: bytes) -> Identity | None:
    """Whose `render_info` this is; None for anything else."""
    try:
        value = json.loads(info)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    identity = Identity(str(value.get("started_at")), str(value.get("instance")))
    return identity if "instance" in value else None


def render_health(
    servers: Mapping[str, LinkHealth],
    broker: BrokerHealth,
    journal: JournalHealth,
    *,
    retained_dropped: int,
    monotonic: float,
    wall: float,
) -> str:
    """How the links do, at the instant that both clocks show.

    `round_trip_ms` and `last_answer` are of the last command or probe that was answered.
    """
    return json.dumps(
        {
            "servers": {
                name: {
                    "state": health.state,
                    "round_trip_ms": _milliseconds(health.round_trip),
                    "last_answer": None
                    if health.last_answer is None
                    else timestamp(wall - (monotonic - health.last_answer)),
                    "queue_depth": health.queue_depth,
                    "reconnects": health.reconnects,
                    "error": health.error,
                }
                for name, health in servers.items()
            },
            "broker": {
                "state": broker.state,
                "protocol": broker.protocol,
                "round_trip_ms": _milliseconds(broker.round_trip),
                "queue_depth": broker.unconfirmed,
                "reconnects": broker.reconnects,
                "received_dropped": broker.received_dropped,
                "results_dropped": broker.outbox_dropped,
                "retained_ignored": retained_dropped,
                "refused_filters": dict(broker.refused_filters),
                "withheld": list(broker.withheld),
                "error": broker.error,
            },
            "journal": {
                "state": "ok" if journal.failure is None else "failing",
                "commit_ms": _milliseconds(journal.last_commit),
                "error": journal.failure,
            },
        },
        separators=(",", ":"),
    )


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 2)
