"""The vocabulary of a server link: what state it is in, what goes first, how long it waits.

Pure values, so that the room model and the configuration can speak of links without touching a
socket.
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

__all__ = ["LinkHealth", "LinkSettings", "LinkState", "Passage", "Priority"]


class LinkState(StrEnum):
    """The state of one HMP, as far as known; published as ``hmp/server/<server>/state``."""

    #: Nothing has been learnt yet: the first attempt since start-up is under way.
    CONNECTING = "connecting"
    #: HMP answered a probe through to its back end; commands are accepted.
    READY = "ready"
    #: HMP answers, but its back end does not (E48); the connection is kept and probed.
    DEGRADED = "degraded"
    #: HMP does not have this box on its list of authorized devices (``020000``).
    UNAUTHORIZED = "unauthorized"
    #: Nobody listens: the API is switched off, or HMP is down or booting (ECONNREFUSED).
    REFUSED = "refused"
    #: Anything else: no route, no name, no answer in time, or the connection was lost.
    DOWN = "down"


class Priority(IntEnum):
    """Order among the commands that wait for one HMP (R22); the smallest goes first."""

    STOP = 0
    #: start, pause and resume
    CONTROL = 1
    #: HotMarks, whose place in the recording is the moment they are sent
    MARK = 2
    #: title, description, shares, categories
    DETAIL = 3
    #: commands that somebody asked for by name (``hmp/server/<server>/request/…``)
    REQUEST = 4
    POLL = 5


@dataclass(slots=True)
class Passage:
    """When a command passed through a link: times of `trio.current_time`."""

    queued_at: float | None = None
    #: written; None while it waits, and for ever when it was never sent
    sent_at: float | None = None
    #: answered, or given up
    ended_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSettings:
    """Everything a link needs to know; all times are seconds (defaults: E44, E47, E49, R21)."""

    name: str
    host: str
    port: int = 23233
    connect_timeout: float = 5.0
    #: `getRecordingStatus` and the probe
    query_timeout: float = 5.0
    #: everything that changes something and neither starts nor stops
    command_timeout: float = 10.0
    #: starting and stopping recordings and re-streams
    start_timeout: float = 30.0
    #: how long to listen for a refusal after connecting, before anything is sent
    greeting_wait: float = 0.3
    #: silence after which the link asks HMP whether it still lives
    probe_interval: float = 30.0
    #: the same while HMP's back end is down
    degraded_probe_interval: float = 3.0
    #: how often one active recording is polled, unless the server's budget stretches it (R3)
    poll_interval: float = 2.0
    #: the server's budget
    max_polls_per_second: float = 20.0
    shortest_backoff: float = 0.5
    longest_backoff: float = 30.0
    #: HMP applies changes of its list of authorized devices within 10 s
    unauthorized_wait: float = 10.0

    @property
    def address(self) -> tuple[str, int]:
        """The host and port of HMP."""
        return self.host, self.port

    def allowed_silence(self, state: LinkState) -> float:
        """Seconds without a reply after which HMP is asked whether it still lives."""
        degraded = state is LinkState.DEGRADED
        return self.degraded_probe_interval if degraded else self.probe_interval


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkHealth:
    """A link as seen from outside, for ``hmp/bridge/health``."""

    state: LinkState
    #: seconds from writing the last answered command to its reply
    round_trip: float | None
    #: `trio.current_time` of the last reply
    last_answer: float | None
    #: commands that wait, the one in flight left out
    queue_depth: int
    #: connections made after the first
    reconnects: int
    #: what went wrong last; `None` while READY
    error: str | None
