"""Every row of the error table is an answer that can be had, in exactly its words."""

import pytest

from bridge.simulator.command_table import COMMANDS
from bridge.simulator.execution import execute
from bridge.simulator.faults import Fault
from bridge.simulator.messages import GENERAL_MESSAGES, MESSAGES, Row, fill

from .worlds import SESSION, SOURCE, world_of

NIL = "00000000-0000-0000-0000-000000000000"
OTHER = "11111111-0000-4000-8000-000000000001"  # an object of each kind: source, session, …
BROKEN = "11111111-0000-4000-8000-00000000dead"
EMPTY = "11111111-0000-4000-8000-000000000003"
RUNNING = "f678f415-0665-48cd-b141-1e95283469f1"
FINISHED = "11111111-0000-4000-8000-000000000005"
MULTI = "11111111-0000-4000-8000-000000000006"
NO_RESULTS = "11111111-0000-4000-8000-000000000007"
BROKEN_FINISHED = "11111111-0000-4000-8000-000000000008"
CATEGORY = "692e9ab8-d446-4bfd-b64d-e39e8e57c4c5"

WORLD = f"""
sources = [
  {{ id = "{SOURCE}", address = "239.9.9.9", port = 9 }}, {{ id = "{OTHER}" }},
  {{ id = "{BROKEN}", broken = true }},
]
sessions = [
  {{ id = "{SESSION}", title = "Recorded", sources = ["{SOURCE}"] }},
  {{ id = "{OTHER}", title = "Two sources", sources = ["{SOURCE}", "{OTHER}"] }},
  {{ id = "{BROKEN}", title = "Broken", sources = ["{SOURCE}"], broken = true }},
  {{ id = "{EMPTY}", title = "Empty" }},
]
recordings = [
  {{ id = "{RUNNING}", session = "{SESSION}", state = "RECORDING" }},
  {{ id = "{FINISHED}", session = "{SESSION}" }},
  {{ id = "{MULTI}", session = "{OTHER}" }},
  {{ id = "{BROKEN}", session = "{BROKEN}", state = "PAUSED", broken = true }},
  {{ id = "{BROKEN_FINISHED}", session = "{BROKEN}", broken = true }},
  {{ id = "{NO_RESULTS}", session = "{OTHER}", no_results = true }},
]
streams = [
  {{ id = "{OTHER}", recording = "{FINISHED}", address = "239.1.1.1", port = 5000 }},
  {{ id = "{BROKEN}", recording = "{FINISHED}", address = "239.1.1.2", port = 1, broken = true }},
]
users = [
  {{ name = "viewer", roles = ["Viewer"] }}, {{ name = "newcomer" }},
  {{ name = "broken", broken = true }},
]
groups = [
  {{ name = "Staff", roles = ["Viewer"] }}, {{ name = "Guests" }},
  {{ name = "broken", broken = true }},
]
categories = [{{ id = "{CATEGORY}" }}]
permissions = [{{ id = "{OTHER}", grantable = false }}]
"""


def sharing(command: str, keywords: str, subject: str, grantee: str) -> dict[str, str]:
    """The rows that the four share commands have in common."""
    name, search, unknown, roleless = {
        "user": ("viewer", "070008 user", "040004 User", "060001 User"),
        "group": ("staff", "070009 group", "040005 Group", "060002 Group"),
    }[grantee]
    missing = "040006|Session" if subject == SESSION else "040002|Recording"
    roleless_name = {"user": "newcomer", "group": "guests"}[grantee]
    return {
        f"{command} {name} OWN": "010003|Expected 3 parameter(s). Got 2 parameter(s)",
        f"{command} {name} OWN x": "010001|'x' is not a UUID",
        f"{command} {name} VIEW {subject}": f"010001|Permission must be one of: {keywords}",
        f"{command} broken OWN {subject}": f"{search[:6]}|Error searching for a {search[7:]}",
        f"{command} nobody OWN {subject}": f"{unknown[:6]}|{unknown[7:]} not found",
        f"{command} {roleless_name} OWN {subject}": (
            f"{roleless[:6]}|{roleless[7:]} has no roles assigned"
        ),
        f"{command} {name} OWN {NIL}": f"{missing} not found",
        f"{command} {name} {OTHER} {subject}": "030003|Cannot share",
    }


def categories(command: str, subject: str) -> dict[str, str]:
    return {
        f"{command} x {CATEGORY} HD": "010001|'x' is not a UUID",
        f'{command} {subject} {CATEGORY} ""': "010001|Please provide non-empty values",
        f'{command} {subject} {CATEGORY} "a "': (
            "010001|Please remove any leading or trailing spaces in the values"
        ),
        f"{command} {subject} {CATEGORY} a a": "010001|Please verify that values are unique",
        f"{command} {subject} {NIL} HD": "040007|Category not found",
    }


# The answers are written out here a second time: nothing below is taken from the table.
CASES: dict[str, dict[str, str]] = {
    "createSession": {
        "createSession": "010003|Expected 1 parameter(s). Got 0 parameter(s)",
        'createSession ""': "010001|Session name must be at least 1 character",
        "(error:createSession:070019) createSession x": "070019|Failed to create a session",
    },
    "setLiveSession": {
        "setLiveSession x": "010003|Expected 2 parameter(s). Got 1 parameter(s)",
        "setLiveSession x true": "010001|'x' is not a uuid",
        f"setLiveSession {SESSION} 1": "010001|'1' is not a boolean",
        f"setLiveSession {NIL} true": "040006|Session not found",
    },
    "deleteSession": {
        "deleteSession": "010003|Expected 1 parameter(s). Got 0 parameter(s)",
        "deleteSession x": "010001|'x' is not a uuid",
        f"deleteSession {NIL}": "040006|Session not found",
        f"deleteSession {SESSION}": "060003|Recording currently in progress",
        f"(stop) deleteSession {BROKEN}": "070000|Internal Server Error",
    },
    "addSourceToSession": {
        "addSourceToSession x": "010003|Expected 2 parameter(s). Got 1 parameter(s)",
        f"addSourceToSession {SESSION} x": "010001|'x' is not a UUID",
        f"addSourceToSession {SESSION} {OTHER}": "060003|Active recording currently in progress",
        f"addSourceToSession {EMPTY} {BROKEN}": "070010|Could not create a track",
        f"addSourceToSession {NIL} {SOURCE}": "040006|Session not found",
        f"addSourceToSession {EMPTY} {NIL}": "040009|Source not found",
        f"addSourceToSession {OTHER} {OTHER}": "060008|Source already added to this session",
    },
    "removeSourceFromSession": {
        "removeSourceFromSession x": "010003|Expected 2 parameter(s). Got 1 parameter(s)",
        f"removeSourceFromSession {SESSION} x": "010001|'x' is not a uuid",
        f"removeSourceFromSession {NIL} {SOURCE}": "040006|Session not found",
        f"removeSourceFromSession {EMPTY} {SOURCE}": "040009|Source not found",
        f"removeSourceFromSession {SESSION} {SOURCE}": (
            "060003|Active recording currently in progress"
        ),
        f"(stop) removeSourceFromSession {BROKEN} {SOURCE}": "070000|Internal Server Error",
    },
    "shareSessionWithUser": sharing(
        "shareSessionWithUser", "WATCH, EDIT, RECORD, OWN", SESSION, "user"
    ),
    "shareSessionWithGroup": sharing(
        "shareSessionWithGroup", "WATCH, EDIT, RECORD, OWN", SESSION, "group"
    ),
    "updateSessionMetadata": {
        "updateSessionMetadata x": "010003|Expected 3 parameter(s). Got 1 parameter(s)",
        "updateSessionMetadata x title y": "010001|'x' is not a UUID",
        f"updateSessionMetadata {SESSION} hue y": "010001|'hue' is an invalid field name",
        f"updateSessionMetadata {NIL} title y": "040006|Session not found",
        f"updateSessionMetadata {BROKEN} title y": "070000|Internal Server Error",
    },
    "setSessionCategory": {
        "setSessionCategory": "010003|Expected 3 parameter(s). Got 0 parameter(s)",
        **categories("setSessionCategory", SESSION),
        f"(numeric) setSessionCategory {SESSION} {CATEGORY} 7": "010001|Values must be strings",
        f"setSessionCategory {NIL} {CATEGORY} HD": "040006|Session not found",
    },
    "startRecording": {
        "startRecording": "010003|Expected 1 parameter(s). Got 0 parameter(s)",
        "startRecording x": "010001|'x' is not a UUID",
        f"startRecording {NIL}": "040006|Session not found",
        f"(write_error) startRecording {SESSION}": "0700014|Error writing to file",
        f"startRecording {BROKEN}": "070000|Internal Server Error",
        f"(disk_full) startRecording {SESSION}": "070027|Insufficient Disk Space",
        f"startRecording {EMPTY}": "060009|Session requires at least one source",
    },
    "pauseRecording": {
        "pauseRecording": "010003|Expected 1 parameter(s). Got 0 parameter(s)",
        "pauseRecording x": "010001|'x' is not a UUID",
        f"pauseRecording {FINISHED}": "040001|Active recording not found",
        f"pauseRecording {BROKEN}": "070003|Failed to update state",
    },
    "resumeRecording": {
        "resumeRecording": "010003|Expected 1 parameter(s). Got 0 parameter(s)",
        "resumeRecording x": "010001|'x' is not a UUID",
        f"resumeRecording {NIL}": "040001|Active recording not found",
        f"resumeRecording {BROKEN}": "070003|Failed to update state",
    },
    "stopRecording": {
        "stopRecording": "010003|Expected 1 parameter(s). Got 0 parameter(s)",
        "stopRecording x": "010001|'x' is not a UUID",
        f"stopRecording {FINISHED}": "040001|Active recording not found",
        f"stopRecording {BROKEN}": "070003|Internal Server Error",
    },
    "getRecordingStatus": {
        "getRecordingStatus": "010003|Expected 1 parameter(s). Got 0 parameter(s)",
        "getRecordingStatus x": "010001|'x' is not a UUID",
        f"getRecordingStatus {NIL}": "040001|Active recording not found",
        f"(unknown) getRecordingStatus {NIL}": "070003|Recording not found",
    },
    "shareRecordingWithUser": sharing(
        "shareRecordingWithUser", "WATCH, EDIT, OWN", RUNNING, "user"
    ),
    "shareRecordingWithGroup": sharing(
        "shareRecordingWithGroup", "WATCH, EDIT, OWN", RUNNING, "group"
    ),
    "updateMetadata": {
        "updateMetadata x": "010003|Expected 3 parameter(s). Got 1 parameter(s)",
        "updateMetadata x title y": "010001|'x' is not a UUID",
        f"updateMetadata {NIL} title y": "040002|Recording not found",
        f"updateMetadata {BROKEN} title y": "070017|Failed to update a recording",
        f"updateMetadata {RUNNING} hue y": "010001|'hue' is an invalid field name",
        f"updateMetadata {NO_RESULTS} title y": "040012|No results",
    },
    "setCategory": {
        "setCategory": "010003|Expected at least 3 parameters. Got 0 parameter(s)",
        **categories("setCategory", RUNNING),
        f"(numeric) setCategory {RUNNING} {CATEGORY} true": "010001|Values must be strings",
        f"setCategory {NIL} {CATEGORY} HD": "040002|Recording not found",
        f"setCategory {NO_RESULTS} {CATEGORY} HD": "040012|No results",
    },
    "addHotmark": {
        "addHotmark": "010003|Expected 2 parameters. Got 0 parameter(s)",
        "addHotmark x y": "010001|'x' is not a UUID",
        f"addHotmark {NIL} y": "040002|Recording not found",
        f"(mark) addHotmark {RUNNING} y": "060004|Hotmark already exists at this time",
        f"addHotmark {FINISHED} y": f"010004|'{FINISHED}' is not an active recording",
        f"addHotmark {BROKEN} y": "070011|Could not locate recording",
    },
    "startRestreamRecording": {
        "startRestreamRecording x 239.1.1.3 5000": "010001|'x' is not a UUID",
        f"startRestreamRecording {FINISHED} x 5000": "010001|'x' is not an ip address",
        f"startRestreamRecording {FINISHED} 239.1.1.3 x": "010001|'x' is not a port number",
        f"startRestreamRecording {RUNNING} 239.1.1.3 5000": "040002|Recording not found",
        f"startRestreamRecording {MULTI} 239.1.1.3 5000": (
            "010005|Only single source recordings can be streamed"
        ),
        f"startRestreamRecording {FINISHED} 239.1.1.1 5000": (
            "010006|Address or port already in use"
        ),
        f"startRestreamRecording {FINISHED} 239.9.9.9 9": (
            "010006|Address or port already in use by a source"
        ),
        f"startRestreamRecording {BROKEN_FINISHED} 239.1.1.3 1": (
            "070004|Error while starting stream"
        ),
    },
    "stopRestreamRecording": {
        "stopRestreamRecording x": "010001|'x' is not a UUID",
        f"stopRestreamRecording {BROKEN}": "070005|Error while stopping stream",
        f"stopRestreamRecording {NIL}": "040003|Stream not found",
    },
}


ALL_CASES = [case for cases in CASES.values() for case in cases.items()]


def answer_to(request: str) -> str:
    world = world_of(WORLD)
    setup, closing, line = request.partition(") ")
    if not (closing and setup.startswith("(")):
        return execute(world, request)
    match setup[1:]:
        case "stop":
            world.recordings[BROKEN].stop(world.now())
        case "numeric":
            world.knobs = world.knobs.with_value("numeric_values_are_not_strings", value=True)
        case "unknown":
            world.knobs = world.knobs.with_value("status_of_unknown", "070003")
        case "mark":
            execute(world, line)
        case fault:
            world.faults.add(Fault.from_text(fault))
    return execute(world, line)


@pytest.mark.parametrize(("request_line", "expected"), ALL_CASES)
def test_row_is_answered_in_its_words(request_line: str, expected: str) -> None:
    assert answer_to(request_line) == f"ERROR|{expected}"


@pytest.mark.parametrize("command", MESSAGES)
def test_every_row_of_the_table_is_reached(command: str) -> None:
    answers = CASES[command].values()
    for row in MESSAGES[command]:
        assert any(stands_for(row, answer) for answer in answers), row
    assert len(CASES[command]) == len(MESSAGES[command])


def stands_for(row: Row, answer: str) -> bool:
    """Whether the answer is the row with something in its place holder."""
    start, holder, end = fill(row.message, "\0").partition("\0")
    code, _, message = answer.partition("|")
    if not holder:
        return (code, message) == row
    return code == row.code and message.startswith(start) and message.endswith(end)


def test_table_is_as_large_as_the_guides() -> None:
    assert set(MESSAGES) == set(COMMANDS)
    assert len(MESSAGES) == 21
    assert sum(len(rows) for rows in MESSAGES.values()) == 125
    assert len(GENERAL_MESSAGES) == 10
    codes = {row.code for rows in (*MESSAGES.values(), GENERAL_MESSAGES) for row in rows}
    assert len(codes) == 40


@pytest.mark.parametrize(
    "row", [row for row in GENERAL_MESSAGES if row.code not in ("010001", "010003")]
)
def test_general_rows_are_reached_by_every_command(row: Row) -> None:
    for line in (f"getRecordingStatus {RUNNING}", "createSession x"):
        world = world_of(WORLD)
        world.faults.add(Fault.from_text(f"error:*:{row.code}"))
        expected = "|".join(("ERROR", *row))
        assert execute(world, line) == expected
