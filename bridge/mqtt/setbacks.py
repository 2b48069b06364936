"""Publications that a broker would not have: found out, shortened, set aside, tried again (R23).

Some brokers say so in the PUBACK. Others close the connection, and say nothing about why. So what
was unanswered each time when connections ended one after the other is suspected, and goes alone
from then on: where that ends the connection once more, it was that.
"""

import math
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass

import structlog
import trio

from .failures import FailureKind, advice_on
from .outgoing import Carrier
from .shorter import shorter_forms

__all__ = ["PACKET_TOO_LARGE", "Setbacks"]

PACKET_TOO_LARGE = 0x95
"""The reason code of a message that is more than a broker takes."""

log = structlog.get_logger("mqtt")

# Seconds until what was refused is tried again as it is, which may cost a connection each time.
_FIRST_TRIAL = 60.0
_LAST_TRIAL = 3600.0
# Bytes. A longer value may be more than a broker takes, and at QoS 0 it would not say so.
_PROBED_FROM = 256


@dataclass(slots=True)
class _Setback:
    """`size`: the length of the shortest payload that was refused."""

    size: int
    again_at: float = 0.0
    wait: float = _FIRST_TRIAL
    on_trial: bool = True


class Setbacks:
    """For each key, which stands for a topic or for a single message, what may be published of it.

    `suspects` are the keys that must be published one at a time, `count` counts refusals.
    """

    def __init__(self) -> None:
        self.count = 0
        self.suspects: set[Hashable] = set()
        self._setbacks: dict[Hashable, _Setback] = {}
        self._at_last_end: set[Hashable] = set()

    @property
    def keys(self) -> list[Hashable]:
        """The keys of what the broker has refused."""
        return list(self._setbacks)

    def longest(self, values: Mapping[str, bytes]) -> str | None:
        """The topic of the longest value that may be more than the broker takes, if there is one.

        Those that were refused are left out.
        """
        lengths = ((len(value), topic) for topic, value in values.items())
        mine = (each for each in lengths if each[1] not in self._setbacks)
        length, topic = max(mine, default=(0, ""))
        return topic if length > _PROBED_FROM else None

    def form(
        self,
        carrier: Carrier,
        key: Hashable,
        topic: str,
        payload: bytes,
        correlation_data: bytes | None = None,
    ) -> bytes | None:
        """As much of a payload as may be published; None: nothing, not even an empty one."""
        if not self._setbacks and carrier.fits(topic, payload, correlation_data):
            return payload
        while (form := self._form(key, payload)) is not None:
            if carrier.fits(topic, form, correlation_data):
                break
            self.too_large(key, topic, form)
        return form

    def _form(self, key: Hashable, payload: bytes) -> bytes | None:
        setback = self._setbacks.get(key)
        if setback is None or setback.on_trial or len(payload) < setback.size:
            return payload
        return next((each for each in shorter_forms(payload) if len(each) < setback.size), None)

    def too_large(self, key: Hashable, topic: str, payload: bytes) -> None:
        """The broker takes no message of this size."""
        self._refused(key, topic, payload, "Packet too large", FailureKind.TOO_LARGE.value)

    def _refused(
        self, key: Hashable, topic: str, payload: bytes, reason: str, what_to_do: str
    ) -> None:
        """A shorter form may be tried at once. Said the first time, and after each trial."""
        setback = self._setbacks.setdefault(key, _Setback(len(payload)))
        setback.size = min(setback.size, len(payload))
        if setback.on_trial:
            setback.on_trial = False
            setback.again_at = trio.current_time() + setback.wait
            setback.wait = min(_LAST_TRIAL, 2 * setback.wait)
            self.count += 1
            _say_refused(topic, payload, reason, what_to_do)

    def refused(self, topic: str, payload: bytes, reason: str) -> None:
        """The broker would not have this, whatever its size; said of the first."""
        if not self.count:
            _say_refused(topic, payload, reason, advice_on(FailureKind.PUBLICATION, reason))
        self.count += 1

    def answered(self, key: Hashable, payload: bytes, *, accepted: bool) -> None:
        """The broker has answered for this, so it does not end connections."""
        self.suspects.discard(key)
        self._at_last_end.discard(key)
        setback = self._setbacks.get(key)
        if accepted and setback is not None and len(payload) >= setback.size:
            del self._setbacks[key]

    def give_up(self, key: Hashable, *, for_good: bool) -> None:
        """Nothing is published under this key, until it is tried again or `for_good`."""
        self.suspects.discard(key)
        if for_good:
            self._setbacks.pop(key, None)

    def connection_ended(
        self, unanswered: Iterable[tuple[Hashable, str, bytes]], *, lived: bool
    ) -> None:
        """Note what was unanswered then: key, topic and payload.

        `lived`: the connection had been of use for a while, so those before it tell nothing.
        """
        by_key = {key: (topic, payload) for key, topic, payload in unanswered}
        now = set(by_key)
        if len(now) == 1 and now <= self.suspects:
            [(key, (topic, payload))] = by_key.items()
            reason = "the broker closes the connection over it"
            what_to_do = "look for it in the broker's log; its user may need access to this topic"
            self._refused(key, topic, payload, reason, what_to_do)
        elif now:
            both = now & (self.suspects or self._at_last_end)
            if both and not lived:
                self.suspects = both
            self._at_last_end = now

    @property
    def next_trial(self) -> float:
        """When something is to be tried again; infinity where nothing is."""
        waiting = (each.again_at for each in self._setbacks.values() if not each.on_trial)
        return min(waiting, default=math.inf)

    def trials(self) -> list[Hashable]:
        """The keys to be tried again as they are: each alone, for it may end the connection."""
        now = trio.current_time()
        due = [
            key
            for key, each in self._setbacks.items()
            if not each.on_trial and each.again_at <= now
        ]
        for key in due:
            self._setbacks[key].on_trial = True
            self.suspects.add(key)
        return due


def _say_refused(topic: str, payload: bytes, reason: str, what_to_do: str) -> None:
    """Log a publication that the broker would not have."""
    log.error(
        "mqtt publication refused",
        topic=topic,
        bytes=len(payload),
        reason=reason,
        what_to_do=what_to_do,
    )
