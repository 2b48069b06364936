"""A message over which a reader fails: answered, acknowledged, reported, and nothing else."""

import pytest
import trio

from bridge.intake.admission import Admission
from bridge.intake.guard import Guard
from bridge.intake.sources import Sources
from bridge.intake.suspects import Suspects
from bridge.logs.log import configure_logs
from bridge.mqtt.acknowledgements import Acknowledgements, Part
from bridge.mqtt.message import Message, Receipt
from bridge.mqtt.topics import Topics
from bridge.room.delivery import Bearer
from bridge.room.facts.values import Now, Result


class Refusals:
    """Whoever answers for no room; the broker has each answer at once."""

    def __init__(self) -> None:
        self.results: list[Result] = []
        self.counted: dict[str, int] = {}

    def refusal(self, result: Result, bearer: Bearer) -> None:
        self.results.append(result)
        bearer.accept()

    def unanswered(self, topics: str, count: int) -> None:
        self.counted[topics] = count


def admission_to(refusals: Refusals) -> Admission:
    """Admission to no room at all."""
    sources = Sources(Topics(), {}, lambda _: None)
    return Admission({}, refusals=refusals, clock=lambda: Now(0.0, 0.0), sources=sources)


async def nothing(*_: str) -> None:
    pass


def fail() -> None:
    raise RecursionError("forgotten")


async def test_whatever_a_reader_forgot_is_an_answer(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs()
    acknowledged: list[int] = []
    refusals = Refusals()
    acknowledgements = Acknowledgements(nothing)
    admission = admission_to(refusals)
    guard = Guard(Suspects("", "", nothing), admission, Topics(), {}, acknowledgements)
    for mid in (1, 2):
        receipt = Receipt(mid, 0, acknowledged.append)
        message = Message(
            "hmp/room/r/press/record", b"x", 1, False, False, trio.current_time(), receipt=receipt
        )
        guard.handle(Part(acknowledgements.place(message), 0.0), fail)
    assert acknowledged == [1, 2]
    assert [each.problem and each.problem.code for each in refusals.results] == [
        "internal_error"
    ] * 2
    assert [(each.word, str(each.outcome)) for each in refusals.results] == [
        ("record", "failed")
    ] * 2
    said = capsys.readouterr().err
    assert "internal error" in said
    assert "RecursionError: forgotten" in said
    assert said.count("Traceback") == 1  # of what comes again from the same topic, one


async def test_cancellation_passes() -> None:
    acknowledgements = Acknowledgements(nothing)
    admission = admission_to(Refusals())
    guard = Guard(Suspects("", "", nothing), admission, Topics(), {}, acknowledgements)
    message = Message("hmp/room/r/press/record", b"x", 0, False, False, 0.0)

    def cancelled() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        guard.handle(Part(acknowledgements.place(message), 0.0), cancelled)


async def test_of_the_process_before_only_the_message_that_it_named_is_suspect() -> None:
    notes: dict[str, str] = {}

    async def save(name: str, document: str) -> None:
        notes[name] = document

    def again(mid: int, payload: bytes = b"x") -> Message:
        receipt = Receipt(mid, 0, lambda _: None)
        return Message("t", payload, 1, False, True, 0.0, receipt=receipt)

    first = Suspects("", "", save)
    assert await first.is_safe(again(1))
    assert await first.is_safe(again(2))
    assert await first.is_safe(again(2))  # twice in one process, as after a lost connection
    second = Suspects(notes["handling"], "", save)
    assert await second.is_safe(again(2, b"y"))
    assert await second.is_safe(again(2))
    third = Suspects(notes["handling"], "", save)
    assert await third.is_safe(again(1))
    assert await third.is_safe(again(2, b"y"))
    assert not await third.is_safe(again(2))
    assert '"topic": "t"' in notes["set_aside"]
    await third.clear()
    assert notes["handling"] == ""
    fourth = Suspects(notes["handling"], notes["set_aside"], save)
    assert await fourth.is_safe(again(2))


async def test_one_end_in_between_over_another_message_begins_anew() -> None:
    notes: dict[str, str] = {}

    async def save(name: str, document: str) -> None:
        notes[name] = document

    for payload in (b"x", b"y", b"x", b"y", b"x"):
        receipt = Receipt(1, 0, lambda _: None)
        message = Message("t", payload, 1, False, True, 0.0, receipt=receipt)
        assert await Suspects(notes.get("handling", ""), "", save).is_safe(message)
