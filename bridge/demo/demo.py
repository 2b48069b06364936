"""``hmp-bridge demo``: a broker, a simulated HMP and the bridge, nothing to install or configure.

The broker is a child process; the simulated HMP, the bridge and a subscriber that prints what is
published run here. Everything ends with Ctrl-C.
"""

import importlib.util
import os
import random
import shlex
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from functools import partial
from pathlib import Path
from typing import Any

import trio

from ..config.configuration import Configuration
from ..daemon.app import Bridge
from ..daemon.parts import Parts
from ..journal.file import FileStore
from ..journal.instance import claim_state_folder
from ..journal.journal import Journal
from ..logs.log import configure_logs
from ..mqtt.image import Image
from ..mqtt.link import BrokerLink
from ..mqtt.settings import BrokerSettings, Subscription
from ..process.signals import stop_on_signal
from ..simulator.run import wall_clock
from ..simulator.server import Simulator, serve
from ..simulator.worldfile import load_world
from ..text.output import put
from ..watch.view import message_line

__all__ = ["DEMO", "DemoError", "broker_process", "run_demo"]

DEMO: dict[str, Any] = {
    "servers": {
        "main": {
            "host": "localhost",
            "allow_commands": (
                "getRecordingStatus",
                "startRestreamRecording",
                "stopRestreamRecording",
            ),
        }
    },
    "rooms": {
        "boardroom": {
            "name": "Boardroom",
            "server": "main",
            "session": "71edd346-2cf0-4c62-b3d3-9d457b287394",
        },
        "auditorium": {
            "name": "Auditorium",
            "server": "main",
            "session": "46713454-8e31-4efc-babc-6bc9b88f2834",
        },
    },
}
"""The configuration of `config/bridge.toml`, for where that file is not."""

_PROGRAM = "hmp-bridge"
_BROKER_PORT = 1883
_HMP_PORT = 23233
_PAGE_PORT = 8080


class DemoError(Exception):
    """The demo cannot run; the message says what to do."""


async def run_demo(with_bridge: bool = True) -> None:
    """Run until SIGINT or SIGTERM.

    Raises `DemoError`, and `ConfigurationError` for what the environment says of the bridge.
    """
    if any(importlib.util.find_spec(each) is None for each in ("amqtt", "starlette", "anycorn")):
        raise DemoError("the demo has its own broker and a page: pip install 'hmp-bridge[demo]'")
    configure_logs("warning")
    broker_port = _free_port(_BROKER_PORT, "MQTT broker")
    hmp_port = _free_port(_HMP_PORT, "simulated HMP")
    page_port = _free_port(_PAGE_PORT, "rooms' page") if with_bridge else None
    configuration = None if page_port is None else _configuration(broker_port, hmp_port, page_port)
    async with trio.open_nursery() as outermost:
        everything = trio.CancelScope()
        outermost.start_soon(stop_on_signal, everything.cancel)
        with everything:
            async with broker_process(broker_port), trio.open_nursery() as nursery:
                world = load_world(None, now=wall_clock(), ids=random.Random())
                await nursery.start(partial(serve, Simulator(world), port=hmp_port))
                _introduce(broker_port, hmp_port, page_port)
                watch = _subscriber(broker_port)
                nursery.start_soon(watch.run)
                nursery.start_soon(_print_messages, watch)
                nursery.start_soon(_press_what_is_typed, watch.image)
                if configuration is not None:
                    nursery.start_soon(_bridge, configuration)
        outermost.cancel_scope.cancel()


def _configuration(broker_port: int, hmp_port: int, page_port: int) -> Configuration:
    tables = DEMO | {
        # Said here, so that no variable of the environment leads the demo to a real broker.
        "mqtt": {"host": "localhost", "port": broker_port, "base_topic": "hmp"},
        "servers": {"main": DEMO["servers"]["main"] | {"port": hmp_port}},
        "web": {"listen": f"127.0.0.1:{page_port}"},
    }
    return Configuration(**tables)


async def _bridge(configuration: Configuration) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="hmp-bridge-demo-") as folder,
        claim_state_folder(Path(folder)) as instance_id,
        closing(Journal(FileStore(Path(folder)))) as journal,
    ):
        await Bridge(Parts(configuration, instance_id, journal)).run()


@asynccontextmanager
async def broker_process(port: int) -> AsyncIterator[None]:
    """The broker's process, in a session of its own: Ctrl-C reaches the demo first.

    Raises `DemoError`.
    """
    command = [sys.executable, "-W", "ignore", "-m", "bridge.demo.broker", str(port)]
    process = await trio.lowlevel.open_process(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        assert process.stdout is not None  # noqa: S101 - as asked for above
        said: bytes | bytearray = b""
        with trio.move_on_after(30):
            said = await process.stdout.receive_some(64)
        if not said:
            raise DemoError(f"the broker did not start on port {port}")
        yield
    finally:
        with trio.move_on_after(5, shield=True):
            process.terminate()
            await process.wait()
        if process.returncode is None:
            process.kill()


def _free_port(usual: int, what: str) -> int:
    """The usual port, or any other when that is taken, which is then said."""
    for port in (usual, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            found: int = probe.getsockname()[1]
        if found != usual:
            put(f"Port {usual} is taken: the {what} is on port {found}.")
        return found
    raise DemoError(f"no free port for the {what}")


def _introduce(broker_port: int, hmp_port: int, page_port: int | None) -> None:
    """Say what there is: the page first, where the bridge is here (`page_port`)."""
    page = f"http://localhost:{page_port}/"
    publish = f"mosquitto_pub -h localhost -p {broker_port} -q 1 -t hmp/room/boardroom"
    program = shlex.quote(sys.argv[0]) if Path(sys.argv[0]).name == _PROGRAM else _PROGRAM
    hmp = "" if hmp_port == _HMP_PORT else f" --set servers.main.port={hmp_port}"
    broker = "" if broker_port == _BROKER_PORT else f" --set mqtt.port={broker_port}"
    room, *_ = DEMO["rooms"]
    shown = f"Open {page}{room} in a browser, and press Record.\nAll rooms are at {page}\n"
    pressed = f"  curl -X POST {page}rooms/{room}/mark\n"
    topics = "\n".join(f"  hmp/room/{room}/…" for room in DEMO["rooms"])
    put(
        f"""
{"" if page_port is None else shown}
MQTT broker     localhost:{broker_port}
simulated HMP   localhost:{hmp_port}
bridge          {"running" if page_port else f"yours: start it with {program} run{broker}{hmp}"}

Topics of the rooms
{topics}

Press a button: type record, pause, resume, mark, stop or toggle here and Enter.
Or paste one of these into another terminal (Debian: apt install mosquitto-clients):
{"" if page_port is None else pressed}  {publish}/press/toggle -m true
  {publish}/set -m record
  {publish}/mark -m 'Question from the floor'
  {publish}/event -m '{{"event":"meeting_start","id":"42","title":"Weekly"}}'
  {publish}/set -m stop
  mosquitto_sub -h localhost -p {broker_port} -v -t 'hmp/#'
Speak to the HMP itself:
  {program} send{hmp} main createSession 'He said "hi"'
Ctrl-C ends everything. What is published:
"""
    )


def _subscriber(port: int) -> BrokerLink:
    settings = BrokerSettings(
        host="localhost", port=port, client_id=f"hmp-bridge-demo-{os.getpid()}"
    )
    every = Subscription("hmp/#", retain_handling=0, retain_as_published=False)
    return BrokerLink(settings, Image(), [every], availability_topic="demo/state")


async def _print_messages(link: BrokerLink) -> None:
    while True:
        message = await link.receive()
        message.acknowledge()
        line = message_line(message.topic, message.payload, time.time())
        if line is not None:
            put(line)


async def _press_what_is_typed(image: Image) -> None:
    """Each line typed is an action of the first room; without a terminal there is none."""
    if not sys.stdin.isatty():
        return
    room = next(iter(DEMO["rooms"]))
    while True:
        await trio.lowlevel.wait_readable(sys.stdin)
        line = os.read(sys.stdin.fileno(), 1024)
        if not line:
            return
        if word := line.decode(errors="replace").strip():
            image.send(f"hmp/room/{room}/set", word)
