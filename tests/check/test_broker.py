"""What `check --live` says of a broker: whether it is reached, and what it lets the bridge do."""

import re

import pytest

from bridge.check.broker import check_broker
from bridge.check.report import Blame
from bridge.cli.main import ExitCode
from bridge.mqtt.api_topics import request_filters
from bridge.mqtt.settings import BrokerSettings
from bridge.mqtt.topics import Topics
from tests.broker_fixtures import Launch
from tests.brokers import Broker, BrokerOptions, Certificates, free_port
from tests.mqtt.orderly_broker import orderly_broker
from tests.mqtt.scripted_broker import scripted_broker
from tests.process.hmp import Hmp

from .conftest import Live, Said, line_of


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
    for whose in ("the broker's certificate", "mqtt.tls.ca"):
        assert line_of(lines, f"note  {address}: {whose} ends in")
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
    # One that gives no reason is asked five times.
    refuses = range(2, 7)
    suback = [
        bytes((0x90, 3, 0, mid, 0x80 if mid in refuses else 1)) for mid in range(1, count + 5)
    ]
    async with scripted_broker([b"\x20\x02\x00\x00", *suback, None]) as port:
        settings = BrokerSettings(host="127.0.0.1", port=port, client_id="x", protocol="3.1.1")
        found = await check_broker(settings, Topics("hmp"), ["main"], ["r0"])
    refused, lost = found[2:]
    assert (refused.subject, refused.blame) == ("subscriptions", Blame.UNAVAILABLE)
    assert "hmp/room/+/press/+ (Unspecified error)" in refused.seen
    assert refused.what_to_do.startswith("look into the broker's log: it does not say why")
    assert (lost.subject, lost.blame) == ("publications", Blame.UNAVAILABLE)
    assert "its log says why" in lost.what_to_do


@pytest.mark.parametrize(
    ("code", "reason", "blame", "advice"),
    [
        (0x87, "Not authorized", Blame.NOT_AUTHORIZED, "read and write access to hmp/#"),
        (0x97, "Quota exceeded", Blame.UNAVAILABLE, "look into the broker's log, and at its"),
    ],
)
async def test_a_refusal_is_blamed_on_access_where_the_broker_does(
    code: int, reason: str, blame: Blame, advice: str
) -> None:
    suback = [bytes((0x90, 4, 0, mid, 0, code if mid == 1 else 1)) for mid in range(1, 40)]
    async with scripted_broker([b"\x20\x03\x00\x00\x00", *suback, None]) as port:
        settings = BrokerSettings(host="127.0.0.1", port=port, client_id="x", protocol="5")
        found = await check_broker(settings, Topics("hmp"), ["main"], ["r0"])
    refused = found[2]
    assert (refused.subject, refused.blame) == ("subscriptions", blame)
    assert f"({reason})" in refused.seen
    assert advice in refused.what_to_do


# What the broker's ACL allows.

PATIENCES = "6s", "1m"
"""For how long a connection is tried: an echo has half of that, and one that is late the longer."""

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


def failed(lines: list[str]) -> set[str]:
    """What of the broker did not pass."""
    failures = (line for line in lines if line.startswith("FAIL"))
    return {line.removeprefix("FAIL  ").partition(": ")[0] for line in failures}


def tried(live: Live, broker: Broker, login: dict[str, str], subjects: set[str]) -> Said:
    """What is said where these do not pass; with more patience where others did not either."""
    for patience in PATIENCES:
        code, lines = live(broker, mqtt=login | {"connect_timeout": patience})
        if failed(lines) == subjects:
            break
    return code, lines


@pytest.mark.mqtt5
@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
@pytest.mark.parametrize("acl", ACLS)
def test_an_acl(live: Live, launch: Launch, acl: str, protocol: str) -> None:
    """Only what comes back is taken for allowed; mosquitto grants the subscriptions of all."""
    lines_of_acl, complaints, exit_code = ACLS[acl]
    guarded = launch(BrokerOptions(users={"bridge": "secret"}, acl=lines_of_acl))
    login = {"username": "bridge", "password": "secret", "protocol": protocol}
    silent = protocol == "3.1.1"  # a press that did not come back may only not have been sent
    expected = {
        each: topic for each, topic in complaints.items() if each != "presses" or not silent
    }
    code, lines = tried(live, guarded, login, set(expected))
    assert code == exit_code
    assert failed(lines) == set(expected)
    failures = [line for line in lines if line.startswith("FAIL")]
    for subject, topic in expected.items():
        assert any(topic in line for line in failures if line.startswith(f"FAIL  {subject}: "))
    advice = "give the user 'bridge' read and write access to hmp/# on the broker"
    assert sum(advice in line for line in lines) == len(failures)
    assert lines[-1].endswith("passed" if not failures else "failed")


@pytest.mark.mqtt5
@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_bridge_that_may_not_press_its_own_buttons(
    live: Live, launch: Launch, protocol: str
) -> None:
    """As strict as can be: read the inputs, write the outputs. It passes, with a note."""
    acl = (
        "user bridge",
        *(f"topic read hmp/room/+/{each}" for each in ("set", "press/+", "mark", "event")),
        "topic readwrite hmp/room/+/+",
        "topic readwrite hmp/server/#",
        "topic readwrite hmp/bridge/#",
    )
    guarded = launch(BrokerOptions(users={"bridge": "secret"}, acl=acl))
    login = {"username": "bridge", "password": "secret", "protocol": protocol}
    code, lines = tried(live, guarded, login, set())
    assert code == ExitCode.OK
    note = line_of(lines, "note  presses: could not be tried: ")
    assert "hmp/room/r0/press/check" in note
    assert "press a button" in note


@pytest.mark.mqtt5
def test_a_broker_that_retains_nothing(live: Live, launch: Launch) -> None:
    forgetful = launch(BrokerOptions(extra=("retain_available false",)))
    code, lines = live(forgetful)
    assert code != ExitCode.OK
    line = line_of(lines, f"FAIL  broker 127.0.0.1:{forgetful.port}: ")
    assert "does not retain messages" in line
    assert "retain_available true" in line


async def test_a_broker_that_gives_nothing_retained_to_a_wildcard_is_noted() -> None:
    async with orderly_broker(wildcards=False) as broker:
        settings = BrokerSettings(host="127.0.0.1", port=broker.port, client_id="x")
        found = await check_broker(settings, Topics("hmp"), ["main"], ["a"])
    (finding,) = [each for each in found if each.subject == "retained values"]
    assert finding.note
    assert "not given to subscriptions with + or #" in finding.seen
