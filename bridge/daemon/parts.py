"""The parts of the daemon, and which of them is given which.

::

    broker link ─▶ Dispatcher ─┬─▶ Admission ─▶ Room ─▶ server link
         ▲                     └─▶ Api ─────────────────────▲
         │                                      │
       Image ◀── Outlet ◀─── state, result ─────┘

`app` makes them once and runs them. Two know each other: the broker link calls the contact, which
is made when everything else is there.
"""

import time
from functools import partial
from typing import TYPE_CHECKING

from ..api.bridge_requests import Reload, ReloadReport
from ..api.checks import ServerRules
from ..api.replies import Replies
from ..api.service import Api
from ..bindings.translator import Translator
from ..config.bindings import make_bindings
from ..config.configuration import Configuration
from ..hmp.link import LinkState
from ..intake.callers import Callers
from ..intake.dispatch import Dispatcher
from ..intake.sources import Sources
from ..intake.suspects import HANDLING, SET_ASIDE, Suspects
from ..journal.instance import client_id
from ..journal.instant import this_instant
from ..journal.journal import Journal
from ..metrics.observe import Observer
from ..mqtt.api_topics import request_filters
from ..mqtt.broker_health import BrokerState
from ..mqtt.catalogue import watched_filters
from ..mqtt.image import Image
from ..mqtt.link import BrokerLink
from ..mqtt.settings import Subscription
from ..mqtt.topics import timestamp
from ..process.progress import Progress
from ..room.facts.vocabulary import Alarm
from .api import build_api, build_replies
from .clock import Clock
from .contact import Contact
from .happenings import Happenings
from .helm import ALONE, Helm
from .home_assistant import HomeAssistant, share_of
from .info_and_health import Identity
from .manifest import Manifest
from .outlet import Outlet
from .owned import NOTE
from .reload import Load, Reloader, bound_subscriptions, filters_for
from .rivals import Rivals
from .self_report import SelfReport
from .site import Site
from .watchdog import Watchdog

if TYPE_CHECKING:  # an extra that need not be there
    from .web import Web

__all__ = ["Parts"]

_BINDINGS = "bindings"
"""The journal's note of what bindings remember."""

_MOST_ANSWERS = 8192
"""Results and acks that may wait for the broker: two for each message of the largest backlog that
mosquitto was seen to deliver before an acknowledgement, 16 times Receive Maximum."""


class Parts:
    """Everything that one process runs, wired but not yet running.

    `load` reads the configuration again; without it there is no reload. `helm` says whether this
    box may act.
    """

    def __init__(
        self,
        configuration: Configuration,
        instance_id: str,
        journal: Journal,
        load: Load | None = None,
        helm: Helm = ALONE,
    ) -> None:
        self.helm = helm
        self.configuration = configuration
        self.journal = journal
        self._identity = Identity(timestamp(time.time()), instance_id)
        self.topics = configuration.topics
        self.image = Image(outbox_limit=_MOST_ANSWERS, share_of=share_of(self.topics))
        self.clock = Clock(trusted=configuration.bridge.clock == "trusted")
        self.observer = Observer(self.clock)
        self.telling_repeats = Progress()
        self.translator = self._make_translator()
        self.sources = Sources(self.topics, {}, self.translator.leads)  # of rooms made below
        client = client_id(instance_id, configuration.mqtt.base_topic)
        self._broker_settings = configuration.broker(client)
        self.manifest = self._make_manifest()
        self.happenings = Happenings(self.topics, self.image)
        self.home_assistant = HomeAssistant(
            self.topics,
            self.image,
            repeat=lambda first: self.broker.repeat(first),  # noqa: PLW0108 - it is made next
            manifest=self.manifest,
            happenings=self.happenings,
        )
        self.broker = self._make_broker()
        rules = {name: table.rules() for name, table in configuration.servers.items()}
        replies = build_replies(self.topics, self.broker, configuration.mqtt.response_topics)
        self.outlet = Outlet(
            self.topics,
            self.image,
            self.observer,
            replies,
            servers=rules,
            happenings=self.happenings,
        )
        self.site = self._make_site()
        self.links, self.rooms = self.site.links, self.site.rooms
        self.sources.rooms, self.sources.servers = self.rooms, rules
        self.api = self._make_api(rules, replies, None if load is None else self._reload)
        self.dispatcher = self._make_dispatcher()
        self.callers = self._make_callers()
        self.watchdog = Watchdog(self._due_at, journal, lambda: helm.holds)
        self.web: Web | None = None
        self.self_report = self._make_self_report()
        self.web = self._make_web()
        self.reloader = None if load is None else self._make_reloader(load)
        self.rivals = Rivals(
            self._identity,
            self.topics,
            self._broker_settings,
            self.links,
            self.self_report.object_to_one_alone,
        )
        self.contact = self._make_contact()
        self.contact.resume()
        journal.on_change(self._journal_changed)
        journal.on_commit(self.observer.committed)

    # What there is, from the broker to the rooms and from the rooms to the broker.

    def _make_translator(self) -> Translator:
        return Translator(
            make_bindings(self.configuration.bindings),
            self.configuration.room_names,
            clock=self.clock,
            boot=this_instant().boot,
            kept=self.journal.note(_BINDINGS),
        )

    def _make_broker(self) -> BrokerLink:
        inputs = (*self.topics.inputs, *request_filters(self.topics))
        heard = self.home_assistant.heard(self.configuration)
        filters = filters_for(self.configuration, heard)
        return BrokerLink(
            self._broker_settings,
            self.image,
            [*map(Subscription, inputs), *bound_subscriptions(filters)],
            availability_topic=self.topics.bridge_state,
            own=watched_filters(self.topics.base, self.topics.own_path),
            greet=lambda session: self.contact.greet(session),  # noqa: PLW0108 - it is made last
            numbered=lambda session: self.contact.numbered(session),  # noqa: PLW0108
            changed=self._broker_changed,
            admitted=self.helm.to_take_session,
            source_of=self.sources.of,
            held=self.sources.held,
        )

    def _make_site(self) -> Site:
        return Site(
            self.configuration,
            topics=self.topics,
            image=self.image,
            journal=self.journal,
            observer=self.observer,
            clock=self.clock,
            outlet=self.outlet,
            server_changed=self._server_changed,
            permission=self.helm,
        )

    def _make_manifest(self) -> Manifest:
        return Manifest(
            self.topics,
            self.image,
            instance=self._identity.instance,
            kept=self.journal.note(NOTE),
            save=partial(self.journal.save_note, NOTE),
            server_of=lambda room: self.site.server_of(room),  # noqa: PLW0108 - it is made later
        )

    def _make_api(
        self, rules: dict[str, ServerRules], replies: Replies, reload: Reload | None
    ) -> Api:
        return build_api(
            rules,
            self.topics,
            self.broker,
            replies,
            links=self.links,
            rooms=self.rooms,
            journal=self.journal,
            clock=self.clock,
            reload=reload,
            hand_over=self.helm.hand_over,
        )

    def _make_dispatcher(self) -> Dispatcher:
        return Dispatcher(
            self.broker,
            self.topics,
            self.rooms,
            api=self.api,
            refusals=self.outlet,
            clock=self.clock,
            taken=self.journal.inputs(),
            translator=self.translator,
            save=partial(self.journal.save_note, _BINDINGS),
            sources=self.sources,
            suspects=Suspects(
                self.journal.note(HANDLING), self.journal.note(SET_ASIDE), self.journal.save_note
            ),
        )

    def _make_callers(self) -> Callers:
        return Callers(
            self.topics,
            self.rooms,
            clock=self.clock,
            sources=self.sources,
            taken=self.journal.inputs(),
        )

    def _make_web(self) -> "Web | None":
        """Everything over HTTP; nothing of it is loaded where nothing listens."""
        if self.configuration.web.listen is None and self.configuration.metrics.listen is None:
            return None
        from .web import NOTE as WEB_NOTE
        from .web import Web

        return Web(
            self.configuration,
            rooms=self.rooms,
            outlet=self.outlet,
            callers=self.callers,
            online=lambda: self.broker.health().state is BrokerState.ONLINE,
            clock=self.clock,
            snapshot=self.self_report.snapshot,
            observer=self.observer,
            key=self.journal.note(WEB_NOTE),
            save_key=partial(self.journal.save_note, WEB_NOTE),
        )

    def _make_self_report(self) -> SelfReport:
        return SelfReport(
            self.configuration,
            topics=self.topics,
            image=self.image,
            site=self.site,
            broker=self.broker,
            journal=self.journal,
            dispatcher=self.dispatcher,
            identity=self._identity,
            watchdog=self.watchdog,
            web_certificate=lambda: {} if self.web is None else self.web.certificates,
        )

    def _due_at(self) -> dict[str, float]:
        rooms = {f"room {name}": room.due_at for name, room in self.rooms.items()}
        links = {f"server {name}": link.progress.due_at for name, link in self.links.items()}
        loops = rooms | links | self.broker.due_at | self.api.due_at | self.self_report.due_at
        loops |= {
            **self.helm.due_at,
            "held presses": self.translator.progress.due_at,
            "acknowledgements": self.dispatcher.acknowledgements.progress.due_at,
            "contact": self.contact.progress.due_at,
            "clock": self.clock.progress.due_at,
            "manifest": self.manifest.progress.due_at,
            "home assistant": self.home_assistant.due_at,
            "rivals": self.rivals.progress.due_at,
            "repeated lines": self.telling_repeats.due_at,
        }
        if self.reloader is not None:
            loops["reload"] = self.reloader.progress.due_at
        return loops if self.web is None else loops | self.web.due_at

    def _make_reloader(self, load: Load) -> Reloader:
        return Reloader(
            load,
            self.configuration,
            site=self.site,
            commands=self.api.commands,
            broker=self.broker,
            translator=self.translator,
            journal=self.journal,
            manifest=self.manifest,
            home_assistant=self.home_assistant,
            applied=self._reconfigured,
        )

    def _make_contact(self) -> Contact:
        return Contact(
            self.topics,
            broker=self.broker,
            dispatcher=self.dispatcher,
            rooms=self.rooms,
            journal=self.journal,
            rivals=self.rivals,
            manifest=self.manifest,
            home_assistant=self.home_assistant,
            self_report=self.self_report,
            observer=self.observer,
            clock=self.clock,
        )

    def _reconfigured(self, configuration: Configuration) -> None:
        self.self_report.reconfigured(configuration)
        if self.web is not None:
            self.web.reconfigured(configuration)

    def _broker_changed(self, state: BrokerState) -> None:
        self.helm.broker_changed(state)
        self.contact.changed(state)
        if self.web is not None:
            self.web.broker_changed()

    def _server_changed(self, name: str, state: LinkState) -> None:
        self.api.commands.link_changed(name, state)
        self.self_report.publish_health()

    async def _reload(self, force: bool) -> ReloadReport:
        assert self.reloader is not None  # noqa: S101 - else the API is not given this
        return await self.reloader.reload(force)

    def _journal_changed(self, failing: bool) -> None:
        for room in self.rooms.values():
            room.alarm_changed(Alarm.JOURNAL_FAILING, raised=failing)
        self.self_report.publish_health()
