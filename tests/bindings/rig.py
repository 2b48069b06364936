"""Bindings, what they remember and a clock: messages in, verdicts out."""

import json
from typing import Any

from bridge.bindings.binding import Memory, Verdict, take, tick
from bridge.bindings.durable import from_document, to_document
from bridge.bindings.outcome import Arrival, Failed
from bridge.config.bindings import BindingTable, make_bindings
from bridge.mqtt.topics import Input
from bridge.room.facts.values import Now

__all__ = ["WALL", "Rig"]

ROOMS = {"r0": "Room 0", "r1": "Room 1"}
WALL = 1_700_000_000.0


class Rig:
    """Bindings on topic `t`, a memory and a clock."""

    def __init__(self, *tables: dict[str, Any]) -> None:
        base: dict[str, Any] = {"topic": "t", "room": "r0"}
        whole = [base | ({} if "event" in table else {"do": "toggle"}) | table for table in tables]
        self.bindings = make_bindings(BindingTable(**table) for table in whole)
        self.memory: Memory = {}
        self.clock = 100.0

    @property
    def now(self) -> Now:
        """This instant."""
        return Now(self.clock, WALL + self.clock)

    def hear(
        self, payload: object, *, topic: str = "t", after: float = 0.0, retained: bool = False
    ) -> list[Verdict]:
        """What the bindings make of a message that comes `after` so many seconds."""
        self.clock += after
        raw = payload if isinstance(payload, bytes) else str(payload).encode()
        raw = json.dumps(payload).encode() if isinstance(payload, dict | list) else raw
        arrival = Arrival(topic, raw, retained)
        self.memory, verdicts = take(self.bindings, self.memory, arrival, self.now, ROOMS)
        return verdicts

    def one(self, payload: object, **how: Any) -> Verdict:
        """What the only binding makes of a message; `how` as for `hear`."""
        (verdict,) = self.hear(payload, **how)
        return verdict

    def acts(self, payload: object, **how: Any) -> bool:
        """Whether the only binding asks for something."""
        return isinstance(self.one(payload, **how).outcome, Input)

    def input(self, payload: object, **how: Any) -> Input:
        """What the only binding asks for."""
        outcome = self.one(payload, **how).outcome
        assert isinstance(outcome, Input), outcome
        return outcome

    def failure(self, payload: object, **how: Any) -> Failed:
        """Why the only binding, which matches, can ask for nothing."""
        outcome = self.one(payload, **how).outcome
        assert isinstance(outcome, Failed), outcome
        return outcome

    @property
    def document(self) -> str:
        """What is remembered, as it is kept."""
        return to_document(self.bindings, self.memory, "boot")

    def acts_any(self, payload: object, **how: Any) -> bool:
        """Whether any binding asks for something, or fails to."""
        return any(verdict.outcome for verdict in self.hear(payload, **how))

    def tick(self, after: float) -> list[Verdict]:
        """Time passes."""
        self.clock += after
        self.memory, verdicts = tick(self.bindings, self.memory, self.now, ROOMS)
        return verdicts

    def restart(self, boot: str = "boot") -> None:
        """The next process has what was kept; after another `boot` no press is timed by it."""
        self.memory = from_document(self.bindings, self.document, boot)
