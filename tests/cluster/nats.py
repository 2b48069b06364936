"""Three real nats-servers as one broker: streams of three copies, MQTT on each."""

import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.error import URLError

from tests.brokers import Broker, free_port
from tests.brokers.others import nats_server
from tests.process.watched import PATIENCE

__all__ = ["TAKES_OVER_WITHIN", "NatsNode", "nats_cluster", "wait_current"]

TAKES_OVER_WITHIN = 150.0
"""Seconds in which the others agree on who leads each stream, and take a client's subscriptions."""


_LOOKS_EVERY = 0.05


class NatsNode(Broker):
    """One of them; `kill`, `stop` and `start` are of this one alone."""

    def __init__(self, folder: Path, name: str) -> None:
        super().__init__(folder, kind="nats")
        self.name = name
        self.route = f"nats://127.0.0.1:{free_port()}"
        self.own_port, self.monitor_port = free_port(), free_port()
        #: The routes of all.
        self.routes: list[str] = []

    def wait_current(self) -> None:
        """Return when it has caught up with the others; blocks."""
        wait_current(self.monitor_port)

    def _command(self) -> list[str]:
        file = self._folder / "nats.conf"
        routes = ", ".join(f'"{each}"' for each in self.routes)
        file.write_text(
            f'server_name = "{self.name}"\nlisten = "127.0.0.1:{self.own_port}"\n'
            f'http = "127.0.0.1:{self.monitor_port}"\n'
            f'jetstream {{ store_dir = "{self._folder}/streams" }}\n'
            f'cluster {{ name = "nats", listen = "{self.route.removeprefix("nats://")}"\n'
            f"  routes = [{routes}] }}\n"
            f'mqtt {{ listen = "127.0.0.1:{self.port}", stream_replicas = 3\n'
            # So long NATS waits for a leader that is dead, once for each filter that it meets.
            '  js_api_timeout = "2s"\n'
            # After which it delivers once more what it has not heard to be acknowledged: before
            # the bridge is there again and says all that is so.
            '  ack_wait = "2s" }\n',
            encoding="utf-8",
        )
        return [nats_server() or "nats-server", "-c", str(file)]


def wait_current(monitor_port: int) -> None:
    """Return when the nats-server with this port has caught up with the others; blocks."""
    deadline = time.monotonic() + PATIENCE
    while True:
        with suppress(URLError, ConnectionError):
            url = f"http://127.0.0.1:{monitor_port}/healthz"
            with urllib.request.urlopen(url, timeout=PATIENCE):
                return
        if time.monotonic() > deadline:
            raise RuntimeError(f"the nats-server at {monitor_port} is not healthy")
        time.sleep(_LOOKS_EVERY)


@contextmanager
def nats_cluster(folder: Path) -> Iterator[list[NatsNode]]:
    """The three, until the end; blocks until a client can come to any of them."""
    nodes = []
    for number in range(3):
        (folder / f"n{number}").mkdir()
        nodes.append(NatsNode(folder / f"n{number}", f"n{number}"))
    for node in nodes:
        node.routes = [each.route for each in nodes]
    try:
        for node in nodes:
            node.start()
        for node in nodes:
            node.wait_current()
        yield nodes
    finally:
        for node in nodes:
            node.kill()
