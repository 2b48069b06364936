"""What each broker can and cannot do, as the table of config/README.md."""

from . import Broker, Kind
from .probes import PROBES

__all__ = ["HEAD", "NAMES", "row"]

NAMES: dict[Kind, str] = {
    "mosquitto": "mosquitto 2.0.11",
    "embedded": "amqtt 0.12 (the demo's)",
    "aedes": "aedes 1.2",
    "nats": "NATS 2.15",
    "rabbitmq": "RabbitMQ 3.10",
}
"""The release of each kind that the table speaks of."""

HEAD = (f"| broker | {' | '.join(PROBES)} |", f"|---|{'---|' * len(PROBES)}")


def row(broker: Broker) -> str:
    """The broker's line, found out by asking it."""
    found = ("yes" if probe(broker) else "**no**" for probe in PROBES.values())
    return f"| {NAMES[broker.kind]} | {' | '.join(found)} |"
