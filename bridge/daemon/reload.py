"""Another configuration for a bridge that runs: read, judged whole, applied as a difference.

::

    SIGHUP, bridge/request/reload ─▶ read ─▶ plan ─┬─▶ subscribe ─▶ plan again ─▶ apply ─▶ report
                                       │           │       │            │
                                       └───────────┴───────┴────────────┴─▶ refused, as it was

From the last look at the rooms to the last change nothing waits, so that no press comes in between.
What ends then ends in its own time: a command in flight is answered and its answer written down.
"""

import time
from collections.abc import Callable, Sequence

import structlog
import trio

from ..api.bridge_requests import ReloadReport
from ..api.command_requests import CommandRequests
from ..api.ledger import ledger_name
from ..bindings.translator import Translator, filters_of
from ..config.bindings import make_bindings
from ..config.configuration import Configuration
from ..config.errors import ConfigurationError
from ..journal.journal import Journal
from ..journal.store import Entry
from ..logs.log import reconfigure_logs
from ..mqtt.filters import fewest
from ..mqtt.link import BrokerLink
from ..mqtt.settings import Subscription
from ..process.lifetime import Lifetime
from ..process.progress import Progress
from ..process.systemd import notify
from .home_assistant import HomeAssistant
from .manifest import Manifest
from .owned import Name
from .reload_plan import Plan, plan_reload
from .site import Site

__all__ = ["Load", "Reloader", "bound_subscriptions", "filters_for", "read_again", "say_reloading"]

log = structlog.get_logger("bridge")

Load = Callable[[], Configuration]
"""Reads the configuration again from where it came. Raises `ConfigurationError`."""


async def read_again(load: Load) -> Configuration:
    """The configuration as it is by now, read beside the loop. Raises `ConfigurationError`."""
    time.tzset()  # the box may have been moved to another zone, or put right
    thread = trio.CapacityLimiter(1)  # its own: it waits for none of the others
    return await trio.to_thread.run_sync(load, limiter=thread)


def say_reloading() -> None:
    """Tell systemd that a reload has begun; ``READY=1`` ends it."""
    notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")


def bound_subscriptions(filters: list[str]) -> list[Subscription]:
    """The subscriptions to bindings' topics.

    What others keep for themselves may be published retained while it is live (R16). What the
    broker refuses is missing alone (R24).
    """
    return [Subscription(each, retain_as_published=False, essential=False) for each in filters]


def filters_for(configuration: Configuration, heard: Sequence[str]) -> list[str]:
    """What is subscribed to for bindings, and is `heard` besides, each message by one filter."""
    bound = filters_of(make_bindings(configuration.bindings))
    return fewest([*bound, *heard])


class Reloader:
    """Applies configurations one after the other.

    `applied` is told which one is in force from now on, before anything of it is published.
    """

    def __init__(
        self,
        load: Load,
        configuration: Configuration,
        *,
        site: Site,
        commands: CommandRequests,
        broker: BrokerLink,
        translator: Translator,
        journal: Journal,
        manifest: Manifest,
        home_assistant: HomeAssistant,
        applied: Callable[[Configuration], None],
    ) -> None:
        self._load = load
        self._in_force = configuration
        self._site = site
        self._commands = commands
        self._broker = broker
        self._translator = translator
        self._journal = journal
        self._manifest = manifest
        self._home_assistant = home_assistant
        self._applied = applied
        self._turn = trio.Lock()
        #: Reloads so far; lines with an id of their own are not counted as repeats.
        self._count = 0
        #: Of `run`.
        self.progress = Progress()

    def ask(self) -> None:
        """Have `run` reload; asked again before it has begun, it does so once."""
        self.progress.wanted()

    async def run(self) -> None:
        """Reload whenever that is asked for, never by force, until cancelled."""
        while True:
            await self.progress.until_wanted()  # then for the disk, the broker, and whoever leaves
            await self.reload()

    async def reload(self, force: bool = False) -> ReloadReport:
        """Read the configuration again and go by it; `force` leaves recordings running at HMP.

        Everything that is wrong with it is in the report, and then nothing is changed.
        """
        async with self._turn:
            self._count += 1
            say_reloading()
            report = await self._reload(force=force)
            said = "reload refused, see the log" if report.errors else "configuration reloaded"
            notify("READY=1", f"STATUS={said}")
            return report

    async def _reload(self, *, force: bool) -> ReloadReport:
        try:
            configuration = await read_again(self._load)
        except ConfigurationError as error:
            return self._refuse(str(error).splitlines())
        plan = self._plan(configuration, force=force)
        if plan.refused:
            return self._refuse(plan.refused)
        birth = self._home_assistant.heard
        heard = filters_for(self._in_force, birth(self._in_force))
        wanted = filters_for(configuration, birth(configuration))
        added = [each for each in wanted if each not in heard]
        removed = [each for each in heard if each not in wanted]
        # Before the others are given up: what comes twice can be told, what is missed cannot.
        await self._broker.subscribe(bound_subscriptions(added))
        rooms, links = plan.rooms, plan.servers
        await self._manifest.expect(Name.all_of(rooms=rooms.added, servers=links.added))
        await self._home_assistant.expect(plan.in_force)
        entries = await self._journal.entries()
        await trio.lowlevel.checkpoint_if_cancelled()
        plan = self._plan(configuration, force=force)
        if plan.refused:
            await self._broker.unsubscribe(added)
            return self._refuse(plan.refused)
        leaving, servers = self._apply(plan, entries)
        for lifetime in leaving:
            await lifetime.ended()
        for lifetime in servers:
            lifetime.end()
            await lifetime.ended()
        gone = Name.all_of(rooms=plan.rooms.removed, servers=plan.servers.removed)
        self._manifest.left(gone)
        await self._broker.unsubscribe(removed)
        return self._report(plan)

    def _plan(self, configuration: Configuration, *, force: bool) -> Plan:
        rooms = self._site.rooms.items()
        in_use = {name: doing for name, room in rooms if (doing := room.in_use)}
        return plan_reload(self._in_force, configuration, in_use, force=force)

    def _apply(
        self, plan: Plan, entries: dict[str, Entry]
    ) -> tuple[list[Lifetime], list[Lifetime]]:
        """Change everything in one go; what is leaving, and the links that go when it has left."""
        before, after = self._in_force, plan.in_force
        self._in_force = after
        self._apply_logs(before, after)
        self._home_assistant.show(after)  # before the topics of what is leaving are emptied
        for name in plan.servers.added:
            table, entry = after.servers[name], entries.get(ledger_name(name))
            self._site.add_server(name, table)
            document = None if entry is None else entry.document
            self._commands.add_server(name, table.rules(), self._site.links[name], document)
        for name in plan.servers.changed:
            self._site.change_server(name, after.servers[name])
            self._commands.change_server(name, after.servers[name].rules())
        leaving = self._apply_rooms(plan, entries)
        leaving += [self._commands.retire_server(name) for name in plan.servers.removed]
        links = [self._site.retire_server(name) for name in plan.servers.removed]
        self._translator.replace(make_bindings(after.bindings), after.room_names)
        self._applied(after)
        return leaving, links

    def _apply_rooms(self, plan: Plan, entries: dict[str, Entry]) -> list[Lifetime]:
        tables, servers = plan.in_force.rooms, plan.in_force.servers
        leaving = [self._site.retire_room(name) for name in plan.rooms.removed]
        for name in plan.replaced:
            lifetime = self._site.retire_room(name)
            self._site.add_room(name, tables[name], servers[tables[name].server], None, known=True)
            self._site.start_room(name, after=lifetime)
            leaving.append(lifetime)
        for name in plan.rooms.added:
            server = servers[tables[name].server]
            self._site.add_room(name, tables[name], server, entries.get(name), known=True)
            self._site.start_room(name)
        for name, table in tables.items():
            server = servers[table.server]
            others = name in plan.rooms.changed or table.server in plan.servers.changed
            if others and name not in plan.replaced:
                self._site.change_room(name, table, server)
        return leaving

    def _apply_logs(self, before: Configuration, after: Configuration) -> None:
        """Unless nothing of it is different: a level may have been changed by request."""
        old, new = before.bridge, after.bridge
        if (old.log_level, old.log_levels, old.log_format) != (
            new.log_level,
            new.log_levels,
            new.log_format,
        ):
            reconfigure_logs(new.log_level, new.log_levels, new.log_format)

    def _refuse(self, errors: Sequence[str]) -> ReloadReport:
        for error in errors:
            log.error("configuration refused", error=error, id=f"reload-{self._count}")
        log.error(
            "reload refused, nothing was changed",
            errors=len(errors),
            id=f"reload-{self._count}",
            what_to_do="correct these and reload",
        )
        return ReloadReport(errors=tuple(errors))

    def _report(self, plan: Plan) -> ReloadReport:
        changes = plan.changes or {"changed": "nothing"}
        log.info("configuration reloaded", id=f"reload-{self._count}", **changes)
        for key in plan.needs_restart:
            restart = "systemctl restart hmp-bridge"
            log.warning("needs a restart", key=key, id=f"reload-{self._count}", what_to_do=restart)
        return ReloadReport(value=plan.report)
