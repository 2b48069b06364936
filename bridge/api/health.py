"""The health of everything, measured: one round trip to each HMP, one to the broker, one commit.

What `hmp/bridge/health` says is of the last command that was answered; this asks.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

import trio

from ..hmp.client import ServerLink
from ..hmp.errors import HmpError
from ..hmp.measure import measure
from ..journal.journal import Journal
from ..mqtt.link import BrokerLink

__all__ = ["PATIENCE", "Figures", "Health"]

PATIENCE = 5.0
"""Seconds after which a part counts as silent. Its measurement may end later, unheard."""

_JOURNAL_ENTRY = "bridge/health"
"""The entry that is written to see whether, and how fast, writing works; no room's has a slash."""

Figures = dict[str, object]
"""A JSON object: times in milliseconds, whether all is `ok`, and the `error` where it is not."""


class Health:
    """Measures the parts of a bridge, all at once; `marker` is a topic of the bridge's own."""

    def __init__(
        self,
        links: Mapping[str, ServerLink],
        broker: BrokerLink,
        journal: Journal,
        *,
        marker: str,
        patience: float = PATIENCE,
    ) -> None:
        self._patience = patience
        self._links = links
        self._broker = broker
        self._journal = journal
        self._marker = marker

    async def measure(self, nursery: trio.Nursery) -> Figures:
        """One object with `servers`, `broker` and `journal`, each `ok` or not and with its `error`.

        Returns within `patience`, about. `nursery` outlives this: what HMP has been asked and does
        not answer is waited for there.
        """
        tasks: dict[str, Callable[[], Awaitable[Figures]]] = {
            "broker": self._measure_broker,
            "journal": self._measure_journal,
        }
        links = dict(self._links)  # of this moment: servers come and go with a reload
        tasks |= {f"server {name}": partial(_measure_server, link) for name, link in links.items()}
        found: dict[str, Figures] = {}
        all_found = trio.Event()

        async def run(name: str) -> None:
            with trio.move_on_after(self._patience):
                found[name] = await tasks[name]()
            if len(found) == len(tasks):
                all_found.set()

        for name in tasks:
            nursery.start_soon(run, name)
        with trio.move_on_after(self._patience):
            await all_found.wait()
        silent = _figures(error=f"no answer within {self._patience:g} s")
        parts = {name: found.get(name, silent) for name in tasks}
        return {
            "ok": all(part["ok"] for part in parts.values()),
            "servers": {name: parts[f"server {name}"] for name in links},
            "broker": parts["broker"],
            "journal": parts["journal"],
        }

    async def _measure_broker(self) -> Figures:
        began = trio.current_time()
        if await self._broker.touch(self._marker):
            return _figures(round_trip=trio.current_time() - began)
        return _figures(error=self._broker.health().error or "there is no connection to the broker")

    async def _measure_journal(self) -> Figures:
        await self._journal.save(_JOURNAL_ENTRY, "{}")
        health = self._journal.health()
        if health.failure is not None:
            return _figures(error=health.failure)
        return _figures(commit=health.last_commit)


async def _measure_server(link: ServerLink) -> Figures:
    try:
        trip = await measure(link)
    except HmpError as error:
        return {"state": link.state} | _figures(error=str(error))
    return {"state": link.state} | _figures(round_trip=trip.took, waited=trip.waited)


def _figures(*, error: str | None = None, **seconds: float | None) -> Figures:
    figures: Figures = {"ok": error is None}
    for name, value in seconds.items():
        figures[f"{name}_ms"] = None if value is None else round(value * 1000, 2)
    return figures | {"error": error}
