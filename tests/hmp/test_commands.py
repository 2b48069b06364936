"""All 21 commands: what goes over the wire, what comes back, and how text becomes one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.hmp.command import Command, parameters
from bridge.hmp.commands import COMMANDS, RecordingStatus, Repeat, TimeoutClass, parse_command
from bridge.hmp.errors import InvalidArgument, NotUnderstood
from bridge.hmp.syntax import encode_command
from bridge.simulator.lines import read_line
from tests.hmp.peer import UUID

ID = "b86befc3-7b44-4655-852f-21a77935d110"

#: One line per command, in the guide's order and nearly its examples.
LINES = f"""\
createSession "Test Session1"
setLiveSession {UUID} true
deleteSession {UUID}
addSourceToSession {UUID} {ID}
removeSourceFromSession {UUID} {ID}
shareSessionWithUser viewer EDIT {UUID}
shareSessionWithGroup Viewers {ID} {UUID}
updateSessionMetadata {UUID} createdby Test2
setSessionCategory {UUID} {ID} Surgery "Room 1"
startRecording {UUID}
pauseRecording {UUID}
resumeRecording {UUID}
stopRecording {UUID}
getRecordingStatus {UUID}
shareRecordingWithUser creator OWN {UUID}
shareRecordingWithGroup Grp10 {ID} {UUID}
updateMetadata {UUID} title "January 1st - Room 101"
setCategory {UUID} {ID} HD
addHotmark {UUID} PhaseI
startRestreamRecording {UUID} 10.65.10.240 222
stopRestreamRecording {UUID}
""".splitlines()


def test_there_is_a_line_for_every_command() -> None:
    assert [line.split()[0] for line in LINES] == list(COMMANDS)
    assert len(COMMANDS) == 21


@pytest.mark.parametrize("line", LINES)
def test_a_command_reads_and_writes_its_line(line: str) -> None:
    name, *words = read_line(line).words
    command = parse_command(name, words)
    assert isinstance(command, COMMANDS[name])
    assert encode_command((command.name, *command.arguments())) == f"{line}\n".encode()
    assert hash(command) == hash(parse_command(name, words))


@pytest.mark.parametrize("line", LINES)
def test_named_parameters_make_the_same_command(line: str) -> None:
    name, *words = read_line(line).words
    names = [parameter.argument.name for parameter in parameters(COMMANDS[name])]
    given = dict(zip(names, words, strict=False)) | (
        {"values": words[2:]} if names[-1] == "values" else {}
    )
    assert parse_command(name, given) == parse_command(name, words)
    snake = {
        "".join(f"_{c.lower()}" if c.isupper() else c for c in key): given[key] for key in given
    }
    assert parse_command(name, snake) == parse_command(name, words)


def test_json_types_are_taken_where_they_fit() -> None:
    assert parse_command("setLiveSession", {"sessionId": UUID, "active": False}).arguments() == (
        UUID,
        "false",
    )
    assert (
        parse_command("startRestreamRecording", [UUID, "10.0.0.1", 5000]).arguments()[2] == "5000"
    )
    assert parse_command("setCategory", [UUID, ID, ["a", "b"]]).arguments()[2:] == ("a", "b")
    assert parse_command("setCategory", {"recordingid": UUID, "categoryId": ID, "value": "a"})


@pytest.mark.parametrize(
    ("name", "parameters", "reason"),
    [
        ("strtRecording", [], "did you mean startRecording"),
        ("start_recording", [UUID], "did you mean startRecording"),
        ("shareRecording", [], "did you mean shareRecordingWith"),
        ("help", [], "the commands are createSession, setLiveSession"),
        ("startRecording", [], r"takes 1 parameter\(s\) \(sessionId\), not 0"),
        ("startRecording", [UUID, UUID], "not 2"),
        ("setCategory", [UUID, ID], r"takes at least 3 parameter\(s\)"),
        ("startRecording", {}, "sessionId is missing; startRecording takes sessionId"),
        ("startRecording", {"sesionId": UUID}, "did you mean sessionId"),
        ("startRecording", {"sessionId": UUID, "zzz": 1}, "is no parameter of startRecording"),
        ("startRecording", {"sessionId": UUID, "session_id": UUID}, "given twice"),
        ("startRecording", ["Room 1"], "sessionId: 'Room 1' must be a UUID"),
        ("addHotmark", [UUID, 7], "title: 7 must be text"),
        ("startRestreamRecording", [UUID, "::1", 5000], "IPv6"),
    ],
)
def test_what_is_no_command(name: str, parameters: object, reason: str) -> None:
    assert isinstance(parameters, (list, dict))
    with pytest.raises(InvalidArgument, match=reason):
        parse_command(name, parameters)


def test_ipv6_only_where_it_is_allowed() -> None:
    words = [UUID, "2001:db8::1", 5000]
    assert (
        parse_command("startRestreamRecording", words, allow_ipv6=True).arguments()[1] == words[1]
    )


def make(name: str) -> Command[object]:
    return parse_command(
        name, next(read_line(line).words[1:] for line in LINES if line.split()[0] == name)
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_results_are_typed_and_nothing_else_passes(name: str) -> None:
    command = make(name)
    if name in ("createSession", "startRecording", "startRestreamRecording"):
        assert command.result(UUID) == UUID
        refused: list[str | None] = [None, "", "RECORDING", f"{UUID} "]
    elif name == "getRecordingStatus":
        assert [command.result(str(status)) for status in RecordingStatus] == list(RecordingStatus)
        refused = [None, "", UUID, "recording"]
    else:
        assert command.result(None) is None
        assert command.result("") is None
        refused = [UUID]
    for value in refused:
        with pytest.raises(NotUnderstood, match=name):
            command.result(value)


def test_how_safe_a_repeat_is() -> None:
    never = {"createSession", "startRecording", "startRestreamRecording", "addHotmark"}
    assert {name for name in COMMANDS if COMMANDS[name].repeat is Repeat.NEVER} == never
    after_status = {name for name in COMMANDS if COMMANDS[name].repeat is Repeat.AFTER_STATUS}
    assert after_status == {"pauseRecording", "resumeRecording"}


def test_how_long_a_command_may_take() -> None:
    slow = {name for name in COMMANDS if COMMANDS[name].timeout is TimeoutClass.START_STOP}
    assert slow == {
        "startRecording",
        "stopRecording",
        "startRestreamRecording",
        "stopRestreamRecording",
    }
    assert [n for n in COMMANDS if COMMANDS[n].timeout is TimeoutClass.QUERY] == [
        "getRecordingStatus"
    ]


ANYTHING = st.one_of(st.text(max_size=20), st.integers(), st.booleans(), st.none(), st.just(UUID))


@given(
    st.one_of(st.sampled_from(list(COMMANDS)), st.text(max_size=10)),
    st.one_of(st.lists(ANYTHING, max_size=5), st.dictionaries(st.text(max_size=10), ANYTHING)),
)
def test_nothing_untrusted_becomes_more_than_one_line(
    name: str, untrusted: list[object] | dict[str, object]
) -> None:
    try:
        command = parse_command(name, untrusted)
    except InvalidArgument:
        return
    assert encode_command((command.name, *command.arguments())).count(b"\n") == 1
