"""What the link makes of answers that no installed broker gives."""

from typing import Any

import pytest
import trio

from bridge.mqtt.broker_health import BrokerState
from bridge.mqtt.failures import BrokerFailure, FailureKind
from bridge.mqtt.image import Image
from bridge.mqtt.link import BrokerLink
from bridge.mqtt.settings import BrokerSettings, Protocol, Subscription
from bridge.process.backoff import Backoff

from .scripted_broker import scripted_broker

CONNACK_311 = bytes.fromhex("20020000")
CONNACK_311_VERSION = bytes.fromhex("20020001")
CONNACK_311_NOT_AUTHORIZED = bytes.fromhex("20020005")
CONNACK_5 = bytes.fromhex("2003000000")
CONNACK_5_CLIENT_ID = bytes.fromhex("2003008500")
CONNACK_5_VERSION = bytes.fromhex("2003008400")
SUBACK_5_REFUSED = bytes.fromhex("900400010087")
REFUSED_311 = [bytes((0x90, 3, 0, mid, 0x80)) for mid in range(1, 6)]
"""As often as the link asks one that gives no reason."""
TAKEN_OVER = bytes.fromhex("e0028e00")

UNSPECIFIED_5 = [bytes((0x90, 4, 0, mid, 0, 0x80)) for mid in range(1, 6)]
SUBACK_5_NO_WILDCARDS = bytes.fromhex("9004000100a2")

SILENCE = 4.0
"""Seconds after which a broker counts as silent where one is. A busy machine is none."""


async def end_of(port: int, **changes: Any) -> BrokerFailure:
    """How the link's first attempt fails."""
    settings: dict[str, Any] = {"connect_timeout": 60.0, "client_id": "bridge"} | changes
    failed = trio.Event()
    states: list[BrokerState] = []

    def changed(state: BrokerState) -> None:
        states.append(state)
        if state is BrokerState.DOWN:
            failed.set()

    link = BrokerLink(
        BrokerSettings(host="127.0.0.1", port=port, **settings),
        Image(),
        [Subscription("in/a")],
        availability_topic="state",
        changed=changed,
        backoff=Backoff(uniform=lambda _low, _high: 60.0),
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(link.run)
        await failed.wait()
        nursery.cancel_scope.cancel()
    failure = link.failure
    assert failure is not None
    return failure


@pytest.mark.parametrize("answer", [CONNACK_311_VERSION, CONNACK_5_VERSION])
async def test_unsupported_protocol_version_is_followed_by_3_1_1(answer: bytes) -> None:
    async with scripted_broker([answer, None], [CONNACK_311, *REFUSED_311]) as port:
        failure = await end_of(port)
    # That this refusal was understood shows that the second connection spoke 3.1.1.
    assert failure.kind is FailureKind.SUBSCRIPTION
    assert "in/a" in str(failure)


async def test_silence_is_asked_again_in_a_form_that_any_version_reads() -> None:
    async with scripted_broker(
        [], [CONNACK_311_VERSION, None], [CONNACK_311, *REFUSED_311]
    ) as port:
        failure = await end_of(port, connect_timeout=SILENCE)
    assert failure.kind is FailureKind.SUBSCRIPTION


@pytest.mark.parametrize("second", [[], [None], [CONNACK_5], [CONNACK_5_CLIENT_ID, None]])
async def test_silence_alone_never_means_3_1_1(second: list[bytes | None]) -> None:
    async with scripted_broker([], second, [CONNACK_311, *REFUSED_311]) as port:
        failure = await end_of(port, connect_timeout=SILENCE)
    assert failure.kind is FailureKind.NO_ANSWER


@pytest.mark.parametrize("bare", [CONNACK_311, CONNACK_311_NOT_AUTHORIZED])
async def test_a_broker_that_closes_on_5_and_answers_3_1_1_is_spoken_to_in_3_1_1(
    bare: bytes,
) -> None:
    async with scripted_broker([None], [bare], [None], [CONNACK_311, *REFUSED_311]) as port:
        failure = await end_of(port)
    assert failure.kind is FailureKind.SUBSCRIPTION


async def test_a_broken_network_ends_no_session_of_mqtt_5() -> None:
    """What closed the first connection is well again: 5 is spoken at the next attempt."""
    async with scripted_broker(
        [None], [CONNACK_311], [CONNACK_5], [CONNACK_311, *REFUSED_311]
    ) as port:
        failure = await end_of(port)
    assert failure.kind is FailureKind.UNANSWERED


@pytest.mark.parametrize(
    ("connack", "kind"),
    [
        ("20050000022500", FailureKind.NO_RETAIN),
        ("20050000022400", FailureKind.NO_QOS_1),
        ("2003009a00", FailureKind.NO_RETAIN),
        ("2003009b00", FailureKind.NO_QOS_1),
        ("2003009500", FailureKind.TOO_LARGE),
    ],
)
async def test_what_a_broker_does_not_have_is_said_in_so_many_words(
    connack: str, kind: FailureKind
) -> None:
    async with scripted_broker([bytes.fromhex(connack)]) as port:
        assert (await end_of(port)).kind is kind


@pytest.mark.parametrize(
    ("protocol", "script", "kind"),
    [
        ("5", [CONNACK_311_VERSION, None], FailureKind.PROTOCOL_VERSION),
        ("auto", [CONNACK_5_CLIENT_ID, None], FailureKind.CLIENT_ID),
        ("auto", [None], FailureKind.UNANSWERED),
        ("auto", [bytes.fromhex("15030300020246")], FailureKind.NOT_MQTT),
        ("auto", [CONNACK_5, SUBACK_5_REFUSED], FailureKind.SUBSCRIPTION),
        ("auto", [CONNACK_5, TAKEN_OVER], FailureKind.TAKEN_OVER),
        ("3.1.1", [bytes.fromhex("20020002"), None], FailureKind.CLIENT_ID),
        ("3.1.1", [bytes.fromhex("20020003"), None], FailureKind.BUSY),
        ("3.1.1", [bytes.fromhex("20020004"), None], FailureKind.CREDENTIALS),
    ],
)
async def test_answers_have_their_own_kind_of_failure(
    protocol: str, script: list[bytes | None], kind: FailureKind
) -> None:
    async with scripted_broker(script) as port:
        assert (await end_of(port, protocol=protocol)).kind is kind


async def test_a_code_that_is_not_listed_for_a_suback_is_a_refusal() -> None:
    async with scripted_broker([CONNACK_5, bytes.fromhex("900400010095")]) as port:
        failure = await end_of(port)
    assert failure.kind is FailureKind.SUBSCRIPTION
    assert "Packet too large" in str(failure)


async def test_a_topic_that_is_not_utf_8_is_dropped_and_the_link_goes_on() -> None:
    # PUBLISH at QoS 1, identifier 7, topic ff fe; then a SUBACK that refuses, as a full stop.
    odd = bytes.fromhex("32080002fffe00070078")
    async with scripted_broker([CONNACK_5 + odd, SUBACK_5_REFUSED]) as port:
        assert (await end_of(port)).kind is FailureKind.SUBSCRIPTION


@pytest.mark.parametrize(
    ("protocol", "script", "advice"),
    [
        ("5", [CONNACK_5, SUBACK_5_REFUSED], "read access"),
        ("5", [CONNACK_5, *UNSPECIFIED_5], "look into the broker's log: it does not say why"),
        ("5", [CONNACK_5, SUBACK_5_NO_WILDCARDS], "look into the broker's log, and at its limits"),
        ("3.1.1", [CONNACK_311, *REFUSED_311], "MQTT 3.1.1, which has no other word"),
    ],
)
async def test_only_what_is_not_authorized_asks_for_a_right(
    protocol: Protocol, script: list[bytes], advice: str
) -> None:
    async with scripted_broker(script) as port:
        failure = await end_of(port, protocol=protocol)
    assert failure.kind is FailureKind.SUBSCRIPTION
    assert advice in failure.advice
    assert ("(ACL)" in failure.advice) == (SUBACK_5_REFUSED in script)


async def test_a_subscribe_that_is_not_answered_ends_the_attempt() -> None:
    """Long before a connection that works would be given up."""
    async with scripted_broker([CONNACK_311]) as port:
        failure = await end_of(port, protocol="3.1.1", connect_timeout=SILENCE, keepalive=600)
    assert failure.kind is FailureKind.KEEPALIVE
    assert str(failure) == "the broker left a packet unanswered for 4 s"


@pytest.mark.parametrize(
    ("protocol", "script"),
    [
        ("5", [CONNACK_5, UNSPECIFIED_5[0], bytes.fromhex("900400020001"), None]),
        ("3.1.1", [CONNACK_311, *REFUSED_311[:4], bytes.fromhex("9003000501"), None]),
    ],
)
async def test_a_broker_that_fails_without_a_reason_is_asked_again(
    protocol: Protocol, script: list[bytes | None]
) -> None:
    """Then it is accepted, and the connection ends over what comes next."""
    async with scripted_broker(script) as port:
        failure = await end_of(port, protocol=protocol)
    assert failure.kind is FailureKind.LOST
