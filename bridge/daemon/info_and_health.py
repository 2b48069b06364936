"""The JSON of `hmp/bridge/info` and `hmp/bridge/health`, and whose an info is."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ..hmp.link import LinkHealth, LinkState
from ..journal.journal import JournalHealth
from ..metrics.snapshot import Snapshot
from ..mqtt.broker_health import BrokerHealth
from ..mqtt.topics import timestamp
from ..text.json_text import read_object
from ..text.shortened import shortened

__all__ = [
    "Identity",
    "identity_in",
    "render_health",
    "render_info",
    "render_owner",
    "render_status",
]


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


def render_owner(part: str, identity: Identity) -> str:
    """The object of `server/<server>/bridge`: whose the server is, of several bridges (R38)."""
    who = {"bridge": part, "instance": identity.instance, "started_at": identity.started_at}
    return json.dumps(who, separators=(",", ":"))


_INSTANCE = re.compile(r"[0-9A-Za-z_-]{1,64}")


def identity_in(info: bytes) -> Identity | None:
    """Whose `render_info` this is; None for anything else."""
    value = read_object(info)
    if "instance" not in value:
        return None
    instance = str(value["instance"])
    # It goes into what people read, and anybody may have written it.
    shown = instance if _INSTANCE.fullmatch(instance) else "unreadable"
    return Identity(str(value.get("started_at")), shown)


def render_health(
    servers: Mapping[str, LinkHealth],
    broker: BrokerHealth,
    journal: JournalHealth,
    *,
    retained_dropped: int,
    certificates: Mapping[str, float],
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
                "address": broker.address,
                "protocol": broker.protocol,
                "round_trip_ms": _milliseconds(broker.round_trip),
                "queue_depth": broker.unconfirmed,
                "reconnects": broker.reconnects,
                "received_dropped": broker.received_dropped,
                "results_dropped": broker.outbox_dropped,
                "retained_ignored": retained_dropped,
                "refused_filters": dict(broker.refused_filters),
                "withheld": list(broker.withheld),
                "contested": list(broker.contested),
                "error": broker.error,
            },
            "journal": {
                "state": "ok" if journal.failure is None else "failing",
                "commit_ms": _milliseconds(journal.last_commit),
                "error": journal.failure,
            },
            "certificates": {name: timestamp(end) for name, end in certificates.items()},
        },
        separators=(",", ":"),
    )


def render_status(snapshot: Snapshot, stuck: Iterable[str] = ()) -> str:
    """The same in a line, for ``systemctl status``; first of all the loops that are stuck."""
    rooms = list(snapshot.rooms)
    states = {name: health.state for name, health in snapshot.servers.items()}
    others = [f"{name} {each}" for name, each in states.items() if each is not LinkState.READY]
    recording = sum(state.active for state in rooms)
    alarms = Counter(str(state.alarm) for state in rooms if state.alarm is not None)
    ready = f"{len(states) - len(others)} of {len(states)} servers ready"
    parts = [
        f"broker {snapshot.broker.state}{_in_brackets(snapshot.broker.error or '')}",
        f"{ready}{_in_brackets(', '.join(others))}",
        f"{recording} of {len(rooms)} rooms recording",
    ]
    if alarms:
        each = ", ".join(f"{name} {count}" for name, count in sorted(alarms.items()))
        parts.append(f"{alarms.total()} rooms with an alarm{_in_brackets(each)}")
    if snapshot.journal.failure is not None:
        parts.append("journal failing")
    if names := shortened(", ".join(stuck), 200):
        parts.insert(0, f"stuck: {names}")
    return "; ".join(parts)


def _in_brackets(text: str) -> str:
    return f" ({shortened(text, 200)})" if text else ""


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 2)
