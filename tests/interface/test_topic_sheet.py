"""`hmp-bridge topics`: what a panel programmer reads, in three formats that say the same."""

import csv
import io
import json
from pathlib import Path

import pytest

from bridge.cli.main import ExitCode, run
from bridge.mqtt.topics import Topics, render_room
from bridge.room.facts.state import RoomState
from bridge.room.facts.vocabulary import State
from tests.config.files import SESSION
from tests.room.policies import policy_of

TWO_ROOMS = f"""
[mqtt]
base_topic = "site/hmp"
[servers.main]
host = "hmp.example.edu"
[rooms.boardroom]
name = "Boardroom, first floor"
server = "main"
session = "{SESSION}"
tally.recording = "ON AIR"
[rooms.hall]
server = "main"
sources = ["{SESSION}"]
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    """A configuration with two rooms."""
    (tmp_path / "bridge.toml").write_text(TWO_ROOMS)
    return str(tmp_path / "bridge.toml")


def said(file: str, *options: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert run(["topics", "--config", file, *options]) == ExitCode.OK
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def test_every_topic_of_every_room(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(file, capsys=capsys)
    rooms = text.split("hall (hall)")
    assert rooms[0].startswith("Boardroom, first floor (boardroom)\n")
    topics = Topics("site/hmp")
    for name, part in zip(("boardroom", "hall"), rooms, strict=True):
        for topic in render_room(
            topics, name, RoomState(policy_of(None)), dict.fromkeys(State, "word")
        ):
            assert f" {topic} " in part
        assert f" site/hmp/room/{name}/press/record " in part
        assert " site/hmp/server/main/state " in part
        assert " site/hmp/bridge/state " in part
    assert "ON AIR" in rooms[0]
    assert "ON AIR" not in rooms[1]
    assert max(map(len, text.splitlines())) <= 125


def test_one_room(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(file, "--room", "hall", capsys=capsys)
    assert "boardroom" not in text
    assert run(["topics", "--config", file, "--room", "hal"]) == ExitCode.USAGE
    assert capsys.readouterr().err == "'hal' is no room; did you mean hall?\n"


def test_the_formats_say_the_same(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    rooms = json.loads(said(file, "--format", "json", capsys=capsys))
    rows = list(csv.DictReader(io.StringIO(said(file, "--format", "csv", capsys=capsys))))
    text = said(file, capsys=capsys)
    as_text = [
        {"room": room["room"]}
        | {key: "" if value is None else str(value) for key, value in topic.items()}
        | {"retained": "yes" if topic["retained"] else "no"}
        for room in rooms
        for topic in room["topics"]
    ]
    assert as_text == rows
    assert len(rows) > 50
    for row in rows:
        assert f" {row['topic']} " in text
        assert row["meaning"] in text
    [tally] = [row for row in rows if row["topic"] == "site/hmp/room/boardroom/tally"]
    assert tally == {
        "room": "boardroom",
        "topic": "site/hmp/room/boardroom/tally",
        "direction": "subscribe",
        "qos": "1",
        "retained": "yes",
        "longest": "6",
        "values": "off blink ON AIR amber fault",
        "meaning": "the light",
    }
