"""Requests to the bridge: each verb, its parameters, how many at once, and what a shutdown says."""

import json
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from bridge.api.bridge_requests import BridgeRequests, Reload, ReloadReport, Verb
from bridge.api.checks import ServerRules
from bridge.api.command_requests import CommandRequests
from bridge.api.health import PATIENCE, Health
from bridge.api.replies import Replies
from bridge.api.service import Api
from bridge.daemon.clock import Clock
from bridge.hmp.client import ServerLink
from bridge.hmp.link import LinkState
from bridge.journal.file import FileStore
from bridge.journal.journal import Journal
from bridge.logs.log import hears, set_level
from bridge.mqtt.acknowledgements import Acknowledgements, Part
from bridge.mqtt.image import Image
from bridge.mqtt.link import BrokerLink
from bridge.mqtt.message import Message, Receipt
from bridge.mqtt.settings import BrokerSettings
from bridge.mqtt.topics import Topics
from tests.hmp.peer import NOT_FOUND, SETTINGS, MemoryHmp, PeerConnection
from tests.mqtt.recorder import Recorder, flushed

INFO = {"version": "1", "rooms": ["boardroom"]}


LONGER = 60.0
"""Seconds: the disk is a real one, and the machine may stop for longer than it may."""


class Listening(Recorder):
    """Says when something was posted."""

    news = trio.Event()

    def post(self, topic: str, payload: bytes, **how: Any) -> None:
        super().post(topic, payload, **how)
        self.news.set()


class Bridge:
    """The API of a bridge with one HMP, no rooms, a journal, and a broker that is out of reach."""

    def __init__(self, folder: Path, reload: Reload | None = None) -> None:
        topics, self.image = Topics(), Image()
        self.hmp = MemoryHmp()
        self.link = ServerLink(SETTINGS, changed=self._link_changed, connect=self.hmp.connect)
        self.journal = Journal(FileStore(folder))
        broker = BrokerLink(
            BrokerSettings(host="127.0.0.1", port=1, client_id="b"),
            self.image,
            [],
            availability_topic=topics.bridge_state,
        )
        self.announcing = trio.Event()
        self.accepted: list[str] = []
        replies = Replies(topics, self.image, lambda _: False, ["#"])
        self.api = Api(
            topics,
            replies,
            CommandRequests(
                {"main": ServerRules()},
                {"main": self.link},
                {},
                replies,
                documents={},
                save=self.journal.save,
                clock=Clock(),
            ),
            BridgeRequests(
                replies,
                Health(
                    {"main": self.link},
                    broker,
                    self.journal,
                    marker=topics.bridge_marker,
                    patience=LONGER,
                ),
                info=lambda: json.dumps(INFO),
                announce=self._announce,
                reload=reload,
            ),
        )
        self.carrier = Listening()

    def _link_changed(self, state: LinkState) -> None:
        self.api.commands.link_changed("main", state)

    async def _announce(self) -> int | None:
        await self.announcing.wait()
        return 7

    def ask(self, verb: str, payload: object = b"", *, again: bool = False) -> None:
        data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        topic = f"hmp/bridge/request/{verb}"
        receipt = Receipt(1, 0, lambda _: self.accepted.append(verb))
        message = Message(topic, data, 1, False, again, trio.current_time(), receipt=receipt)
        place = Acknowledgements(self._save).place(message)
        assert self.api.take(Part(place, waited=math.inf), lambda _: True)

    async def _save(self, document: str) -> None:
        raise AssertionError(f"no binding has to do with this: {document}")

    async def until(self, count: int) -> None:
        """Until so many have been answered."""
        while len(await self.answers()) < count:
            self.carrier.news = trio.Event()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self.image.flush, self.carrier)
                await self.carrier.news.wait()
                nursery.cancel_scope.cancel()

    async def answers(self) -> list[tuple[str, dict[str, Any]]]:
        """Everything that was answered so far, by the last level of its topic."""
        await flushed(self.image, self.carrier)
        self.carrier.acknowledge()
        return [
            (topic.rpartition("/")[2], json.loads(payload))
            for topic, payload, *_ in self.carrier.posted
        ]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[trio.CancelScope]:
        """The API at work beside its link; the scope is the API's."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self.link.run)
                async with trio.open_nursery() as api:
                    api.start_soon(self.api.run)
                    yield api.cancel_scope
                    api.cancel_scope.cancel()
                nursery.cancel_scope.cancel()
        finally:
            self.journal.close()

    async def ready(self) -> PeerConnection:
        peer = await self.hmp.accept()
        await peer.alive()
        await trio.testing.wait_all_tasks_blocked()
        return peer


async def test_info_is_the_retained_object(tmp_path: Path) -> None:
    bridge = Bridge(tmp_path)
    async with bridge.running():
        bridge.ask("info", {"id": "i"})
        [(topic, answer)] = await bridge.answers()
    assert topic == "info"
    assert answer == {"id": "i", "outcome": "ok", "value": INFO, "error": None}
    assert bridge.accepted == ["info"]


async def test_the_log_s_level(tmp_path: Path) -> None:
    bridge = Bridge(tmp_path)
    try:
        async with bridge.running():
            bridge.ask("log_level", b" error ")
            assert not hears("hmp", "warning")
            bridge.ask("log_level", {"id": 1, "level": "debug"})
            assert hears("hmp", "debug")
            bridge.ask("log_level", {"level": "loud"})
            bridge.ask("log_level", b"")
            bridge.ask("log_level", {"level": "debug", "part": 5})
            bridge.ask("log_level", {"level": "debug", "colour": "red"})
            answers = [answer for _, answer in await bridge.answers()]
    finally:
        set_level("info")
    assert [answer["outcome"] for answer in answers] == ["ok", "ok", *["failed"] * 4]
    assert answers[1]["id"] == 1
    assert answers[1]["value"] == {"level": "debug", "part": None}
    for answer, says in zip(answers[2:], ("'loud'", "missing", "part", "'colour'"), strict=True):
        assert answer["error"]["code"] == "malformed"
        assert says in answer["error"]["message"]


@pytest.mark.parametrize("verb", ["infos", "reloadd", "", "x" * 100, "INFO"])
async def test_what_the_bridge_cannot_be_asked(tmp_path: Path, verb: str) -> None:
    bridge = Bridge(tmp_path)
    async with bridge.running():
        bridge.ask(verb)
        [(topic, answer)] = await bridge.answers()
    assert topic == (verb if 0 < len(verb) <= 40 else "error")
    assert ("origin" in answer) is (topic == "error")
    assert answer["error"]["code"] == "unknown_verb"
    assert "info, health, reload, announce, log_level, yield" in answer["error"]["explanation"]


async def test_reload_tells_what_came_of_it(tmp_path: Path) -> None:
    forced: list[bool] = []

    async def reload(force: bool) -> ReloadReport:
        forced.append(force)
        await trio.lowlevel.checkpoint()
        if not force:
            return ReloadReport(errors=("bridge.toml: [rooms.a] server: is missing", "more"))
        return ReloadReport(value={"rooms": {"added": ["a"]}, "needs_restart": ["mqtt.host"]})

    bridge = Bridge(tmp_path, reload)
    async with bridge.running():
        bridge.ask("reload")
        await trio.testing.wait_all_tasks_blocked()
        bridge.ask("reload", {"force": True})
        await trio.testing.wait_all_tasks_blocked()
        bridge.ask("reload", {"force": 1})
        (_, refused), (_, done), (_, malformed) = await bridge.answers()
    assert forced == [False, True]
    assert refused["error"]["code"] == "refused"
    assert "server: is missing" in refused["error"]["message"]
    assert done["value"] == {"rooms": {"added": ["a"]}, "needs_restart": ["mqtt.host"]}
    assert malformed["error"]["code"] == "malformed"


async def test_a_bridge_without_reload_says_so(tmp_path: Path) -> None:
    bridge = Bridge(tmp_path)
    async with bridge.running():
        bridge.ask("reload")
        await trio.testing.wait_all_tasks_blocked()
        [(_, answer)] = await bridge.answers()
    assert answer["error"]["code"] == "not_available"


async def test_many_at_once_are_bounded_and_a_shutdown_answers_them(tmp_path: Path) -> None:
    bridge = Bridge(tmp_path)
    async with bridge.running() as scope:
        for number in range(20):
            bridge.ask("announce", {"id": number})
        answers = await bridge.answers()
        assert [answer["id"] for _, answer in answers] == [16, 17, 18, 19]
        assert {answer["error"]["code"] for _, answer in answers} == {"too_many_requests"}
        bridge.announcing.set()
        await trio.testing.wait_all_tasks_blocked()
        answers = (await bridge.answers())[4:]
        assert sorted(answer["id"] for _, answer in answers) == list(range(16))
        assert {answer["value"]["topics"] for _, answer in answers} == {7}
        bridge.announcing = trio.Event()
        bridge.ask("announce", {"id": "late"})
        await trio.testing.wait_all_tasks_blocked()
        bridge.ask("announce", {"id": "later"})
        scope.cancel()
    left = (await bridge.answers())[20:]
    assert {answer["id"]: answer["error"]["code"] for _, answer in left} == {
        "late": "stopping",
        "later": "stopping",
    }


async def test_health_is_measured(tmp_path: Path) -> None:
    """A real question to HMP and a real commit; a broker that is away is said to be."""
    bridge = Bridge(tmp_path)
    async with bridge.running():
        peer = await bridge.ready()
        bridge.ask("health")
        bridge.ask("health", {"id": "same"})
        await peer.answer(NOT_FOUND, "getRecordingStatus ")
        await bridge.until(2)
        (_, first), (_, second) = await bridge.answers()
    value = first["value"]
    assert first["outcome"] == "ok"
    assert value["ok"] is False
    server = value["servers"]["main"]
    assert server["ok"] is True
    assert server["state"] == "ready"
    assert server["round_trip_ms"] >= 0
    assert server["error"] is None
    assert value["journal"]["ok"] is True
    assert value["journal"]["commit_ms"] > 0
    assert value["broker"] == {"ok": False, "error": "there is no connection to the broker"}
    assert second["value"] == value


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("ERROR|090001|No bus connection", "services do not"),
        ("ERROR|070000|Internal Server Error", "services do not"),
        (None, "closed"),
    ],
)
async def test_an_hmp_that_is_not_well(tmp_path: Path, answer: str | None, says: str) -> None:
    bridge = Bridge(tmp_path)
    async with bridge.running():
        peer = await bridge.ready()
        bridge.ask("health")
        await peer.line()
        if answer is None:
            await peer.close()
        else:
            await peer.send(f"{answer}\n")
        await bridge.until(1)
        [(_, said)] = await bridge.answers()
    server = said["value"]["servers"]["main"]
    assert server["ok"] is False
    assert says in server["error"]


async def test_an_hmp_that_cannot_be_asked(tmp_path: Path) -> None:
    bridge = Bridge(tmp_path)
    bridge.hmp.failures = [ConnectionRefusedError("refused")] * 100
    async with bridge.running():
        await trio.testing.wait_all_tasks_blocked()
        bridge.ask("health")
        await bridge.until(1)
        [(_, said)] = await bridge.answers()
    server = said["value"]["servers"]["main"]
    assert (server["ok"], server["state"]) == (False, "refused")


def test_every_verb_has_its_place_here() -> None:
    assert set(Verb) == {"info", "health", "reload", "announce", "log_level", "yield"}
    assert PATIENCE < 10


async def test_a_yield_that_is_delivered_again_moves_nothing(tmp_path: Path) -> None:
    """The box that left over it could not say so to the broker: else the lease went to and fro."""
    bridge = Bridge(tmp_path)
    async with bridge.running():
        bridge.ask("yield", again=True)
        [(_, answer)] = await bridge.answers()
    assert (answer["outcome"], answer["error"]["code"]) == ("failed", "had_before")
    assert bridge.accepted == ["yield"]
