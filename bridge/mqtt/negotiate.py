"""Which protocol version: MQTT 5, or 3.1.1 where the broker does not speak 5.

Most brokers without MQTT 5 answer its CONNECT with CONNACK *unsupported protocol version*. Some
(amqtt) read the whole packet as 3.1.1 first, take properties for lengths, and wait for ever. So
when no CONNACK has come after `PATIENCE`, a second connection asks with a CONNECT of MQTT 5 that
reads the same in both versions: no properties, will, user or client identifier. Only its answer
counts; silence never means 3.1.1.

Others (RabbitMQ 3) close the connection without a word. So does a load balancer without a broker,
and a network that breaks; and to come as 3.1.1 then would end the session of MQTT 5 that the broker
keeps, with the presses in it. So two such bare connections are made: the broker must answer one of
3.1.1, and after that close one of 5 again. It is asked at every connection, so one that learns
MQTT 5 is spoken to in it.
"""

from collections.abc import Awaitable, Callable
from functools import partial

import trio

from .failures import LOGIN, BrokerFailure, FailureKind, flatten
from .session import Session, open_session
from .settings import BrokerSettings, Protocol

__all__ = [
    "LONGEST_ATTEMPT",
    "accepted_or_unsupported",
    "accepting",
    "bare_failure",
    "in_either_version",
]

LONGEST_ATTEMPT = 8
"""Times `connect_timeout`: four connections, to be made and to be accepted."""

# Seconds. A broker that speaks MQTT 5 answers within a round trip; a slow one is only asked twice.
PATIENCE = 0.25


async def in_either_version(
    settings: BrokerSettings, converse: Callable[[Protocol], Awaitable[None]]
) -> None:
    """Have `converse` hold one connection, in the version asked for or that the broker speaks.

    It opens the connection with the `accepting` for that version. What it raises passes, but for
    what shows that the broker does not speak MQTT 5.
    """
    if settings.protocol != "auto":
        await converse(settings.protocol)
        return
    unsupported = False
    try:
        await converse("5")
    except* BrokerFailure as group:
        kind = flatten(group).kind
        if kind is not FailureKind.PROTOCOL_VERSION and not (
            kind is FailureKind.UNANSWERED and await _answers_3_1_1_only(settings)
        ):
            raise
        unsupported = True
    if unsupported:
        await converse("3.1.1")


def accepting(settings: BrokerSettings, protocol: Protocol) -> Callable[[Session], Awaitable[None]]:
    """How to wait for the CONNACK of a connection in this version."""
    if protocol == "5" and settings.protocol == "auto":
        return partial(accepted_or_unsupported, settings=settings)
    return Session.accepted


async def accepted_or_unsupported(session: Session, settings: BrokerSettings) -> None:
    """Wait for the CONNACK of an MQTT 5 connection.

    Raises `BrokerFailure` of kind `PROTOCOL_VERSION` when the broker speaks 3.1.1 only.
    """
    with trio.move_on_after(PATIENCE):
        await session.accepted()
        return
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_ask_again, settings)
        await session.accepted()
        nursery.cancel_scope.cancel()


async def _answers_3_1_1_only(settings: BrokerSettings) -> bool:
    """True if the broker has a word for 3.1.1, and right after that none for 5."""
    kind = await bare_failure(settings, "3.1.1")
    if kind is not None and kind not in LOGIN:
        return False
    return await bare_failure(settings, "5") is FailureKind.UNANSWERED


async def _ask_again(settings: BrokerSettings) -> None:
    if await bare_failure(settings, "5") is FailureKind.PROTOCOL_VERSION:
        raise BrokerFailure(
            FailureKind.PROTOCOL_VERSION, f"{settings.address} does not speak MQTT 5"
        )


async def bare_failure(settings: BrokerSettings, protocol: Protocol) -> FailureKind | None:
    """How a connection fails that says nothing about us; None where it is accepted."""
    kind: FailureKind | None
    try:
        async with open_session(settings, protocol, deliver=lambda _: None, bare=True) as session:
            await session.disconnect()
    except* BrokerFailure as group:
        kind = flatten(group).kind
    else:
        kind = None
    return kind
