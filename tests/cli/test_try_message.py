"""`hmp-bridge try`: what would come of a message, said without a broker or an HMP."""

from pathlib import Path

import pytest

from bridge.cli.main import ExitCode, run

SESSION = "71edd346-2cf0-4c62-b3d3-9d457b287394"
CONFIGURATION = f"""
[servers.main]
host = "nowhere.invalid"
allow_commands = ["stopRecording", "startRecording"]

[rooms.boardroom]
server = "main"
session = "{SESSION}"

[rooms.lab]
server = "main"
sources = ["b86befc3-7b44-4655-852f-21a77935d110"]
delete_session = true
restream = {{ ip = "239.1.1.1", port = 5000 }}

[rooms.hall]
server = "main"
sources = [
    "b86befc3-7b44-4655-852f-21a77935d110",
    "b86befc3-7b44-4655-852f-21a77935d111",
    "b86befc3-7b44-4655-852f-21a77935d112",
    "b86befc3-7b44-4655-852f-21a77935d113",
]
details.title = "Lecture"
details.description = "A lecture"
details.createdby = "Room system"
details.live = true
details.share = [
    {{ user = "a", permission = "OWN" }},
    {{ user = "b", permission = "OWN" }},
    {{ group = "c", permission = "WATCH" }},
]

[[bindings]]
topic = "shelly/events/rpc"
match = {{ "params.events.*" = {{ component = "input:0", event = "double_push" }} }}
room = "boardroom"
do = "record"
fields = {{ title = "{{{{ json.src }}}} said \\"hi\\"" }}

[[bindings]]
topic = "panel/+"
payload = true
room = "{{{{ topic.captures[0] }}}}"
do = "stop"
tap = "1s"

[[bindings]]
topic = "panel/lab"
payload = true
room = "lab"
do = "toggle"
hold = "2s"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "bridge.toml"
    path.write_text(CONFIGURATION, encoding="utf-8")
    return path


def tried(
    file: Path, capsys: pytest.CaptureFixture[str], topic: str, payload: str = "", *more: str
) -> tuple[int, list[str]]:
    options = ["--config", str(file), "--topic", topic, "--payload", payload, *more]
    code = run(["try", *options])
    return code, capsys.readouterr().out.splitlines()


def event(word: str) -> str:
    item = f'{{"component":"input:0","event":"{word}"}}'
    return f'{{"src":"s1","params":{{"events":[{item}]}}}}'


def commands_in(lines: list[str]) -> list[str]:
    """The names of the commands that would follow, or the word of there being nothing."""
    return [line.split()[0] for line in lines if line.startswith("    ")]


def test_what_matches_is_played_through(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, lines = tried(file, capsys, "shelly/events/rpc", event("double_push"))
    assert code == ExitCode.OK
    assert lines[:6] == [
        "binding 1 (shelly/events/rpc): yes",
        "  action record of room boardroom",
        "    title = 's1 said \"hi\"'",
        "  while the room is idle: ok; the room is recording then",
        f"    startRecording {SESSION}",
        lines[5],
    ]
    assert lines[5].startswith("    updateMetadata ")
    assert lines[5].endswith('title "s1 said \\"hi\\""')
    assert "binding 2 (panel/+): no: the topic is another one" in lines


def test_what_does_not_match_says_why(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, lines = tried(file, capsys, "shelly/events/rpc", event("btn_down"))
    assert code == ExitCode.NOTHING
    assert lines[0] == (
        "binding 1 (shelly/events/rpc): no: params.events.*: no item has component = 'input:0' and "
        "event = 'double_push'; seen: component = 'input:0', event = 'btn_down'"
    )
    code, lines = tried(file, capsys, "shelly/events/rpc", event("double_push"), "--retained")
    assert code == ExitCode.NOTHING
    assert "retained" in lines[0]


def test_what_is_about_the_message_comes_first(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, lines = tried(file, capsys, "panel/lab", "1")
    numbers = [line.split()[1] for line in lines if line.startswith("binding ")]
    assert numbers == ["2", "3", "1"]


def test_a_press_that_acts_later(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, lines = tried(file, capsys, "panel/lab", "1")
    assert code == ExitCode.OK
    assert "binding 2 (panel/+): yes, but later: acts when it is released within 1 s" in lines
    assert (
        "binding 3 (panel/lab): yes, but later: acts in 2 s, unless it is released before" in lines
    )
    assert commands_in(lines) == [
        "nothing",  # stop, while the room is idle
        "stopRecording",
        "getRecordingStatus",
        "deleteSession",
        "createSession",
        "addSourceToSession",
        "startRecording",
    ]


def test_a_release(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, lines = tried(file, capsys, "panel/lab", "0")
    assert code == ExitCode.OK
    assert lines[0] == "binding 2 (panel/+): yes, if it was pressed before: this is its release"
    assert lines[-2] == "binding 3 (panel/lab): no: the payload: is '0', not true"


def test_a_room_that_is_none(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, lines = tried(file, capsys, "panel/kitchen", "1")
    assert code == ExitCode.NOTHING
    assert (
        "  but it cannot be carried out: room: 'kitchen' is no room; configured are: boardroom, "
        "lab, hall" in lines
    )


@pytest.mark.parametrize(
    ("topic", "payload", "code", "said"),
    [
        ("hmp/room/lab/set", "record", 0, "startRecording"),
        ("hmp/room/lab/press/restream_start", "true", 0, "failed"),
        ("hmp/room/lab/press/mark", "1", 0, "addHotmark"),
        ("hmp/room/lab/mark", "Question 1", 0, '"Question 1"'),
        ("hmp/room/lab/press/pause", "1", 0, "pauseRecording"),
        ("hmp/room/lab/event", "button", 0, "startRecording"),
        ("hmp/room/lab/event", '{"event":"meeting_start","id":"a","title":"T"}', 0, "title T"),
        ("hmp/room/lab/press/record", "false", 1, "ignored: the falling edge"),
        ("hmp/room/lab/press/record", "", 1, "ignored: an empty press is none"),
        ("hmp/room/lab/set", "", 1, "refused: the payload is empty"),
        ("hmp/room/lab/set", "dance", 1, "refused: 'dance' is no action. Send one of: record"),
        ("hmp/room/lab/set", '{"action":"stop","x":1}', 1, "x: 1 does not belong here"),
        ("hmp/room/kitchen/set", "record", 1, "'kitchen' is no room; configured are: boardroom"),
        ("hmp/room/lab/state", "recording", 1, "no input of rooms"),
        ("hmp/room/lab/pres/record", "true", 1, "did you mean hmp/room/lab/press/record?"),
        ("hmp/room/boardrom/set", "stop", 1, "'boardrom' is no room; did you mean boardroom?"),
        ("hmp/zzz", "", 1, "hmp-bridge topics lists those of rooms"),
        ("hmp/server/main/request/stopRecording", f'["{SESSION}"]', 0, f"stopRecording {SESSION}"),
        ("hmp/server/main/request/stopRecording", "[]", 1, "takes 1 parameter(s) (recordingId)"),
        ("hmp/server/main/request/stopRecording", "{", 1, 'Send {"recordingId": …}, or an array'),
        ("hmp/server/main/request/stoprecording", "", 1, "did you mean stopRecording?"),
        ("hmp/server/main/request/addHotmark", "", 1, "not allowed on server main. Nothing was do"),
        ("hmp/server/mian/request/addHotmark", "", 1, "'mian' is no server of this bridge; did yo"),
        ("hmp/server/main/request/startRecording", f'["{SESSION}"]', 0, "that of room boardroom"),
        ("hmp/bridge/request/reload", "", 0, "it reads its configuration again"),
        ("hmp/bridge/request/health", "", 0, "each HMP is asked"),
        ("hmp/bridge/request/info", '{"x": 1}', 1, "'x' does not belong here: info takes no"),
        ("hmp/bridge/request/info", "[]", 1, "refused: the payload is not a JSON object"),
        ("hmp/bridge/request/log_level", "debug", 0, "it logs from that level on"),
        ("hmp/bridge/request/log_level", "loud", 1, "level: 'loud' is no level"),
        (
            "hmp/bridge/request/log_level",
            '{"level":"debug","part":"x"}',
            1,
            "is no part of the log",
        ),
        ("hmp/bridge/request/anounce", "", 1, "did you mean announce?"),
        ("other/topic", "x", 1, "binding 1 (shelly/events/rpc): no: the topic is another one"),
    ],
)
def test_topics_of_our_own(  # noqa: PLR0917 - the columns of the table
    file: Path, capsys: pytest.CaptureFixture[str], topic: str, payload: str, code: int, said: str
) -> None:
    found, lines = tried(file, capsys, topic, payload)
    assert found == code, lines
    assert said in "\n".join(lines)


def test_a_room_that_gives_its_recordings_much(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, lines = tried(file, capsys, "hmp/room/hall/set", "record")
    assert commands_in(lines) == [
        "createSession",
        *["addSourceToSession"] * 4,
        "startRecording",
        *["updateMetadata"] * 3,
        *["shareRecordingWithUser"] * 2,
        "shareRecordingWithGroup",
        "setLiveSession",
    ]


def test_routine_looks_follow_from_no_message(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, lines = tried(file, capsys, "hmp/room/boardroom/set", '{"action":"extend","id":"before"}')
    assert code == ExitCode.OK
    assert lines[-2:] == [
        "  while it is recording: ok; the room is recording then",
        "    nothing is sent to HMP",
    ]
    _, lines = tried(file, capsys, "hmp/room/hall/set", '{"action":"stop","id":"before"}')
    assert commands_in(lines)[1:] == ["stopRecording", "getRecordingStatus"]
    _, lines = tried(file, capsys, "hmp/room/lab/press/restream_start", "true")
    assert lines[-2:] == [
        "  while it is recording: still waits; the room is recording then",
        "    nothing is sent to HMP",
    ]


def test_a_retained_input(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, lines = tried(file, capsys, "hmp/room/lab/set", "record", "--retained")
    assert (code, lines) == (
        1,
        ["ignored: a retained message is never acted on; publish it without retain"],
    )


@pytest.mark.parametrize(
    ("topic", "answered"),
    [
        ("hmp/server/main/request/stopRecording", "hmp/server/main/response/stopRecording"),
        ("hmp/server/none/request/stopRecording", "hmp/bridge/response/error"),
        ("hmp/bridge/request/info", "hmp/bridge/response/info"),
    ],
)
def test_a_request_by_name_says_where_its_answer_is(
    topic: str, answered: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, lines = tried(file, capsys, topic)
    assert lines[-1] == f"  the answer is on {answered}"
    code, lines = tried(file, capsys, topic, "", "--retained")
    assert (code, len(lines)) == (ExitCode.NOTHING, 1)
    assert lines[0].startswith("ignored: a retained message")


def test_a_payload_from_a_file(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    payload = tmp_path / "payload"
    payload.write_bytes(event("double_push").encode())
    options = ["--config", str(file), "--topic", "shelly/events/rpc"]
    assert run(["try", *options, "--payload-file", str(payload)]) == ExitCode.OK
    payload.write_bytes(b"\xff")
    assert run(["try", *options, "--payload-file", str(payload)]) == ExitCode.NOTHING
    assert "not UTF-8" in capsys.readouterr().out
    assert run(["try", *options, "--payload-file", str(tmp_path / "none")]) == ExitCode.USAGE
    assert "No such file" in capsys.readouterr().err
    assert run(["try", "--config", str(file), "--topic", "a/#"]) == ExitCode.USAGE
    assert "nothing can be published to it" in capsys.readouterr().err


def test_without_bindings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bridge.toml"
    path.write_text(CONFIGURATION.partition("[[bindings]]")[0], encoding="utf-8")
    code, lines = tried(path, capsys, "z/rec", "x")
    assert code == ExitCode.NOTHING
    assert "there are no [[bindings]]" in lines[0]
