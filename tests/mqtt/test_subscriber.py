"""Listening to a broker that gives nothing retained to a filter with a wildcard."""

import pytest
import trio

from bridge.mqtt.settings import BrokerSettings
from bridge.mqtt.subscriber import listen
from tests.process.watched import PATIENCE

from .orderly_broker import orderly_broker

RETAINED = {
    "hmp/bridge/state": b"online",
    "hmp/room/a/state": b"idle",
    "hmp/room/b/state": b"idle",
}


@pytest.mark.parametrize("filters", [["hmp/#"], ["hmp/bridge/state", "hmp/room/+/state"]])
@pytest.mark.parametrize("wildcards", [True, False])
async def test_what_is_retained_is_heard_whatever_the_broker_does(
    filters: list[str], *, wildcards: bool
) -> None:
    heard: dict[str, bytes] = {}
    standing = trio.Event()
    async with (
        orderly_broker(0, RETAINED, wildcards=wildcards) as broker,
        trio.open_nursery() as nursery,
    ):
        settings = BrokerSettings(host="127.0.0.1", port=broker.port, client_id="w", protocol="5")

        async def hear() -> None:
            await listen(
                settings,
                filters,
                lambda message: heard.update({message.topic: message.payload}),
                lambda failure: standing.set() if failure is None else None,
                by_name=list(RETAINED),
            )

        nursery.start_soon(hear)
        with trio.fail_after(PATIENCE):
            await standing.wait()
            while heard != RETAINED:
                await trio.lowlevel.checkpoint()
        nursery.cancel_scope.cancel()
