"""Alive and ready: what is measured, and what is said when it is not so."""

import trio

from bridge.hmp.link import LinkState
from bridge.metrics.health import SLOWEST_TURN, alive, ready, turn_of_the_loop
from bridge.mqtt.broker_health import BrokerState

from .healthy import broker_health, link_health


async def test_a_turn_lasts_until_everybody_has_run() -> None:
    ran = []

    async def work() -> None:
        until = trio.current_time() + 0.02
        while trio.current_time() < until:
            pass
        ran.append(trio.current_time())

    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(work)
        took = await turn_of_the_loop()
    assert took > 0.02


def test_alive_as_long_as_the_loop_turns_quickly() -> None:
    assert alive(0.00123) == (True, {"live": True, "turn_ms": 1.23})
    assert alive(SLOWEST_TURN * 1.01)[0] is False


def test_ready_when_everything_is() -> None:
    servers = {"main": link_health(), "other": link_health()}
    assert ready(broker_health(), servers) == (True, {"ready": True, "not_ready": {}})


def test_what_is_not_ready_is_named_with_its_reason() -> None:
    servers = {
        "main": link_health(LinkState.REFUSED, error="nothing listens on hmp:23233"),
        "other": link_health(),
        "third": link_health(LinkState.CONNECTING),
    }
    broker = broker_health(BrokerState.DOWN, error="broker:1883 refuses connections")
    assert ready(broker, servers) == (
        False,
        {
            "ready": False,
            "not_ready": {
                "broker": "down: broker:1883 refuses connections",
                "server main": "refused: nothing listens on hmp:23233",
                "server third": "connecting",
            },
        },
    )
    assert ready(broker_health(BrokerState.CONNECTING), {})[1]["not_ready"] == {
        "broker": "connecting"
    }
