"""The help of every command: what a person finds in it, and that it is true."""

import re
import shlex
from pathlib import Path

import pytest

from bridge.cli.command_line import make_parser
from bridge.cli.main import ExitCode, run
from bridge.cli.manual import EXIT_CODES
from bridge.hmp.command import parameters
from bridge.hmp.commands import COMMANDS
from bridge.simulator.faults import FAULT_KINDS
from bridge.simulator.knobs import Knobs, describe_knobs

ROOT = Path(__file__).parents[2]
NAMES = list(make_parser().commands)
CONFIGURED = (
    "run",
    "check",
    "watch",
    "asyncapi",
    "openapi",
    "topics",
    "try",
    "send",
    "clean",
    "yield",
)


@pytest.fixture(params=[60, 80, 200])
def columns(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """The width of the terminal."""
    monkeypatch.setenv("COLUMNS", str(request.param))
    return int(request.param)


def help_of(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit, match="0"):
        run([*words, "--help"])
    return capsys.readouterr().out


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    said = help_of(capsys)
    commands = (
        "run demo simulate check watch schema asyncapi openapi topics try send clean yield "
        "completion man example-config unit"
    )
    assert commands.split() == NAMES
    for command in NAMES:
        assert f"\n  {command} " in said


@pytest.mark.parametrize("command", NAMES)
def test_every_help_has_examples_exit_codes_and_places(
    command: str, columns: int, capsys: pytest.CaptureFixture[str]
) -> None:
    said = help_of(capsys, command)
    examples = said.partition("\nexamples:\n")[2].partition("\n\n")[0]
    assert f"hmp-bridge {command}" in examples
    codes = said.partition("\nexit codes:\n")[2].partition("\n\n")[0]
    assert re.findall(r"^  (\d+) ", codes, re.MULTILINE) == [
        str(int(code)) for code, _ in EXIT_CODES[command]
    ]
    in_one_line = " ".join(said.split())
    assert ("/etc/hmp-bridge/bridge.toml" in said) == (command in CONFIGURED)
    assert ("~/.local/state/hmp-bridge" in said) == (command in ("run", "check", "clean"))
    assert ("journalctl -u hmp-bridge" in in_one_line) == (command in ("run", "check", "clean"))
    # Terms, such as what is to be copied, are never broken; all else fits.
    wrapped = [line for line in said.splitlines() if not line.startswith("  hmp-bridge ")]
    assert max(map(len, wrapped)) <= max(columns, 74)


@pytest.mark.parametrize("command", NAMES)
def test_examples_are_understood(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As far as the parser goes; what is quoted is for the shell."""
    said = help_of(capsys, command)
    examples = said.partition("\nexamples:\n")[2].partition("\n\n")[0]
    lines = re.findall(r"^  ((?:hmp-bridge|eval) .*?)(?:  .*)?$", examples, re.MULTILINE)
    assert lines
    for line in lines:
        words = shlex.split(
            re.split(r" [|>] ", line.removeprefix('eval "$(').removesuffix(')"'))[0]
        )
        assert callable(make_parser().parse_args(words[1:]).command)


def test_send_lists_the_commands_of_hmp(capsys: pytest.CaptureFixture[str]) -> None:
    said = help_of(capsys, "send")
    assert len(COMMANDS) == 21
    for name, command in COMMANDS.items():
        names = [each.argument.name for each in parameters(command)]
        assert re.search(rf"^  {name} {' '.join(names)}( …)?$", said, re.MULTILINE), name
    assert "setCategory recordingId categoryId values …\n" in said
    assert not re.search(r"\b[ER]\d+\b", said)


def test_simulate_lists_faults_and_knobs(capsys: pytest.CaptureFixture[str]) -> None:
    said = help_of(capsys, "simulate")
    for name in FAULT_KINDS:
        assert re.search(rf"^  {name} ", said, re.MULTILINE), name
    for name, knob in describe_knobs(Knobs()).items():
        assert re.search(rf"^  {name}={str(knob['value']).lower()}$", said, re.MULTILINE), name
    assert not re.search(r"\b[ER]\d+\b", said)


def test_the_reference_has_the_same_exit_codes() -> None:
    """One list of all of them, and no code of a command that is not in it."""
    reference = (ROOT / "config/README.md").read_text(encoding="utf-8")
    said = reference.partition("Exit codes: ")[2].partition(".\n")[0]
    codes = [int(code) for code in re.findall(r"(?:^|, )(\d+) ", said.replace("\n", " "))]
    assert codes == [int(code) for code, _ in EXIT_CODES[""]]
    assert {code for rows in EXIT_CODES.values() for code, _ in rows} == set(codes)
    assert set(ExitCode) <= set(codes)
