"""``hmp-bridge check --live``: everything that the daemon needs, tried as it is now.

Broker, HMPs, state folder and etcd are looked at at the same time, each within its own time limits,
and said in the order of the configuration.
"""

import os
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from pathlib import Path

import trio

from ..config.configuration import Configuration
from ..journal.instance import StateFolderError, state_folder
from ..mqtt.failures import BrokerFailure
from ..mqtt.filters import fewest
from ..mqtt.nodes import every_node
from ..mqtt.settings import BrokerSettings
from ..mqtt.topics import Topics
from ..process.name_service import name_service
from .broker import check_broker
from .folder import check_folder
from .hmp import check_server
from .report import Blame, Finding, failed
from .store import check_store

__all__ = ["check_everything"]


async def check_everything(
    configuration: Configuration, say: Callable[[Finding], None]
) -> list[Finding]:
    """All findings, each handed to `say` as soon as what stands before it has been said."""
    checks = _checks(configuration)
    results: list[list[Finding]] = [[] for _ in checks]
    done = [trio.Event() for _ in checks]

    async def run(number: int) -> None:
        results[number] = await checks[number]()
        done[number].set()

    async with name_service(), trio.open_nursery() as nursery:
        for number in range(len(checks)):
            nursery.start_soon(run, number)
        for number, finished in enumerate(done):
            await finished.wait()
            for finding in results[number]:
                say(finding)
    return [finding for found in results for finding in found]


def _checks(configuration: Configuration) -> list[Callable[[], Awaitable[list[Finding]]]]:
    named = configuration.bridge.state_dir
    servers, rooms = configuration.servers, configuration.rooms
    etcd = configuration.etcd("check")
    return [
        partial(trio.to_thread.run_sync, _state_folder, named),
        *([] if etcd is None else [partial(check_store, etcd)]),
        partial(
            _brokers,
            configuration.broker(""),
            configuration.topics,
            servers,
            rooms,
            bound=fewest(binding.topic for binding in configuration.bindings),
        ),
        *(
            partial(
                check_server,
                table.link(name),
                {room: each for room, each in rooms.items() if each.server == name},
            )
            for name, table in servers.items()
        ),
    ]


async def _brokers(
    settings: BrokerSettings,
    topics: Topics,
    servers: Iterable[str],
    rooms: Iterable[str],
    *,
    bound: Iterable[str],
) -> list[Finding]:
    """The findings of each broker that there is, one after another."""
    try:
        nodes = await every_node(settings)
    except BrokerFailure as failure:
        return [failed("broker", failure.detail, failure.advice, Blame.UNAVAILABLE)]
    found: list[Finding] = []
    for node in nodes:
        found += await check_broker(settings.at(node), topics, servers, rooms, bound=bound)
    return found


def _state_folder(named: Path | None) -> list[Finding]:
    try:
        folder = state_folder(named)
    except StateFolderError as error:
        what_to_do = "name one for the service and for this check: bridge.state_dir"
        return [failed("state folder", str(error), what_to_do, Blame.UNAVAILABLE)]
    return check_folder(folder, of_user=named is None and "STATE_DIRECTORY" not in os.environ)
