"""Home Assistant's websocket API: one question, or every change of a state as it happens."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, NamedTuple

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from tests.process.watched import Watched

__all__ = ["Change", "Ear", "asked"]

_LARGEST = 16 * 2**20
"""Bytes of an answer."""


class Change(NamedTuple):
    """An entity's state from `at` on, a Unix time by Home Assistant's own clock."""

    at: float
    entity_id: str
    state: str


@contextmanager
def _connected(url: str, token: str) -> Iterator[Connection]:
    with connect(f"{url.replace('http', 'ws', 1)}/api/websocket", max_size=_LARGEST) as connection:
        assert json.loads(connection.recv())["type"] == "auth_required"
        connection.send(json.dumps({"type": "auth", "access_token": token}))
        assert json.loads(connection.recv())["type"] == "auth_ok"
        yield connection


def _ask(connection: Connection, kind: str, **fields: Any) -> Any:
    connection.send(json.dumps({"id": 1, "type": kind, **fields}))
    answer = json.loads(connection.recv())
    assert answer["success"], answer
    return answer["result"]


def asked(url: str, token: str, kind: str, **fields: Any) -> Any:
    """The result of one command."""
    with _connected(url, token) as connection:
        return _ask(connection, kind, **fields)


class Ear:
    """Hears every change until it is closed."""

    def __init__(self, url: str, token: str) -> None:
        self.changes: Watched[Change] = Watched()
        self._context = _connected(url, token)
        self._connection = self._context.__enter__()
        _ask(self._connection, "subscribe_events", event_type="state_changed")
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def first(self, entity_id: str, state: str, *, since: int) -> Change:
        """The first change from `since` on to this state."""

        def match(change: Change) -> bool:
            return (change.entity_id, change.state) == (entity_id, state)

        return self.changes.first(match, (entity_id, state), since=since)

    def close(self) -> None:
        """Hear nothing more."""
        self._connection.close()
        self._thread.join()
        self._context.__exit__(None, None, None)

    def _listen(self) -> None:
        with suppress(ConnectionClosed):
            while True:
                event = json.loads(self._connection.recv())["event"]
                entity_id, new = event["data"]["entity_id"], event["data"]["new_state"] or {}
                at = datetime.fromisoformat(event["time_fired"]).timestamp()
                self.changes.add(Change(at, entity_id, new.get("state", "")))
