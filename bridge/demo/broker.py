"""A broker in pure Python, as a program: ``python -m bridge.demo.broker PORT [WEBSOCKET_PORT]``.

Says `ready` once it listens, and ends with SIGTERM or with its standard input, so that it never
outlives who started it.
"""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Sequence

from amqtt.broker import Broker  # type: ignore[import-untyped]  # it ships no types

__all__ = ["main"]


def main(arguments: Sequence[str]) -> None:
    """Serve on loopback until told to end."""
    logging.disable(logging.CRITICAL)  # what a demo's broker has to say is of no use to anybody
    asyncio.run(_serve([int(port) for port in arguments]))


async def _serve(ports: Sequence[int]) -> None:
    listeners = {
        name: {"type": kind, "bind": f"127.0.0.1:{port}"}
        for (name, kind), port in zip(
            (("default", "tcp"), ("websocket", "ws")), ports, strict=False
        )
    }
    plugins = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}
    broker = Broker({"listeners": listeners, "plugins": plugins})
    await broker.start()
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    loop.add_reader(sys.stdin.fileno(), _end_with_input, ended)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await ended.wait()
    loop.remove_reader(sys.stdin.fileno())
    await broker.shutdown()


def _end_with_input(ended: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 1024):
        ended.set()


if __name__ == "__main__":
    main(sys.argv[1:])
