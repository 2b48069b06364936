"""The control port over real sockets, and each thing that it can do."""

import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio

from bridge.simulator.control import serve_control
from bridge.simulator.execution import execute
from bridge.simulator.operations import ControlError, perform
from bridge.simulator.server import Simulator

from .worlds import SESSION, SOURCE, Clock, example_world


@asynccontextmanager
async def control(simulator: Simulator) -> AsyncIterator[trio.SocketStream]:
    async with trio.open_nursery() as nursery:
        port = await nursery.start(serve_control, simulator)
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            yield stream
        nursery.cancel_scope.cancel()


async def ask(stream: trio.SocketStream, line: bytes) -> Any:
    await stream.send_all(line + b"\n")
    answer = b""
    while not answer.endswith(b"\n"):
        chunk = await stream.receive_some()
        assert chunk
        answer += chunk
    assert answer.count(b"\n") == 1
    return json.loads(answer)


async def test_a_conversation_in_lines() -> None:
    simulator = Simulator(example_world())
    async with control(simulator) as stream:
        started = await ask(stream, json.dumps({"do": "start", "session": SESSION}).encode())
        assert started["ok"] is True
        assert started["recording"] in simulator.world.recordings
        assert (await ask(stream, b"nonsense"))["error"].startswith("not JSON: ")
        assert (await ask(stream, b"[" * 100_000))["error"].startswith("not JSON: ")
        assert (await ask(stream, b"\xff"))["error"].startswith("not JSON: ")
        assert await ask(stream, b'\r\n  {"do": "drop"}\r') == {"ok": True, "dropped": 0}


async def test_an_endless_line_ends_the_conversation() -> None:
    async with control(Simulator(example_world())) as stream:
        await stream.send_all(b"x" * 1_048_577)
        answer = b"".join([bytes(chunk) async for chunk in stream])
        assert answer == b'{"error": "the line is too long"}\n'


async def test_a_client_that_vanishes_harms_nobody() -> None:
    simulator = Simulator(example_world())
    async with trio.open_nursery() as nursery:
        port = await nursery.start(serve_control, simulator)
        rude = await trio.open_tcp_stream("127.0.0.1", port)
        await rude.send_all(b'{"do": "knobs"}\n' * 500)
        rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        await rude.aclose()
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            assert (await ask(stream, b'{"do": "drop"}'))["ok"]
        nursery.cancel_scope.cancel()


@pytest.fixture
def simulator() -> Simulator:
    return Simulator(example_world(Clock()))


def do(simulator: Simulator, operation: str, /, **values: object) -> dict[str, Any]:
    answer = perform(simulator, {"do": operation, **values})
    assert answer.pop("ok") is True
    json.dumps(answer)
    return answer


def status(simulator: Simulator, recording: str) -> str:
    return execute(simulator.world, f"getRecordingStatus {recording}")


def test_somebody_in_the_web_pages(simulator: Simulator) -> None:
    recording = do(simulator, "start", session=SESSION.upper())["recording"]
    assert status(simulator, recording) == "OK|RECORDING"
    do(simulator, "pause", recording=recording)
    assert status(simulator, recording) == "OK|PAUSED"
    do(simulator, "resume", recording=recording)
    assert status(simulator, recording) == "OK|RECORDING"
    do(simulator, "fail", recording=recording)
    assert status(simulator, recording) == "OK|ERROR"
    do(simulator, "stop", recording=recording)
    assert status(simulator, recording) == "OK|FINISHED"
    stream = execute(simulator.world, f"startRestreamRecording {recording} 239.1.1.1 5000")
    do(simulator, "delete", recording=recording)
    assert status(simulator, recording) == "ERROR|040001|Active recording not found"
    assert stream.startswith("OK|")
    assert simulator.world.streams == {}


def test_sessions_come_and_go(simulator: Simulator) -> None:
    session = do(simulator, "create_session", title="Cart", sources=[SOURCE])["session"]
    recording = do(simulator, "start", session=session)["recording"]
    do(simulator, "delete_session", session=session)
    assert status(simulator, recording) == "OK|FINISHED"
    assert execute(simulator.world, f"startRecording {session}").startswith("ERROR|040006|")
    assert do(simulator, "create_session", title="Bare")["session"] in simulator.world.sessions


def test_access_faults_and_knobs(simulator: Simulator) -> None:
    world = simulator.world
    do(simulator, "api", enabled=False)
    do(simulator, "deny", address="*")
    do(simulator, "allow", address="192.0.2.7")
    assert not world.access.enabled
    assert list(world.access.listing()) == ["192.0.2.7"]
    assert do(simulator, "fault", fault="crlf:count=2") == {"fault": "crlf:*:count=2"}
    do(simulator, "fault", fault={"kind": "delay", "value": 3})
    listed = do(simulator, "faults")
    assert listed["faults"] == ["crlf:*:count=2", "delay:*:3"]
    assert "lose_reply" in listed["kinds"]
    assert do(simulator, "clear_faults", kind="delay") == {"cleared": 1}
    assert do(simulator, "clear_faults") == {"cleared": 1}
    do(simulator, "knob", name="version", value="4.x")
    do(simulator, "knob", name="crlf", value=True)
    knobs = do(simulator, "knobs")["knobs"]
    assert knobs["version"]["value"] == "4.x"
    assert knobs["crlf"]["value"] is True


def test_restart_keeps_loses_or_breaks_recordings(simulator: Simulator) -> None:
    recording = do(simulator, "start", session=SESSION)["recording"]
    do(simulator, "restart")
    assert status(simulator, recording) == "OK|RECORDING"
    do(simulator, "restart", recordings="error", unready=5)
    assert status(simulator, recording) == "ERROR|070000|Internal Server Error"
    do(simulator, "clear_faults")
    assert status(simulator, recording) == "OK|ERROR"
    other = do(simulator, "start", session=SESSION)["recording"]
    do(simulator, "restart", recordings="forget")
    assert status(simulator, other).startswith("ERROR|040001|")
    assert execute(simulator.world, f"deleteSession {SESSION}") == "OK"


def test_snapshot_and_log(simulator: Simulator) -> None:
    recording = execute(simulator.world, f"startRecording {SESSION}", "192.0.2.1:9")[3:]
    execute(simulator.world, f"addHotmark {recording} Start")
    execute(simulator.world, f"shareRecordingWithUser viewer WATCH {recording}")
    seen = do(simulator, "snapshot", log=2)
    (row,) = seen["recordings"]
    assert row["id"] == recording
    assert row["state"] == "RECORDING"
    assert row["title"].startswith("Boardroom - ")
    assert row["hotmarks"] == {"0": "Start"}
    assert row["shares"] == {"user:viewer": "WATCH"}
    assert row["recorded"] == 0
    assert [entry["line"].split()[0] for entry in seen["log"]] == [
        "addHotmark",
        "shareRecordingWithUser",
    ]
    assert (seen["executed"], seen["accepted"], seen["connections"]) == (3, 0, [])
    log = do(simulator, "log")
    assert log["log"][0] == {
        "at": Clock().time,
        "peer": "192.0.2.1:9",
        "line": f"startRecording {SESSION}",
        "answer": f"OK|{recording}",
    }
    assert do(simulator, "log", since=log["next"])["log"] == []


def test_help_names_everything(simulator: Simulator) -> None:
    operations = do(simulator, "help")["operations"]
    assert {"pause", "snapshot", "restart", "fault"} <= set(operations)
    assert operations["pause"]["needs"] == {"recording": "text"}


@pytest.mark.parametrize(
    ("request_", "complaint"),
    [
        ([], 'a request is an object such as {"do": "help"}'),
        ({}, 'a request is an object such as {"do": "help"}'),
        ({"do": "dance"}, "cannot do 'dance'; operations are help, start, "),
        ({"do": ["pause"]}, "cannot do ['pause']; "),
        ({"do": "pause"}, "pause needs recording (text)"),
        ({"do": "pause", "recording": 7}, "pause: recording must be text, not 7"),
        ({"do": "drop", "all": True}, "drop takes nothing, not all"),
        ({"do": "restart", "down": -1}, "restart: down must be seconds, not -1"),
        ({"do": "restart", "recordings": "x"}, "must be keep, forget or error, not 'x'"),
        ({"do": "pause", "recording": "x"}, "no recording x"),
        ({"do": "start", "session": "x"}, "no session x"),
        ({"do": "create_session", "title": "t", "sources": ["x"]}, "no source x"),
        ({"do": "create_session", "title": "t", "sources": [1]}, "must be list of texts"),
        ({"do": "clear_faults", "kind": "x"}, "no fault 'x'; kinds are delay, "),
        ({"do": "fault", "fault": "x"}, "no fault 'x'"),
        ({"do": "knob", "name": "x", "value": 1}, "no knob named 'x'"),
        ({"do": "allow", "address": "x"}, "'x' does not appear to be an IPv4 or IPv6 address"),
    ],
)
def test_complaints(simulator: Simulator, request_: object, complaint: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is compared below
        perform(simulator, request_)
    assert complaint in str(caught.value)


def test_the_web_pages_offer_only_what_the_state_allows(simulator: Simulator) -> None:
    recording = do(simulator, "start", session=SESSION)["recording"]
    with pytest.raises(ValueError, match="is RECORDING, not PAUSED"):
        do(simulator, "resume", recording=recording)
    do(simulator, "stop", recording=recording)
    for name in ("stop", "pause", "fail"):
        with pytest.raises(ValueError, match="is FINISHED, not RECORDING"):
            do(simulator, name, recording=recording)
    assert issubclass(ControlError, ValueError)
