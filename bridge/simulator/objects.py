"""The objects of an HMP: sessions, sources, recordings, streams, and whom they are shared with.

Identifiers are UUIDs as lower-case text. Times are Unix time in seconds. An object that is
`broken` answers every command that acts on it with that command's internal error (07…).
"""

from dataclasses import dataclass, field
from enum import StrEnum

__all__ = [
    "Category",
    "Group",
    "Permission",
    "Recording",
    "RecordingState",
    "Session",
    "Source",
    "Stream",
    "User",
]


class RecordingState(StrEnum):
    """The four words of getRecordingStatus."""

    RECORDING = "RECORDING"
    PAUSED = "PAUSED"
    FINISHED = "FINISHED"
    #: "Any other error on the recording" (guide, *Get Recording Status*)
    ERROR = "ERROR"


@dataclass(slots=True)
class Source:
    """An encoder's stream; `address` and `port` are where it arrives, so taken for re-streams."""

    id: str
    title: str = ""
    address: str = ""
    port: int = 0
    broken: bool = False


@dataclass(slots=True)
class User:
    """A person, found by name whatever its case; needs a role, or a group that has one."""

    name: str
    roles: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    broken: bool = False


@dataclass(slots=True)
class Group:
    """A directory group, found by name whatever its case."""

    name: str
    roles: list[str] = field(default_factory=list)
    broken: bool = False


@dataclass(slots=True)
class Permission:
    """A customized permission; one that is not `grantable` cannot be shared (030003)."""

    id: str
    name: str = ""
    grantable: bool = True


@dataclass(slots=True)
class Category:
    """A key of custom metadata."""

    id: str
    name: str = ""


@dataclass(slots=True)
class Session:
    """A thing to record. `shares` maps ``user:<name>`` or ``group:<name>`` to a permission.

    `recordings` are the ids of recordings started in it that may still be active.
    """

    id: str
    title: str
    description: str = ""
    createdby: str = ""
    live: bool = False
    sources: list[str] = field(default_factory=list)
    categories: dict[str, list[str]] = field(default_factory=dict)
    shares: dict[str, str] = field(default_factory=dict)
    recordings: list[str] = field(default_factory=list)
    broken: bool = False


@dataclass(slots=True)
class Stream:
    """A finished recording being sent out again as MPEG-TS."""

    id: str
    recording: str
    address: str
    port: int
    broken: bool = False


@dataclass(slots=True)
class Recording:
    """One recording, of all the sources that its session had when it started.

    .. code-block:: text

        RECORDING ──pause──▶ PAUSED        any of the two ──stop──▶ FINISHED
            ▲ ──────resume──── │           any of the two ──fail──▶ ERROR ──stop──▶ FINISHED

    `hotmarks` maps the second of recorded time to the title. `no_results` makes HMP answer 040012
    to commands on its metadata. `fails_at` is when it turns ERROR by itself, `ends_at` FINISHED.
    """

    id: str
    session: str
    title: str
    started_at: float
    sources: tuple[str, ...] = ()
    description: str = ""
    createdby: str = ""
    state: RecordingState = RecordingState.RECORDING
    before_stop: RecordingState = RecordingState.RECORDING
    stopped_at: float | None = None
    running_since: float | None = None
    recorded_before: float = 0.0
    fails_at: float | None = None
    ends_at: float | None = None
    hotmarks: dict[int, str] = field(default_factory=dict)
    categories: dict[str, list[str]] = field(default_factory=dict)
    shares: dict[str, str] = field(default_factory=dict)
    broken: bool = False
    no_results: bool = False

    @property
    def active(self) -> bool:
        """Being recorded, or paused."""
        return self.state in (RecordingState.RECORDING, RecordingState.PAUSED)

    def recorded(self, now: float) -> float:
        """Seconds recorded so far, pauses left out."""
        running = 0.0 if self.running_since is None else now - self.running_since
        return self.recorded_before + running

    def settle(self, now: float) -> None:
        """Let a failure or an end happen whose time has come."""
        if self.fails_at is not None and now >= self.fails_at:
            failed_at, self.fails_at = self.fails_at, None
            if self.active:
                self.fail(failed_at)
        if self.ends_at is not None and now >= self.ends_at and self.active:
            self.stop(self.ends_at)

    def pause(self, now: float) -> None:
        """RECORDING → PAUSED."""
        self._hold(now)
        self.state = RecordingState.PAUSED

    def resume(self, now: float) -> None:
        """PAUSED → RECORDING."""
        self.running_since = now
        self.state = RecordingState.RECORDING

    def stop(self, now: float) -> None:
        """Anything not finished → FINISHED."""
        self._hold(now)
        self.before_stop, self.state, self.stopped_at = self.state, RecordingState.FINISHED, now

    def fail(self, now: float) -> None:
        """RECORDING or PAUSED → ERROR."""
        self._hold(now)
        self.state = RecordingState.ERROR

    def _hold(self, now: float) -> None:
        self.recorded_before = self.recorded(now)
        self.running_since = None
