"""Everything that was ever written to the store of a pair, gone through in order; pure.

etcd keeps every revision. So a commit of a box that did not lead is found however soon another one
has been written over it, and so is every recording id that was journalled for a moment.
"""

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

__all__ = ["Change", "History", "Reign", "changes_of", "sent_out_of_turn"]

_TOLD_WITHIN: Final = 1.0
"""Seconds that a command may have been on its way to where it was noted."""


@dataclass(frozen=True, slots=True)
class Change:
    """A key that was written at a revision, or deleted: `value` is None."""

    revision: int
    key: str
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Reign:
    """A box that has had the lease since this Unix time; `fence` is the revision of its key."""

    since: float
    box: str
    fence: int = 0


def changes_of(line: str) -> Iterator[Change]:
    """The changes in a line of ``etcdctl watch --write-out json``."""
    for event in json.loads(line)["Events"]:
        pair = event["kv"]
        key = base64.b64decode(pair["key"]).decode()
        is_gone = event.get("type") == 1
        value = None if is_gone else base64.b64decode(pair.get("value", "")).decode()
        yield Change(pair["mod_revision"], key, value)


@dataclass(slots=True)
class History:
    """What the changes come to; `prefix` is what every key of the bridge begins with."""

    prefix: str
    reigns: list[Reign] = field(default_factory=list)
    #: The room documents that stand there now.
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: Commits of boxes that did not have the lease.
    violations: list[str] = field(default_factory=list)
    #: Of the key that names the leader, 0 while nobody leads.
    _fence: int = 0

    def take(self, change: Change) -> tuple[str, Mapping[str, Any]] | None:
        """Go on by one change; a room's name and document where it is one of these."""
        kind, _, room = change.key.removeprefix(self.prefix).partition("/")
        match kind, change.value:
            case "leader", None:
                self._fence = 0
            case "leader", str(value):
                self._fence = change.revision
                told = json.loads(value)
                self.reigns.append(Reign(told["since"], told["box"], change.revision))
            case "commit", str(value):
                fence = json.loads(value)["fence"]
                if fence != self._fence:
                    self.violations.append(
                        f"revision {change.revision}: a commit of the term {fence}, "
                        f"the lease was of {self._fence or 'nobody'}"
                    )
            case "room", None:
                self.documents.pop(room, None)
            case "room", str(value):
                self.documents[room] = json.loads(json.loads(value)["document"])
                return room, self.documents[room]
        return None


def sent_out_of_turn(
    reigns: Sequence[Reign], box: str, sent: Iterable[tuple[float, str]]
) -> Iterator[str]:
    """The commands that `box` has sent (Unix time and name) while another box led, and had long."""
    for at, command in sent:
        before = [each for each in reigns if each.since <= at - _TOLD_WITHIN]
        since = [each for each in reigns if at - _TOLD_WITHIN < each.since <= at]
        if before and before[-1].box != box and box not in {each.box for each in since}:
            late = at - before[-1].since
            yield f"{box} has sent {command} {late:.2f} s after {before[-1].box} had the lease"
