"""`config/mosquitto`: what each role may do at a real broker that runs these very files."""

import json
import signal
import socket
import time
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import paho.mqtt.publish
import pytest
from paho.mqtt import MQTTException
from paho.mqtt.client import MQTTMessage

from bridge.cli.main import run
from bridge.interface.broker_rights import BRIDGE, DASHBOARD, panel
from bridge.interface.request_rows import REQUEST_ROWS
from bridge.mqtt.catalogue import ROWS, Direction
from tests.broker_fixtures import Launch
from tests.brokers import Broker, BrokerOptions, Certificates
from tests.mqtt.hostile_broker import packet, text

from .daemon import Daemon, configuration, toml
from .hmp import Hmp
from .listener import Listener
from .programs import resident_kilobytes, run_bridge
from .watched import PATIENCE, Watched

pytestmark = pytest.mark.mqtt5

CONFIG = Path(__file__).parents[2] / "config"
ROOMS = ("boardroom", "auditorium")
WITNESS, STRANGER = "witness", "stranger"
USERS = {name: f"of {name}" for name in (BRIDGE, DASHBOARD, *map(panel, ROOMS), WITNESS, STRANGER)}

OWN_OF_TESTS = (
    *("listener", "certfile", "keyfile"),
    *("allow_anonymous", "password_file", "acl_file"),
    *("persistence", "persistence_location"),
)
"""What the tests' broker says of itself, with paths and ports of its own."""

OUTPUTS = {
    row.topic("hmp", room=room, server="main")
    for row in (*ROWS, *REQUEST_ROWS)
    if row.direction is Direction.SUBSCRIBE
    for room in ROOMS
}
INPUTS = {
    row.topic("hmp", room=room, server="main")
    for row in (*ROWS, *REQUEST_ROWS)
    if row.direction is Direction.PUBLISH
    for room in ROOMS
}
ELSEWHERE = {
    *("homeassistant/device/x/config", "zigbee2mqtt/lock/set", "hmp", "hmp/room", "hmp/other"),
    *("hmp/room/boardroom/other", "hmp/room/boardroom/state/x", "hmp2/room/boardroom/set"),
    *("hmp/room/lobby/set", "hmp/server/main/other", "hmp/bridge/other", "HMP/room/boardroom/set"),
}


FLOOD, LONG = 1000, 250_000
"""Messages, and bytes of each, which the broker lets through."""


class Role(Listener):
    """Somebody with a name and a password, who hears what they may of `filters`."""

    def __init__(self, broker: Broker, name: str, *filters: str, mqtt5: bool = True) -> None:
        self.heard: Watched[tuple[str, str]] = Watched()
        super().__init__(broker.port, filters or ["#"], mqtt5=mqtt5, login=(name, USERS[name]))

    def received(self, message: MQTTMessage) -> None:
        """Kept."""
        self.heard.add((message.topic, message.payload.decode()))

    def publish(self, topics: Sequence[str], payload: str) -> None:
        """To each of them; returns when the broker has answered all."""
        for sent in [self._client.publish(topic, payload, qos=1) for topic in topics]:
            sent.wait_for_publish(PATIENCE)
            assert sent.is_published()


@pytest.fixture
def guarded(launch: Launch, certificates: Certificates) -> Broker:
    """mosquitto with the rights and the limits of the files, and a witness who may do all."""
    lines = (CONFIG / "mosquitto/mosquitto.conf").read_text(encoding="utf-8").splitlines()
    limits = [line for line in lines if line and line.split()[0] not in ("#", *OWN_OF_TESTS)]
    rights = (CONFIG / "mosquitto/acl").read_text(encoding="utf-8").splitlines()
    return launch(
        BrokerOptions(
            users=USERS,
            acl=(*rights, f"user {WITNESS}", "topic readwrite #"),
            tls=certificates,
            persistence=True,
            queued=None,
            extra=tuple(limits),
        )
    )


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """What ends with the test."""
    with ExitStack() as resources:
        yield resources


def arrived(guarded: Broker, stack: ExitStack, name: str, topics: set[str]) -> set[str]:
    """Those of `topics` on which a message of `name` reaches anybody at all."""
    witness = stack.enter_context(closing(Role(guarded, WITNESS)))
    role = stack.enter_context(closing(Role(guarded, name)))
    role.publish(sorted(topics), f"from {name}")
    # What the broker took before it has forwarded before.
    witness.publish(["the/end"], name)
    witness.heard.first(lambda heard: heard == ("the/end", name), "the end of it")
    return {topic for topic, payload in witness.heard.since() if payload == f"from {name}"}


def of_room(topics: set[str], room: str) -> set[str]:
    """Those that are a room's."""
    return {topic for topic in topics if topic.startswith(f"hmp/room/{room}/")}


@pytest.mark.parametrize("room", ROOMS)
def test_a_panel_commands_its_room_and_says_nothing_else(
    guarded: Broker, stack: ExitStack, room: str
) -> None:
    allowed = of_room(INPUTS, room) - {f"hmp/room/{room}/press/adopt"}
    assert arrived(guarded, stack, panel(room), OUTPUTS | INPUTS | ELSEWHERE) == allowed


def test_the_bridge_says_its_own_and_presses_nothing(guarded: Broker, stack: ExitStack) -> None:
    answers = {"response/7", "client/7/answers"}
    allowed = OUTPUTS | answers
    assert arrived(guarded, stack, BRIDGE, OUTPUTS | INPUTS | ELSEWHERE | answers) == allowed


@pytest.mark.parametrize("name", [DASHBOARD, STRANGER])
def test_who_looks_on_and_who_is_a_stranger_say_nothing(
    guarded: Broker, stack: ExitStack, name: str
) -> None:
    assert arrived(guarded, stack, name, OUTPUTS | INPUTS | ELSEWHERE) == set()


def test_each_hears_its_own(guarded: Broker, stack: ExitStack) -> None:
    """A panel its room, a dashboard all of the bridge, a stranger nothing."""
    names = (panel("boardroom"), DASHBOARD, STRANGER, WITNESS)
    roles = {name: stack.enter_context(closing(Role(guarded, name))) for name in names}
    everything = OUTPUTS | INPUTS | ELSEWHERE
    roles[WITNESS].publish(sorted(everything), "heard")
    # Subscribed last: once this is heard, so has everybody what there was for them.
    roles[WITNESS].publish(["hmp/bridge/state"], "the end")
    roles[WITNESS].heard.first(lambda heard: heard[1] == "the end", "the end")
    for name in (panel("boardroom"), DASHBOARD):
        roles[name].heard.first(lambda heard: heard[1] == "the end", "the end")
    heard = {name: {topic for topic, _ in role.heard.since()} for name, role in roles.items()}
    for_panels = [row for row in ROWS if row.for_panels and row.direction is Direction.SUBSCRIBE]
    assert heard[panel("boardroom")] == {
        row.topic("hmp", room="boardroom", server="main") for row in for_panels
    }
    assert heard[DASHBOARD] == {topic for topic in everything if topic.split("/")[0] == "hmp"}
    assert heard[STRANGER] == set()


@pytest.mark.parametrize("login", [None, {"username": "nobody", "password": "at all"}])
def test_who_has_no_name_is_not_let_in(guarded: Broker, login: dict[str, str] | None) -> None:
    with pytest.raises(MQTTException, match=r"(?i)not authori[sz]ed|bad user"):
        paho.mqtt.publish.single(
            "hmp/room/boardroom/set",
            "record",
            hostname=guarded.host,
            port=guarded.port,
            auth=login,  # type: ignore[arg-type]  # a plain mapping will do
        )


def bridge(
    guarded: Broker, certificates: Certificates, stack: ExitStack, folder: Path, **mqtt: str
) -> tuple[Daemon, Hmp]:
    """A bridge of these rooms as its role, over TLS, and its HMP; `mqtt` is more of its table."""
    hmp = stack.enter_context(closing(Hmp(folder, 2)))
    tables = configuration(
        broker_port=guarded.tls_port or 0,
        hmp_port=hmp.port,
        base_topic="hmp",
        mqtt={
            "host": "localhost",
            "username": BRIDGE,
            "password": USERS[BRIDGE],
            "tls": {"ca": str(certificates.ca)},
            **mqtt,
        },
    )
    tables["rooms"] = dict(zip(ROOMS, tables["rooms"].values(), strict=True))
    return stack.enter_context(closing(Daemon(folder / "daemon", tables))), hmp


def test_a_bridge_with_these_rights_records(
    guarded: Broker, certificates: Certificates, stack: ExitStack, tmp_path: Path
) -> None:
    """Over TLS, as its role, from a panel's press to its light; and `check --live` agrees."""
    daemon, hmp = bridge(guarded, certificates, stack, tmp_path)
    light = stack.enter_context(closing(Role(guarded, panel("boardroom"))))
    light.heard.first(
        lambda heard: heard == ("hmp/room/boardroom/availability", "online"), "the room's HMP"
    )
    light.publish(["hmp/room/auditorium/press/record", "hmp/room/boardroom/press/record"], "true")
    light.heard.first(
        lambda heard: heard == ("hmp/room/boardroom/state", "recording"), "the recording"
    )
    assert len(hmp.commands("startRecording")) == 1
    checked = run_bridge("check", "--live", "--config", str(daemon.file))
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "FAIL" not in checked.stdout
    # None of its publications was refused.
    health = stack.enter_context(closing(Role(guarded, DASHBOARD, "hmp/bridge/health")))
    _, text = health.heard.first(lambda _: True, "health")
    assert json.loads(text)["broker"]["refused_filters"] == {}
    assert daemon.lines_with("refused") == []


def test_a_panel_that_floods_a_bridge_that_is_away_does_not_fill_the_broker(
    guarded: Broker, certificates: Certificates, stack: ExitStack, tmp_path: Path
) -> None:
    """And the bridge comes back, and does what others ask for.

    While the broker holds as much as it may for the bridge it lets a press fall, and no light goes
    on: who sees that presses again.
    """
    online = ("hmp/bridge/state", "online")
    hostile = stack.enter_context(closing(Role(guarded, panel("boardroom"))))
    other = stack.enter_context(closing(Role(guarded, panel("auditorium"))))
    daemon, _ = bridge(guarded, certificates, stack, tmp_path)
    tables = tomllib.loads(daemon.file.read_text(encoding="utf-8"))
    other.heard.first(lambda heard: heard == online, "the bridge")
    daemon.stop(signal.SIGKILL)
    before, mark = resident_kilobytes(guarded.pid), len(other.heard)
    for _ in range(FLOOD // 20):
        hostile.publish(["hmp/room/boardroom/set"] * 20, "x" * LONG)
    grown = resident_kilobytes(guarded.pid) - before
    assert grown * 1024 < FLOOD * LONG / 2
    stack.enter_context(closing(Daemon(tmp_path / "daemon", tables)))
    other.heard.first(lambda heard: heard == online, "the bridge again", since=mark)
    deadline = time.monotonic() + PATIENCE
    while ("hmp/room/auditorium/state", "recording") not in other.heard.since(mark):
        assert time.monotonic() < deadline
        pressed = len(other.heard)
        other.publish(["hmp/room/auditorium/press/record"], "true")
        with suppress(AssertionError):
            other.heard.first(lambda _: True, "anything", since=pressed, timeout=1.0)


def test_messages_that_a_panel_never_ends_do_not_fill_the_broker(
    guarded: Broker, certificates: Certificates, stack: ExitStack, tmp_path: Path
) -> None:
    """QoS 2 from many connections: the broker keeps each until PUBREL, and cuts off who goes on."""
    online = ("hmp/bridge/state", "online")
    other = stack.enter_context(closing(Role(guarded, panel("auditorium"))))
    bridge(guarded, certificates, stack, tmp_path)
    other.heard.first(lambda heard: heard == online, "the bridge")
    before, name = resident_kilobytes(guarded.pid), panel("boardroom")
    topic = text("hmp/room/boardroom/set")
    for number in range(80):
        sock = stack.enter_context(socket.create_connection((guarded.host, guarded.port)))
        login = text(f"hostile-{number}") + text(name) + text(USERS[name])
        with suppress(ConnectionError):
            sock.sendall(packet(0x10, text("MQTT") + b"\4\xc2\0\0" + login))
            for mid in range(1, 21):
                sock.sendall(packet(0x34, topic + mid.to_bytes(2, "big") + bytes(LONG)))
            heard = b""
            while not heard.endswith(b"\0\x14") and (more := sock.recv(4096)):  # PUBREC of the last
                heard += more
    grown = resident_kilobytes(guarded.pid) - before
    assert grown * 1024 < 300_000_000
    other.publish(["hmp/room/auditorium/press/record"], "true")
    recording = ("hmp/room/auditorium/state", "recording")
    other.heard.first(lambda heard: heard == recording, "the recording")


@pytest.mark.parametrize("client_id", [None, "of-nobody-else"])
def test_a_panel_does_not_hear_by_what_name_the_session_of_the_bridge_is_had(
    guarded: Broker,
    certificates: Certificates,
    stack: ExitStack,
    tmp_path: Path,
    client_id: str | None,
) -> None:
    """Of one that is set nobody hears; what the default is made of a panel does not hear."""
    bridge(
        guarded, certificates, stack, tmp_path, **({"client_id": client_id} if client_id else {})
    )
    light = stack.enter_context(closing(Role(guarded, panel("boardroom"))))
    board = stack.enter_context(closing(Role(guarded, DASHBOARD)))
    light.heard.first(
        lambda heard: heard == ("hmp/room/boardroom/availability", "online"), "the room's HMP"
    )
    light.publish(["hmp/room/boardroom/press/record"], "true")
    recording = ("hmp/room/boardroom/state", "recording")
    for role in (light, board):
        role.heard.first(lambda heard: heard == recording, "the recording")
    _, info = board.heard.first(lambda heard: heard[0] == "hmp/bridge/info", "what it is")
    instance = json.loads(info)["instance"]
    told = {role: str(role.heard.since()) for role in (light, board)}
    assert instance in told[board]
    assert instance not in told[light]
    if client_id:
        assert client_id not in told[light] + told[board]


def test_a_bridge_that_home_assistant_is_shown_may_announce_and_hear_its_birth(
    launch: Launch, stack: ExitStack, tmp_path: Path
) -> None:
    tables = configuration(broker_port=1, hmp_port=1, base_topic="hmp")
    tables["homeassistant"] = {"enabled": True, "discovery_prefix": "ha", "status_topic": "ha/up"}
    file = tmp_path / "bridge.toml"
    file.write_text(toml(tables), encoding="utf-8")
    rights = run_bridge("topics", "--format", "acl", "--config", str(file)).stdout.splitlines()
    broker = launch(
        BrokerOptions(users=USERS, acl=(*rights, f"user {WITNESS}", "topic readwrite #"))
    )
    devices = {f"ha/device/hmp/{name}/config" for name in ("room-r0", "bridge", "server-main")}
    others = {
        "ha/up",
        "ha/switch/hmp/config",
        "ha/device/config",
        "homeassistant/device/a/b/config",
    }
    assert arrived(broker, stack, BRIDGE, devices | others) == devices
    witness = stack.enter_context(closing(Role(broker, WITNESS)))
    bridge = stack.enter_context(closing(Role(broker, BRIDGE)))
    witness.publish([*others, "hmp/room/r0/set"], "heard")
    bridge.heard.first(lambda heard: heard == ("hmp/room/r0/set", "heard"), "what is behind it")
    assert {topic for topic, said in bridge.heard.since() if said == "heard"} == {
        *("ha/up", "hmp/room/r0/set"),
    }


def test_the_acl_is_what_topics_prints(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["topics", "--format", "acl", "--config", str(CONFIG / "bridge.toml")]) == 0
    acl = (CONFIG / "mosquitto/acl").read_text(encoding="utf-8")
    assert capsys.readouterr().out == acl, "hmp-bridge topics --format acl > config/mosquitto/acl"
