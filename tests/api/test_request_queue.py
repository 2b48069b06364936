"""Requests that wait for a server, at a real link over memory streams, on a virtual clock."""

import json
import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
import trio
import trio.testing

from bridge.api.ledger import Entry, Ledger
from bridge.api.request_queue import MOST_WAITING, Call, Downtime, RequestQueue
from bridge.hmp.client import ServerLink
from bridge.hmp.commands import Repeat, parse_command
from bridge.hmp.link import LinkState, Priority
from bridge.hmp.queue import Settled
from bridge.journal.inputs import InputKey
from bridge.mqtt.api_topics import Answer, Caller
from bridge.room.facts.vocabulary import Outcome
from tests.hmp.peer import NOT_FOUND, SETTINGS, UUID, MemoryHmp, PeerConnection

TTL = 30.0


class Server:
    """A link, two queues, a ledger on a disk that takes its time, and what was answered when."""

    def __init__(self, *, commit: float = 0.0) -> None:
        self.hmp = MemoryHmp()
        # Back-off is random: short, so that none of it is longer than what a test measures.
        settings = replace(SETTINGS, longest_backoff=1.0)
        self.link = ServerLink(settings, changed=self._link_changed, connect=self.hmp.connect)
        self.commit = commit
        self.disk: list[str] = []
        self.inputs: list[InputKey] = []
        self.events: list[str] = []
        self.answered: dict[str | int, tuple[float, Answer]] = {}
        self.arrivals: list[object] = []
        self.downtime = Downtime()
        self.ledger = Ledger("server/main", self._save, None)
        self.requests, self.stops = (
            RequestQueue(self.link, priority, self.downtime, self.ledger, self._finish)
            for priority in (Priority.REQUEST, Priority.STOP)
        )
        self._changed = trio.Event()

    async def _save(self, name: str, document: str, inputs: Sequence[InputKey]) -> None:
        assert name == "server/main"
        await trio.sleep(self.commit)
        self.disk.append(document)
        self.inputs += inputs
        entry = (json.loads(document) or [{}])[-1]
        self.events.append(f"disk {entry.get('sent')} {(entry.get('answer') or {}).get('outcome')}")

    def _finish(self, call: Call, answer: Answer, arrived: object) -> None:
        assert call.caller.id not in self.answered, "answered twice"
        self.answered[call.caller.id] = (trio.current_time(), answer)
        self.events.append(f"answer {call.caller.id}")
        self.arrivals.append(arrived)
        self._changed.set()

    def ask(
        self,
        request_id: str,
        name: str,
        *values: object,
        expiry: float | None = None,
        queue: RequestQueue | None = None,
    ) -> Call:
        """Submit as the API does."""
        queue = queue or self.requests
        now = trio.current_time()
        caller = Caller(request_id, f"hmp/server/main/request/{name}", "answers")
        call = Call(caller, parse_command(name, values), now, self._heard(request_id))
        if expiry is None:
            call.ttl_until = self.downtime.now() + TTL
        else:
            call.deadline = now + expiry
        if call.command.repeat is not Repeat.SAFE:

            def taken() -> None:
                self.events.append(f"taken {request_id}")
                call.taken.set()

            call.entry = Entry(caller, name, sent=queue.goes_at_once)
            self.ledger.take(call.entry, InputKey(1, b"digest"), taken)
        queue.submit(call)
        return call

    def _heard(self, request_id: str) -> Settled:
        return lambda _: self.events.append(f"heard {request_id}")

    async def until(self, *ids: str) -> None:
        while not set(ids) <= set(self.answered):
            self._changed = trio.Event()
            await self._changed.wait()

    def outcome(self, request_id: str) -> Outcome:
        return self.answered[request_id][1].outcome

    @asynccontextmanager
    async def running(self) -> AsyncIterator[trio.CancelScope]:
        """Everything at work; the scope is the API's, which ends before the link does."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.link.run)
            async with trio.open_nursery() as api:
                for each in (self.ledger, self.requests, self.stops):
                    api.start_soon(each.run)
                yield api.cancel_scope
                api.cancel_scope.cancel()
            nursery.cancel_scope.cancel()

    def _link_changed(self, state: LinkState) -> None:
        self.downtime.link_changed(ready=state is LinkState.READY)
        self.requests.wake()
        self.stops.wake()

    async def ready(self) -> PeerConnection:
        peer = await self.hmp.accept()
        await peer.alive()
        await trio.testing.wait_all_tasks_blocked()
        return peer


async def test_answered_in_the_order_in_which_they_came(autojump_clock: trio.abc.Clock) -> None:
    server = Server()
    async with server.running():
        for number in range(10):
            server.ask(f"a{number}", "updateMetadata", UUID, "title", f"title {number}")
        peer = await server.ready()
        for number in range(10):
            await peer.answer("OK", f'updateMetadata {UUID} title "title {number}"')
        await server.until("a9")
    assert list(server.answered) == [f"a{number}" for number in range(10)]
    assert server.answered["a0"][1] == Answer(Outcome.OK, raw="OK")


async def test_typed_results_and_hmp_s_own_words(autojump_clock: trio.abc.Clock) -> None:
    server = Server()
    async with server.running():
        peer = await server.ready()
        server.ask("status", "getRecordingStatus", UUID)
        await peer.answer("OK|PAUSED")
        server.ask("new", "createSession", "x")
        await peer.answer(f"OK|{UUID}")
        server.ask("none", "stopRecording", UUID)
        await peer.answer(NOT_FOUND)
        server.ask("typo", "startRecording", UUID)
        await peer.answer("ERROR|0700014|Error writing to file")
        server.ask("codeless", "deleteSession", UUID)
        await peer.answer("ERROR|Command not found")
        await server.until("codeless")
    answers = {key: answer for key, (_, answer) in server.answered.items()}
    assert answers["status"] == Answer(Outcome.OK, "PAUSED", raw="OK|PAUSED")
    assert answers["new"] == Answer(Outcome.OK, UUID, raw=f"OK|{UUID}")
    assert answers["none"].raw == NOT_FOUND
    assert answers["typo"].raw == "ERROR|0700014|Error writing to file"
    assert answers["codeless"].raw == "ERROR|Command not found"
    for key, code in (("none", "040001"), ("typo", "070014"), ("codeless", "000002")):
        problem = answers[key].problem
        assert problem is not None
        assert problem.code == code
        assert problem.explanation
        assert answers[key].outcome is Outcome.FAILED


async def test_without_an_expiry_only_time_without_a_link_counts(
    autojump_clock: trio.abc.Clock,
) -> None:
    """30 s of it in all, however it is spread; a queue at a busy HMP expires nothing."""
    server = Server()
    server.hmp.failures = [OSError("no route")] * 1000
    async with server.running():
        began = trio.current_time()
        server.ask("old", "deleteSession", UUID)
        await trio.sleep(20)
        server.ask("young", "deleteSession", UUID)
        await server.until("old")
        assert server.answered["old"][0] - began == pytest.approx(TTL)
        server.hmp.failures.clear()
        peer = await server.ready()
        assert "young" not in server.answered
        assert await peer.line() == f"deleteSession {UUID}"
        for number in range(8):
            server.ask(f"queued {number}", "getRecordingStatus", UUID)
        await trio.sleep(9)
        await peer.send("OK\n")
        for _ in range(8):
            assert await peer.line()
            await trio.sleep(4)
            await peer.send("OK|RECORDING\n")
        await server.until("queued 7")
    assert server.outcome("old") is Outcome.EXPIRED
    del server.answered["old"]
    assert {answer.outcome for _, answer in server.answered.values()} == {Outcome.OK}


@pytest.mark.parametrize("expiry", [0, 1, 45, 3600])
async def test_the_sender_s_expiry_counts_instead(
    autojump_clock: trio.abc.Clock, expiry: int
) -> None:
    server = Server()
    server.hmp.failures = [OSError("no route")] * 10_000
    async with server.running():
        began = trio.current_time()
        server.ask("long", "deleteSession", UUID, expiry=math.inf)
        server.ask("a", "createSession", "x", expiry=expiry)
        await server.until("a")
        assert server.answered["a"][0] - began == pytest.approx(expiry)
        assert server.outcome("a") is Outcome.EXPIRED
        assert list(server.answered) == ["a"]


async def test_the_expiry_counts_in_the_queue_of_a_busy_hmp_too(
    autojump_clock: trio.abc.Clock,
) -> None:
    """What is in flight is waited for; what waits behind it is never sent once it is too late."""
    server = Server()
    async with server.running():
        peer = await server.ready()
        server.ask("slow", "deleteSession", UUID, expiry=2)
        await peer.line()
        server.ask("late", "deleteSession", UUID, expiry=2)
        server.ask("stop", "stopRecording", UUID, expiry=2, queue=server.stops)
        await trio.sleep(5)
        assert server.outcome("late") is Outcome.EXPIRED
        assert server.outcome("stop") is Outcome.EXPIRED
        await peer.send("OK\n")
        await server.until("slow")
        assert server.outcome("slow") is Outcome.OK
        server.ask("next", "setLiveSession", UUID, True)
        await peer.answer("OK", "setLiveSession")
        await server.until("next")


async def test_what_was_not_sent_when_the_link_was_lost_waits_for_the_next(
    autojump_clock: trio.abc.Clock,
) -> None:
    """Sent and unanswered is unknown; unsent is sent over the next connection, in order."""
    server = Server()
    async with server.running():
        peer = await server.ready()
        server.ask("lost", "createSession", "lost")
        server.ask("safe", "deleteSession", UUID)
        server.ask("new", "createSession", "new")
        await peer.line()
        await peer.close()
        await server.until("lost")
        peer = await server.ready()
        await peer.answer("OK", "deleteSession")
        await peer.answer(f"OK|{UUID}", "createSession new")
        await server.until("new")
    problem = server.answered["lost"][1].problem
    assert server.outcome("lost") is Outcome.UNKNOWN
    assert problem is not None
    assert "web pages" in problem.explanation
    assert server.outcome("safe") is Outcome.OK
    assert server.outcome("new") is Outcome.OK


@pytest.mark.parametrize(("name", "value"), [("createSession", "x"), ("deleteSession", UUID)])
async def test_what_waited_at_the_link_goes_back_to_its_queue(
    autojump_clock: trio.abc.Clock, name: str, value: str
) -> None:
    """Nothing of it was sent: it is still the next, and on the disk it has not been sent."""
    server = Server()
    async with server.running():
        peer = await server.ready()
        server.ask("stop", "stopRecording", UUID, queue=server.stops)
        await peer.line()
        server.ask("first", name, value)
        await trio.testing.wait_all_tasks_blocked()
        server.ask("second", "setLiveSession", UUID, True)
        await peer.close()
        await server.until("stop")
        assert server.outcome("stop") is Outcome.UNKNOWN
        peer = await server.ready()
        await peer.answer(f"OK|{UUID}" if name == "createSession" else "OK", name)
        await peer.answer("OK", "setLiveSession")
        await server.until("first", "second")
    assert list(server.answered) == ["stop", "first", "second"]
    assert server.outcome("first") is Outcome.OK
    written = [event for event in server.events if event.startswith("disk")]
    again = ["disk True None", "disk True None", "disk True ok"] if name == "createSession" else []
    assert written == again


async def test_a_stop_goes_before_whatever_waits(autojump_clock: trio.abc.Clock) -> None:
    server = Server()
    async with server.running():
        peer = await server.ready()
        for number in range(5):
            server.ask(f"a{number}", "deleteSession", UUID)
        await trio.testing.wait_all_tasks_blocked()
        server.ask("stop", "stopRecording", UUID, queue=server.stops)
        await peer.answer("OK", "deleteSession")
        await peer.answer("OK", "stopRecording")
        for _ in range(4):
            await peer.answer("OK", "deleteSession")
        await server.until("a4")
    assert list(server.answered)[:2] == ["a0", "stop"]


async def test_journalled_before_it_is_taken_sent_or_answered_and_heard_before_that_is(
    autojump_clock: trio.abc.Clock,
) -> None:
    """R6, R27: what a repeat would harm; the rest costs no disk at all."""
    server = Server(commit=0.5)
    async with server.running():
        peer = await server.ready()
        server.ask("safe", "deleteSession", UUID)
        await peer.answer("OK")
        await server.until("safe")
        assert server.disk == []
        server.events.clear()
        server.ask("new", "createSession", "x")
        asked = trio.current_time()
        await peer.line()
        server.events.append("sent")
        assert trio.current_time() - asked == pytest.approx(0.5)
        await peer.send(f"OK|{UUID}\n")
        await server.until("new")
        assert server.events == [
            "disk True None",
            "taken new",
            "sent",
            "heard new",
            "disk True ok",
            "answer new",
        ]
        assert server.inputs == [InputKey(1, b"digest")]
        # The broker has the answer: a second later nothing of it is left.
        server.arrivals[-1]()  # type: ignore[operator]
        await trio.sleep(2)
        assert json.loads(server.disk[-1]) == []


async def test_what_had_to_wait_is_written_down_again_before_it_is_sent(
    autojump_clock: trio.abc.Clock,
) -> None:
    server = Server(commit=0.01)
    async with server.running():
        server.ask("new", "createSession", "x")
        await trio.sleep(0.1)
        assert server.events == ["disk False None", "taken new"]
        peer = await server.ready()
        await peer.line()
        assert server.events[2:] == ["disk True None"]
        await peer.send(f"OK|{UUID}\n")
        await server.until("new")


async def test_shutdown_answers_everything_once(autojump_clock: trio.abc.Clock) -> None:
    """What is in flight is waited for, what waits was never sent."""
    server = Server(commit=0.1)
    async with server.running() as scope:
        peer = await server.ready()
        server.ask("flight", "createSession", "x")
        await peer.line()
        server.ask("waits", "createSession", "y")
        server.ask("stop", "stopRecording", UUID, queue=server.stops)
        await trio.testing.wait_all_tasks_blocked()
        scope.cancel()
        with trio.CancelScope(shield=True):
            await server.until("stop")
            await peer.send(f"OK|{UUID}\n")
    assert server.outcome("flight") is Outcome.OK
    for each in ("waits", "stop"):
        _, answer = server.answered[each]
        assert answer.outcome is Outcome.EXPIRED
        assert answer.problem is not None
        assert answer.problem.code == "stopping"
    # On the disk every one of them has its answer, should the broker not have got it.
    kept = {each["caller"]["id"]: each["answer"]["outcome"] for each in json.loads(server.disk[-1])}
    assert kept == {"flight": "ok", "waits": "expired"}


async def test_the_lane_is_bounded(autojump_clock: trio.abc.Clock) -> None:
    server = Server()
    async with server.running():
        for number in range(MOST_WAITING):
            assert not server.requests.full
            server.ask(f"a{number}", "deleteSession", UUID)
        assert server.requests.full
        assert not server.stops.full
        await server.until(*(f"a{number}" for number in range(MOST_WAITING)))
        assert not server.requests.full
