"""Where a command writes to: any encoding, a full disk, a pipe that nobody reads, nothing."""

import json
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bridge.cli import main
from bridge.cli.options import ExitCode
from bridge.text.output import prepare_output
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
    ["openapi"],
    ["topics"],
    ["topics", "--format", "json"],
    ["try", "--topic", "panel/press", "--payload", "é 🎥"],
    ["completion", "bash"],
]
"""All that write to standard output as soon as they are called, and end."""

PROCESSES = [["--version"], ["--help"], ["check"], ["demo"], ["simulate", "--port", "0"]]
"""Those that are tried as processes: each way in which a program writes and ends. The others go
through the same output in this one."""

every_process = pytest.mark.parametrize("command", PROCESSES, ids=" ".join)
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


@dataclass
class Ended:
    """A command that ran in this process, with a standard output of its own."""

    code: int | str | None
    output: bytes
    errors: str


@pytest.fixture
def called(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ended]:
    """Call a command; `output` is a descriptor, by default of a file, and `encoding` its own."""
    monkeypatch.chdir(folder)
    for name in os.environ:
        if name.startswith(("HMP_BRIDGE_", "CREDENTIALS_DIRECTORY")):
            monkeypatch.delenv(name)

    def call(command: list[str], output: int | None = None, encoding: str = "utf-8") -> Ended:
        written = folder / "written"
        descriptor = os.open(written, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        if output is not None:
            os.dup2(output, descriptor)
        code: int | str | None
        with open(descriptor, "w", encoding=encoding) as stream, redirect_stdout(stream):  # noqa: PTH123
            prepare_output()
            try:
                code = main.run(command)
            except SystemExit as leaving:
                code = leaving.code
        return Ended(code, written.read_bytes(), capsys.readouterr().err)

    return call


@every_command
def test_a_full_disk(command: list[str], called: Callable[..., Ended]) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        ended = called(command, full)
    finally:
        os.close(full)
    said = "standard output cannot be written: No space left on device\n"
    assert (ended.errors, ended.code) == (said, ExitCode.OUTPUT)


@every_command
def test_nobody_reads(command: list[str], called: Callable[..., Ended]) -> None:
    """As `| head -0`, before the first word."""
    ours, theirs = os.pipe()
    os.close(ours)
    try:
        ended = called(command, theirs)
    finally:
        os.close(theirs)
    assert (ended.errors, ended.code) == ("", 141)


@every_process
def test_a_full_disk_as_a_program_meets_it(command: list[str], folder: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = run(command, folder, full)
    said = "standard output cannot be written: No space left on device\n"
    assert (done.stderr.decode(), done.returncode) == (said, ExitCode.OUTPUT)


@every_process
def test_nobody_reads_a_program(command: list[str], folder: Path) -> None:
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


@every_command
def test_an_output_of_ascii(command: list[str], called: Callable[..., Ended]) -> None:
    """All that Unicode has is written as JSON would, and JSON stays what it is."""
    ascii_, utf_8 = called(command, encoding="ascii"), called(command)
    assert (ascii_.code, ascii_.errors) == (utf_8.code, utf_8.errors)
    assert ascii_.output
    assert ascii_.output.isascii()
    if command[0] in ("asyncapi", "openapi") or command[-1] == "json":
        assert json.loads(ascii_.output) == json.loads(utf_8.output)


@pytest.mark.parametrize("environment", ASCII)
@pytest.mark.parametrize("command", [["--help"], ["topics", "--format", "json"]], ids=" ".join)
def test_a_program_whose_output_is_ascii(
    command: list[str], environment: dict[str, str], folder: Path
) -> None:
    done = run(command, folder, subprocess.PIPE, environment)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.isascii()
    if command[-1] == "json":
        assert "réunion 🎥" in str(json.loads(done.stdout))


@pytest.mark.parametrize("command", [["--version"], ["check"], ["asyncapi"]], ids=" ".join)
def test_an_output_that_was_closed(command: list[str], folder: Path) -> None:
    """Whoever closed it wants no word; it works as otherwise."""
    there = run(command, folder, subprocess.DEVNULL)
    without = ["sh", "-c", 'exec "$0" "$@" >&-', HMP_BRIDGE]
    closed = run(command, folder, subprocess.DEVNULL, program=without)
    assert (closed.stderr, closed.returncode) == (there.stderr, there.returncode)


HOSTILE = "\x1b]0;mine\x07\x9b2J\u202e"
ACTING = {"\x1b", "\x07", "\x9b", "\u202e"}


def test_try_shows_what_it_was_given(called: Callable[..., Ended]) -> None:
    """A payload that a person pastes from a log, or from somebody's message."""
    for payload in (HOSTILE, json.dumps({"event": "meeting_start", "title": HOSTILE})):
        ended = called(["try", "--topic", "hmp/room/boardroom/event", "--payload", payload])
        assert ended.output
        assert not ACTING & {*ended.output.decode()}


def test_a_complaint_shows_what_is_wrong(called: Callable[..., Ended], folder: Path) -> None:
    (folder / "bridge.toml").write_text(
        CONFIGURATION.replace('host = "127', r'host = "\u001b]0;mine\u0007\u202e127'), "utf-8"
    )
    ended = called(["check"])
    assert ended.code == ExitCode.CONFIGURATION
    assert not ACTING & {*ended.errors}
