"""The way of a press through the code, as it is: every file on it is on the README's walk."""

import random
import re
import sys
from contextlib import closing
from functools import partial
from pathlib import Path
from types import FrameType

import trio

from bridge.config.configuration import Configuration
from bridge.daemon.app import Bridge
from bridge.daemon.parts import Parts
from bridge.demo.demo import DEMO
from bridge.journal.file import FileStore
from bridge.journal.journal import Journal
from bridge.simulator.run import wall_clock
from bridge.simulator.server import Simulator, serve
from bridge.simulator.worldfile import load_world
from tests.brokers import Broker
from tests.process.panel import Panel
from tests.process.watched import Watched

ROOT = Path(__file__).parent.parent.parent
FOLDER = f"{ROOT / 'bridge'}/"

MEANWHILE = re.compile(r"simulator/|process/|text/|logs/log$|logs/re|daemon/(contact|self|info)")
"""Files of HMP's side, of lines being written, and of what the bridge says of itself at times."""

HIDDEN = {"room/delivery", "mqtt/link"}
"""On the way without a call of a function: values, and who puts others together."""


PRESS = "room/boardroom/press/record"


class Traced:
    """Files of the bridge in which a function was begun, while this is the profiler."""

    def __init__(self) -> None:
        self._files: Watched[str] = Watched()
        self._known: set[str] = set()
        self.seen: set[str] = set()

    def __call__(self, frame: FrameType, event: str, _argument: object) -> None:
        code = frame.f_code
        begun = event == "call" and frame.f_lineno == code.co_firstlineno
        if not begun or code.co_filename in self._known or not code.co_filename.startswith(FOLDER):
            return
        self._known.add(code.co_filename)
        self.seen.add(file := code.co_filename.removeprefix(FOLDER).removesuffix(".py"))
        self._files.add(file)

    def wait_for(self, files: set[str]) -> None:
        """Until something was begun in each of `files`."""
        self._files.until(lambda seen: files <= {*seen}, f"all of {sorted(files)}")


def named() -> set[str]:
    """The files on the README's walk."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    walk = readme[readme.index("Follow a press") : readme.index("A command by name goes")]
    return set(re.findall(r"`([a-z_]+(?:/[a-z_]+)+)`", walk))


async def press(port: int, traced: Traced) -> None:
    """Press once, and see it pass through every file on the walk."""
    panel = Panel(port, "walk")
    try:
        await trio.to_thread.run_sync(panel.wait_for_newest, "server/main/state", "ready")
        await trio.to_thread.run_sync(panel.wait_for_newest, "bridge/state", "online")
        sys.setprofile(traced)
        await trio.to_thread.run_sync(panel.publish, PRESS, "true")
        await trio.to_thread.run_sync(traced.wait_for, named() - HIDDEN)
    finally:
        sys.setprofile(None)
        panel.close()


async def test_every_file_on_the_way_is_named(tmp_path: Path, broker: Broker) -> None:
    traced = Traced()
    world = load_world(None, now=wall_clock(), ids=random.Random(1))
    async with trio.open_nursery() as nursery:
        port = await nursery.start(partial(serve, Simulator(world)))
        tables = DEMO | {
            "mqtt": {"host": "localhost", "port": broker.port, "base_topic": "walk"},
            "servers": {"main": DEMO["servers"]["main"] | {"port": port}},
        }
        with closing(Journal(FileStore(tmp_path))) as journal:
            async with trio.open_nursery() as running:
                bridge = Bridge(Parts(Configuration(**tables), "walk", journal))
                running.start_soon(bridge.run)
                await press(broker.port, traced)
                bridge.stop()
        nursery.cancel_scope.cancel()
    assert {each for each in traced.seen if not MEANWHILE.match(each)} <= named()
