"""A look from a box that stands by: could it reach the servers, if it led? (R36)."""

from collections.abc import Callable, Mapping

import trio

from ..config.server import ServerTable
from ..hmp.link import LinkSettings
from ..process.progress import Progress
from ..process.tcp import connected_socket

__all__ = ["look_at_servers"]

_EVERY = 30.0
"""Seconds between two looks whether the servers take a connection; HMP is asked nothing."""


async def look_at_servers(
    servers: Callable[[], Mapping[str, ServerTable]],
    say: Callable[[dict[str, bool]], None],
    progress: Progress,
) -> None:
    """Say of each server, again and again, whether it takes a connection, until cancelled."""
    try:
        while True:
            links = {name: table.link(name) for name, table in servers().items()}
            reached = dict.fromkeys(links, False)
            progress.within(max(link.connect_timeout for link in links.values()))
            async with trio.open_nursery() as nursery:
                for link in links.values():
                    nursery.start_soon(_look_at, link, reached)
            say(reached)
            await progress.rest(trio.current_time() + _EVERY)
    finally:
        progress.waits()


async def _look_at(link: LinkSettings, reached: dict[str, bool]) -> None:
    with trio.move_on_after(link.connect_timeout):
        try:
            (await connected_socket(link.host, link.port)).close()
        except OSError:
            return
        reached[link.name] = True
