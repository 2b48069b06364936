"""Reads a room's page as a browser's script does: requests, and events as they come."""

import json
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from .site import MakeSite, Site
from .watched import PATIENCE

__all__ = ["Events", "client", "opened", "with_web"]


def with_web(site: MakeSite, *, web: dict[str, Any] | None = None, **how: Any) -> Site:
    """A site whose daemon has a page for each room."""
    made = site(start=False, **how)
    made.tables["web"] = {"listen": "127.0.0.1:0", **(web or {})}
    made.add_daemon()
    made.wait_ready()
    return made


def client(
    s: Site, secret: str | None = None, *, verify: ssl.SSLContext | bool = True
) -> httpx.Client:
    """Somebody who asks the daemon that runs now; `verify`: over TLS."""
    line = s.daemon.wait_for_line("web pages are served")
    url = line.partition("url=")[2].partition(" ")[0]
    headers = {} if secret is None else {"Authorization": f"Bearer {secret}"}
    how: dict[str, Any] = {"timeout": PATIENCE, "headers": headers, "trust_env": False}
    return httpx.Client(base_url=url, verify=verify, **how)


class Events:
    """What comes on a stream of events."""

    def __init__(self, answer: httpx.Response) -> None:
        self._lines = answer.iter_lines()
        self.id = ""

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        """Name and data of each."""
        fields: dict[str, str] = {}
        for line in self._lines:
            name, _, value = line.partition(": ")
            if line:
                fields[name] = value
            elif "event" in fields:
                self.id = fields.get("id", self.id)
                yield fields["event"], json.loads(fields["data"])
                fields = {}

    def view(self, **members: Any) -> dict[str, Any]:
        """The next view with these members."""
        deadline = time.monotonic() + PATIENCE
        for name, data in self:
            assert time.monotonic() < deadline, f"no view had {members}"
            if name == "room" and members.items() <= (data["view"] or {}).items():
                view: dict[str, Any] = data["view"]
                return view
        raise AssertionError("the stream has ended")


@contextmanager
def opened(asker: httpx.Client, path: str) -> Iterator[Events]:
    """The events at a path."""
    with asker.stream("GET", path) as answer:
        assert answer.status_code == 200
        yield Events(answer)
