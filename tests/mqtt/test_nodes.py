"""The order in which several brokers are tried."""

from collections.abc import Sequence

import pytest

from bridge.mqtt.failures import BrokerFailure, FailureKind
from bridge.mqtt.nodes import Nodes
from bridge.mqtt.settings import BrokerSettings, Node

A, B, C = ("192.0.2.1", 1883), ("192.0.2.2", 1883), ("192.0.2.3", 1884)


def nodes_of(*nodes: Node, found: dict[str, Sequence[Node]] | None = None) -> Nodes:
    async def look_up(name: str) -> Sequence[Node]:
        if not (there := (found or {}).get(name)):
            raise OSError(f"the name {name} has no service record")
        return there

    (host, port), *others = nodes
    settings = BrokerSettings(host=host, port=port, others=tuple(others), client_id="x")
    return Nodes(settings, look_up)


async def tried(nodes: Nodes) -> Node:
    settings = await nodes.choose()
    return settings.host, settings.port


async def test_each_is_tried_once_before_anybody_waits() -> None:
    nodes = nodes_of(A, B, C)
    round_ = [await tried(nodes)]
    while await nodes.another(lived=False):
        round_.append(await tried(nodes))
    assert round_ == [A, B, C]
    again = [await tried(nodes)]
    while await nodes.another(lived=False):
        again.append(await tried(nodes))
    assert again == [A, B, C]


async def test_after_a_connection_that_was_of_use_every_other_one_has_a_turn() -> None:
    nodes = nodes_of(A, B, C)
    assert await tried(nodes) == A
    assert await nodes.another(lived=False)
    assert await tried(nodes) == B
    assert await nodes.another(lived=True)
    assert await tried(nodes) == C
    assert await nodes.another(lived=False)
    assert await tried(nodes) == A
    assert not await nodes.another(lived=False)
    assert await tried(nodes) == B


async def test_one_that_ends_soon_is_no_reason_to_go_round_without_a_wait() -> None:
    nodes = nodes_of(A, B)
    attempts = 0
    await tried(nodes)
    while await nodes.another(lived=False):
        attempts += 1
        await tried(nodes)
    assert attempts == 1


async def test_one_alone_is_waited_for() -> None:
    nodes = nodes_of(A)
    assert not nodes.several
    for lived in (False, True, False):
        assert await tried(nodes) == A
        assert not await nodes.another(lived=lived)


async def test_a_service_is_every_broker_that_its_records_list() -> None:
    found: dict[str, Sequence[Node]] = {"_mqtt._tcp.example.edu": [B, C]}
    nodes = nodes_of(("_mqtt._tcp.example.edu", 1883), A, found=found)
    assert nodes.several
    assert await tried(nodes) == B
    assert await nodes.another(lived=False)
    assert await tried(nodes) == C
    found["_mqtt._tcp.example.edu"] = [B]  # looked up again before each round
    assert await nodes.another(lived=True)
    assert await tried(nodes) == B
    assert await nodes.another(lived=False)
    assert await tried(nodes) == A
    assert not await nodes.another(lived=False)


async def test_a_service_that_nobody_knows_is_said() -> None:
    nodes = nodes_of(("_mqtt._tcp.example.edu", 1883))
    with pytest.raises(BrokerFailure, match="has no service record") as caught:
        await nodes.choose()
    assert caught.value.kind is FailureKind.UNRESOLVED
    assert not await nodes.another(lived=False)
