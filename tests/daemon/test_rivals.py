"""Two that have one client id, and take the broker's session from each other."""

import json

import pytest
import trio
import trio.testing

from bridge.daemon.info_and_health import Identity
from bridge.daemon.rivals import ForeignBridge, Rivals
from bridge.mqtt.broker_health import BrokerState
from bridge.mqtt.failures import BrokerFailure, FailureKind
from bridge.mqtt.message import Message
from bridge.mqtt.settings import BrokerSettings
from bridge.mqtt.topics import Topics
from tests.broker_fixtures import Launch
from tests.brokers import Broker
from tests.mqtt.connections import peer
from tests.mqtt.running_link import AVAILABILITY, Running

BROKER = BrokerSettings(host="broker", port=1883, client_id="hmp-bridge-x")


def rivals() -> Rivals:
    return Rivals(Identity("2026-05-04T08:00:00Z", "0" * 16), Topics("hmp"), BROKER)


async def leaves(
    watching: Rivals,
    kind: FailureKind,
    lived: float,
    most: int,
    attempt: FailureKind | None = None,
) -> int | None:
    """After how many connections that lived and ended so it leaves; None for not at all.

    Between two of them an `attempt` has failed so, or none has.
    """
    for count in range(1, most + 1):
        watching.online()
        await trio.sleep(lived)
        watching.away(BrokerFailure(kind, "it ended"))
        watching.away(BrokerFailure(attempt or kind, "an attempt, or the next one begins"))
        try:
            with trio.move_on_after(0.1):
                await watching.leave_to_an_earlier_one()
        except ForeignBridge as error:
            said = str(error)
            return count if "hmp-bridge-x; give each its own: mqtt.client_id" in said else None
    return None


@pytest.mark.parametrize(
    ("kind", "fewest", "most"), [(FailureKind.TAKEN_OVER, 5, 7), (FailureKind.LOST, 10, 14)]
)
async def test_a_session_that_is_taken_again_and_again(
    kind: FailureKind, fewest: int, most: int, autojump_clock: object
) -> None:
    """Sooner where the broker says so; not all bridges after the same number."""
    counts = [await leaves(rivals(), kind, 20.0, most) for _ in range(40)]
    assert all(count is not None and fewest <= count <= most for count in counts)
    assert len(set(counts)) > 1


async def test_what_is_no_takeover(autojump_clock: object) -> None:
    """Connections that lived; a broker that is silent, or says why; one that lived in between.

    And a network that fails every minute, for hours: not each attempt to connect succeeds then.
    """
    assert await leaves(rivals(), FailureKind.LOST, 61.0, 100) is None
    assert await leaves(rivals(), FailureKind.TAKEN_OVER, 61.0, 100) is None
    assert await leaves(rivals(), FailureKind.KEEPALIVE, 20.0, 100) is None
    for attempt in (FailureKind.REFUSED, FailureKind.UNREACHABLE, FailureKind.UNANSWERED):
        assert await leaves(rivals(), FailureKind.LOST, 20.0, 100, attempt) is None
    watching = rivals()
    for _ in range(5):
        assert await leaves(watching, FailureKind.LOST, 1.0, 9) is None
        assert await leaves(watching, FailureKind.LOST, 61.0, 1) is None


class Twin(Running):
    """A link that looks for rivals, as a bridge's does."""

    def __init__(self, broker: Broker) -> None:
        self.rivals = rivals()
        super().__init__(broker, client_id="twin", filters=("press",))

    def _note(self, state: BrokerState) -> None:
        super()._note(state)
        if state is BrokerState.ONLINE:
            self.rivals.online()
        else:
            self.rivals.away(self.link.failure)

    async def live(self) -> None:
        """Until it leaves."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self.link.run)
                await self.rivals.leave_to_an_earlier_one()
        except* ForeignBridge:
            pass


@pytest.mark.mqtt5
async def test_of_two_one_leaves_and_the_other_hears_every_press(launch: Launch) -> None:
    broker = launch()
    twins = [Twin(broker), Twin(broker)]
    left: list[Twin] = []
    one_left = trio.Event()

    async def live(twin: Twin) -> None:
        await twin.live()
        left.append(twin)
        one_left.set()

    async with trio.open_nursery() as nursery:
        for each in twins:
            nursery.start_soon(live, each)
        await one_left.wait()
        (stays,) = (each for each in twins if each not in left)
        while stays.link.state is not BrokerState.ONLINE:
            await stays.until(BrokerState.ONLINE)
        async with peer(broker, name="panel") as panel:
            for number in range(3):
                await panel.publish("press", str(number).encode())
                # Their one session may have kept what was said of their availability.
                while (message := await stays.link.receive()).topic == AVAILABILITY:
                    message.acknowledge()
                assert (message.topic, message.payload) == ("press", str(number).encode())
                message.acknowledge()
        assert len(left) == 1
        nursery.cancel_scope.cancel()


def of_east(objections: list[str]) -> Rivals:
    """The rivals of one of several bridges, which has the server east."""
    ours = Identity("2026-05-04T08:00:00Z", "0" * 16)
    topics = Topics("hmp", "east")
    return Rivals(ours, topics, BROKER, ["east"], lambda: objections.append("object"))


def told(topic: str, started_at: str, **more: object) -> Message:
    info = {"instance": "f" * 16, "started_at": started_at} | more
    return Message(topic, json.dumps(info).encode(), 1, False, False, 0.0)


def test_whoever_has_another_server_is_no_rival() -> None:
    rivals = of_east([])
    west = told("hmp/bridge/info", "2020-01-01T00:00:00Z", servers=["west"])
    rivals.check({west.topic: west.payload, "hmp/bridge/state": b"online"})
    assert rivals.hear(west)
    assert not rivals.hear(told("hmp/bridges/west/info", "2020-01-01T00:00:00Z"))
    assert not rivals.states({west.topic: west.payload})


@pytest.mark.parametrize(
    ("topic", "more", "state"),
    [
        ("hmp/bridges/east/info", {}, "hmp/bridges/east/state"),
        ("hmp/bridge/info", {"servers": ["east", "west"]}, "hmp/bridge/state"),
        ("hmp/server/east/bridge", {"bridge": "east,west"}, "hmp/bridges/east,west/state"),
        ("hmp/server/east/bridge", {"bridge": "#/../x"}, "hmp/bridges/east/state"),
    ],
)
def test_whoever_is_online_with_our_server_is_one(
    topic: str, more: dict[str, object], state: str
) -> None:
    rivals = of_east([])
    found = {topic: told(topic, "2030-01-01T00:00:00Z", **more).payload}
    assert rivals.states(found) == [state]
    rivals.check(found | {state: b"offline"})
    with pytest.raises(ForeignBridge, match=r"bridge\.servers"):
        rivals.check(found | {state: b"online"})


async def test_a_bridge_alone_is_told_by_whoever_was_online_before() -> None:
    objections: list[str] = []
    rivals = of_east(objections)
    alone = told("hmp/bridge/info", "2020-01-01T00:00:00Z", servers=["east"])
    rivals.online()
    assert rivals.hear(alone)
    assert objections == ["object"]
