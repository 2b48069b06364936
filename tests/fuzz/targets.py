"""What is promised of every input there is: one function for each reader of what strangers send.

Each takes any bytes, and raises where a promise is broken.
"""

import functools
import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from socket import socket
from types import MappingProxyType
from typing import Any, cast

from paho.mqtt.client import WebsocketConnectionError

from bridge.api.checks import Rejected, ServerRules, check_command, check_topic
from bridge.api.service import read_request
from bridge.bindings.binding import Binding, Memory, due, take
from bridge.bindings.binding import tick as tick_bindings
from bridge.bindings.durable import from_document, to_document
from bridge.bindings.outcome import Arrival
from bridge.config.bindings import make_bindings
from bridge.config.configuration import Configuration
from bridge.config.errors import ConfigurationError
from bridge.config.load import load
from bridge.hmp.command import Command
from bridge.hmp.commands import COMMANDS, parse_command
from bridge.hmp.errors import InvalidArgument
from bridge.hmp.protocol import Closed, Protocol, Reply, State
from bridge.hmp.syntax import encode_command
from bridge.mqtt.api_topics import CommandTopic, may_answer_on, parse_topic
from bridge.mqtt.failures import WebSocketEnded
from bridge.mqtt.inputs import Malformed, parse
from bridge.mqtt.topics import Input, Topics, render_room
from bridge.mqtt.websocket import WebSocket
from bridge.room.facts import vocabulary
from bridge.room.facts.requests import NotUnderstood, request
from bridge.room.facts.state import RoomState
from bridge.room.facts.values import Now
from bridge.room.memory.retained import adopt_retained
from bridge.room.rules.model import decide, link_changed, tick
from bridge.room.rules.plan import next_step
from bridge.simulator.lines import read_line
from tests.mqtt.websocket_end import SayingBroker
from tests.room.driven import POLICY, WALL

__all__ = ["TARGETS"]

TOPICS = Topics("hmp")
EXAMPLES = Path(__file__).parents[2] / "config" / "examples"
NOW = Now(1000.0, WALL + 1000.0)
WORDS = dict.fromkeys(vocabulary.State, "word")
SESSION = "6fd8d4ba-4a3b-4a3e-8f0c-5c1f3f0a1b2c"
RECORDING = "6fd8d4ba-4a3b-4a3e-8f0c-5c1f3f0a1b2d"


def replies(data: bytes) -> None:
    """HMP's bytes, in pieces: an answer at most for each command, and nothing after the end."""
    protocol = Protocol()
    size = data[0] % 16 + 1 if data else 1
    sent = answered = 0
    for at in range(1, len(data), size):
        if protocol.state is State.IDLE:
            protocol.send(_sendable()[(data[0] + sent) % len(_sendable())])
            sent += 1
        events = protocol.receive_data(data[at : at + size])
        answered += sum(isinstance(event, Reply) for event in events)
        assert answered <= sent
        closed = [isinstance(event, Closed) for event in events]
        assert not any(closed[:-1]), "something came of what follows the end"
    protocol.receive_data(b"")
    assert protocol.state is State.CLOSED


def websocket(data: bytes) -> None:
    """A broker's answer to the request for WebSocket, or its frames: in pieces, read or refused."""
    kind, said = (data[0], data[1:]) if data else (0, b"")
    broker = SayingBroker(said, piece=kind % 16 + 1, accepts=kind < 128)
    with suppress(WebsocketConnectionError, WebSocketEnded):
        made = WebSocket(cast("socket", broker), "broker", 8080, "/mqtt")
        ended = False
        while not ended:
            with suppress(BlockingIOError):
                ended = not made.recv(4096)
    assert len(broker.answered) <= 8 * len(said)


@functools.cache
def _sendable() -> list[Command[Any]]:
    """The commands that take ids alone."""
    found = []
    for name in sorted(COMMANDS):
        for ids in ([RECORDING], [RECORDING, SESSION]):
            with suppress(InvalidArgument):
                found.append(parse_command(name, ids))
    return found


def commands(data: bytes) -> None:
    """Words come back as they are through the simulator's parser, on one line, or are refused."""
    words = data.decode(errors="surrogateescape").split("\x1e")
    try:
        line = encode_command(words)
    except InvalidArgument:
        pass
    else:
        assert line.count(b"\n") == 1
        assert line.endswith(b"\n")
        assert read_line(line[:-1], len(line)).words == words
    try:
        command = parse_command(words[0], words[1:])
    except InvalidArgument:
        return
    wire = Protocol().send(command)
    assert wire.count(b"\n") == 1
    assert read_line(wire[:-1]).words[0] == words[0]


def inputs(data: bytes) -> None:
    """A message on an input is a request, a refusal with its reason, or nothing."""
    topic, payload = _message(data)
    try:
        found = parse(TOPICS, f"hmp/room/{topic}", payload)
        if isinstance(found, Input):
            asked = request(
                found.word,
                found.parameters,
                event=found.event,
                request_id=found.id,
                origin=topic,
                received_at=NOW.monotonic,
                left_out=found.left_out,
            )
            change = decide(RoomState(POLICY), asked, NOW)
            next_step(change.state, NOW)
            tick(change.state, NOW)
            render_room(TOPICS, "r", change.state, WORDS)
    except Malformed as error:
        _said(error.reason)
    except NotUnderstood as error:
        _said(error.problem.explanation)


def requests(data: bytes) -> None:
    """A message to the API is a command that is allowed, or a refusal with its reason."""
    topic, payload = _message(data)
    may_answer_on(TOPICS, topic, ("response/#", "+/reply/#"))
    asked_on = parse_topic(TOPICS, f"hmp/{topic}")
    if asked_on is None:
        return
    asked, unreadable = read_request(asked_on, payload)
    if not isinstance(asked_on, CommandTopic) or unreadable is not None:
        return
    try:
        command = check_command(check_topic(asked_on, _rules()), asked)
    except Rejected as error:
        _said(error.problem.explanation)
        return
    assert Protocol().send(command).count(b"\n") == 1


@functools.cache
def _rules() -> Mapping[str, ServerRules]:
    document = '[servers.main]\nhost = "192.0.2.1"\nallow_commands = ["*"]\n[rooms.a]\n'
    document += f'server = "main"\nsession = "{SESSION}"\n'
    servers = _configuration(document.encode()).servers
    return MappingProxyType({name: table.rules() for name, table in servers.items()})


def bindings(data: bytes) -> None:
    """What the bindings of all examples make of a message has a reason or a request."""
    chosen = _bindings()[data[0] % len(_bindings())] if data else _bindings()[0]
    retained, payload = bool(data[1:2] > b"\x7f"), data[2:]
    topic = chosen.topic_filter.replace("+", "x").replace("#", "x/y")
    memory: Memory = {}
    rooms = dict.fromkeys(("a", "aula", "r0"), "Room")
    for arrival in (Arrival(topic, payload, retained), Arrival(topic, payload[1:], False)):
        memory, verdicts = take([chosen], memory, arrival, NOW, rooms)
        assert all(verdict.outcome is not None or verdict.reason for verdict in verdicts)
    from_document([chosen], to_document([chosen], memory, "boot"), "boot")
    from_document([chosen], payload.decode(errors="replace"), "boot")
    if (moment := due([chosen], memory)) is not None:
        tick_bindings([chosen], memory, Now(moment, NOW.wall), rooms)


@functools.cache
def _bindings() -> list[Binding]:
    found: list[Binding] = []
    for path in sorted(EXAMPLES.glob("*.toml")):
        found += make_bindings(load(path).bindings)
    return found


def retained(data: bytes) -> None:
    """Whatever claims to be a room's status: it is shown and asked about, never stopped."""
    journalled = None if data[:1] < b"\x80" else data[0] - 128
    change = adopt_retained(RoomState(POLICY, not_ready_since=0.0), data[1:], NOW, journalled)
    for seconds in (0.0, 5.0, 3600.0):
        now = Now(NOW.monotonic + seconds, NOW.wall + seconds, synchronised=True)
        state = tick(link_changed(change.state, True, now).state, now).state
        step = next_step(state, now)
        assert step is None or step.kind is not vocabulary.StepKind.STOP
        render_room(TOPICS, "r", state, WORDS)


def configuration(data: bytes) -> None:
    """A file is a configuration, or every fault in it is told."""
    try:
        found = _configuration(data)
    except ConfigurationError as error:
        _said(str(error))
    else:
        make_bindings(found.bindings)
        for name, room in found.rooms.items():
            room.policy(found.servers[room.server], name)


def _configuration(data: bytes) -> Configuration:
    file = _folder() / "bridge.toml"
    file.write_bytes(data)
    return load(file)


@functools.cache
def _folder() -> Path:
    in_memory = "/dev/shm"  # noqa: S108 - the point is that it is memory
    return Path(tempfile.mkdtemp(dir=in_memory if os.access(in_memory, os.W_OK) else None))


def _said(reason: str) -> None:
    assert reason, "refused, and not why"


def _message(data: bytes) -> tuple[str, bytes]:
    topic, _, payload = data.partition(b"\x1e")
    return topic.decode(errors="replace"), payload


TARGETS: dict[str, Callable[[bytes], None]] = {
    each.__name__: each
    for each in (replies, commands, inputs, requests, bindings, retained, configuration, websocket)
}
"""By name."""
