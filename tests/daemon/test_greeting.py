"""What arrives while the bridge greets its broker."""

import gc
import json
from contextlib import closing
from pathlib import Path

import trio

from bridge.config.configuration import Configuration
from bridge.daemon.app import Bridge
from bridge.daemon.parts import Parts
from bridge.journal.file import FileStore
from bridge.journal.journal import Journal
from bridge.process.collector import started
from bridge.room.facts.state import RoomState
from bridge.room.memory.durable import remember, to_document
from tests.brokers import free_port
from tests.mqtt.orderly_broker import orderly_broker
from tests.process.daemon import configuration
from tests.process.watched import PATIENCE
from tests.room.driven import SESSION
from tests.room.policies import policy_of


async def test_a_broker_that_hangs_up_over_a_room_s_status_is_served_all_the_same(
    tmp_path: Path,
) -> None:
    """The journal knows the room: its retained topics are looked for on three connections."""
    async with orderly_broker() as broker:
        broker.hated = "hmp/room/r0/status"
        tables = configuration(
            broker_port=broker.port, hmp_port=free_port(), base_topic="hmp", rooms=1
        )
        with closing(Journal(FileStore(tmp_path))) as journal:
            room = RoomState(policy_of(SESSION))
            await journal.save("r0", to_document(remember(room)))
            bridge = Bridge(Parts(Configuration.model_validate(tables), "x", journal))
            async with trio.open_nursery() as nursery:
                nursery.start_soon(bridge.run)
                with trio.fail_after(PATIENCE):
                    while broker.published.get("hmp/bridge/state") != b"online":
                        await trio.lowlevel.checkpoint()
                bridge.stop()
    assert len(broker.clients) == 4


async def test_a_press_during_the_greeting_has_not_waited_where_there_was_no_session(
    tmp_path: Path,
) -> None:
    """The broker has never seen this bridge, and holds the marker back behind the press."""
    async with orderly_broker() as broker:
        broker.press = "hmp/room/r0/press/pause", b"true"
        tables = configuration(
            broker_port=broker.port,
            hmp_port=free_port(),
            base_topic="hmp",
            rooms=1,
            room={"action_ttl": "1m"},
        )
        with closing(Journal(FileStore(tmp_path))) as journal:
            bridge = Bridge(Parts(Configuration.model_validate(tables), "x", journal))
            async with trio.open_nursery() as nursery:
                nursery.start_soon(bridge.run)
                with trio.fail_after(PATIENCE):
                    while "hmp/room/r0/result" not in broker.published:
                        await trio.lowlevel.checkpoint()
                bridge.stop()
        result = json.loads(broker.published["hmp/room/r0/result"])
    assert result["outcome"] == "failed"
    assert result["error"]["code"] == "not_recording"


async def test_rooms_that_are_online_are_not_looked_through_for_garbage_again(
    tmp_path: Path,
) -> None:
    gc.unfreeze()  # what a bridge before has left so in this process
    started.cache_clear()
    async with orderly_broker() as broker:
        tables = configuration(broker_port=broker.port, hmp_port=free_port(), base_topic="hmp")
        with closing(Journal(FileStore(tmp_path))) as journal:
            bridge = Bridge(Parts(Configuration.model_validate(tables), "x", journal))
            assert any(each is bridge for each in gc.get_objects())
            async with trio.open_nursery() as nursery:
                nursery.start_soon(bridge.run)
                with trio.fail_after(PATIENCE):
                    while gc.get_freeze_count() == 0:
                        await trio.lowlevel.checkpoint()
                assert broker.published["hmp/bridge/state"] == b"online"
                assert all(each is not bridge for each in gc.get_objects())
                bridge.stop()
    gc.unfreeze()
