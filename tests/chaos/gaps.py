"""When a box of a pair may have acted on what it could not write (R36). Pure."""

import json
import math
from dataclasses import dataclass, field

__all__ = ["Gaps"]


@dataclass(slots=True)
class Gaps:
    """Times at which one box led and none reached the store, by what the boxes say of themselves.

    `slack`: seconds for which a word may be late.
    """

    slack: float
    _leads: dict[str, bool] = field(default_factory=dict)
    _reaches: dict[str, bool] = field(default_factory=dict)
    #: Unix times from and until when.
    _found: list[tuple[float, float]] = field(default_factory=list)

    def hear(self, box: str, payload: str, at: float) -> None:
        """A box says this of itself; `at` is Unix time."""
        word = json.loads(payload)
        self._leads[box] = word["state"] == "leader"
        self._reaches[box] = word["state"] != "offline" and word["store"] == "reachable"
        began, until = self._found[-1] if self._found else (0.0, 0.0)
        is_open = until == math.inf
        if any(self._leads.values()) and not any(self._reaches.values()):
            if not is_open:
                self._found.append((at - self.slack, math.inf))
        elif is_open:
            self._found[-1] = (began, at + self.slack)

    def had(self, sent: float, answered: float) -> bool:
        """True where a press that was sent and answered at these times may be unwritten."""
        return any(began <= answered and sent <= until for began, until in self._found)

    def took(self, at: float, killed: float) -> bool:
        """True where what a box did at `at` may have gone with it, for it was killed meanwhile."""
        return any(began <= at <= killed <= until for began, until in self._found)
