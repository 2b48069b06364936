"""`hmp-bridge check --live` against real brokers and HMPs: every way to pass and to fail."""

import fcntl
import os
import re
import sqlite3
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bridge.check.broker import check_broker
from bridge.check.report import Blame, failed, noted, passed, render, summary, worst
from bridge.cli.main import ExitCode, run
from bridge.journal import Journal
from bridge.journal_file import SCHEMA_VERSION
from bridge.mqtt.api_topics import request_filters
from bridge.mqtt.settings import BrokerSettings
from bridge.mqtt.topics import Topics
from tests.broker_fixtures import Launch
from tests.brokers import Broker, BrokerOptions, Certificates, free_port
from tests.mqtt.scripted_broker import scripted_broker

from .daemon import configuration, toml
from .hmp import Hmp, session_of
from .panel import Panel
from .programs import HMP_BRIDGE, Program, run_bridge
from .site import MakeSite

ANY_ACL = ("topic readwrite other/#",)
CATEGORIES = {"692e9ab8-d446-4bfd-b64d-e39e8e57c4c5": ["Surgery"]}
SOURCE = "b86befc3-7b44-4655-852f-21a77935d110"

Said = tuple[int, list[str]]
Live = Callable[..., Said]


@pytest.fixture(scope="module")
def hmp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hmp]:
    """An HMP for all tests of this module; a test that changes it changes it back."""
    with closing(Hmp(tmp_path_factory.mktemp("hmp"), rooms=2)) as running:
        yield running


@pytest.fixture
def live(tmp_path: Path, broker: Broker, hmp: Hmp, capsys: pytest.CaptureFixture[str]) -> Live:
    """`check --live` of a configuration for that broker and HMP: exit code and lines."""
    (tmp_path / "state").mkdir()

    def call(
        broker: Broker = broker,
        *,
        tables: Mapping[str, Any] | None = None,
        **changes: Any,
    ) -> Said:
        ports = {"broker_port": broker.port, "hmp_port": hmp.port}
        whole = configuration(base_topic="hmp", **(ports | changes))
        whole["bridge"]["state_dir"] = str(tmp_path / "state")
        file = tmp_path / "bridge.toml"
        file.write_text(toml(whole | dict(tables or {})), encoding="utf-8")
        code = run(["check", "--config", str(file), "--live"])
        said = capsys.readouterr()
        assert said.err == ""
        assert "secret" not in said.out
        return code, said.out.splitlines()

    return call


def line_of(lines: list[str], start: str) -> str:
    """The one line that starts so, and what there is to do about it."""
    [found] = [number for number, line in enumerate(lines) if line.startswith(start)]
    advice = lines[found + 1] if lines[found + 1].startswith("      ") else ""
    return lines[found] + advice


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


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_running_bridge_is_not_disturbed(site: MakeSite, protocol: str, broker: Broker) -> None:
    """It records on, hears nothing that it would answer, and says nothing that it would not say."""
    if protocol == "5" and not broker.speaks_mqtt5:
        pytest.skip("this broker speaks MQTT 3.1.1 only")
    s = site(mqtt={"protocol": protocol}, knobs=["active_check=before"])
    s.panel.press("r0", "record")
    s.panel.wait_for_newest("room/r0/state", "recording")
    s.panel.wait_for("room/r0/result")
    s.panel.wait_until(lambda _: s.panel.status("r0").get("verified_at"), "the verified start")
    before, logged, log = len(s.hmp.commands()), len(s.daemon.lines), s.panel.mark()
    done = run_bridge("check", "--config", str(s.daemon.file), "--live")
    print(done.stdout, done.stderr)
    assert done.returncode == ExitCode.OK
    assert done.stderr == ""
    said = done.stdout.splitlines()
    assert line_of(said, f"pass  room r0: session {session_of(0)} exists and is being recorded")
    assert line_of(said, f"note  base topic {s.base}: bridge ").count(" is online since ") == 1
    note = line_of(said, f"note  state folder {s.daemon.state}: ")
    assert f"a bridge (process {s.daemon.pid}) runs on this folder" in note

    s.panel.press("r0", "stop")
    s.panel.wait_for_newest("room/r0/state", "idle")
    s.panel.wait_for_results("r0", 1, log)
    # It went on as if nobody had looked: one connection, one recording, one answer to one press.
    assert s.daemon.lines_with("mqtt connected") == s.daemon.lines_with("mqtt connected")[:1]
    noisy = [line for line in s.daemon.lines.since(logged) if "warning" in line or "error" in line]
    assert noisy == []
    assert s.panel.messages("bridge/response/error") == []
    assert {seen.payload for seen in s.panel.messages("bridge/state", log)} <= {"online"}
    assert len(s.hmp.recordings()) == 1
    asked = {entry["line"].split()[0] for entry in s.hmp.commands()[before:]}
    assert asked == {"getRecordingStatus", "removeSourceFromSession", "stopRecording"}
    # Nothing of the check is left at the broker.
    with closing(Panel(s.broker.port, s.base)) as newcomer:
        for leaf in ("room/r0/status", "room/r1/status", "bridge/state"):
            newcomer.wait_for(leaf)
        assert not any(seen.topic.endswith("/check") for seen in newcomer.seen.since())


# The broker.


def test_no_broker(live: Live) -> None:
    code, lines = live(broker_port=(port := free_port()))
    assert code == ExitCode.UNAVAILABLE
    line = line_of(lines, f"FAIL  broker 127.0.0.1:{port}: ")
    assert "refuses connections" in line
    assert "start the broker, or correct mqtt.host and mqtt.port" in line
    assert line_of(lines, "pass  server main: ")
    assert lines[-1] == "1 of 7 checks failed"


def test_a_name_that_nobody_knows(live: Live) -> None:
    code, lines = live(mqtt={"host": "broker.invalid"})
    assert code == ExitCode.UNAVAILABLE
    assert "broker.invalid has no address" in line_of(lines, "FAIL  broker broker.invalid:")


def test_something_that_is_no_broker(live: Live, hmp: Hmp) -> None:
    code, lines = live(broker_port=hmp.port, mqtt={"connect_timeout": "1s"})
    assert code == ExitCode.UNAVAILABLE
    assert "mqtt.port" in line_of(lines, f"FAIL  broker 127.0.0.1:{hmp.port}: ")


@pytest.mark.mqtt5
@pytest.mark.parametrize("protocol", ["auto", "3.1.1"])
def test_a_wrong_password(live: Live, launch: Launch, protocol: str) -> None:
    guarded = launch(BrokerOptions(users={"bridge": "right"}))
    login = {"username": "bridge", "password": "secret", "protocol": protocol}
    code, lines = live(guarded, mqtt=login)
    assert code == ExitCode.NOT_AUTHORIZED
    assert line_of(lines, f"pass  broker 127.0.0.1:{guarded.port}: reached")
    line = line_of(lines, f"FAIL  broker 127.0.0.1:{guarded.port} login: ")
    assert "mqtt.username" in line
    assert re.search(
        r"the broker refused the connection: .*, as bridge( with the client| {6}→)", line
    )


def test_a_password_that_only_systemd_has(live: Live, launch: Launch) -> None:
    """The most likely one to be puzzled is whoever checks as another user than the service."""
    guarded = launch(BrokerOptions(users={"bridge": "right"}))
    code, lines = live(guarded, mqtt={"username": "bridge"})
    assert code == ExitCode.NOT_AUTHORIZED
    line = line_of(lines, f"FAIL  broker 127.0.0.1:{guarded.port} login: ")
    assert ", as bridge without a password" in line
    assert "hand it to this check too: LoadCredential=" in line


@pytest.mark.mqtt5
def test_tls(live: Live, launch: Launch, certificates: Certificates) -> None:
    guarded = launch(BrokerOptions(tls=certificates))
    address = f"broker 127.0.0.1:{guarded.tls_port}"
    code, lines = live(broker_port=guarded.tls_port, mqtt={"tls": {}})
    assert code == ExitCode.CONFIGURATION
    line = line_of(lines, f"FAIL  {address}: ")
    assert "is not trusted" in line
    assert "mqtt.tls.ca" in line
    tls = {"ca": str(certificates.ca)}
    code, lines = live(broker_port=guarded.tls_port, mqtt={"tls": tls})
    assert code == ExitCode.OK
    assert line_of(lines, f"pass  {address}: reached over TLS, MQTT 5")
    code, lines = live(guarded, mqtt={"tls": tls, "connect_timeout": "2s"})
    assert code == ExitCode.UNAVAILABLE
    line = line_of(lines, f"FAIL  broker 127.0.0.1:{guarded.port}: ")
    assert "mqtt.port" in line or "network" in line


def test_websockets(live: Live, broker: Broker) -> None:
    code, lines = live(broker_port=broker.websocket_port, mqtt={"transport": "websockets"})
    assert code == ExitCode.OK
    address = f"broker 127.0.0.1:{broker.websocket_port}"
    assert line_of(lines, f"pass  {address}: reached over WebSocket, MQTT ")


@pytest.mark.mqtt5
def test_a_broker_that_minds_client_ids(live: Live, launch: Launch) -> None:
    """The configured one is not borrowed: that would push a running bridge off the broker."""
    choosy = launch(BrokerOptions(extra=("clientid_prefixes recorder",)))
    code, lines = live(choosy, mqtt={"client_id": "recorder-1"})
    assert code == ExitCode.NOT_AUTHORIZED
    line = line_of(lines, f"FAIL  broker 127.0.0.1:{choosy.port} login: ")
    assert "with the client id hmp-bridge-check-" in line
    assert line.endswith("for this check, let client ids begin with hmp-bridge-check-")


async def test_a_broker_that_refuses_a_subscription_and_then_hangs_up() -> None:
    """What mosquitto cannot be made to do: a SUBACK that says no, the end while publishing."""
    topics = Topics("hmp")
    count = len(topics.inputs) + len(request_filters(topics)) + 2
    suback = [bytes((0x90, 3, 0, mid, 0x80 if mid == 2 else 1)) for mid in range(1, count + 1)]
    async with scripted_broker([b"\x20\x02\x00\x00", *suback, None]) as port:
        settings = BrokerSettings(host="127.0.0.1", port=port, client_id="x", protocol="3.1.1")
        found = await check_broker(settings, Topics("hmp"), ["main"], ["r0"])
    refused, lost = found[2:]
    assert (refused.subject, refused.blame) == ("subscriptions", Blame.NOT_AUTHORIZED)
    assert "hmp/room/+/press/+" in refused.seen
    assert "clients without a user name read and write access to hmp/#" in refused.what_to_do
    assert (lost.subject, lost.blame) == ("publications", Blame.UNAVAILABLE)
    assert "its log says why" in lost.what_to_do


# What the broker's ACL allows.

ALL = "user bridge\ntopic readwrite hmp/#"
ACLS = {
    "everything": ((ALL,), {}, ExitCode.OK),
    "of another base topic": (
        ("user bridge", "topic readwrite other/#"),
        {
            "publications": "hmp/server/main/check",
            "retained values": "hmp/bridge/check",
            "topics below hmp/bridge": "hmp/bridge/marker",
        },
        ExitCode.NOT_AUTHORIZED,
    ),
    "to read only": (
        ("user bridge", "topic read hmp/#"),
        {
            "publications": "hmp/room/r1/check",
            "retained values": "hmp/bridge/check",
            "topics below hmp/bridge": "hmp/bridge/marker",
        },
        ExitCode.NOT_AUTHORIZED,
    ),
    "to write only": (
        ("user bridge", "topic write hmp/#"),
        {
            "publications": "hmp/room/r1/check",
            "presses": "hmp/room/r1/press/check",
            "retained values": "hmp/bridge/check",
            "topics below hmp/bridge": "hmp/bridge/marker",
        },
        ExitCode.NOT_AUTHORIZED,
    ),
    "of one room": (
        ("user bridge", "topic hmp/bridge/#", "topic hmp/server/#", "topic hmp/room/r0/#"),
        {"publications": "hmp/room/r1/check"},
        ExitCode.NOT_AUTHORIZED,
    ),
}


@pytest.mark.mqtt5
@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
@pytest.mark.parametrize("acl", ACLS)
def test_an_acl(
    live: Live,
    launch: Launch,
    acl: str,
    protocol: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only what comes back is taken for allowed; mosquitto grants the subscriptions of all of them.

    The patience is short here: on loopback an echo takes a millisecond.
    """
    monkeypatch.setattr("bridge.check.broker._ECHO_PATIENCE", 0.5)
    monkeypatch.setattr("bridge.mqtt.retained.ECHO_PATIENCE", 0.5)
    lines_of_acl, complaints, exit_code = ACLS[acl]
    guarded = launch(BrokerOptions(users={"bridge": "secret"}, acl=lines_of_acl))
    login = {"username": "bridge", "password": "secret", "protocol": protocol}
    code, lines = live(guarded, mqtt=login)
    assert code == exit_code
    failures = [line for line in lines if line.startswith("FAIL")]
    silent = protocol == "3.1.1"  # a press that did not come back may only not have been sent
    expected = {
        each: topic for each, topic in complaints.items() if each != "presses" or not silent
    }
    subjects = {line.removeprefix("FAIL  ").partition(": ")[0] for line in failures}
    assert subjects == set(expected)
    for subject, topic in expected.items():
        assert any(topic in line for line in failures if line.startswith(f"FAIL  {subject}: "))
    advice = "give the user 'bridge' read and write access to hmp/# on the broker"
    assert sum(advice in line for line in lines) == len(failures)
    assert lines[-1].endswith("passed" if not failures else "failed")


@pytest.mark.mqtt5
@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_bridge_that_may_not_press_its_own_buttons(
    live: Live, launch: Launch, protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As strict as can be: read the inputs, write the outputs. It passes, with a note."""
    monkeypatch.setattr("bridge.check.broker._ECHO_PATIENCE", 0.5)
    acl = (
        "user bridge",
        *(f"topic read hmp/room/+/{each}" for each in ("set", "press/+", "mark", "event")),
        "topic readwrite hmp/room/+/+",
        "topic readwrite hmp/server/#",
        "topic readwrite hmp/bridge/#",
    )
    guarded = launch(BrokerOptions(users={"bridge": "secret"}, acl=acl))
    login = {"username": "bridge", "password": "secret", "protocol": protocol}
    code, lines = live(guarded, mqtt=login)
    assert code == ExitCode.OK
    note = line_of(lines, "note  presses: could not be tried: ")
    assert "hmp/room/r0/press/check" in note
    assert "press a button" in note


@pytest.mark.mqtt5
def test_a_broker_that_retains_nothing(live: Live, launch: Launch) -> None:
    forgetful = launch(BrokerOptions(extra=("retain_available false",)))
    code, lines = live(forgetful)
    assert code != ExitCode.OK
    assert line_of(lines, "FAIL  retained values: ")


# The HMP.


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
    """Two that do not answer cost as much as one."""
    hmp.fault("half_open:getRecordingStatus:count=3")
    slow = {"host": "127.0.0.1", "port": hmp.port, "query_timeout": "2s"}
    rooms = {"r0": {"server": "a", "session": session_of(0)}}
    tables = {"servers": dict.fromkeys("abc", slow), "rooms": rooms}
    began = os.times().elapsed
    code, lines = live(tables=tables)
    assert code == ExitCode.UNAVAILABLE
    assert os.times().elapsed - began < 4.5
    for name in "abc":
        assert line_of(lines, f"FAIL  server {name}: ")


# The state folder.


def test_the_folder_of_a_running_bridge_is_left_alone(live: Live, tmp_path: Path) -> None:
    state = tmp_path / "state"
    lock = os.open(state / "lock", os.O_RDWR | os.O_CREAT)
    os.write(lock, b"4711")
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        code, lines = live()
    finally:
        os.close(lock)
    assert code == ExitCode.OK
    assert "a bridge (process 4711) runs" in line_of(lines, f"note  state folder {state}: ")
    assert [line for line in lines if "journal.db" in line] == []
    code, lines = live()
    assert line_of(lines, f"pass  journal {state}/journal.db: ")


def test_nothing_is_left_in_the_folder(live: Live, tmp_path: Path) -> None:
    """Made by another user it would keep the daemon out."""
    state = tmp_path / "state"
    assert live()[0] == ExitCode.OK
    assert list(state.iterdir()) == []
    Journal(state).close()
    before = sorted(state.iterdir())
    code, lines = live()
    assert (code, sorted(state.iterdir())) == (ExitCode.OK, before)
    assert line_of(lines, f"pass  journal {state}/journal.db: can be read")


def test_a_folder_that_is_none(live: Live, tmp_path: Path) -> None:
    (tmp_path / "state").rmdir()
    code, lines = live()
    assert code == ExitCode.OK
    assert "will be made at the first start" in line_of(lines, "pass  state folder ")
    (tmp_path / "state").touch()
    code, lines = live()
    assert code == ExitCode.UNAVAILABLE
    assert "bridge.state_dir" in line_of(lines, f"FAIL  state folder {tmp_path}/state: ")


def test_a_folder_that_cannot_be_looked_into(live: Live, tmp_path: Path) -> None:
    """As one behind another user's; whoever runs the tests may look everywhere but into a loop."""
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    code, lines = live(tables={"bridge": {"state_dir": str(loop / "state")}})
    assert code == ExitCode.UNAVAILABLE
    assert "cannot be used" in line_of(lines, f"FAIL  state folder {loop}/state: ")


def test_a_lock_that_cannot_be_read(live: Live, tmp_path: Path) -> None:
    (tmp_path / "state" / "lock").symlink_to(tmp_path / "state" / "lock")
    code, lines = live()
    assert code == ExitCode.UNAVAILABLE
    assert "cannot be used" in line_of(lines, f"FAIL  lock {tmp_path}/state/lock: ")


def test_a_folder_that_nobody_named(
    live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user's own; under systemd it would be another, which is said."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    code, lines = live(tables={"bridge": {}})
    assert code == ExitCode.OK
    line = line_of(lines, f"pass  state folder {tmp_path}/hmp-bridge (this user's; under systemd ")
    assert line.endswith("will be made at the first start")
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    assert line_of(live(tables={"bridge": {}})[1], f"pass  state folder {tmp_path}/state: can be")


def test_a_folder_below_a_file(live: Live, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    tables = {"bridge": {"state_dir": str(tmp_path / "file" / "state")}}
    code, lines = live(tables=tables)
    assert code == ExitCode.UNAVAILABLE
    assert "bridge.state_dir" in line_of(lines, "FAIL  state folder ")


def test_journals_that_cannot_be_used(live: Live, tmp_path: Path) -> None:
    journal = tmp_path / "state" / "journal.db"
    journal.write_bytes(b"this is no database, and long enough to be looked at" * 20)
    code, lines = live()
    assert code == ExitCode.UNAVAILABLE
    assert "is damaged" in line_of(lines, f"FAIL  journal {journal}: ")
    journal.unlink()
    with closing(sqlite3.connect(journal)) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    code, lines = live()
    assert code == ExitCode.UNAVAILABLE
    assert "by a later hmp-bridge" in line_of(lines, f"FAIL  journal {journal}: ")
    journal.unlink()
    journal.mkdir()
    code, lines = live()
    assert code == ExitCode.UNAVAILABLE
    assert "cannot be opened" in line_of(lines, f"FAIL  journal {journal}: ")
    assert stat.S_ISDIR(journal.stat().st_mode)


# What is said of it.


def test_findings_as_lines() -> None:
    good = passed("broker", "reached")
    aside = noted("base topic hmp", "a bridge is online")
    bad = failed("room r0", "no session", "set it", Blame.CONFIGURATION)
    worse = failed("server main", "nobody listens", "switch it on", Blame.UNAVAILABLE)
    assert render(good) == "pass  broker: reached"
    assert render(aside) == "note  base topic hmp: a bridge is online"
    assert render(bad) == "FAIL  room r0: no session\n      → set it"
    assert summary([good, aside]) == "all 1 checks passed"
    assert summary([good, aside, bad, worse]) == "2 of 3 checks failed"
    assert worst([good, aside]) is None
    assert worst([worse, bad]) is Blame.CONFIGURATION
    assert worst([worse, good]) is Blame.UNAVAILABLE


@pytest.mark.mqtt5
def test_the_readme_shows_what_is_really_said(launch: Launch, tmp_path: Path) -> None:
    """Its block, line by line, but for ports and times."""
    root = Path(__file__).parents[2]
    readme = (root / "README.md").read_text(encoding="utf-8")
    [shown] = re.findall(r"```text\n(pass  configuration .*?)```", readme, re.DOTALL)
    own = launch()
    with closing(Program([HMP_BRIDGE, "simulate", "--port", "0"])) as simulated:
        port = int(simulated.wait_for_line("listening on ").rpartition(":")[2])
        settings = [
            f"bridge.state_dir={tmp_path}",
            f"mqtt.port={own.port}",
            f"servers.main.port={port}",
            "rooms.auditorium.session=00000000-0000-4000-8000-000000000000",
        ]
        options = [word for setting in settings for word in ("--set", setting)]
        done = run_bridge(
            "check", "--live", "--config", "config/bridge.toml", *options, folder=root
        )
    assert done.returncode == ExitCode.CONFIGURATION
    said = done.stdout.replace(f"localhost:{own.port}", "localhost:1883")
    said = said.replace(f"port {port}", "port 23233").replace(str(tmp_path), "/var/lib/hmp-bridge")
    said = re.sub(
        r"as (127\.0\.0\.1|::1), answers in [\d.]+ ms", "as 127.0.0.1, answers in 0.9 ms", said
    )
    assert said == shown
