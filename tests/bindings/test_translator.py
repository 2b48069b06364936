"""Bindings at work: what is held acts in time, what fell due while nobody looked at once."""

import structlog
import trio
import trio.testing

from bridge.bindings.translator import Translator
from bridge.config.bindings import BindingTable, make_bindings
from bridge.mqtt.message import Message
from bridge.mqtt.topics import Input
from bridge.room.facts.values import Now

TABLE = {"topic": "b", "payload": True, "room": "r0", "do": "stop", "hold": "2s"}
BINDINGS = make_bindings([BindingTable.model_validate(TABLE)])
ROOMS = {"r0": "Room 0"}


def clock(ahead: float = 0.0) -> Now:
    return Now(100.0 + trio.current_time() + ahead, 1_700_000_000.0 + trio.current_time() + ahead)


def pressed() -> Translator:
    bound = Translator(BINDINGS, ROOMS, clock=clock, boot="boot")
    verdicts, changed = bound.take(Message("b", b"1", 1, False, False, trio.current_time()))
    assert (verdicts, changed) == ([], True)
    return bound


async def test_what_is_held_acts_when_its_time_has_come(
    autojump_clock: trio.testing.MockClock,
) -> None:
    bound, began = pressed(), trio.current_time()
    (verdict,) = await bound.held()
    assert verdict.outcome == Input("r0", "stop")
    assert trio.current_time() - began == 2.0
    assert bound.remembered() == "{}"


async def test_what_fell_due_while_the_bridge_was_away_acts_at_once(
    autojump_clock: trio.testing.MockClock,
) -> None:
    kept, due = pressed().remembered(), clock().monotonic + 2.0
    later = Translator(BINDINGS, ROOMS, clock=lambda: clock(60.0), boot="boot", kept=kept)
    began = trio.current_time()
    (verdict,) = await later.held()
    assert (verdict.outcome, verdict.held_at) == (Input("r0", "stop"), due)
    assert trio.current_time() == began


async def test_what_no_binding_can_look_at_is_said_once_per_topic() -> None:
    bound = Translator(BINDINGS, ROOMS, clock=clock, boot="boot")
    with structlog.testing.capture_logs() as logs:
        for payload in ("Größe".encode("latin-1"), b"\xff", b"x" * 200_001, b"1"):
            bound.take(Message("b", payload, 1, False, False, trio.current_time()))
        bound.take(Message("b", b"\xff", 1, True, False, trio.current_time()))
    (said,) = [each for each in logs if each["log_level"] == "warning"]
    assert (said["topic"], said["reason"]) == ("b", "the payload is not UTF-8 text")


def test_the_room_to_which_all_bindings_of_a_topic_lead() -> None:
    def bindings(*tables: tuple[str, str]) -> Translator:
        made = [
            BindingTable.model_validate({"topic": topic, "room": room, "do": "record"})
            for topic, room in tables
        ]
        return Translator(make_bindings(made), {"r0": "", "r1": ""}, clock=clock, boot="")

    translator = bindings(("one/+", "r0"), ("one/a", "r0"), ("two", "r0"), ("two", "r1"))
    assert translator.leads("one/a") == ("r0", "one/+")
    assert translator.leads("two") == (None, "two")
    assert translator.leads("three") is None
    assert bindings(("any", "{{ payload }}")).leads("any") == (None, "any")
