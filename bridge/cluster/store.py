"""The journal on etcd: the same documents and batches as in the file, for the box that leads (R35).

A commit is one transaction. It compares the revision at which the leader's key was made, and that
at which the key `commit` was last written, and writes that key too, with a number of its own. So
the commits of a term follow one another: one that was given up and arrives late finds another
`commit` and changes nothing, and one whose answer was lost is found to have been carried out.

etcd takes 128 operations and 1.5 MB at once. A batch with more is first written down below `redo/`,
in pieces that mean nothing yet; the commit then names them, which makes all of it durable at once;
and it is carried over to its keys after that, by whoever opens the journal next if need be.
"""

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass

from ..journal.instance import INSTANCE_ID
from ..journal.store import Batch, Fenced, JournalUnusable, StoreFailure
from .documents import Changes, Documents
from .etcd import Etcd, Refused, Unreachable
from .lease import Leadership
from .wire import Json, KeyValue, created, delete, end_of, get, modified, put

__all__ = ["SCHEMA_VERSION", "EtcdStore", "shared_instance"]

SCHEMA_VERSION = 1
"""The latest that this program reads."""

_MOST_OPERATIONS = 120
_MOST_BYTES = 1_000_000
"""In one transaction, with room for what makes it a commit."""

_COMMIT, _REDO = "commit", "redo/"


@dataclass(frozen=True, slots=True)
class _Commit:
    """The key `commit`: which one it was, of which term, and how many pieces `redo/` has of it."""

    number: int = 0
    fence: int = 0
    redo: int = 0
    schema: int = SCHEMA_VERSION

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "_Commit":
        """Raises `ValueError`, `KeyError` and `TypeError`."""
        kept = json.loads(text)
        return cls(**{name: int(kept[name]) for name in ("number", "fence", "redo", "schema")})


class EtcdStore:
    """What was kept when it was opened, and what is written from then on; a `Store`."""

    def __init__(self, etcd: Etcd, term: Leadership, kept: dict[str, KeyValue]) -> None:
        """See `open`."""
        self._etcd = etcd
        self._term = term
        self._prefix = etcd.settings.prefix
        last = kept.get(_COMMIT)
        commit = _Commit() if last is None else self._read_commit(last.value)
        self._number = commit.number
        self._revision = 0 if last is None else last.mod_revision
        documents = Documents({key: each.value for key, each in kept.items()})
        #: What is durable below `redo/`, and yet to be carried over.
        self._redo: Changes | None = None
        #: There is something below `redo/` that is of no use.
        self._litter = any(key.startswith(_REDO) for key in kept)
        if commit.redo:
            self._redo = self._read_redo(kept, commit)
            documents.apply(self._redo)
        self._documents = documents
        self.rooms = documents.rooms
        self.inputs = documents.inputs
        self.contact = documents.contact
        self.note = documents.note

    @classmethod
    async def open(cls, etcd: Etcd, term: Leadership) -> "EtcdStore":
        """The journal as the term before has left it; `term` is one whose campaign is over.

        Raises `StoreFailure`, and `JournalUnusable` where it is not for this program to read.
        """
        prefix = etcd.settings.prefix
        found = await etcd.range(prefix)
        return cls(etcd, term, {each.key.removeprefix(prefix): each for each in found})

    async def go_on(self, term: Leadership) -> bool:
        """Write in another term of this box, where nobody has written since the one before.

        False where somebody has: the journal is to be opened anew. Raises `StoreFailure`.
        """
        last = await self._etcd.get(self._prefix + _COMMIT)
        if last is not None and last.mod_revision != self._revision:
            try:
                commit = self._read_commit(last.value)
            except JournalUnusable:
                return False
            if commit.fence != self._term.fence:
                return False
            self._revision = last.mod_revision  # ours: its answer was lost
        elif last is None and self._revision:
            return False
        self._term = term
        return True

    @property
    def where(self) -> str:
        """Where etcd is, and what of it is ours."""
        return self._etcd.settings.where

    def waits_for_the_disk(self) -> bool:
        """False: a commit has a time limit, whatever etcd's disk does."""
        return False

    def close(self) -> None:
        """Do nothing: the client is its caller's."""

    async def write(self, batch: Batch) -> float:
        """Write it in one transaction; the seconds that took. Raises `StoreFailure`, `Fenced`."""
        began = time.perf_counter()
        await self._carry_over()
        while True:
            self._number += 1
            changes = self._documents.changes(batch, self._number)
            if await self._commit(changes):
                break
        self._documents.apply(changes)
        with suppress(Unreachable, Refused):  # it is durable, and carried over before the next one
            await self._carry_over()
        return time.perf_counter() - began

    async def _commit(self, changes: Changes) -> bool:
        """Make them durable; False where `_transact` has found another commit."""
        portions = list(self._portions(changes))
        if len(portions) <= 1:
            return await self._transact([op for each in portions for op in each], self._next())
        text = changes.to_json()
        pieces = [text[at : at + _MOST_BYTES] for at in range(0, len(text), _MOST_BYTES)]
        self._litter = True
        for place, piece in enumerate(pieces):
            if not await self._transact([put(self._redo_key(self._number, place), piece)]):
                return False
        if not await self._transact([], self._next(redo=len(pieces))):
            return False
        self._redo = changes
        return True

    async def _carry_over(self) -> None:
        """Write what is durable below `redo/` where it belongs."""
        if self._redo is None:
            return
        self._number += 1
        *others, last = self._portions(self._redo)
        for portion in others:
            if not await self._transact(portion):
                break
        else:
            await self._transact(last, self._next())
        # Or it was done before, and only the answer to its end was lost.
        self._redo = None

    def _next(self, redo: int = 0) -> _Commit:
        return _Commit(self._number, self._term.fence, redo)

    async def _transact(self, operations: list[Json], commit: _Commit | None = None) -> bool:
        """Carry out `operations`, as a commit where one is given.

        False where another commit of this term's is the last: one that was thought to have failed.
        It is the last from then on, and what was to be written is to be looked at again.
        """
        term, last = self._term, self._prefix + _COMMIT  # another one may go on while etcd is asked
        leader = term.key
        if commit is not None:
            operations = [*operations, put(last, commit.to_json())]
            if self._litter and not commit.redo:
                redo = self._prefix + _REDO
                operations.append(delete(redo, end_of(redo)))
        answer = await self._etcd.transact(
            [created(leader, term.fence), modified(last, self._revision)],
            operations,
            [get(leader), get(last)],
        )
        if answer.succeeded:
            if commit is not None:
                self._revision = answer.header.revision
                self._litter = self._litter and bool(commit.redo)
            return True
        leads, found = answer.found.get(leader), answer.found.get(last)
        if leads is None or leads.create_revision != term.fence:
            raise self._fenced(term, "the lease is not this box's any more")
        try:
            there = _Commit() if found is None else self._read_commit(found.value)
        except JournalUnusable as error:
            raise self._fenced(term, str(error)) from None
        if found is None or there.fence != term.fence:
            raise self._fenced(term, "somebody else has written it, or taken it away")
        self._revision = found.mod_revision
        return there == commit

    def _fenced(self, term: Leadership, why: str) -> Fenced:
        term.lose()
        return Fenced(
            f"{self.where}: nothing is written, {why}",
            "nothing, if another box acts now; else look at who writes to etcd",
        )

    def _portions(self, changes: Changes) -> Iterator[list[Json]]:
        """The operations in as many transactions as they take."""
        portion: list[Json] = []
        size = 0
        for key, value in changes.puts.items():
            length = len(key.encode()) + len(value.encode())
            if length > _MOST_BYTES:
                raise StoreFailure(
                    f"{self.where}: {key} has {length} bytes, more than etcd takes at once",
                    "look into it for what should not be there",
                )
            if len(portion) == _MOST_OPERATIONS or size + length > _MOST_BYTES:
                yield portion
                portion, size = [], 0
            portion.append(put(self._prefix + key, value))
            size += length
        for first, end in changes.removed:
            if len(portion) == _MOST_OPERATIONS:
                yield portion
                portion = []
            portion.append(delete(self._prefix + first, end and self._prefix + end))
        if portion:
            yield portion

    def _redo_key(self, number: int, place: int) -> str:
        return f"{self._prefix}{_REDO}{number}/{place}"

    def _read_commit(self, text: str) -> _Commit:
        try:
            commit = _Commit.from_json(text)
        except (ValueError, KeyError, TypeError):
            raise JournalUnusable(
                f"{self.where}: the key {_COMMIT} is none of hmp-bridge's: {text[:80]!r}; take "
                "away what is below the prefix, or name another base topic"
            ) from None
        if commit.schema > SCHEMA_VERSION:
            raise JournalUnusable(
                f"{self.where} was written by a later version of hmp-bridge (schema "
                f"{commit.schema}, this one knows {SCHEMA_VERSION}); install that version"
            )
        return commit

    def _read_redo(self, kept: dict[str, KeyValue], commit: _Commit) -> Changes:
        keys = [f"{_REDO}{commit.number}/{place}" for place in range(commit.redo)]
        try:
            return Changes.from_json("".join(kept[key].value for key in keys))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise JournalUnusable(
                f"{self.where}: what is below {_REDO} cannot be read ({error!r}); somebody else "
                "has written there"
            ) from None


async def shared_instance(etcd: Etcd, own: str) -> str:
    """The instance id that all boxes of one journal share (R26): that of the first one, its `own`.

    Raises `StoreFailure`.
    """
    key = f"{etcd.settings.prefix}instance"
    answer = await etcd.transact([created(key, 0)], [put(key, own)], [get(key)])
    found = answer.found.get(key) or await etcd.get(key)
    if found is None or not INSTANCE_ID.fullmatch(found.value):
        raise StoreFailure(f"{etcd.settings.where}: the key instance is no id", "take it away")
    return found.value
