"""The journal as keys and values: what a batch changes of them, and what they mean; pure.

Below a bridge's prefix::

    room/<room>                            a room's document, and when it was written
    note/<name>                            what belongs to no room
    contact                                the last contact with the broker
    inputs/<session>/<epoch>/<bucket>      up to 32 packet ids that follow one another
    inputs/held/<topic's number>           a press that was held

Brokers number messages one after another, so that what comes at once shares a bucket: a thousand
messages change 32 keys, one message less than 2 kB. Where the broker begins afresh, a session's
buckets go as one range, and those that follow begin another epoch, which is the number of the
commit: no key is removed and written in one transaction, which etcd would refuse.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from ..journal.inputs import InputKey, numbers_of
from ..journal.instant import Instant
from ..journal.store import Batch, Entry

__all__ = ["Changes", "Documents"]

log = structlog.get_logger("journal")

_BUCKET = 32
"""Packet ids in a key: what one message writes grows with it, what a thousand write shrinks."""

_IDS = len(numbers_of(0))

_ROOM, _NOTE, _INPUTS, _HELD, _CONTACT = "room/", "note/", "inputs/", "inputs/held/", "contact"

_Bucket = dict[tuple[int, str], str]
"""Digests, in hexadecimal digits, by packet id and part."""


@dataclass(slots=True)
class Changes:
    """Keys that are written, and ranges that are removed; no key is in both.

    A range goes from its first key to before its second, or is one key where that is empty.
    """

    puts: dict[str, str] = field(default_factory=dict)
    removed: list[tuple[str, str]] = field(default_factory=list)

    def to_json(self) -> str:
        """The text from which `from_json` makes it again; ASCII."""
        return json.dumps({"puts": self.puts, "removed": self.removed})

    @classmethod
    def from_json(cls, text: str) -> "Changes":
        """Raises `ValueError`, `KeyError` and `TypeError`."""
        kept = json.loads(text)
        puts = {str(key): str(value) for key, value in kept["puts"].items()}
        return cls(puts, [(str(first), str(end)) for first, end in kept["removed"]])


class Documents:
    """Everything that is kept, by key without the prefix."""

    def __init__(self, kept: Mapping[str, str]) -> None:
        self._kept: dict[str, str] = {}
        #: In which each session's buckets are.
        self._epochs: dict[int, int] = {}
        self.apply(Changes({key: value for key, value in kept.items() if _is_ours(key)}))

    def changes(self, batch: Batch, number: int) -> Changes:
        """What `batch` makes of this, as the commit with this number, which only grows."""
        made = Changes()
        for room, entry in batch.rooms.items():
            if entry.document:
                made.puts[_ROOM + room] = _entry_text(entry)
            else:  # said also where it is not known: a commit may have been given up half way
                made.removed.append((_ROOM + room, ""))
        made.puts |= {_NOTE + name: text for name, text in batch.notes.items()}
        if batch.contact is not None:
            made.puts[_CONTACT] = json.dumps(_instant_fields(batch.contact))
        made.removed += [(_epoch(each, 0), _epoch(each, number)) for each in batch.afresh]
        epochs = self._epochs | dict.fromkeys(batch.afresh, number)
        made.puts |= self._buckets(batch, epochs)
        return made

    def _buckets(self, batch: Batch, epochs: Mapping[int, int]) -> dict[str, str]:
        changed: dict[str, _Bucket] = {}
        for mid, parts in batch.inputs.items():
            key = _bucket_key(mid, epochs)
            if key not in changed:
                changed[key] = _read_bucket(key, self._kept.get(key))
            bucket = changed[key]
            digests = {each.digest.hex() for each in parts.values()}
            void = [of for of, digest in bucket.items() if of[0] == mid and digest not in digests]
            for each in void:
                del bucket[each]
            bucket.update({(mid, part): each.digest.hex() for part, each in parts.items()})
        return {
            key: json.dumps([[mid, part, digest] for (mid, part), digest in bucket.items()])
            for key, bucket in changed.items()
        }

    def apply(self, changes: Changes) -> None:
        """Have it changed so."""
        for first, end in changes.removed:
            if not end:
                self._kept.pop(first, None)
                continue
            for key in [each for each in self._kept if first <= each < end]:
                del self._kept[key]
        self._kept |= changes.puts
        for key in changes.puts:
            if key.startswith(_INPUTS) and not key.startswith(_HELD):
                session, epoch = map(int, key.split("/")[1:3])
                self._epochs[session] = max(self._epochs.get(session, 0), epoch)

    # What it means.

    def rooms(self) -> dict[str, Entry]:
        """Every room's document; one that cannot be read is said and left out."""
        found = {}
        for key, value in self._kept.items():
            if key.startswith(_ROOM) and (entry := _read_entry(key, value)) is not None:
                found[key.removeprefix(_ROOM)] = entry
        return found

    def inputs(self) -> set[InputKey]:
        """Inputs whose acknowledgement the broker may not have seen."""
        return {
            InputKey(mid, bytes.fromhex(digest), part)
            for key, value in self._kept.items()
            if key.startswith(_INPUTS)
            for (mid, part), digest in _read_bucket(key, value).items()
        }

    def contact(self) -> Instant | None:
        """The last contact with the broker."""
        value = self._kept.get(_CONTACT)
        try:
            return None if value is None else _instant(json.loads(value))
        except (ValueError, KeyError, TypeError):
            _unreadable(_CONTACT, value)
            return None

    def note(self, name: str) -> str:
        """The text that was written last under this name; empty if none."""
        return self._kept.get(_NOTE + name, "")


def _is_ours(key: str) -> bool:
    """A key that this program makes; others below the prefix are left alone."""
    if key.startswith(_INPUTS):
        fields = key.split("/")[1:]
        return (len(fields), fields[0]) == (2, "held") or (
            len(fields) == 3 and all(each.isascii() and each.isdecimal() for each in fields)
        )
    return key == _CONTACT or key.startswith((_ROOM, _NOTE))


def _epoch(session: int, number: int) -> str:
    """What the buckets of an epoch begin with; in the order of numbers."""
    return f"{_INPUTS}{session:05}/{number:016}/"


def _bucket_key(mid: int, epochs: Mapping[int, int]) -> str:
    if mid < 0:
        return f"{_HELD}{-mid}"
    session, number = divmod(mid, _IDS)
    return f"{_epoch(session, epochs.get(session, 0))}{number // _BUCKET:04}"


def _read_bucket(key: str, value: str | None) -> _Bucket:
    if value is None:
        return {}
    try:
        found: _Bucket = {}
        for mid, part, digest in json.loads(value):
            bytes.fromhex(digest)
            found[int(mid), str(part)] = str(digest)
    except (ValueError, KeyError, TypeError):
        _unreadable(key, value)
        return {}
    return found


def _instant_fields(at: Instant) -> dict[str, Any]:
    return {"boot": at.boot, "monotonic": at.monotonic, "wall": at.wall}


def _instant(fields: Mapping[str, Any]) -> Instant:
    return Instant(str(fields["boot"]), float(fields["monotonic"]), float(fields["wall"]))


def _entry_text(entry: Entry) -> str:
    return json.dumps({"document": entry.document, **_instant_fields(entry.at)})


def _read_entry(key: str, value: str) -> Entry | None:
    try:
        fields = json.loads(value)
        return Entry(str(fields["document"]), _instant(fields))
    except (ValueError, KeyError, TypeError):
        _unreadable(key, value)
        return None


def _unreadable(key: str, value: object) -> None:
    log.error("a key of the journal on etcd is unreadable and left out", key=key, value=value)
