"""The rig's broker under faults that overlap, as those of one round may."""

from pathlib import Path

import pytest
import trio

from tests.brokers import free_port

from .mosquitto import Mosquitto

pytestmark = pytest.mark.mqtt5


@pytest.mark.parametrize("keep_store", [True, False])
async def test_a_kill_during_a_start_is_one_after_it(tmp_path: Path, keep_store: bool) -> None:
    """A signal that mosquitto is not ready for would end it; the start would find it dead."""
    broker = Mosquitto(tmp_path, free_port())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(broker.start)
        while not await trio.Path(tmp_path / "mosquitto.log").exists():
            await trio.lowlevel.checkpoint()
        nursery.start_soon(lambda: broker.kill(keep_store=keep_store))
    await broker.start()
    await (await trio.open_tcp_stream("127.0.0.1", broker.port)).aclose()
    await broker.terminate()


async def test_ends_and_starts_at_once_leave_one_broker(tmp_path: Path) -> None:
    """What begins while another ends waits for the port to be free, and the store to be written."""
    broker = Mosquitto(tmp_path, free_port())
    await broker.start()
    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(broker.terminate)
            nursery.start_soon(broker.start)
    await broker.start()
    await broker.terminate()
    log = await trio.Path(tmp_path / "mosquitto.log").read_text(encoding="utf-8")
    assert log.count(" running") == log.count(" terminating") >= 2
    assert "Error" not in log
