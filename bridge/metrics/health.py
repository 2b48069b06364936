"""The two questions of a supervisor to a process: does it live, is it ready?"""

from collections.abc import Mapping

import trio

from ..hmp.link import LinkHealth, LinkState
from ..mqtt.broker_health import BrokerHealth, BrokerState

__all__ = ["SLOWEST_TURN", "Verdict", "alive", "ready", "stands_by", "turn_of_the_loop"]

Verdict = tuple[bool, dict[str, object]]
"""True where all is well, and a JSON object with the reasons."""

SLOWEST_TURN = 1.0
"""Seconds within which every task that can run must have run, in a process that lives."""


async def turn_of_the_loop() -> float:
    """Seconds until everybody who was ready to run has run once."""
    began = trio.current_time()
    # The first ends before some of those who run in the same turn have run.
    await trio.lowlevel.checkpoint()
    await trio.lowlevel.checkpoint()
    return trio.current_time() - began


def alive(turn: float) -> Verdict:
    """True if the event loop turns: `turn` is the time that it has just taken, in seconds."""
    lives = turn <= SLOWEST_TURN
    return lives, {"live": lives, "turn_ms": round(turn * 1000, 3)}


def stands_by(status: str) -> Verdict:
    """False: no press reaches a box that stands by; `status` says who leads."""
    return False, {"ready": False, "not_ready": {"box": status}}


def ready(broker: BrokerHealth, servers: Mapping[str, LinkHealth]) -> Verdict:
    """True if presses get through: broker online, every server ready; and what is not."""
    missing = {
        f"server {name}": f"{health.state}: {health.error}" if health.error else str(health.state)
        for name, health in servers.items()
        if health.state is not LinkState.READY
    }
    if broker.state is not BrokerState.ONLINE:
        error = f"{broker.state}: {broker.error}" if broker.error else str(broker.state)
        missing = {"broker": error} | missing
    return not missing, {"ready": not missing, "not_ready": missing}
