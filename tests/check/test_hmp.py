"""What `check --live` says of HMPs, and of the sessions that rooms record."""

import threading
from contextlib import closing
from pathlib import Path

import pytest

from bridge.cli.main import ExitCode
from tests.brokers import Broker, free_port
from tests.process.hmp import Hmp, session_of
from tests.process.relay import Relay
from tests.process.watched import PATIENCE

from .conftest import Live, line_of

CATEGORIES = {"692e9ab8-d446-4bfd-b64d-e39e8e57c4c5": ["Surgery"]}
SOURCE = "b86befc3-7b44-4655-852f-21a77935d110"


def test_hmp_is_off(live: Live) -> None:
    code, lines = live(hmp_port=(port := free_port()))
    assert code == ExitCode.UNAVAILABLE
    line = line_of(lines, "FAIL  server main: ")
    assert f"nothing listens on 127.0.0.1:{port}" in line
    assert "switch Command Line API on" in line
    for room in ("r0", "r1"):
        assert line_of(lines, f"note  room {room}: not asked, for server main failed")


def test_hmp_does_not_know_this_box(live: Live, hmp: Hmp) -> None:
    hmp.do("allow", address="10.1.2.3")
    hmp.do("deny", address="*")
    try:
        code, lines = live()
    finally:
        hmp.do("allow", address="*")
    assert code == ExitCode.NOT_AUTHORIZED
    line = line_of(lines, "FAIL  server main: HMP does not accept commands from this box")
    assert "add this box's address 127.0.0.1 to the authorized devices" in line


@pytest.mark.parametrize("style", ["bare", "eof", "reset"])
def test_other_ways_to_say_not_authorized(live: Live, tmp_path: Path, style: str) -> None:
    """However HMP turns the box away, it is the same finding (E47)."""
    with closing(Hmp(tmp_path, knobs=[f"unauth_style={style}"])) as strict:
        strict.do("allow", address="10.1.2.3")
        strict.do("deny", address="*")
        code, lines = live(hmp_port=strict.port)
    assert code == ExitCode.NOT_AUTHORIZED
    assert "to the authorized devices" in line_of(lines, "FAIL  server main: ")


def test_hmp_is_degraded(live: Live, hmp: Hmp) -> None:
    hmp.fault("error:getRecordingStatus:090001:count=1")
    code, lines = live()
    assert code == ExitCode.UNAVAILABLE
    line = line_of(lines, "FAIL  server main: HMP answers, but its services do not: 090001")
    assert "restart HMP" in line


def test_hmp_does_not_answer(live: Live, hmp: Hmp) -> None:
    hmp.fault("half_open:getRecordingStatus:count=1")
    code, lines = live(server={"query_timeout": "300ms"})
    assert code == ExitCode.UNAVAILABLE
    said = "connected, but no answer came within 0.3 s"
    assert said in line_of(lines, "FAIL  server main: ")


def test_hmp_is_lost_in_between(live: Live, hmp: Hmp) -> None:
    """What was asked stays; what was not is said."""
    hmp.fault("lose_reply:removeSourceFromSession:count=1")
    code, lines = live()
    assert code == ExitCode.UNAVAILABLE
    assert line_of(lines, "pass  server main: ")
    assert "HMP closed the connection" in line_of(lines, "FAIL  server main: ")
    assert line_of(lines, "note  room r0: not asked")


def test_hmp_is_no_hmp(live: Live, broker: Broker) -> None:
    code, lines = live(hmp_port=broker.port, server={"query_timeout": "500ms"})
    assert code == ExitCode.UNAVAILABLE
    assert "HMP" in line_of(lines, "FAIL  server main: ")


def test_a_session_that_does_not_exist(live: Live) -> None:
    rooms = {
        "good": {"server": "main", "session": session_of(0)},
        "gone": {"server": "main", "session": session_of(99)},
        "own": {"server": "main", "sources": [SOURCE], "details": {"categories": CATEGORIES}},
        "told": {"server": "main", "session": session_of(1), "details": {"categories": CATEGORIES}},
    }
    code, lines = live(tables={"rooms": rooms})
    assert code == ExitCode.CONFIGURATION
    line = line_of(lines, f"FAIL  room gone: HMP has no session {session_of(99)}")
    assert "set rooms.gone.session to the id of one that HMP's web pages show" in line
    assert line_of(lines, "pass  room good: ")
    own = line_of(lines, "pass  room own: 1 source id(s) and 1 category id(s) well-formed; whether")
    assert own.endswith("HMP has them shows at the first recording")
    told = line_of(lines, "pass  room told: ")
    assert f"session {session_of(1)} exists; 1 category id(s) well-formed" in told


def test_a_session_that_hmp_has_trouble_with(live: Live, hmp: Hmp) -> None:
    hmp.fault("error:removeSourceFromSession:070000:count=1")
    code, lines = live()
    assert code == ExitCode.UNAVAILABLE
    assert "070000 Internal Server Error" in line_of(lines, "FAIL  room r0: ")
    assert line_of(lines, "pass  room r1: ")


def test_an_hmp_that_answers_oddly(live: Live, hmp: Hmp) -> None:
    hmp.fault("error:getRecordingStatus:000002:count=1")
    code, lines = live()
    assert code == ExitCode.UNAVAILABLE
    assert "with 000002 Command not found" in line_of(
        lines, "FAIL  server main: answers a question"
    )
    hmp.fault("not_authorized:removeSourceFromSession:count=1")
    code, lines = live()
    assert code == ExitCode.NOT_AUTHORIZED
    assert "does not accept commands" in line_of(lines, "FAIL  server main: ")


def test_servers_are_tried_at_the_same_time(live: Live, hmp: Hmp) -> None:
    """None of three is answered before all are asked."""
    rooms = {"r0": {"server": "a", "session": session_of(0)}}
    with closing(Together(hmp.port, 3)) as line:
        server = {"host": "127.0.0.1", "port": line.port, "query_timeout": f"{2 * PATIENCE:g}s"}
        tables = {"servers": dict.fromkeys("abc", server), "rooms": rooms}
        code, lines = live(tables=tables)
    assert code == ExitCode.OK
    for name in "abc":
        assert line_of(lines, f"pass  server {name}: ")


class Together(Relay):
    """Passes nothing on before `count` connections have something to say; then everything."""

    def __init__(self, target: int, count: int) -> None:
        self._all = threading.Barrier(count, timeout=PATIENCE)
        self._met = threading.Event()
        super().__init__(target)

    def passing(self, direction: str, data: bytes) -> bytes:
        """All of it, in the end; nothing where the others never come."""
        if direction == ">" and not self._met.is_set():
            try:
                self._all.wait()
            except threading.BrokenBarrierError:
                return b""
            self._met.set()
        return data
