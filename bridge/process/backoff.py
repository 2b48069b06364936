"""The back-off loop that both links share.

Exponential with full jitter (R21): before attempt *n* a link waits a random time between zero and
``min(longest, shortest * 2**n)`` seconds, for ever. Full jitter spreads a building's boxes over
the whole interval when an HMP or a broker comes back, instead of having them knock together.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

__all__ = ["Backoff"]


@dataclass(slots=True)
class Backoff:
    """The waits of a link before it tries again; a connection that lived has it start over.

    All times are seconds. One that is usable and then ends says nothing: the next may do the same.
    So only one that was usable for `proof` counts. `uniform` draws the jitter and is given only by
    tests that need to know the draw.
    """

    shortest: float = 0.5
    longest: float = 30.0
    proof: float = 5.0
    uniform: Callable[[float, float], float] = field(default=random.uniform, repr=False)
    _failures: int = field(default=0, init=False)

    def connection_ended(self, usable_for: float) -> bool:
        """A connection has ended that was usable for so long; whether it lived."""
        lived = usable_for >= self.proof
        if lived:
            self._failures = 0
        return lived

    def next(self, at_least: float = 0.0) -> float:
        """Seconds to wait before the next attempt.

        `at_least` is a floor for ways of failing that another attempt cannot cure sooner: HMP
        takes up to 10 s to apply a change of its list of authorized devices (guide, *Enabling
        Command Line API Access*).
        """
        # 2**30 half-seconds is far beyond any `longest`; the bound keeps the power small.
        ceiling = min(self.longest, self.shortest * 2 ** min(self._failures, 30))
        self._failures += 1
        return max(at_least, self.uniform(0.0, ceiling))
