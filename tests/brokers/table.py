"""What each broker can and cannot do, as the table of config/README.md."""

from tests.process.watched import PATIENCE

from . import Broker, Kind
from .probes import PROBES, SILENCE

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


def row(broker: Broker, said: str | None = None) -> str:
    """The broker's line, found out by asking it.

    Where the line that is `said` has a yes, that is waited for as long as a late machine needs;
    only silence shows a no.
    """
    cells = said.split("|")[2:-1] if said else [""] * len(PROBES)
    patience = [PATIENCE if cell.strip() == "yes" else SILENCE for cell in cells]
    found = (
        "yes" if probe(broker, seconds) else "**no**"
        for probe, seconds in zip(PROBES.values(), patience, strict=True)
    )
    return f"| {NAMES[broker.kind]} | {' | '.join(found)} |"
