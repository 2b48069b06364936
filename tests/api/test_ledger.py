"""What of requests survives a kill."""

import json
from collections.abc import Callable, Sequence
from functools import partial

import structlog.testing
import trio

from bridge.api.ledger import Entry, Ledger
from bridge.journal.inputs import InputKey
from bridge.mqtt.api_topics import Answer, Caller
from bridge.room.facts.values import Problem, Reply
from bridge.room.facts.vocabulary import Outcome

CALLER = Caller("a", "hmp/server/main/request/createSession", "t", Reply("mine", "00ff"))


class Disk:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.documents: list[str] = []
        self.inputs: list[InputKey] = []

    async def save(self, name: str, document: str, inputs: Sequence[InputKey]) -> None:
        assert name == "server/main"
        await trio.lowlevel.checkpoint()
        self.documents.append(document)
        self.inputs += inputs

    def reread(self) -> tuple[Entry, ...]:
        return Ledger("server/main", self.save, self.documents[-1]).left


async def test_everything_comes_back_as_it_was(autojump_clock: trio.abc.Clock) -> None:
    disk = Disk()
    ledger = Ledger("server/main", disk.save, None)
    assert ledger.left == ()
    done: list[str] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ledger.run)
        waiting, sent, answered = (Entry(CALLER, "createSession") for _ in range(3))
        for entry in (waiting, sent, answered):
            ledger.take(entry, InputKey(7, b"\xff\x00"), partial(done.append, entry.key))
        assert disk.documents == []
        await trio.testing.wait_all_tasks_blocked()
        assert len(disk.documents) == 1
        assert done == [waiting.key, sent.key, answered.key]
        assert disk.inputs == [InputKey(7, b"\xff\x00")] * 3
        await ledger.sending(sent)
        await ledger.sending(sent)
        assert len(disk.documents) == 2
        await ledger.sending(answered)
        answer = Answer(Outcome.FAILED, problem=Problem("040006", "m | é", "e"), raw="ERROR|…")
        await ledger.answered(answered, answer)
        left = disk.reread()
        assert [(each.key, each.sent, each.answer) for each in left] == [
            (waiting.key, False, None),
            (sent.key, True, None),
            (answered.key, True, answer),
        ]
        assert {each.caller for each in left} == {CALLER}
        ledger.arrived(answered)
        ledger.arrived(answered)
        count = len(disk.documents)
        await trio.sleep(1.5)
        assert len(disk.documents) == count + 1
        assert [each.key for each in disk.reread()] == [waiting.key, sent.key]
        nursery.cancel_scope.cancel()


async def test_answers_for_a_broker_that_is_away_are_bounded() -> None:
    disk = Disk()
    ledger = Ledger("server/main", disk.save, None)
    entries = [Entry(CALLER, "createSession") for _ in range(150)]
    nothing: Callable[[], None] = lambda: None  # noqa: E731
    for entry in entries:
        ledger.take(entry, None, nothing)
    for entry in entries[:120]:
        await ledger.answered(entry, Answer(Outcome.OK))
    left = {each.key for each in disk.reread()}
    assert left == {each.key for each in entries[20:]}


def test_an_unreadable_entry_stops_nothing() -> None:
    disk = Disk()
    for document in ("", "{", "[{}]", json.dumps([{"caller": 5}])):
        with structlog.testing.capture_logs() as logs:
            assert Ledger("server/main", disk.save, document).left == ()
        [line] = logs
        assert line["log_level"] == "error"
        assert line["entry"] == "server/main"
