"""Alarms and refusals of a room as log lines, each once."""

from dataclasses import replace

from structlog.testing import capture_logs

from bridge.logs.room_lines import RoomLog
from bridge.room.facts.state import RoomState
from bridge.room.facts.values import Problem
from bridge.room.facts.vocabulary import Alarm
from tests.room.driven import POLICY

IDLE = RoomState(POLICY)
FULL = Problem("070027", "Insufficient Disk Space", "Free some space.")


def test_an_alarm_is_logged_when_it_is_raised_and_when_it_is_cleared() -> None:
    room_log = RoomLog("boardroom")
    alarmed = replace(IDLE, alarms=frozenset({Alarm.DISK_FULL}), problem=FULL)
    with capture_logs() as lines:
        for state in (IDLE, alarmed, replace(alarmed, elapsed=1), IDLE):
            room_log.note(state)
    assert [(line["event"], line["log_level"]) for line in lines] == [
        ("something went wrong in a room", "warning"),
        ("alarm raised", "warning"),
        ("alarm cleared", "info"),
    ]
    assert lines[0]["code"] == "070027"
    assert lines[0]["what_to_do"] == "Free some space."
    assert {line["room"] for line in lines} == {"boardroom"}
