"""Where a command writes to: any encoding, a full disk, a pipe that nobody reads, nothing."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from bridge.cli.options import ExitCode
from tests.process.programs import HMP_BRIDGE, clean_environment
from tests.process.watched import PATIENCE

CONFIGURATION = """
[mqtt]
host = "127.0.0.1"
port = 1
connect_timeout = "1s"

[bridge]
state_dir = "state"

[servers.main]
host = "127.0.0.1"
port = 1

[rooms.boardroom]
name = "Salle de réunion 🎥"
server = "main"
session = "71edd346-2cf0-4c62-b3d3-9d457b287394"

[[bindings]]
topic = "panel/press"
room = "boardroom"
do = "record"
"""

COMMANDS = [
    ["--version"],
    ["--help"],
    ["check"],
    ["check", "--live"],
    ["schema"],
    ["asyncapi"],
    ["topics"],
    ["topics", "--format", "json"],
    ["try", "--topic", "panel/press", "--payload", "é 🎥"],
    ["demo"],
    ["simulate", "--port", "0"],
]
"""All that write to standard output as soon as they are called."""

every_command = pytest.mark.parametrize("command", COMMANDS, ids=" ".join)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "bridge.toml").write_text(CONFIGURATION, encoding="utf-8")
    return tmp_path


def run(
    command: list[str],
    folder: Path,
    stdout: Any,
    environment: Mapping[str, str] | None = None,
    *,
    program: Sequence[str] = (HMP_BRIDGE,),
) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [*program, *command],
        cwd=folder,
        env=clean_environment(environment) | {"PYTHONUNBUFFERED": ""},
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        timeout=PATIENCE,
        check=False,
    )


@every_command
def test_a_full_disk(command: list[str], folder: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = run(command, folder, full)
    said = "standard output cannot be written: No space left on device\n"
    assert (done.stderr.decode(), done.returncode) == (said, ExitCode.OUTPUT)


@every_command
def test_nobody_reads(command: list[str], folder: Path) -> None:
    """As `| head -0`, before the first word."""
    ours, theirs = os.pipe()
    os.close(ours)
    try:
        done = run(command, folder, theirs)
    finally:
        os.close(theirs)
    assert (done.stderr, done.returncode) == (b"", 141)


ASCII = [
    {"PYTHONIOENCODING": "ascii"},
    {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
]


@pytest.mark.parametrize("environment", ASCII)
@pytest.mark.parametrize("command", COMMANDS[:-2], ids=" ".join)
def test_an_output_of_ascii(command: list[str], environment: dict[str, str], folder: Path) -> None:
    """All that Unicode has is written as JSON would, and JSON stays what it is."""
    ascii_ = run(command, folder, subprocess.PIPE, environment)
    utf_8 = run(command, folder, subprocess.PIPE, {"PYTHONIOENCODING": "utf-8"})
    assert (ascii_.returncode, ascii_.stderr) == (utf_8.returncode, utf_8.stderr)
    assert ascii_.stdout.isascii()
    if command[0] == "asyncapi" or command[-1] == "json":
        assert json.loads(ascii_.stdout) == json.loads(utf_8.stdout)


@every_command
def test_an_output_that_was_closed(command: list[str], folder: Path) -> None:
    """Whoever closed it wants no word; it works as otherwise."""
    if command[0] in ("demo", "simulate"):
        pytest.skip("it would not end")
    there = run(command, folder, subprocess.DEVNULL)
    without = ["sh", "-c", 'exec "$0" "$@" >&-', HMP_BRIDGE]
    closed = run(command, folder, subprocess.DEVNULL, program=without)
    assert (closed.stderr, closed.returncode) == (there.stderr, there.returncode)


HOSTILE = "\x1b]0;mine\x07\x9b2J\u202e"
ACTING = {"\x1b", "\x07", "\x9b", "\u202e"}


def test_try_shows_what_it_was_given(folder: Path) -> None:
    """A payload that a person pastes from a log, or from somebody's message."""
    for payload in (HOSTILE, json.dumps({"event": "meeting_start", "title": HOSTILE})):
        topic = "hmp/room/boardroom/event"
        done = run(["try", "--topic", topic, "--payload", payload], folder, subprocess.PIPE)
        assert done.stdout
        assert not ACTING & {*done.stdout.decode()}


def test_a_complaint_shows_what_is_wrong(folder: Path) -> None:
    (folder / "bridge.toml").write_text(
        CONFIGURATION.replace('host = "127', r'host = "\u001b]0;mine\u0007\u202e127'), "utf-8"
    )
    done = run(["check"], folder, subprocess.PIPE)
    assert done.returncode == ExitCode.CONFIGURATION
    assert not ACTING & {*done.stderr.decode()}
