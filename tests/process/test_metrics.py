"""Metrics and health of a daemon at work, read as a scraper reads them."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import Metric

from tests.metrics.exposition import faults, value

from .programs import Program, run_bridge
from .reloading import Reloading
from .requester import Ask
from .scraper import Scraper
from .site import MakeSite, Site

Measure = Callable[..., tuple[Site, Scraper]]


def address_of(site: Site) -> str:
    """Where the daemon's metrics are served."""
    line = site.daemon.wait_for_line("metrics are served")
    return line.partition("address=")[2].partition(" ")[0]


@pytest.fixture
def measured(site: MakeSite) -> Iterator[Measure]:
    """Make a site whose daemon is measured."""
    with ExitStack() as stack:

        def make(**how: Any) -> tuple[Site, Scraper]:
            made = site(start=False, **how)
            made.tables["metrics"] = {"listen": "127.0.0.1:0"}
            made.add_daemon()
            made.wait_ready()
            return made, stack.enter_context(closing(Scraper(address_of(made))))

        yield make


def test_what_is_measured_while_rooms_record_and_a_server_is_lost(measured: Measure) -> None:
    s, scraper = measured(rooms=2)
    assert scraper.get("/health/live")[0] == 200
    assert scraper.get("/health/ready") == (200, '{"ready": true, "not_ready": {}}\n')

    s.panel.publish("room/r0/press/record", "true", retain=True)
    s.panel.press("r1", "record")
    s.panel.wait_for("room/r1/ack", "record ok")
    s.panel.press("r1", "record")
    s.panel.wait_for("room/r1/ack", "record ignored")
    s.panel.publish("room/r1/set", "fly")
    s.panel.publish("room/nowhere/set", "record")
    done, dropped = "hmp_bridge_actions_total", "hmp_bridge_mqtt_retained_ignored_total"

    def recordings_or_drops(seen: dict[str, Metric]) -> float:
        """The retained press counts where MQTT 3.1.1 cannot tell it from another."""
        return value(seen, done, action="record", outcome="ok") + value(seen, dropped)

    # The last that was asked is the last to be answered, but for what HMP has to say.
    families = scraper.until(
        lambda seen: (
            value(seen, done, action="record", outcome="failed") == 1
            and recordings_or_drops(seen) == 2
        )
    )
    recorded = value(families, done, action="record", outcome="ok")
    assert value(families, done, action="other", outcome="failed") == 1
    assert value(families, done, action="record", outcome="ignored") == 1
    assert value(families, "hmp_bridge_rooms_recording") == recorded
    assert value(families, "hmp_bridge_rooms", state="recording") == recorded
    server = {"server": "main"}
    assert value(families, "hmp_bridge_server_state", **server, state="ready") == 1
    start = {"command": "startRecording", "outcome": "ok"}
    assert value(families, "hmp_bridge_hmp_commands_total", **server, **start) == recorded
    for name in ("round_trip", "queue_wait"):
        count = f"hmp_bridge_hmp_{name}_seconds_count"
        assert value(families, count, **server, command_class="start_stop") == recorded
        assert value(families, count, **server, command_class="query") >= 1
    assert value(families, "hmp_bridge_journal_commit_seconds_count") >= 2
    assert value(families, "hmp_bridge_broker_state", state="online") == 1

    recordings = s.hmp.kill()
    s.panel.wait_for_newest("server/main/state", "refused")
    families = scraper.until(
        lambda seen: value(seen, "hmp_bridge_server_state", **server, state="refused") == 1
    )
    assert value(families, "hmp_bridge_server_state", **server, state="ready") == 0
    assert value(families, "hmp_bridge_rooms_recording") == recorded
    status, said = scraper.get("/health/ready")
    assert status == 503
    assert "nothing listens" in json.loads(said)["not_ready"]["server main"]
    assert scraper.get("/health/live")[0] == 200
    s.hmp.start(recordings)
    scraper.until(lambda seen: value(seen, "hmp_bridge_server_reconnects_total", **server) >= 1)
    s.panel.wait_for_newest("server/main/state", "ready")
    assert scraper.get("/health/ready")[0] == 200


def test_a_reload_takes_a_server_out_of_what_is_measured(measured: Measure, asking: Ask) -> None:
    """And in again: it is measured from its first command on, from nothing."""
    s, scraper = measured()
    r = Reloading(s, asking(s))
    servers = r.tables["servers"]

    def of_other(families: dict[str, Metric]) -> set[str]:
        samples = [each for family in families.values() for each in family.samples]
        return {each.name for each in samples if each.labels.get("server") == "other"}

    for _ in range(2):
        servers["other"] = servers["main"]
        r.hang_up()
        families = scraper.until(
            lambda seen: "hmp_bridge_hmp_commands_total" in of_other(seen)  # its probe
        )
        probe = {"command": "getRecordingStatus", "outcome": "refused"}
        assert value(families, "hmp_bridge_hmp_commands_total", server="other", **probe) == 1
        start = {"server": "other", "command_class": "start_stop"}
        assert value(families, "hmp_bridge_hmp_round_trip_seconds_count", **start) == 0
        del servers["other"]
        r.hang_up()
        scraper.until(lambda seen: not of_other(seen))
    assert value(scraper.metrics(), "hmp_bridge_server_state", server="main", state="ready") == 1


def test_openmetrics_to_those_who_ask(measured: Measure) -> None:
    _, scraper = measured()
    status, text = scraper.get("/metrics", "application/openmetrics-text;version=1.0.0,*/*;q=0.1")
    assert status == 200
    assert text.endswith("# EOF\n")
    assert faults(text, openmetrics=True) == []


def test_scrapes_and_presses_do_not_keep_each_other_up(measured: Measure) -> None:
    """A hundred rooms recorded under constant scraping by several at once."""
    s, scraper = measured(rooms=100)
    program = [sys.executable, "-m", "tests.process.scraper", address_of(s)]
    with ExitStack() as stack:
        busy = [stack.enter_context(closing(Program(program))) for _ in range(3)]
        for each in busy:
            each.wait_for_line("scraping")
        s.panel.publish_many([(f"room/r{n}/press/record", "true") for n in range(100)])
        for number in range(100):
            s.panel.wait_for(f"room/r{number}/ack", "record ok")
        for each in busy:
            assert each.stop() == 0, each.output
            each.wait_for_line("scraped", "times")
    recorded = {"action": "record", "outcome": "ok"}
    families = scraper.until(
        lambda seen: value(seen, "hmp_bridge_actions_total", **recorded) == 100
    )
    assert value(families, "hmp_bridge_rooms_recording") == 100
    assert len(s.hmp.commands("startRecording")) == 100


def test_nonsense_leaves_no_trace(measured: Measure) -> None:
    s, scraper = measured()
    for path in ("/", "/metrics/../etc/passwd", "/metrics%00", "//", "*"):
        assert scraper.get(path)[0] == 404
    assert scraper.get("/metrics?a=b")[0] == 200
    assert "Traceback" not in s.daemon.output
    assert s.daemon.stop() == 0


def test_off_means_that_nothing_listens(site: MakeSite) -> None:
    s = site()
    assert s.daemon.lines_with("metrics") == []


def test_check_says_what_is_wrong_with_the_address(site: MakeSite, tmp_path: Path) -> None:
    s = site()
    done = run_bridge("check", "--config", str(s.daemon.file), "--set", "metrics.listen=9464")
    assert done.returncode == 78
    assert "127.0.0.1:9464" in done.stderr
