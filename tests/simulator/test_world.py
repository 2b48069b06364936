"""What a world does beside answering: time, titles, shares, categories, the log."""

from collections import deque
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.simulator.command_table import COMMANDS
from bridge.simulator.execution import execute
from bridge.simulator.knobs import KnobError, Knobs, describe_knobs
from bridge.simulator.objects import RecordingState
from bridge.simulator.snapshot import log_since, snapshot
from bridge.simulator.world import World

from .worlds import SESSION, SOURCE, Clock, example_world


def start(world: World, session: str = SESSION) -> str:
    answer = execute(world, f"startRecording {session}")
    assert answer.startswith("OK|")
    return answer[3:]


def test_same_seed_gives_same_ids() -> None:
    assert start(example_world()) == start(example_world())


def test_ids_are_version_4() -> None:
    recording = start(example_world())
    assert recording[14] == "4"
    assert recording[19] in "89ab"


def test_a_recording_takes_title_and_description_from_its_session() -> None:
    world = example_world()
    execute(world, f'updateSessionMetadata {SESSION} description "a\\nb"')
    recording = world.recordings[start(world)]
    assert recording.title == "Boardroom - 02/01/2026, 03:04"
    assert recording.description == "a\nb"
    assert recording.createdby == ""


def test_hotmarks_count_recorded_seconds() -> None:
    clock = Clock()
    world = example_world(clock)
    recording = start(world)
    clock.time += 10.9
    assert execute(world, f"addHotmark {recording} A") == "OK"
    execute(world, f"pauseRecording {recording}")
    clock.time += 1000
    execute(world, f"resumeRecording {recording}")
    clock.time += 0.2
    assert execute(world, f"addHotmark {recording} B") == "OK"
    assert world.recordings[recording].hotmarks == {10: "A", 11: "B"}
    execute(world, f"stopRecording {recording}")
    clock.time += 1000
    assert world.recordings[recording].recorded(clock.time) == pytest.approx(11.1)


def test_shares_and_categories_replace() -> None:
    world = example_world()
    category = "692E9AB8-D446-4BFD-B64D-E39E8E57C4C5"
    for line in (
        f"shareSessionWithUser VIEWER EDIT {SESSION}",
        f"shareSessionWithUser viewer OWN {SESSION}",
        f"shareSessionWithGroup staff 12B0CC54-9018-42c2-9dfb-3f7707a09829 {SESSION}",
        f"setSessionCategory {SESSION} {category} a b",
        f"setSessionCategory {SESSION} {category} c",
        f"setLiveSession {SESSION.upper()} true",
    ):
        assert execute(world, line) == "OK"
    session = world.sessions[SESSION]
    assert session.shares == {
        "user:viewer": "OWN",
        "group:Staff": "12b0cc54-9018-42c2-9dfb-3f7707a09829",
    }
    assert session.categories == {category.lower(): ["c"]}
    assert session.live


def test_the_last_source_may_be_removed_and_then_nothing_starts() -> None:
    world = example_world()
    assert execute(world, f"removeSourceFromSession {SESSION} {SOURCE}") == "OK"
    assert execute(world, f"startRecording {SESSION}").startswith("ERROR|060009|")


def test_a_deleted_sessions_recordings_stay() -> None:
    world = example_world()
    recording = start(world)
    execute(world, f"stopRecording {recording}")
    assert execute(world, f"deleteSession {SESSION}") == "OK"
    assert execute(world, f"getRecordingStatus {recording}") == "OK|FINISHED"


def test_a_recording_in_error_frees_its_session() -> None:
    clock = Clock()
    world = example_world(clock)
    recording = start(world)
    world.recordings[recording].fails_at = clock.time + 1
    clock.time += 1
    assert execute(world, f"deleteSession {SESSION}") == "OK"
    assert world.recordings[recording].state is RecordingState.ERROR


def test_a_planned_failure_does_not_reach_a_stopped_recording() -> None:
    clock = Clock()
    world = example_world(clock)
    recording = start(world)
    world.recordings[recording].fails_at = clock.time + 5
    execute(world, f"stopRecording {recording}")
    clock.time += 5
    assert execute(world, f"getRecordingStatus {recording}") == "OK|FINISHED"


def test_a_recording_may_last_as_long_as_hmp_allows() -> None:
    clock = Clock()
    world = example_world(clock)
    world.knobs = world.knobs.with_value("max_recording", 4)
    recording = start(world)
    clock.time += 4 * 3600 - 1
    assert execute(world, f"getRecordingStatus {recording}") == "OK|RECORDING"
    clock.time += 61
    assert execute(world, f"getRecordingStatus {recording}") == "OK|FINISHED"
    assert world.recordings[recording].stopped_at == clock.time - 60


def test_what_has_not_finished_is_called_otherwise() -> None:
    clock = Clock()
    world = example_world(clock)
    world.knobs = world.knobs.with_value("status_word", "lower").with_value("stop_takes", 5)
    recording = start(world)
    assert execute(world, f"getRecordingStatus {recording}") == "OK|recording"
    execute(world, f"stopRecording {recording}")
    world.knobs = world.knobs.with_value("status_word", "FINALIZING")
    assert execute(world, f"getRecordingStatus {recording}") == "OK|FINALIZING"
    clock.time += 5
    assert execute(world, f"getRecordingStatus {recording}") == "OK|FINISHED"


def test_log_is_bounded_and_read_from_where_one_left_off() -> None:
    world = example_world()
    world.log = deque(maxlen=3)
    for number in range(5):
        execute(world, f"nope{number}", "192.0.2.1:5")
    assert world.executed == 5
    everything = log_since(world, 0)
    assert (everything["first"], everything["next"]) == (2, 5)
    assert [entry["line"] for entry in everything["log"]] == ["nope2", "nope3", "nope4"]
    assert everything["log"][0]["peer"] == "192.0.2.1:5"
    assert everything["log"][0]["answer"] == "ERROR|000002|Command not found"
    assert log_since(world, 5)["log"] == []
    assert log_since(world, 99) == {"first": 5, "next": 5, "log": []}
    assert len(snapshot(world, log=1)["log"]) == 1


def test_raw_echo_breaks_the_line_and_only_then() -> None:
    world = example_world()
    line = 'setLiveSession "a\\nOK|b\u2028" true'
    assert execute(world, line) == "ERROR|010001|'a\\nOK|b\\x2028' is not a uuid"
    world.knobs = world.knobs.with_value("echo_raw", value=True)
    assert execute(world, line) == "ERROR|010001|'a\nOK|b\u2028' is not a uuid"


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        (b"createSession \xc3", "ERROR|000001|Syntax Error"),
        (b"ping\r", "ERROR|000002|Command not found"),
        (b"\r", ""),
        (b"   ", ""),
        (b"\xff\xfd\x01\xff\xfb\x03\xff\xfa\x18\x00xterm\xff\xf0\xff\xf1ping", "ERROR|000002|"),
        (b'""', "ERROR|000002|Command not found"),
        (b"createSession\ttab", "ERROR|000002|Command not found"),
        ("createSession \ud800", "ERROR|000001|Syntax Error"),
    ],
)
def test_odd_lines(line: bytes | str, answer: str) -> None:
    assert execute(example_world(), line).startswith(answer)
    assert bool(execute(example_world(), line)) == bool(answer)


words = st.one_of(
    st.sampled_from([*COMMANDS, SESSION, SOURCE, "OWN", "title", "viewer", "true", '"', '""']),
    st.text(max_size=12),
).map(lambda word: word.encode(errors="replace"))
lines = st.one_of(st.binary(max_size=80), st.lists(words, max_size=6).map(b" ".join))


@given(st.lists(lines, max_size=8), st.booleans())
def test_any_bytes_get_one_line_or_are_blank(requests: list[bytes], ignore: bool) -> None:
    world = example_world()
    world.knobs = Knobs(empty_line="ignore" if ignore else "000002")
    for request in requests:
        answer = execute(world, request)
        assert answer.startswith(("OK", "ERROR|")) or (answer == "" and ignore)
        assert not any(ord(character) < 32 for character in answer)
        assert len(answer.splitlines()) <= 1
    assert snapshot(world)["executed"] == world.executed


def test_knobs_explain_themselves() -> None:
    described = describe_knobs(Knobs())
    assert set(described) == set(Knobs.__dataclass_fields__)
    for name, knob in described.items():
        assert knob["meaning"], name
        assert Knobs().with_value(name, knob["value"]) == Knobs(), name


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("colour", "red", "no knob named 'colour'; there are status_after_stop, "),
        ("version", "5", "version: '5' is not one of 3.7 | 4.x"),
        ("crlf", "yes", "crlf: 'yes' is not one of true | false"),
        ("apply_delay", "11", "apply_delay: '11' is not one of 0 to 10"),
        ("apply_delay", "soon", "apply_delay: 'soon' is not one of 0 to 10"),
        ("max_connections", 1.5, "max_connections: '1.5' is not one of 0 to 100000 whole"),
        ("status_after_stop", "finished_for:", "finished_for:<seconds>"),
        ("status_after_stop", "finished_for:<seconds>", "finished_for:<seconds>"),
    ],
)
def test_bad_knobs_say_what_is_accepted(name: str, value: object, complaint: str) -> None:
    with pytest.raises(KnobError) as caught:
        Knobs().with_value(name, value)
    assert complaint in str(caught.value)


def test_the_annotated_example_is_the_built_in_world() -> None:
    root = Path(__file__).parents[2]
    built_in = (root / "bridge/simulator/world.toml").read_text()
    assert (root / "config/world.toml").read_text() == built_in
