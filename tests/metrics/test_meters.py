"""What is counted, and how it is called."""

from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics import exposition as openmetrics

from bridge.hmp.arguments import RecordingId
from bridge.hmp.commands import GetRecordingStatus, RecordingStatus, StartRecording
from bridge.hmp.link import LinkState, Passage
from bridge.journal.journal import JournalHealth
from bridge.metrics.meters import Meters
from bridge.mqtt.broker_health import BrokerState
from bridge.room.facts.state import Recording, RoomState
from bridge.room.facts.values import Result
from bridge.room.facts.vocabulary import ALARMS, Alarm, Outcome, State
from tests.room.policies import policy_of

from .exposition import faults, read, value
from .healthy import IDLE, SESSION, broker_health, link_health, look

latest_openmetrics: Callable[[Any], bytes] = openmetrics.generate_latest
UUID = RecordingId("0f0f0f0f-0665-48cd-b141-1e95283469f1")


def meters(**changes: Any) -> Meters:
    """Of that bridge."""
    return Meters(version="1.2.3", servers=["main"], snapshot=look(**changes))


def scrape(made: Meters) -> dict[str, Any]:
    """What Prometheus reads."""
    return read(generate_latest(made.registry).decode())


def result(word: str, outcome: Outcome, took: float) -> Result:
    """A request's."""
    return Result("1", word, "topic", outcome, State.IDLE, took=took)


def busy() -> Meters:
    """Meters that have seen something of everything."""
    made = meters()
    made.request_done(result("record", Outcome.OK, 0.02))
    made.command_done("main", StartRecording(SESSION), Passage(0.0, 0.1, 0.3), "ok")
    made.committed(0.0003)
    return made


def test_it_keeps_to_prometheus_s_conventions_in_both_formats() -> None:
    made = busy()
    text = generate_latest(made.registry).decode()
    assert faults(text) == []
    assert "_created" not in text
    other = latest_openmetrics(made.registry).decode()
    assert faults(other, openmetrics=True) == []
    names = {name.removesuffix("_info") for name in read(text)}
    assert read(other, openmetrics=True).keys() == names


def test_the_lint_finds_what_is_wrong() -> None:
    """Or it would find nothing in ours whatever we did."""
    text = (
        "# TYPE requests counter\nrequests 1\n"
        "# HELP hmp_bridge_wait_ms Wait.\n# TYPE hmp_bridge_wait_ms gauge\n"
        'hmp_bridge_wait_ms{room="a"} 1\n'
        "hmp_bridge_odd_total 3\n"
    )
    assert set(faults(text)) == {
        "requests: has another prefix",
        "requests: has no help",
        "requests: lacks _total",
        "hmp_bridge_wait_ms: is not in a base unit",
        "hmp_bridge_wait_ms: is a time and does not end in its unit",
        "hmp_bridge_wait_ms: has a value per thing",
        "hmp_bridge_odd_total: has no help",
        "hmp_bridge_odd_total: has no type",
    }


def test_every_scrape_of_a_fresh_bridge_has_the_series_that_alerts_need() -> None:
    families = scrape(meters())
    for outcome in Outcome:
        assert value(families, "hmp_bridge_actions_total", action="record", outcome=outcome) == 0
    for command_class in ("query", "mutate", "start_stop"):
        labels = {"server": "main", "command_class": command_class}
        assert value(families, "hmp_bridge_hmp_round_trip_seconds_count", **labels) == 0
        assert value(families, "hmp_bridge_hmp_queue_wait_seconds_count", **labels) == 0
    assert value(families, "hmp_bridge_build_info", version="1.2.3") == 1
    assert value(families, "hmp_bridge_journal_failing") == 0


def test_requests_by_action_and_outcome() -> None:
    made = meters()
    made.request_done(result("record", Outcome.OK, 0.02))
    made.request_done(result("record", Outcome.IGNORED, 0.0001))
    made.request_done(result("meeting_start", Outcome.OK, 3.0))
    made.request_done(result("whatever 'somebody' sends\n", Outcome.FAILED, 0.0))
    made.request_done(result("or sends again", Outcome.FAILED, 0.0))
    families = scrape(made)
    total = "hmp_bridge_actions_total"
    assert value(families, total, action="record", outcome="ok") == 1
    assert value(families, total, action="record", outcome="ignored") == 1
    assert value(families, total, action="meeting_start", outcome="ok") == 1
    assert value(families, total, action="other", outcome="failed") == 2
    seconds = "hmp_bridge_action_duration_seconds"
    assert value(families, f"{seconds}_sum", action="meeting_start") == 3.0
    assert value(families, f"{seconds}_bucket", action="record", le="0.01") == 1


def test_commands_by_server_class_and_ending() -> None:
    made = meters()
    made.command_done("main", StartRecording(SESSION), Passage(1.0, 1.5, 3.5), "ok")
    made.command_done("main", StartRecording(SESSION), Passage(1.0, 1.25, 31.25), "unknown")
    made.command_done("main", GetRecordingStatus(UUID), Passage(1.0, None, 2.0), "not_sent")
    families = scrape(made)
    total = "hmp_bridge_hmp_commands_total"
    for name, ending in (
        ("startRecording", "ok"),
        ("startRecording", "unknown"),
        ("getRecordingStatus", "not_sent"),
    ):
        assert value(families, total, server="main", command=name, outcome=ending) == 1
    start = {"server": "main", "command_class": "start_stop"}
    # A reply that never came took no time; a command that was not sent waited for nothing.
    assert value(families, "hmp_bridge_hmp_round_trip_seconds_count", **start) == 1
    assert value(families, "hmp_bridge_hmp_round_trip_seconds_sum", **start) == 2.0
    assert value(families, "hmp_bridge_hmp_queue_wait_seconds_sum", **start) == 0.75
    query = {"server": "main", "command_class": "query"}
    assert value(families, "hmp_bridge_hmp_queue_wait_seconds_count", **query) == 0


def test_the_series_of_a_server_come_and_go_with_it() -> None:
    """Also those that have counted; and a server of that name begins anew."""
    made = busy()

    def of_other() -> list[tuple[str, float]]:
        found = [sample for family in scrape(made).values() for sample in family.samples]
        return [(each.name, each.value) for each in found if each.labels.get("server") == "other"]

    before = scrape(made)
    for _ in range(2):
        assert of_other() == []
        made.server_added("other")
        fresh = of_other()
        assert {name.rpartition("_seconds_")[0] for name, _ in fresh} == {
            "hmp_bridge_hmp_round_trip",
            "hmp_bridge_hmp_queue_wait",
        }
        assert {value for _, value in fresh} == {0.0}
        made.command_done("other", StartRecording(SESSION), Passage(0.0, 0.1, 0.3), "ok")
        made.command_done("other", GetRecordingStatus(UUID), Passage(0.0, None, 0.3), "not_sent")
        assert ("hmp_bridge_hmp_commands_total", 1.0) in of_other()
        made.server_removed("other")
    after = scrape(made)
    for name in ("hmp_bridge_hmp_commands", "hmp_bridge_hmp_round_trip_seconds"):
        assert after[name].samples == before[name].samples


@pytest.mark.parametrize("state", LinkState)
def test_a_server_is_in_exactly_one_state(state: LinkState) -> None:
    health = link_health(state, reconnects=3, queue_depth=7)
    families = scrape(meters(servers={"main": health, "other": link_health()}))
    for each in LinkState:
        shown = value(families, "hmp_bridge_server_state", server="main", state=each)
        assert shown == float(each is state)
    assert value(families, "hmp_bridge_server_reconnects_total", server="main") == 3
    assert value(families, "hmp_bridge_server_queued_commands", server="main") == 7


@pytest.mark.parametrize("state", BrokerState)
def test_the_broker(state: BrokerState) -> None:
    broker = broker_health(
        state, reconnects=2, received_dropped=3, outbox_dropped=4, refused=5, unconfirmed=6
    )
    families = scrape(meters(broker=broker, retained_ignored=7))
    shown = {each: value(families, "hmp_bridge_broker_state", state=each) for each in BrokerState}
    assert shown == {each: float(each is state) for each in BrokerState}
    for name, count in (
        ("broker_reconnects_total", 2),
        ("mqtt_received_dropped_total", 3),
        ("mqtt_results_dropped_total", 4),
        ("mqtt_publications_refused_total", 5),
        ("mqtt_unconfirmed_changes", 6),
        ("mqtt_retained_ignored_total", 7),
    ):
        assert value(families, f"hmp_bridge_{name}") == count


def test_rooms_and_their_alarms() -> None:
    recording = RoomState(
        policy_of(SESSION),
        recording=Recording(UUID, SESSION, 0.0, RecordingStatus.PAUSED),
        alarms=frozenset({Alarm.DISK_FULL, Alarm.NO_SOURCE}),
    )
    families = scrape(meters(rooms=[IDLE, recording, recording]))
    assert value(families, "hmp_bridge_rooms", state="idle") == 1
    assert value(families, "hmp_bridge_rooms", state=recording.state) == 2
    assert value(families, "hmp_bridge_rooms_recording") == 2
    assert value(families, "hmp_bridge_alarms_active", alarm="disk_full") == 2
    shown = families["hmp_bridge_alarms_active"].samples
    assert {sample.labels["alarm"] for sample in shown} == set(ALARMS)


def test_the_journal() -> None:
    made = meters(journal=JournalHealth("disk full", 0.001))
    made.committed(0.002)
    families = scrape(made)
    assert value(families, "hmp_bridge_journal_failing") == 1
    assert value(families, "hmp_bridge_journal_commit_seconds_sum") == 0.002


def test_the_ends_of_certificates() -> None:
    name = "hmp_bridge_certificate_end_timestamp_seconds"
    families = scrape(meters(certificates={"web.cert": 1_800_000_000.0, "mqtt.tls.ca": 0.0}))
    assert value(families, name, certificate="web.cert") == 1_800_000_000
    assert value(families, name, certificate="mqtt.tls.ca") == 0
    assert families[name].documentation
    assert not scrape(meters())[name].samples


def test_two_bridges_in_one_process_share_nothing() -> None:
    one, other = busy(), meters()
    assert value(scrape(one), "hmp_bridge_journal_commit_seconds_count") == 1
    assert value(scrape(other), "hmp_bridge_journal_commit_seconds_count") == 0
