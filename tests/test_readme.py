"""The README is run: its commands, its topics, its tables, against the code."""

import io
import json
import re
import shlex
from pathlib import Path

import pytest
import yaml

from bridge.api.answers import done, refused
from bridge.api.bridge_requests import Verb
from bridge.api.checks import check_command, check_topic
from bridge.cli.main import ExitCode, run
from bridge.config.configuration import Configuration
from bridge.config.load import load
from bridge.demo.demo import DEMO
from bridge.hmp.commands import GetRecordingStatus, RecordingId
from bridge.hmp.errors import Refused
from bridge.hmp.link import LinkState
from bridge.logs.levels import PARTS
from bridge.logs.log import configure_logs
from bridge.logs.request_lines import RequestLog
from bridge.metrics.meters import Meters
from bridge.mqtt.api_topics import (
    Caller,
    CommandTopic,
    VerbTopic,
    parse_command_payload,
    parse_topic,
    parse_verb_payload,
    render_answer,
)
from bridge.mqtt.catalogue import ROWS
from bridge.mqtt.inputs import parse
from bridge.mqtt.topics import Input, Topics, render_room
from bridge.room.facts.requests import request
from bridge.room.facts.state import RoomState
from bridge.room.facts.values import Now, Result
from bridge.room.facts.vocabulary import ALARMS, Outcome, State
from bridge.room.stages import Stages
from tests.metrics.healthy import look
from tests.room.policies import policy_of
from tests.schemas import complaints

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
REFERENCE = (ROOT / "config/README.md").read_text(encoding="utf-8")
BOTH = README + REFERENCE
SESSION = "71edd346-2cf0-4c62-b3d3-9d457b287394"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", BOTH, re.DOTALL)


def published() -> dict[str, str]:
    words = dict.fromkeys(State, "word")
    state = RoomState(policy_of(SESSION))  # type: ignore[arg-type]
    return render_room(Topics(), "boardroom", state, words)


def test_the_gate_runs_the_readme_s_test_command() -> None:
    [command] = [block.strip() for block in blocks("sh") if "pytest" in block]
    assert command in (ROOT / ".ci/run").read_text().splitlines()


def test_the_readme_is_short() -> None:
    """A person with a box and a panel reads it; the rest is in the reference."""
    lines = README.splitlines()
    assert len(lines) <= 300
    in_code, too_long = False, []
    for line in lines:
        in_code ^= line.startswith("```")
        if not in_code and not line.startswith("|") and len(line) > 120:
            too_long.append(line)
    assert not too_long


def test_every_link_within_the_documents_leads_somewhere() -> None:
    for text, folder in ((README, ROOT), (REFERENCE, ROOT / "config")):
        for target in re.findall(r"\]\(([^)]+)\)", text):
            file, _, anchor = target.partition("#")
            path = folder / file if file else folder / "README.md"
            assert path.exists(), target
            if anchor:
                heads = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
                slugs = {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}
                assert anchor in slugs, target


def test_every_published_topic_of_a_room_is_named() -> None:
    for topic in published():
        assert topic in README or f"`{topic.rpartition('/')[2]}`" in README, topic


def test_every_room_topic_named_exists() -> None:
    outputs = set(published()) | {f"hmp/room/boardroom/{leaf}" for leaf in ("ack", "result")}
    for topic in set(re.findall(r"hmp/room/boardroom/[a-z_/]+", README)):
        if topic not in outputs:
            given = parse(Topics(), topic, b"true" if "/press/" in topic else b"button")
            assert isinstance(given, Input), topic


@pytest.mark.parametrize("line", [line for block in blocks("sh") for line in block.splitlines()])
def test_mosquitto_pub_lines_are_understood(line: str) -> None:
    words = shlex.split(line, comments=True)
    if words[:1] not in (["mosquitto_pub"], ["mosquitto_rr"]):
        return
    topic = words[words.index("-t") + 1]
    payload = words[words.index("-m") + 1]
    if parse_topic(Topics(), topic) is not None:
        assert_taken(topic, payload)
        return
    given = parse(Topics(), topic, payload.encode())
    assert isinstance(given, Input)
    request(
        given.word,
        given.parameters,
        event=given.event,
        request_id=given.id,
        origin=topic,
        received_at=0.0,
    )


def assert_taken(topic: str, payload: str) -> None:
    """The demo's bridge would carry this request out."""
    asked_on = parse_topic(Topics(), topic)
    if isinstance(asked_on, VerbTopic):
        word = "level" if asked_on.verb == Verb.LOG_LEVEL else None
        asked = parse_verb_payload(payload.encode(), word=word, takes_force=False)
        assert asked.parameters == ({"level": "debug"} if word else {})
        assert asked_on.verb in list(Verb)
        return
    assert isinstance(asked_on, CommandTopic)
    rules = {name: table.rules() for name, table in Configuration(**DEMO).servers.items()}
    command = check_topic(asked_on, rules)
    assert check_command(command, parse_command_payload(payload.encode())).name in topic


def test_the_answers_shown_are_answers() -> None:
    [text] = [block for block in blocks("json") if '"raw"' in block]
    recording = GetRecordingStatus(RecordingId("f678f415-0665-48cd-b141-1e95283469f1"))
    not_found = Refused("040001", "Active recording not found", "040001", recording.name)
    caller = Caller("7", "hmp/server/main/request/getRecordingStatus", "t")
    shown = [json.loads(line) for line in text.splitlines()]
    for answer, expected in zip((done("PAUSED"), refused(not_found)), shown, strict=True):
        rendered = json.loads(render_answer(answer, caller, with_raw=True))
        if rendered["error"] is not None:
            rendered["error"]["explanation"] = "…"
        assert rendered == expected


def test_the_status_shown_is_one() -> None:
    [shown] = [json.loads(block) for block in blocks("json") if '"stale"' in block]
    [row] = [row for row in ROWS if row.path == "room/{room}/status"]
    assert list(shown) == list(json.loads(published()["hmp/room/boardroom/status"]))
    assert complaints(row.values.schema, shown) == []


def test_the_words_of_the_api_are_complete() -> None:
    section = REFERENCE[
        REFERENCE.index("## Send any HMP command") : REFERENCE.index("## Configuration")
    ]
    for outcome in set(Outcome) - {Outcome.IGNORED}:
        assert f"| `{outcome}` |" in section, outcome
    for verb in Verb:
        assert f"| `{verb}` |" in section, verb
    sources = [*(ROOT / "bridge/api").glob("*.py")]
    codes = {
        code
        for path in sources
        for code in re.findall(r'(?:Problem|failed|_expired)\(\s*"(\w+)"', path.read_text())
    }
    assert {"unknown_server", "already_recording", "stopping"} <= codes
    for code in codes - {"unknown_verb", "refused", "broker_lost", "expired"}:
        assert f"`{code}`" in section, code


def test_states_alarms_and_server_states_are_complete() -> None:
    for state in State:
        assert f"`{state}`" in README
    for alarm in ALARMS:
        assert re.search(rf"^\| `{alarm}` \|", README, re.MULTILINE), alarm
    for link_state in LinkState:
        assert re.search(rf"^\| `{link_state}` \|", README, re.MULTILINE), link_state


def test_every_configuration_shown_loads(tmp_path: Path) -> None:
    path = tmp_path / "bridge.toml"
    rooms: list[str] = []
    for text in blocks("toml"):
        if text.startswith("[mqtt]"):
            path.write_text(text)
            rooms += load(path).rooms
    assert rooms[:1] == ["boardroom"]


def test_the_bindings_load_and_do_what_is_said_of_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    smallest, *_ = [block for block in blocks("toml") if block.startswith("[mqtt]")]
    [bindings] = [block for block in blocks("toml") if block.startswith("[[bindings]]")]
    path = tmp_path / "bridge.toml"
    path.write_text(f"{smallest}\n{bindings}", encoding="utf-8")
    booked = '{"id":"b1","room":{"kind":"lecture"},"subject":"Weekly","end":"2126-03-01T11:00:00Z"}'
    topic = "bookings/boardroom/started"
    assert run(["try", "--topic", topic, "--payload", booked, "--config", str(path)]) == ExitCode.OK
    out = capsys.readouterr().out
    assert "event meeting_start of room boardroom" in out
    assert "title = 'Weekly'" in out
    assert f"startRecording {SESSION}" in out


def test_what_try_says(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """As printed, in the folder of the README."""
    monkeypatch.chdir(ROOT)
    [asked] = [block for block in blocks("sh") if "hmp-bridge try" in block]
    command, *said = asked.splitlines()
    assert run(shlex.split(command)[1:]) == ExitCode.OK
    shown = capsys.readouterr().out.splitlines()
    assert [line.removeprefix("# ") for line in said] == shown[: len(said)]


def test_home_assistant_s_entities_use_topics_and_words_that_exist() -> None:
    [text] = blocks("yaml")
    retained = published()
    for entry in yaml.safe_load(text)["mqtt"]:
        [(platform, entity)] = entry.items()
        for key, topic in entity.items():
            if key in ("state_topic", "json_attributes_topic"):
                assert topic in retained
            if key == "command_topic":
                for payload in ("payload_on", "payload_off", "payload_press"):
                    if payload in entity:
                        given = parse(Topics(), topic, entity[payload].encode())
                        assert isinstance(given, Input)
        if platform == "sensor":
            assert entity["options"] == [str(state) for state in State]
        for available in entity.get("availability", ()):
            assert available["topic"] in {*retained, Topics().bridge_state}


def test_the_log_line_is_one_that_is_written() -> None:
    [shown] = [block.strip() for block in blocks("text") if "request done" in block]
    stream = io.StringIO()
    configure_logs("info", stream)
    requests = RequestLog(lambda: Now(10.0041, 0.0))
    requests.broker(online=True)
    done = Result("a1", "record", "topic", Outcome.OK, State.RECORDING, took=0.0035)
    requests.arrived(requests.given("boardroom", done, Stages(10.0, 10.0009, 10.0033)))
    written = stream.getvalue().partition(" ")[2].strip()
    assert shown == written


def test_the_parts_of_the_log_are_named() -> None:
    assert f"`part` is who speaks: {', '.join(f'`{part}`' for part in PARTS)}." in BOTH


def test_every_file_on_the_way_of_a_press_is_there() -> None:
    walk = README[README.index("Follow a press through the code") : README.index("What the code")]
    named = re.findall(r"`([a-z_]+(?:/[a-z_]+)+)`", walk)
    assert len(named) > len(set(named)) > 40
    assert [each for each in named if not (ROOT / f"bridge/{each}.py").is_file()] == []


def test_metrics_named_exist() -> None:
    meters = Meters(version="1", servers=["main"], snapshot=look())
    names = {
        name
        for family in meters.registry.collect()
        for name in (family.name, *(sample.name for sample in family.samples))
    }
    named = set(re.findall(r"hmp_bridge_\w+", BOTH))
    assert len(named) >= 8
    assert named <= names


def test_systemd_s_unit_and_the_readme_agree_on_paths() -> None:
    unit = (ROOT / "systemd/hmp-bridge.service").read_text()
    assert "/opt/hmp-bridge/bin/hmp-bridge run --config /etc/hmp-bridge/bridge.toml" in unit
    assert "hmp-bridge check --live --config /etc/hmp-bridge/bridge.toml" in README
    assert "# LoadCredential=mqtt__password:/etc/hmp-bridge/mqtt__password\n" in unit
    assert "StateDirectory=hmp-bridge" in unit
    assert "/var/lib/hmp-bridge" in README
