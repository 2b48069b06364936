"""Faults: their written form, their bookkeeping, and what a client sees of each.

The connection faults are played over memory streams with a virtual clock, so that delays take no
time and can be measured exactly.
"""

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MemorySendStream, memory_stream_pair, wait_all_tasks_blocked

from bridge.simulator.faults import FAULT_KINDS, Fault, FaultError, Faults, row_of_code
from bridge.simulator.messages import MESSAGES
from bridge.simulator.run import wall_clock
from bridge.simulator.server import Simulator
from bridge.simulator.wire import StreamWire

from .worlds import Clock, example_world

Stream = trio.StapledStream[MemorySendStream, trio.testing.MemoryReceiveStream]

PING = b"ERROR|000002|Command not found\n"

# -- written form --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("delay:startRecording:2.5", Fault("delay", "startRecording", "2.5")),
        ("lose_reply:startRecording:count=1", Fault("lose_reply", "startRecording", count=1)),
        ("error:*:070000:seconds=60", Fault("error", "*", "070000", seconds=60)),
        ("half_open", Fault("half_open", "*", "ignored")),
        ("merge", Fault("merge", value="0.05")),
    ],
)
def test_reading(text: str, fault: Fault) -> None:
    assert Fault.from_text(text) == fault
    assert Fault.from_text(str(fault)) == fault


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("explode", "no fault 'explode'; kinds are delay, slow_reply, close_on_connect, "),
        ("", "no fault ''; kinds are"),
        ("delay:ping", "no command 'ping'; commands are * (all), createSession, "),
        ("delay:*:soon", "'soon' is not a number of seconds"),
        ("delay:*:-1", "'-1' is not a number of seconds"),
        ("delay:*:inf", "'inf' is not a number of seconds"),
        ("split:*:0", "'0' is not a number of bytes (1 or more)"),
        ("split:*:1.5", "'1.5' is not a number of bytes (1 or more)"),
        ("split:*:inf", "'inf' is not a number of bytes (1 or more)"),
        ("half_open:*:maybe", "'maybe' is not ignored or executed"),
        ("error:*:123456", "no code '123456'; the guide has 000000, 000001, "),
        ("lose_reply:*:3", "fault lose_reply takes no value, got '3'"),
        ("delay:*:1:count=0", "count must be 1 or more, not 0"),
        ("delay:*:1:count=many", "'count=many' needs a number"),
        ("delay:*:1:seconds=0", "seconds must be above 0, not 0"),
        ("delay:*:1:2", "'2' is too much; the form is KIND[:COMMAND[:VALUE]]"),
        ("garbage:*:a\nb", "the text must be one line"),
    ],
)
def test_complaints(text: str, complaint: str) -> None:
    with pytest.raises(FaultError) as caught:
        Fault.from_text(text)
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    ("mapping", "complaint"),
    [
        ({}, "kind is missing; keys are kind, command, value, count, seconds"),
        ({"kind": "delay", "for": 1}, "unknown for; keys are"),
        ({"kind": "delay", "count": 1.5}, "count needs a whole number, not 1.5"),
        ({"kind": "delay", "count": True}, "count needs a whole number, not True"),
        ({"kind": "delay", "seconds": "1"}, "seconds needs a number, not '1'"),
    ],
)
def test_complaints_about_objects(mapping: dict[str, object], complaint: str) -> None:
    with pytest.raises(FaultError) as caught:
        Fault.from_mapping(mapping)
    assert complaint in str(caught.value)


def test_reading_an_object() -> None:
    mapping = {"kind": "delay", "command": "addHotmark", "value": 2, "count": 3, "seconds": 1.5}
    assert Fault.from_mapping(mapping) == Fault.from_text("delay:addHotmark:2:count=3:seconds=1.5")


@given(
    st.sampled_from(sorted(FAULT_KINDS)),
    st.sampled_from(["*", *MESSAGES]),
    st.none() | st.integers(1, 10**6),
    st.none() | st.integers(1, 10**5),
)
def test_written_form_reads_back(
    kind: str, command: str, count: int | None, seconds: int | None
) -> None:
    fault = Fault(kind, command, count=count, seconds=seconds)
    assert Fault.from_text(str(fault)) == fault


@given(st.text(max_size=30))
def test_any_text_is_a_fault_or_a_complaint(text: str) -> None:
    try:
        fault = Fault.from_text(text)
    except FaultError:
        return
    assert fault.kind in FAULT_KINDS


def test_a_codes_words_are_the_commands_own() -> None:
    assert row_of_code("070003", "stopRecording").message == "Internal Server Error"
    assert row_of_code("070003", "pauseRecording").message == "Failed to update state"
    assert row_of_code("070000", "addHotmark").message == "Internal Server Error"
    assert row_of_code("070014", "startRecording") == ("070014", "Error writing to file")
    assert row_of_code("070027", "*").message == "Insufficient Disk Space"
    assert math.isnan(Fault("lose_reply").number)


# -- bookkeeping ---------------------------------------------------------------------------------


def test_counts_run_out_and_the_oldest_comes_first() -> None:
    faults = Faults(Clock())
    assert not faults
    faults.add(Fault.from_text("delay:addHotmark:1:count=2"))
    faults.add(Fault.from_text("delay:*:9"))
    taken = [faults.take("delay", "addHotmark") for _ in range(3)]
    assert [fault.value if fault else None for fault in taken] == ["1", "1", "9"]
    assert faults.take("delay", "startRecording") is not None
    assert faults.take("split", "addHotmark") is None
    assert faults.listing() == ["delay:*:9"]


def test_time_runs_out() -> None:
    clock = Clock()
    faults = Faults(clock)
    faults.add(Fault.from_text("crlf:seconds=10"))
    clock.time += 9.5
    assert faults.listing() == ["crlf:*:seconds=0.5"]
    assert faults.take("crlf", "addHotmark") is not None
    clock.time += 0.5
    assert faults.take("crlf", "addHotmark") is None
    assert not faults


def test_clearing() -> None:
    faults = Faults(Clock())
    for text in ("crlf", "split", "crlf:addHotmark"):
        faults.add(Fault.from_text(text))
    assert faults.clear("crlf") == 2
    assert faults.listing() == ["split:*:1"]
    assert faults.clear() == 1
    assert not faults


# -- what a client sees --------------------------------------------------------------------------


@asynccontextmanager
async def client_of(*faults: str) -> AsyncIterator[tuple[Stream, Simulator]]:
    world = example_world()
    world.now = wall_clock()
    for text in faults:
        world.faults.add(Fault.from_text(text))
    told: list[str] = []
    simulator = Simulator(world, tell=told.append)
    ours, theirs = memory_stream_pair()
    async with trio.open_nursery() as nursery:
        talk = simulator.talk
        nursery.start_soon(lambda: talk(StreamWire(theirs), address="192.0.2.1", peer="memory"))
        yield ours, simulator
        await ours.aclose()


async def everything(stream: Stream) -> bytes:
    return b"".join([bytes(chunk) async for chunk in stream])


async def test_delay_works_first(autojump_clock: trio.testing.MockClock) -> None:
    async with client_of("delay:createSession:2.5:count=1") as (client, simulator):
        await client.send_all(b"createSession a\nping\n")
        await wait_all_tasks_blocked()
        assert simulator.world.executed == 0
        began = trio.current_time()
        assert (await client.receive_some()).startswith(b"OK|")
        assert trio.current_time() - began == pytest.approx(2.5, abs=0.01)
        assert await client.receive_some() == PING
        await client.send_all(b"createSession b\n")
        assert (await client.receive_some()).startswith(b"OK|")
        assert trio.current_time() - began == pytest.approx(2.5, abs=0.01)


async def test_slow_reply_executes_at_once(autojump_clock: trio.testing.MockClock) -> None:
    async with client_of("slow_reply:createSession:9") as (client, simulator):
        await client.send_all(b"createSession a\n")
        await wait_all_tasks_blocked()
        assert simulator.world.executed == 1
        assert (await client.receive_some()).startswith(b"OK|")


@pytest.mark.parametrize(
    ("fault", "seen", "executed"),
    [
        ("close_on_connect", b"", 0),
        ("close_before:createSession", b"", 0),
        ("lose_reply:createSession", b"", 1),
        ("partial:createSession:2", b"OK", 1),
        ("partial:createSession:1000", b"OK|", 1),
        ("not_authorized:createSession", b"ERROR|020000|Not Authorized\n", 0),
    ],
)
async def test_faults_that_close(
    fault: str, seen: bytes, executed: int, autojump_clock: trio.testing.MockClock
) -> None:
    async with client_of(fault) as (client, simulator):
        try:
            await client.send_all(b"createSession a\n")
        except trio.BrokenResourceError:
            assert fault == "close_on_connect"
        got = await everything(client)
        assert got.startswith(seen)
        # A partial line never has its end, however much of it was asked for.
        assert got == seen or (fault.endswith("1000") and not got.endswith(b"\n"))
        assert simulator.world.executed == executed


@pytest.mark.parametrize(("word", "executed"), [("ignored", 0), ("executed", 1)])
async def test_half_open_says_nothing_more(
    word: str, executed: int, autojump_clock: trio.testing.MockClock
) -> None:
    async with client_of(f"half_open:createSession:{word}:count=1") as (client, simulator):
        await client.send_all(b"createSession a\n")
        await client.send_all(b"ping\n")
        with trio.move_on_after(3600) as waiting:
            await client.receive_some()
        assert waiting.cancelled_caught
        assert simulator.world.executed == executed


async def test_split_arrives_in_pieces(autojump_clock: trio.testing.MockClock) -> None:
    async with client_of("split:*:7") as (client, _):
        await client.send_all(b"ping\n")
        pieces: list[bytes] = []
        while not b"".join(pieces).endswith(b"\n"):
            pieces.append(bytes(await client.receive_some()))
        assert pieces == [b"ERROR|0", b"00002|C", b"ommand ", b"not fou", b"nd\n"]


async def test_merge_sends_waiting_answers_at_once(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with client_of("merge:*:0.5") as (client, _):
        await client.send_all(b"ping\nping\nping\n")
        assert await client.receive_some() == PING * 3
        await client.send_all(b"ping\n")
        assert await client.receive_some() == PING


async def test_merged_answers_are_not_lost_when_the_fault_ends(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with client_of("merge:*:count=1", "crlf:addHotmark") as (client, _):
        await client.send_all(b"ping\nping\n")
        assert await client.receive_some() == PING * 2


async def test_crlf_and_garbage(autojump_clock: trio.testing.MockClock) -> None:
    async with client_of("crlf:createSession:count=1", "garbage:*:<html>:count=1") as (client, _):
        await client.send_all(b"createSession a\n")
        assert await client.receive_some() == b"<html>\r\n"
        await client.send_all(b"ping\n")
        assert await client.receive_some() == PING


async def test_blank_lines_stay_unanswered(autojump_clock: trio.testing.MockClock) -> None:
    async with client_of("crlf:addHotmark") as (client, simulator):
        await client.send_all(b"\n \nping\n")
        assert await client.receive_some() == PING
        assert simulator.world.executed == 1
