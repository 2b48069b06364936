"""Everything that `check --live` looks at, where all is well; and how it is said."""

from pathlib import Path

from bridge.check.report import Blame, failed, noted, passed, render, summary, worst
from bridge.cli.main import ExitCode
from bridge.mqtt.api_topics import request_filters
from bridge.mqtt.topics import Topics
from tests.brokers import Broker
from tests.process.hmp import Hmp, session_of

from .conftest import Live, line_of


def test_all_is_well(live: Live, broker: Broker, hmp: Hmp, tmp_path: Path) -> None:
    code, lines = live()
    state = tmp_path / "state"
    version = "5" if broker.speaks_mqtt5 else "3.1.1"
    address = f"broker 127.0.0.1:{broker.port}"
    server = line_of(lines, "pass  server main: ")
    assert server.startswith(
        f"pass  server main: 127.0.0.1 port {hmp.port} reached and authorized as 127.0.0.1, answers"
    )
    lines.remove(server)
    assert lines == [
        f"pass  configuration {tmp_path / 'bridge.toml'}: understood",
        f"pass  state folder {state}: can be written",
        f"pass  journal {state / 'journal.db'}: will be made at the first start",
        f"pass  {address}: reached, MQTT {version}",
        f"pass  {address} login: accepted without a user name",
        "pass  subscriptions: accepted for "
        + ", ".join((*Topics("hmp").inputs, *request_filters(Topics("hmp")))),
        "pass  publications: published to 3 topics of servers and rooms, and read back",
        "pass  presses: arrive from every room",
        "pass  retained values: are kept by the broker",
        f"pass  room r0: session {session_of(0)} exists",
        f"pass  room r1: session {session_of(1)} exists",
        "all 12 checks passed",
    ]
    assert code == ExitCode.OK


def test_findings_as_lines() -> None:
    good = passed("broker", "reached")
    aside = noted("base topic hmp", "a bridge is online")
    bad = failed("room r0", "no session", "set it", Blame.CONFIGURATION)
    worse = failed("server main", "nobody listens", "switch it on", Blame.UNAVAILABLE)
    assert render(good) == "pass  broker: reached"
    assert render(aside) == "note  base topic hmp: a bridge is online"
    forged = failed("room r0", "no\x1b[2J\npass  all", "a\x07", Blame.UNAVAILABLE)
    assert render(forged) == ("FAIL  room r0: no\\u001b[2J\\npass  all\n      → a\\u0007")
    assert render(bad) == "FAIL  room r0: no session\n      → set it"
    assert summary([good, aside]) == "all 1 checks passed"
    assert summary([good, aside, bad, worse]) == "2 of 3 checks failed"
    assert worst([good, aside]) is None
    assert worst([worse, bad]) is Blame.CONFIGURATION
    assert worst([worse, good]) is Blame.UNAVAILABLE
