"""Names whose topics the broker may hold: written down before, struck out after."""

import json

import pytest
import trio
import trio.testing
from structlog.testing import capture_logs

from bridge.daemon.manifest import Manifest
from bridge.daemon.owned import Name, Note, Owned, read_note
from bridge.homeassistant.names import DeviceName
from bridge.mqtt.image import Image
from bridge.mqtt.topics import Topics, render_room
from bridge.room.facts.state import RoomState
from bridge.room.facts.vocabulary import State
from tests.room.policies import policy_of

from ..mqtt.recorder import Recorder

R0, R1, MAIN, OTHER = (
    Name("room", "r0"),
    Name("room", "r1"),
    Name("server", "main"),
    Name("server", "other"),
)


class Notes:
    """The journal's note, and the manifest of the process that has it."""

    def __init__(self, document: str = "", base: str = "hmp") -> None:
        self.document = document
        self.writes = 0
        self.image = Image()
        self.carrier = Recorder()
        self.manifest = Manifest(
            Topics(base), self.image, instance="me", kept=document, save=self._save
        )

    @property
    def names(self) -> set[Name]:
        """What is written down."""
        return {Name(*pair) for pair in json.loads(self.document)["names"]}

    async def _save(self, document: str) -> None:
        await trio.lowlevel.checkpoint()
        self.document = document
        self.writes += 1

    async def confirm(self) -> None:
        """The broker takes everything."""
        await trio.testing.wait_all_tasks_blocked()
        self.carrier.acknowledge()
        await trio.testing.wait_all_tasks_blocked()

    async def begin(self, nursery: trio.Nursery, *there: Name) -> None:
        """A process starts, with a broker that does not answer yet."""
        self.manifest.sweep(there)
        await self.manifest.expect(there)
        nursery.start_soon(self.manifest.run)
        nursery.start_soon(self.image.flush, self.carrier)
        await trio.testing.wait_all_tasks_blocked()


async def notes(*names: Name, base: str = "hmp") -> str:
    """What a process leaves that has published for these."""
    kept = Notes(base=base)
    await kept.manifest.expect(names)
    return kept.document


async def test_names_are_written_down_once() -> None:
    kept = Notes()
    await kept.manifest.expect([R0, MAIN])
    await kept.manifest.expect([MAIN])
    assert kept.names == {R0, MAIN}
    again = Notes(kept.document)
    await again.manifest.expect([R0, MAIN])
    assert (kept.writes, again.writes) == (1, 0)


async def test_every_retained_topic_of_a_stray_is_emptied(nursery: trio.Nursery) -> None:
    kept = Notes(await notes(R0, R1, MAIN, OTHER))
    await kept.begin(nursery, R0, MAIN)
    posted = {topic: payload for topic, payload, qos, retain in kept.carrier.posted if retain}
    theirs = render_room(Topics(), "r1", RoomState(policy_of(None)), dict.fromkeys(State, "off"))
    assert posted == dict.fromkeys([*theirs, "hmp/server/other/state"], b"")
    assert kept.names == {R0, R1, MAIN, OTHER}  # for the broker has not said that it has them
    await kept.confirm()
    assert kept.names == {R0, MAIN}


async def test_what_comes_back_meanwhile_stays(nursery: trio.Nursery) -> None:
    kept = Notes(await notes(R0, R1))
    await kept.begin(nursery, R0)
    await kept.manifest.expect([R1])
    kept.image.set("hmp/room/r1/state", "idle")
    await kept.confirm()
    assert kept.names == {R0, R1}


async def test_what_leaves_while_the_broker_is_asked_waits_for_its_own_turn(
    nursery: trio.Nursery,
) -> None:
    kept = Notes()
    await kept.begin(nursery, R0, R1)
    kept.image.forget("hmp/room/r0/state")
    kept.manifest.left([R0])
    await trio.testing.wait_all_tasks_blocked()
    kept.image.forget("hmp/room/r1/state")
    kept.manifest.left([R1])
    await trio.testing.wait_all_tasks_blocked()
    kept.carrier.acknowledge(1)
    await trio.testing.wait_all_tasks_blocked()
    assert kept.names == {R1}
    await kept.confirm()
    assert kept.names == set()


async def test_another_base_topic_is_not_swept(nursery: trio.Nursery) -> None:
    kept = Notes(await notes(R0, R1, base="old"))
    await kept.begin(nursery, R0)
    assert kept.carrier.posted == []
    assert kept.names == {R0}


@pytest.mark.parametrize(
    "document", ["{", "[]", "null", '{"base": "hmp"}', '{"base":"hmp","names":[1]}']
)
def test_an_unreadable_note_is_said_and_begun_anew(document: str) -> None:
    with capture_logs() as logs:
        kept = Notes(document)
        kept.manifest.sweep([R0])
    assert [line["log_level"] for line in logs] == ["warning"]
    assert kept.image.unconfirmed == 0


def test_a_note_is_read_as_it_was_written() -> None:
    old = Owned("old", {R0, MAIN}, {"homeassistant/device/old/room-r0/config": {"a": "switch"}})
    note = Note(Owned("hmp", {R1}), [old], {DeviceName("hmp", "room", "r9"): {"b": "button"}})
    assert read_note(note.document(), "hmp") == note
    turned = read_note(note.document(), "old")
    assert (turned.owned, turned.before) == (old, [Owned("hmp", {R1})])
    assert read_note(note.document(), "third").before == [Owned("hmp", {R1}), old]


def test_what_a_bridge_said_under_another_name_is_of_before() -> None:
    both = Owned("hmp", {R0, MAIN, OTHER}, part="main,other", servers={"r0": "main"})
    document = Note(both).document()
    itself = Owned("hmp", part="main,other", itself=True)
    own = [f"hmp/bridges/main,other/{leaf}" for leaf in ("info", "health", "state")]
    moved = read_note(document, "hmp", "main")
    assert moved.before == [itself]
    assert itself.everything == own
    assert moved.owned.names == both.names
    # It goes on being of before until it is emptied, whatever the name is then.
    once_more = read_note(moved.document(), "hmp", "other")
    assert once_more.before == [Owned("hmp", part="main", itself=True), itself]
    assert read_note(moved.document(), "hmp", "main,other").before == [
        Owned("hmp", part="main", itself=True)
    ]
    # A bridge alone says of no server that it has it.
    [alone] = read_note(document, "hmp").before
    assert alone.everything == ["hmp/server/main/bridge", "hmp/server/other/bridge", *own]
    assert read_note("", "hmp", "main").before == []
