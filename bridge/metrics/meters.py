"""The measures for Prometheus: their names, types, labels and units.

Counters of what happens and times are told as it happens; how things stand is looked up when
somebody asks. Base units are seconds and bytes. Labels have few values: rooms, ids and whatever
people send are none.
"""

from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator, Mapping

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Histogram, Info, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ..hmp.command import Command, TimeoutClass
from ..hmp.link import LinkHealth, LinkState, Passage
from ..mqtt.broker_health import BrokerHealth, BrokerState
from ..room.facts.requests import EVENTS
from ..room.facts.state import RoomState
from ..room.facts.values import Result
from ..room.facts.vocabulary import ALARMS, Action, Outcome, State
from .snapshot import Snapshot

__all__ = ["Meters"]

_ACTIONS = frozenset({*map(str, Action), *EVENTS})
_OTHER = "other"
"""The label of whatever somebody sent that is no action."""

_TO_A_SECOND = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
_DISK = (0.0001, 0.00025, 0.0005, *_TO_A_SECOND, 2.5)
_QUICK = (0.0005, *_TO_A_SECOND, 2.5, 5.0, 10.0, 30.0)
_PATIENT = (*_TO_A_SECOND, 2.5, 5.0, 10.0, 30.0, 120.0)
"""Bounds of buckets in seconds: of a commit, of HMP's answers, of what waits for somebody."""


class Meters:
    """All metrics of one bridge, in a registry of their own; every scrape calls `snapshot`."""

    def __init__(
        self, *, version: str, servers: Iterable[str], snapshot: Callable[[], Snapshot]
    ) -> None:
        # Timestamps of creation are OpenMetrics' and would be metrics of their own elsewhere.
        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = registry = CollectorRegistry()
        Info("hmp_bridge_build", "The bridge's version.", registry=registry).info(
            {"version": version}
        )
        self._actions = Counter(
            "hmp_bridge_actions",
            "Requests of rooms by action or event, and by what became of them.",
            ["action", "outcome"],
            registry=registry,
        )
        self._action_seconds = Histogram(
            "hmp_bridge_action_duration_seconds",
            "From the receipt of a request to its result.",
            ["action"],
            buckets=_PATIENT,
            registry=registry,
        )
        self._commands = Counter(
            "hmp_bridge_hmp_commands",
            "Commands for HMP by what became of them.",
            ["server", "command", "outcome"],
            registry=registry,
        )
        self._round_trips = Histogram(
            "hmp_bridge_hmp_round_trip_seconds",
            "From the writing of a command to HMP's answer.",
            ["server", "command_class"],
            buckets=_QUICK,
            registry=registry,
        )
        self._waits = Histogram(
            "hmp_bridge_hmp_queue_wait_seconds",
            "How long a command waited for others of its server.",
            ["server", "command_class"],
            buckets=_QUICK,
            registry=registry,
        )
        self._commits = Histogram(
            "hmp_bridge_journal_commit_seconds",
            "What a commit of the journal took, its flush to the disk included.",
            buckets=_DISK,
            registry=registry,
        )
        registry.register(_Standing(snapshot))
        ProcessCollector(registry=registry)
        # A series that begins with its first event hides that event from every rate.
        for action in sorted(_ACTIONS):
            for outcome in Outcome:
                self._actions.labels(action, str(outcome))
        for server in servers:
            self.server_added(server)

    def server_added(self, server: str) -> None:
        """There is one more server, of which nothing has happened yet."""
        for each in TimeoutClass:
            self._round_trips.labels(server, str(each))
            self._waits.labels(server, str(each))

    def server_removed(self, server: str) -> None:
        """A server is gone, and its series with it.

        Prometheus then marks them stale, where a figure that is shown for ever would keep queries
        and alerts busy with what is no more. Should the server come back, its counters begin at
        nothing, which every rate takes for a restart.
        """
        for each in TimeoutClass:
            self._round_trips.remove(server, str(each))
            self._waits.remove(server, str(each))
        for family in self._commands.collect():
            for sample in family.samples:
                labels = sample.labels
                if labels["server"] == server:
                    self._commands.remove(server, labels["command"], labels["outcome"])

    def request_done(self, result: Result) -> None:
        """A request has its result."""
        action = result.word if result.word in _ACTIONS else _OTHER
        self._actions.labels(action, str(result.outcome)).inc()
        self._action_seconds.labels(action).observe(result.took)

    def command_done(
        self, server: str, command: Command[object], passage: Passage, ending: str
    ) -> None:
        """A command was settled; `ending` says how."""
        self._commands.labels(server, command.name, ending).inc()
        if passage.sent_at is None:
            return
        which = str(command.timeout)
        if passage.queued_at is not None:
            self._waits.labels(server, which).observe(passage.sent_at - passage.queued_at)
        if passage.ended_at is not None and ending in ("ok", "refused"):
            self._round_trips.labels(server, which).observe(passage.ended_at - passage.sent_at)

    def committed(self, seconds: float) -> None:
        """The journal was written."""
        self._commits.observe(seconds)


class _Standing(Collector):
    """The measures of how things stand when somebody asks."""

    def __init__(self, snapshot: Callable[[], Snapshot]) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterator[Metric]:
        """Every metric that is looked up."""
        snapshot = self._snapshot()
        yield from _servers(snapshot.servers)
        yield from _broker(snapshot.broker, snapshot.retained_ignored)
        yield from _rooms(snapshot.rooms)
        yield _certificates(snapshot.certificates)
        yield _gauge(
            "hmp_bridge_journal_failing",
            "Whether the journal cannot be written.",
            snapshot.journal.failure is not None,
        )


def _servers(servers: Mapping[str, LinkHealth]) -> Iterator[Metric]:
    states = GaugeMetricFamily(
        "hmp_bridge_server_state",
        "1 for the state that the link to a server is in.",
        labels=["server", "state"],
    )
    reconnects = CounterMetricFamily(
        "hmp_bridge_server_reconnects",
        "Connections to a server after the first.",
        labels=["server"],
    )
    queued = GaugeMetricFamily(
        "hmp_bridge_server_queued_commands",
        "Commands that wait for a server.",
        labels=["server"],
    )
    for name, health in servers.items():
        for state in LinkState:
            states.add_metric([name, str(state)], float(health.state is state))
        reconnects.add_metric([name], health.reconnects)
        queued.add_metric([name], health.queue_depth)
    yield from (states, reconnects, queued)


def _broker(broker: BrokerHealth, retained_ignored: int) -> Iterator[Metric]:
    states = GaugeMetricFamily(
        "hmp_bridge_broker_state",
        "1 for the state that the link to the broker is in.",
        labels=["state"],
    )
    for state in BrokerState:
        states.add_metric([str(state)], float(broker.state is state))
    yield states
    for name, documentation, value in (
        ("broker_reconnects", "Connections to the broker after the first.", broker.reconnects),
        ("mqtt_retained_ignored", "Retained messages that were not acted on.", retained_ignored),
        ("mqtt_received_dropped", "Messages that found no room.", broker.received_dropped),
        ("mqtt_results_dropped", "Results that found no room.", broker.outbox_dropped),
        ("mqtt_publications_refused", "Publications that the broker refused.", broker.refused),
    ):
        yield CounterMetricFamily(f"hmp_bridge_{name}", documentation, value=value)
    yield _gauge(
        "hmp_bridge_mqtt_unconfirmed_changes",
        "Values and results that the broker has not confirmed.",
        broker.unconfirmed,
    )


def _certificates(ends: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(
        "hmp_bridge_certificate_end_timestamp_seconds",
        "When a certificate ends, in seconds since the epoch.",
        labels=["certificate"],
    )
    for name, end in ends.items():
        family.add_metric([name], end)
    return family


def _rooms(rooms: Iterable[RoomState]) -> Iterator[Metric]:
    states: Tally[State] = Tally()
    alarms: Tally[str] = Tally()
    recording = 0
    for room in rooms:
        states[room.state] += 1
        alarms.update(room.alarms)
        recording += room.active
    by_state = GaugeMetricFamily(
        "hmp_bridge_rooms", "Rooms by their published state.", labels=["state"]
    )
    for state in State:
        by_state.add_metric([str(state)], states[state])
    by_alarm = GaugeMetricFamily(
        "hmp_bridge_alarms_active", "Rooms that have an alarm, by its code.", labels=["alarm"]
    )
    for alarm in ALARMS:
        by_alarm.add_metric([str(alarm)], alarms[alarm])
    yield from (by_state, by_alarm)
    yield _gauge(
        "hmp_bridge_rooms_recording", "Rooms with a recording, running or paused.", recording
    )


def _gauge(name: str, documentation: str, value: float) -> Metric:
    return GaugeMetricFamily(name, documentation, value=float(value))
