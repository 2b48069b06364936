"""The JSON of `hmp/bridge/info` and `hmp/bridge/health`, and whose an info is."""

import json
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ..hmp.link import LinkHealth
from ..journal.journal import JournalHealth
from ..mqtt.link import BrokerHealth
from ..mqtt.topics import timestamp
from ..text.json_text import read_object

__all__ = ["Identity", "identity_in", "render_health", "render_info"]


class Identity(NamedTuple):
    """A bridge and when it started; of two, the one that started earlier sorts first."""

    started_at: str
    instance: str


def render_info(
    *,
    version: str,
    identity: Identity,
    protocol: str,
    servers: Iterable[str],
    rooms: Iterable[str],
    digest: str,
) -> str:
    """The object of `bridge/info`; `protocol` is the version of MQTT in use."""
    return json.dumps(
        {
            "version": version,
            "instance": identity.instance,
            "protocol": protocol,
            "started_at": identity.started_at,
            "servers": list(servers),
            "rooms": list(rooms),
            "configuration": digest,
        },
        separators=(",", ":"),
    )


def identity_in(info: bytes) -> Identity | None:
    """Whose `render_info` this is; None for anything else."""
    value = read_object(info)
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
    """The object of `bridge/health` at the instant that both clocks show.

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
