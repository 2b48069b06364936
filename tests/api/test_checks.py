"""All commands with right, wrong, missing, extra and hostile parameters, up to the line for HMP."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.api.checks import Rejected, ServerRules, check_command, check_topic, how_to_ask
from bridge.hmp.command import parameters
from bridge.hmp.commands import COMMANDS, Command
from bridge.hmp.syntax import encode_command
from bridge.mqtt.api_topics import CommandTopic, MalformedRequest, parse_command_payload
from bridge.simulator.lines import read_line

from .right import RECORDING, RIGHT

RULES = {"main": ServerRules(frozenset({"*"}))}

#: Values that are wrong whatever the parameter is.
NEVER: list[object] = [
    None,
    {},
    [[]],
    1.5,
    -1,
    {"a": {"b": ["c"]}},
    "a\0b",
    "a\rb",
    "\x1b[31m",
    "\x7f",
    "x" * 10_000,
    ["a", 5],
    "",
]
NEVER_TEXT: dict[str, set[str]] = {"updateMetadata": {""}, "updateSessionMetadata": {""}}

#: Text that must reach HMP as it is, quoted, or be refused where it is no text.
HOSTILE = [
    'He said "hi"',
    "a\nb",
    "a\r\nb",
    "a\nstopRecording " + RECORDING,
    '" stopRecording "',
    "\\",
    "\\n",
    "a|b|c",
    "OK|x",
    "\t",
    "🎥 é \u2028 \u202e",
    "'; DROP TABLE",
    "\xff\xf4",
    "{}",
    "x" * 255,
]


def ask(name: str, payload: object) -> Command[Any]:
    """From topic and payload to a command that may be sent."""
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    command = check_topic(CommandTopic("main", name), RULES)
    asked = parse_command_payload(data, takes_force=name == "startRecording")
    return check_command(command, asked)


def line(command: Command[Any]) -> list[str]:
    """The words of the one line that HMP gets, as HMP takes it apart."""
    data = encode_command([command.name, *command.arguments()])
    assert data.count(b"\n") == 1
    assert data.endswith(b"\n")
    assert b"\r" not in data
    return read_line(data[:-1]).words


def words(name: str) -> list[str]:
    found: list[str] = [name]
    for value in RIGHT[name].values():
        found += value if isinstance(value, list) else [str(value)]
    return [{"True": "true"}.get(word, word) for word in found]


def values(name: str) -> list[object]:
    return [each for each in RIGHT[name].values() if not isinstance(each, list)] + [
        word for each in RIGHT[name].values() if isinstance(each, list) for word in each
    ]


def test_every_command_has_a_row() -> None:
    assert list(RIGHT) == list(COMMANDS)
    assert len(COMMANDS) == 21


@pytest.mark.parametrize("name", COMMANDS)
def test_right_by_name_by_position_and_with_an_id(name: str) -> None:
    named = RIGHT[name]
    for payload in (
        named,
        values(name),
        {"id": "a", **named},
        {"id": 5, "parameters": values(name)},
        {"parameters": named},
        dict(reversed(named.items())),
        {key.lower(): value for key, value in named.items()},
    ):
        assert line(ask(name, payload)) == words(name)


@pytest.mark.parametrize("name", COMMANDS)
def test_missing_and_extra(name: str) -> None:
    named = RIGHT[name]
    for key in named:
        rest = {other: value for other, value in named.items() if other != key}
        problem = refused(name, rest)
        assert f"{key} is missing" in problem.message
    refused(name, values(name)[: len(named) - 1])
    refused(name, [])
    refused(name, {})
    refused(name, b"")
    extra = refused(name, {**named, "colour": "red"})
    assert "colour" in extra.message
    assert all(key in extra.explanation for key in named)
    if not isinstance(list(named.values())[-1], list):
        assert f"not {len(named) + 1}" in refused(name, [*values(name), "more"]).message
    if name != "startRecording":
        refused(name, {**named, "force": True})


CASES = [pytest.param(name, key, id=f"{name}-{key}") for name in COMMANDS for key in RIGHT[name]]


@pytest.mark.parametrize(("name", "key"), CASES)
def test_wrong_and_hostile_values(name: str, key: str) -> None:
    """Refused, naming the parameter; or sent as the very text that it is, in one line."""
    named = RIGHT[name]
    for value in NEVER:
        if isinstance(value, str) and key == "value" and value in NEVER_TEXT.get(name, ()):
            continue
        problem = refused(name, {**named, key: value})
        assert key in problem.message
        assert len(problem.message) <= 500
    for value in HOSTILE:
        if not takes_text(name, key, value):
            assert key in refused(name, {**named, key: value}).message
            continue
        got = line(ask(name, {**named, key: value}))
        assert len(got) <= len(words(name))
        assert value.replace("\r\n", "\n") in got


def takes_text(name: str, key: str, value: str) -> bool:
    """Whether this text may be sent as that parameter."""
    if key == "values":
        return value == value.strip()
    if key in ("sessionTitle", "title", "username", "groupname"):
        return bool(value.strip())
    return key == "value"


def refused(name: str, payload: object) -> Any:
    """Why it is; always in words that say what would be right."""
    with pytest.raises(Rejected) as caught:
        ask(name, payload)
    problem = caught.value.problem
    assert problem.code == "malformed"
    assert how_to_ask(COMMANDS[name]) in problem.explanation
    return problem


@pytest.mark.parametrize(
    ("server", "command", "allowed", "code", "says"),
    [
        ("nosuch", "createSession", "*", "unknown_server", "main"),
        ("main", "createsession", "*", "unknown_command", "did you mean createSession"),
        ("main", "CREATESESSION", "*", "unknown_command", "did you mean createSession"),
        ("main", "getstatus", "*", "unknown_command", "getRecordingStatus"),
        ("main", "", "*", "unknown_command", "createSession"),
        ("main", "create session", "*", "unknown_command", "createSession"),
        ("main", "createSession", "", "not_allowed", "allowed are: none"),
        ("main", "createSession", "deleteSession", "not_allowed", "servers.main.allow_commands"),
        ("main", "x" * 60_000, "*", "unknown_command", "createSession"),
    ],
)
def test_what_may_not_be_asked(
    server: str, command: str, allowed: str, code: str, says: str
) -> None:
    rules = {"main": ServerRules(frozenset({allowed} - {""}))}
    with pytest.raises(Rejected) as caught:
        check_topic(CommandTopic(server, command), rules)
    problem = caught.value.problem
    assert problem.code == code
    assert says in problem.message + problem.explanation
    assert len(problem.message) <= 500


@given(st.binary(max_size=300), st.sampled_from(list(COMMANDS)))
def test_any_bytes_are_refused_or_one_line(data: bytes, name: str) -> None:
    try:
        command = ask(name, data)
    except (Rejected, MalformedRequest):
        return
    assert line(command)[0] == name


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=10,
    ),
    st.sampled_from(list(COMMANDS)),
    st.data(),
)
def test_any_json_in_any_place_is_refused_or_one_line(
    value: object, name: str, data: st.DataObject
) -> None:
    key = data.draw(st.sampled_from(list(RIGHT[name])))
    try:
        command = ask(name, {**RIGHT[name], key: value})
    except (Rejected, MalformedRequest):
        return
    got = line(command)
    assert got[0] == name
    least = len(parameters(COMMANDS[name]))
    assert len(got) == least + 1 or isinstance(value, list)
