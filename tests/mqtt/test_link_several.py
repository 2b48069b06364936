"""A link that may have any of several brokers: which, when, and how soon."""

from typing import Any

import pytest
import trio
from structlog.testing import capture_logs

from bridge.mqtt.broker_health import BrokerState
from bridge.process.backoff import Backoff
from tests.broker_fixtures import Launch
from tests.brokers import Broker, BrokerOptions, free_port

from .connections import peer
from .running_link import AVAILABILITY, running
from .scripted_broker import scripted_broker


def forever() -> Backoff:
    """A link that waits once waits beyond any test."""
    return Backoff(shortest=3600.0, longest=3600.0, proof=0.0, uniform=lambda _, most: most)


def others(*brokers: Broker) -> dict[str, Any]:
    return {"others": tuple((each.host, each.port) for each in brokers), "backoff": forever()}


async def test_the_first_that_works_is_taken_at_once(broker: Broker) -> None:
    free = free_port()
    with capture_logs() as logs:
        async with running(broker, port=free, **others(broker)) as run:
            await run.until(BrokerState.ONLINE)
            assert run.link.health().address == f"127.0.0.1:{broker.port}"
    (failed,) = [line for line in logs if line["log_level"] == "warning"]
    assert failed["broker"] == f"127.0.0.1:{free}"


async def test_the_next_one_takes_over_and_is_kept(launch: Launch) -> None:
    first, second = launch(), launch()
    async with running(first, **others(second)) as run:
        run.image.set("hmp/room/a/state", "idle")
        await run.until(BrokerState.ONLINE)
        since = len(run.states)
        first.kill()
        await run.until(BrokerState.DOWN, since=since)
        await run.until(BrokerState.ONLINE, since=since)
        async with peer(second, ["hmp/#"]) as other:
            await other.until(AVAILABILITY, b"online")
            first.start()
            run.image.set("hmp/room/a/state", "recording")
            await other.until("hmp/room/a/state", b"recording")
            await run.link.touch("hmp/bridge/marker")
        assert run.link.health().address == f"127.0.0.1:{second.port}"
        since = len(run.states)
        second.kill()
        await run.until(BrokerState.DOWN, since=since)
        await run.until(BrokerState.ONLINE, since=since)
        assert run.link.health().address == f"127.0.0.1:{first.port}"


async def test_it_waits_when_each_has_been_tried_once(broker: Broker) -> None:
    ports = [free_port() for _ in range(3)]
    nobody = tuple(("127.0.0.1", port) for port in ports[1:])
    with capture_logs() as logs:
        async with running(broker, port=ports[0], others=nobody, backoff=forever()) as run:
            for port in ports:
                while f"127.0.0.1:{port}" not in [line.get("broker") for line in logs]:
                    await trio.lowlevel.checkpoint()
            await trio.testing.wait_all_tasks_blocked()
            assert run.states.count(BrokerState.CONNECTING) == len(ports) - 1


class _Names(trio.abc.HostnameResolver):
    """One name with two addresses."""

    async def getaddrinfo(self, host: Any, port: Any, *_: Any, **__: Any) -> Any:
        names = ["127.0.0.1", "127.0.0.2"] if host == b"cluster.test" else [host]
        return [(trio.socket.AF_INET, trio.socket.SOCK_STREAM, 6, "", (n, port)) for n in names]

    async def getnameinfo(self, sockaddr: Any, flags: int) -> Any:
        raise NotImplementedError


@pytest.mark.mqtt5
async def test_a_name_is_tried_at_each_of_its_addresses(launch: Launch) -> None:
    """Something takes the connection at the first, and hangs up over whatever it is told."""
    trio.socket.set_custom_hostname_resolver(_Names())
    async with scripted_broker([None]) as port:
        lines = (f"listener {port} 127.0.0.2", "allow_anonymous true")
        broker = launch(BrokerOptions(extra=lines))
        how: dict[str, Any] = {"host": "cluster.test", "port": port, "protocol": "5"}
        async with running(broker, backoff=forever(), **how) as run:
            await run.until(BrokerState.ONLINE)
            assert run.states == [BrokerState.DOWN, BrokerState.CONNECTING, BrokerState.ONLINE]
