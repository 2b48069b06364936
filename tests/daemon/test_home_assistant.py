"""Home Assistant is shown what there is, again at its birth, and nothing that is gone."""

import json
from collections.abc import Iterable
from typing import Any

import trio
import trio.testing

from bridge.config.configuration import Configuration
from bridge.daemon.happenings import Happenings
from bridge.daemon.home_assistant import HomeAssistant, share_of
from bridge.daemon.manifest import Manifest
from bridge.homeassistant.names import DeviceName
from bridge.mqtt.image import Image
from bridge.mqtt.message import Message
from bridge.mqtt.outbox import A_TURN
from bridge.mqtt.topics import Topics
from bridge.room.facts.happenings import Seen
from bridge.room.facts.vocabulary import Alarm, Happening

from ..homeassistant.accepted import complaints_about
from ..mqtt.recorder import Recorder

SESSIONS = ["71edd346-2cf0-4c62-b3d3-9d457b287394", "b86befc3-7b44-4655-852f-21a77935d110"]
STATUS = "homeassistant/status"
R0, R1 = (f"homeassistant/device/hmp/room-r{number}/config" for number in range(2))
BRIDGE = "homeassistant/device/hmp/bridge/config"


def configured(rooms: int = 1, restream: bool = False, **table: Any) -> Configuration:
    room: dict[str, Any] = {"server": "main"}
    if restream:
        room["restream"] = {"ip": "239.1.1.1", "port": 5000}
    return Configuration.model_validate(
        {
            "servers": {"main": {"host": "hmp"}},
            "rooms": {f"r{n}": room | {"session": SESSIONS[n]} for n in range(rooms)},
            "homeassistant": {"enabled": True} | table,
        }
    )


class Process:
    """One process after another: what is written down outlives them, the broker's end is ours."""

    def __init__(self, document: str = "") -> None:
        self.document = document
        self.image = Image()
        self.carrier = Recorder()
        self.repeated: list[tuple[float, list[str]]] = []
        topics = Topics()
        manifest = Manifest(topics, self.image, instance="me", kept=document, save=self._save)
        self.home_assistant = HomeAssistant(
            topics,
            self.image,
            repeat=self._repeat,
            manifest=manifest,
            happenings=Happenings(topics, self.image),
            wait=lambda: 1.5,
        )

    async def _save(self, document: str) -> None:
        await trio.lowlevel.checkpoint()
        self.document = document

    async def _repeat(self, order: Iterable[str]) -> int:
        await trio.lowlevel.checkpoint()
        self.repeated.append((trio.current_time(), list(order)))
        return 1

    async def show(self, configuration: Configuration) -> None:
        """As `app` does at the start, and a reload does."""
        await self.home_assistant.expect(configuration)
        self.home_assistant.show(configuration)
        await trio.testing.wait_all_tasks_blocked()

    async def begin(self, nursery: trio.Nursery, configuration: Configuration) -> None:
        """The process starts, with a broker that does not answer yet."""
        await self.show(configuration)
        nursery.start_soon(self.home_assistant.run)
        nursery.start_soon(self.image.flush, self.carrier)
        await trio.testing.wait_all_tasks_blocked()

    async def confirm(self) -> dict[str, bytes]:
        """The broker takes everything; what it retains then."""
        for _ in range(3):
            self.carrier.acknowledge()
            await trio.testing.wait_all_tasks_blocked()
        return {topic: payload for topic, payload in self.carrier.topics(1) if payload}

    @property
    def written(self) -> set[str]:
        """The topics that are written down."""
        return set(json.loads(self.document).get("topics", {}))


def announced(configuration: Configuration) -> dict[str, Any]:
    """The devices that are shown, decoded."""
    shown = Process().home_assistant.wanted(configuration)
    return {topic: json.loads(each.payload()) for topic, each in shown.items()}


async def left_by(*configurations: Configuration) -> str:
    """What processes with these configurations leave written down."""
    document = ""
    for configuration in configurations:
        process = Process(document)
        async with trio.open_nursery() as nursery:
            await process.begin(nursery, configuration)
            await process.confirm()
            nursery.cancel_scope.cancel()
        document = process.document
    return document


def birth(topic: str = STATUS, payload: bytes = b"online", retain: bool = False) -> Message:
    return Message(topic, payload, 0, retain, False, trio.current_time())


async def test_at_a_birth_all_is_said_once_after_a_short_wait(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    process = Process()
    await process.begin(nursery, configured(2))
    began = trio.current_time()
    hear = process.home_assistant.hear
    for message in (birth(payload=b"offline"), birth("other/status"), birth(retain=True)):
        assert not hear(message)
    await trio.sleep(10)
    assert process.repeated == []
    began = trio.current_time()
    assert not hear(birth())  # for a binding may want to hear it as well
    await trio.sleep(1)
    hear(birth())
    await trio.sleep(10)
    [(at, order)] = process.repeated
    assert at - began == 1.5
    devices = [topic for topic in order if topic.startswith("homeassistant/")]
    assert order[: len(devices)] == devices
    assert devices[0] == BRIDGE
    assert {"hmp/bridge/state", "hmp/room/r0/availability"} <= set(order[len(devices) :])
    hear(birth())
    await trio.sleep(10)
    assert len(process.repeated) == 2


async def test_what_is_shown_is_written_down_before(nursery: trio.Nursery) -> None:
    process = Process()
    await process.home_assistant.expect(configured(2))
    assert process.written == {R0, R1, BRIDGE, "homeassistant/device/hmp/server-main/config"}
    assert process.image.unconfirmed == 0
    await process.begin(nursery, configured(2))
    retained = await process.confirm()
    assert set(retained) == process.written
    assert next(iter(retained)) == BRIDGE
    assert not [each for each in retained.values() if complaints_about(json.loads(each))]


async def test_a_room_that_has_gone_is_taken_back(nursery: trio.Nursery) -> None:
    process = Process(await left_by(configured(2)))
    await process.begin(nursery, configured(1))
    assert (R1, b"") in process.carrier.topics(1)
    assert R1 in process.written  # for the broker has not said that it has it
    await process.confirm()
    assert R1 not in process.written


async def test_a_component_that_has_gone_is_named_first_and_left_out_then(
    nursery: trio.Nursery,
) -> None:
    process = Process(await left_by(configured(restream=True)))
    await process.begin(nursery, configured())
    [first] = [json.loads(payload) for topic, payload in process.carrier.topics(1) if topic == R0]
    assert first["components"]["restream"] == {"platform": "switch"}
    assert "restream" in json.loads(process.document)["topics"][R0]
    retained = await process.confirm()
    assert "restream" not in json.loads(retained[R0])["components"]
    assert "restream" not in json.loads(process.document)["topics"][R0]
    assert [topic for topic, _ in process.carrier.topics(1)].count(BRIDGE) == 1


async def test_another_prefix_and_off_leave_nothing(nursery: trio.Nursery) -> None:
    process = Process(await left_by(configured(2), configured(2, discovery_prefix="ha")))
    assert process.written == {
        topic.replace("homeassistant/", "ha/")
        for topic in (R0, R1, BRIDGE, "homeassistant/device/hmp/server-main/config")
    }
    before = process.written
    await process.begin(nursery, configured(2, enabled=False))
    assert set(process.carrier.topics(1)) == {(topic, b"") for topic in before}
    assert process.carrier.topics(1)[-1][0] == "ha/device/hmp/bridge/config"
    await process.confirm()
    assert process.written == set()


async def test_a_reload_switches_it_on_and_off(nursery: trio.Nursery) -> None:
    process = Process()
    await process.begin(nursery, configured(enabled=False))
    assert process.carrier.posted == []
    await process.show(configured())
    await process.confirm()
    assert R0 in process.written
    await process.show(configured(enabled=False))
    assert (R0, b"") in process.carrier.topics(1)
    await process.confirm()
    assert process.written == set()


def rejected(payload: dict[str, Any]) -> list[str]:
    """Complaints, but about what Home Assistant itself can do without."""
    return [each for each in complaints_about(payload) if "is a required property" not in each]


async def farewells(process: Process) -> list[tuple[str, Any]]:
    """What is said after a birth that is retained by nobody."""
    process.carrier.posted.clear()
    process.home_assistant.hear(birth())
    await trio.sleep(20)
    for _ in range(3):
        process.carrier.acknowledge()
        await trio.sleep(20)
    said = [(topic, payload) for topic, payload, _, retain in process.carrier.posted if not retain]
    return [(topic, json.loads(payload) if payload else None) for topic, payload in said]


async def test_a_device_that_went_while_it_was_away_is_shown_and_taken_back_at_its_birth(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    process = Process(await left_by(configured(2, restream=True), configured(1, restream=True)))
    await process.begin(nursery, configured(1, restream=True))
    await process.confirm()
    (shown, as_it_was), (emptied, nothing) = await farewells(process)
    assert (shown, emptied, nothing) == (R1, R1, None)
    assert rejected(as_it_was) == []
    before = announced(configured(2, restream=True))[R1]["components"]
    unique_ids = {each["unique_id"]: each["platform"] for each in as_it_was["components"].values()}
    assert unique_ids == {
        each["unique_id"]: each["platform"] for each in before.values() if "unique_id" in each
    }
    assert as_it_was["device"]["identifiers"] == ["hmp/room/r1"]
    assert await farewells(process) == []
    assert "gone" not in json.loads(process.document)


async def test_an_entity_that_went_while_it_was_away_is_taken_back_and_left_out(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    process = Process(await left_by(configured(restream=True), configured()))
    await process.begin(nursery, configured())
    await process.confirm()
    said = await farewells(process)
    assert [topic for topic, _ in said] == [R0] * 3
    again, stub, without = [payload["components"] for _, payload in said]
    assert again["restream"]["unique_id"] == "hmp/room/r0/restream"
    assert stub["restream"] == {"platform": "switch"}
    assert without == announced(configured())[R0]["components"]
    assert not [each for _, payload in said for each in rejected(payload)]


async def test_what_comes_back_is_not_taken_back(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    process = Process(await left_by(configured(2, restream=True), configured(1)))
    await process.begin(nursery, configured(2))
    await process.confirm()
    process.home_assistant.hear(birth())
    await trio.sleep(15)  # the first step has been said
    await process.show(configured(2, restream=True))
    for _ in range(6):
        process.carrier.acknowledge()
        await trio.sleep(20)
    said = [payload for topic, payload, _, retain in process.carrier.posted if not retain]
    assert [json.loads(each)["components"]["restream"]["name"] for each in said] == ["restream"] * 2
    assert "gone" not in json.loads(process.document)


async def test_switched_off_while_it_was_away(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    process = Process(await left_by(configured(), configured(enabled=False)))
    assert process.home_assistant.heard(configured(enabled=False)) == [STATUS]
    await process.begin(nursery, configured(enabled=False))
    said = await farewells(process)
    assert [topic for topic, payload in said if payload is None] == [
        R0,
        "homeassistant/device/hmp/server-main/config",
        BRIDGE,
    ]
    assert process.home_assistant.heard(configured(enabled=False)) == []


async def test_another_prefix_has_nothing_to_be_forgotten(nursery: trio.Nursery) -> None:
    document = await left_by(configured(), configured(discovery_prefix="ha"))
    assert "gone" not in json.loads(document)


def test_the_birth_is_listened_to_where_it_is_of_use() -> None:
    assert configured(status_topic="ha/status").homeassistant.heard == ["ha/status"]
    assert configured(enabled=False).homeassistant.heard == []


def test_what_happens_to_a_room() -> None:
    idle, going = Seen(False, False, frozenset()), Seen(True, False, frozenset())
    paused = Seen(True, True, frozenset())
    one, two = frozenset({Alarm.DISK_FULL}), frozenset({Alarm.DISK_FULL, Alarm.NO_SOURCE})
    steps = [
        (idle, going, [Happening.RECORDING_STARTED]),
        (going, going, []),
        (going, paused, [Happening.RECORDING_PAUSED]),
        (paused, going, [Happening.RECORDING_RESUMED]),
        (paused, idle, [Happening.RECORDING_STOPPED]),
        (going, idle, [Happening.RECORDING_STOPPED]),
        (idle, paused, [Happening.RECORDING_STARTED, Happening.RECORDING_PAUSED]),
        (idle, Seen(False, False, one), [Happening.ALARM_RAISED]),
        (Seen(False, False, one), Seen(False, False, two), [Happening.ALARM_RAISED]),
        (Seen(False, False, two), Seen(False, False, one), []),
    ]
    for before, after, happened in steps:
        assert list(before.until(after)) == happened


async def test_a_device_leaves_before_the_topics_that_it_shows(nursery: trio.Nursery) -> None:
    """However many rooms go at once, and whatever turns they take."""
    topics, carrier = Topics("house/hmp"), Recorder()
    image = Image(share_of=share_of(topics))
    names = [f"r{number}" for number in range(3 * A_TURN)]
    for name in names:
        image.set(DeviceName(topics.base, "room", name).topic("homeassistant"), b"")
    for name in names:
        image.set(topics.room(name, "status"), b"")
    nursery.start_soon(image.flush, carrier)
    await trio.testing.wait_all_tasks_blocked()
    posted = [topic for topic, *_ in carrier.posted]
    for name in names:
        device = DeviceName(topics.base, "room", name).topic("homeassistant")
        assert posted.index(device) < posted.index(topics.room(name, "status"))
