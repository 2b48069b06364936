"""Completion in the shells themselves: what a Tab makes of a line that is being typed."""

import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from bridge.cli.command_line import make_parser
from bridge.cli.completion.script import completion_script
from bridge.cli.parser import describe
from bridge.hmp.commands import COMMANDS
from bridge.interface.request_rows import REQUEST_ROWS
from bridge.mqtt.catalogue import ROWS, Direction
from tests.process.programs import clean_environment
from tests.process.terminal import Terminal
from tests.process.watched import PATIENCE

CONFIGURATION = """
[servers.main]
host = "h"
[ servers.spare ]
[rooms.boardroom]
server = "main"
[rooms.boardroom.details]
title = "T"
[rooms.lab-2]
server = "main"
# [rooms.none]
"""

OTHER = """
[[bindings]]
topic = "shelly/relay/0"
[[bindings]]
topic = "shelly/+/1"
[[bindings]]
topic = "shelly/$(touch called)"
[rooms.only]
[mqtt]
base_topic = "site/hmp"
"""

START = {
    "bash": (
        ["bash", "--norc", "--noprofile", "-i"],
        """
        shown() { printf '<%s>' "$READLINE_LINE"; }
        bind -x '"\\C-t": shown'
        """,
    ),
    "zsh": (
        ["zsh", "-f", "-i"],
        """
        autoload -Uz compinit; compinit -u -D
        shown() { print -rn -- "<$BUFFER>" }
        zle -N shown; bindkey '^T' shown
        """,
    ),
}
"""How a shell is started without anybody's settings, and what gives it a key, Ctrl-T, that shows
the line as it stands."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a configuration in one of the usual places."""
    (tmp_path / "bridge.toml").write_text(CONFIGURATION, encoding="utf-8")
    (tmp_path / "other file.toml").write_text(OTHER, encoding="utf-8")
    return tmp_path


Complete = Callable[[str], str]


def script_for(shell: str) -> str:
    """The script, where that shell is installed."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    return completion_script(describe(make_parser()), shell)


@pytest.fixture(params=sorted(START))
def complete(request: pytest.FixtureRequest, folder: Path) -> Iterator[Complete]:
    """What becomes of a line when Tab is pressed at its end."""
    script = script_for(request.param)
    command, prepare = START[request.param]
    ready = "PS1='READY> '\n"
    (folder / "prepared").write_text(f"{prepare}\n{script}\n{ready}", encoding="utf-8")
    with closing(Terminal(command, folder=folder)) as shell:
        shell.type("source ./prepared\n")
        shell.wait_for("READY> ")

        def call(line: str) -> str:
            since = len(shell.raw)
            shell.type(f"{line}\t\x14")
            # The line is echoed as well; only the shown one stands in angle brackets.
            shown = shell.wait_for_match(r"<([^<>\r\n]*)>", since)[1]
            shell.type("\x15")  # the line is dropped
            return shown

        yield call


LINES = [
    ("hmp-bridge che", "hmp-bridge check "),
    ("hmp-bridge check --li", "hmp-bridge check --live "),
    ("hmp-bridge topics --format c", "hmp-bridge topics --format csv "),
    ("hmp-bridge topics --room bo", "hmp-bridge topics --room boardroom "),
    ("hmp-bridge topics --room=la", "hmp-bridge topics --room=lab-2 "),
    (
        "hmp-bridge topics --config other\\ file.toml --room on",
        "hmp-bridge topics --config other\\ file.toml --room only ",
    ),
    (
        "hmp-bridge try --topic hmp/room/lab-2/press/rec",
        "hmp-bridge try --topic hmp/room/lab-2/press/record ",
    ),
    (
        "hmp-bridge try --topic=hmp/room/boardroom/metadata/t",
        "hmp-bridge try --topic=hmp/room/boardroom/metadata/title ",
    ),
    (
        "hmp-bridge try --topic hmp/server/spare/request/getR",
        "hmp-bridge try --topic hmp/server/spare/request/getRecordingStatus ",
    ),
    (
        "hmp-bridge try --topic hmp/bridge/request/rel",
        "hmp-bridge try --topic hmp/bridge/request/reload ",
    ),
    (
        "hmp-bridge try --config other\\ file.toml --topic site/hmp/room/only/ev",
        "hmp-bridge try --config other\\ file.toml --topic site/hmp/room/only/event ",
    ),
    (
        "hmp-bridge try --config other\\ file.toml --topic sh",
        "hmp-bridge try --config other\\ file.toml --topic shelly/relay/0 ",
    ),
    ("hmp-bridge run --config bri", "hmp-bridge run --config bridge.toml "),
    ("hmp-bridge run --set mqtt.h", "hmp-bridge run --set mqtt.host="),
    ("hmp-bridge check --set mqtt.host=a --li", "hmp-bridge check --set mqtt.host=a --live "),
    ("hmp-bridge send sp", "hmp-bridge send spare "),
    (
        "hmp-bridge send --config bridge.toml main getR",
        "hmp-bridge send --config bridge.toml main getRecordingStatus ",
    ),
    ("hmp-bridge simulate --fault lo", "hmp-bridge simulate --fault lose_reply "),
    ("hmp-bridge simulate --knob stop_", "hmp-bridge simulate --knob stop_takes="),
    ("hmp-bridge completion f", "hmp-bridge completion fish "),
    ("hmp-bridge send main startRecording --conf", "hmp-bridge send main startRecording --conf"),
    ("hmp-bridge nothing x", "hmp-bridge nothing x"),
]


def test_a_tab(complete: Complete) -> None:
    completed = {line: complete(line).rstrip() for line, _ in LINES}
    assert completed == {line: expected.rstrip() for line, expected in LINES}


def fish(folder: Path, lines: Sequence[str]) -> dict[str, list[str]]:
    """What fish offers for each line, without what it says of it."""
    script = f'{script_for("fish")}\nfor line in $argv; echo "# $line"; complete -C $line; end\n'
    (folder / "prepared.fish").write_text(script, encoding="utf-8")
    done = subprocess.run(
        ["fish", "--no-config", "prepared.fish", *lines],
        cwd=folder,
        env=clean_environment({"HOME": str(folder)}),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert done.stderr == ""
    parts = done.stdout.split("# ")[1:]
    return {
        part.splitlines()[0]: [offer.partition("\t")[0] for offer in part.splitlines()[1:]]
        for part in parts
    }


def test_what_fish_offers(folder: Path) -> None:
    offered = fish(folder, [line for line, _ in LINES])
    for line, expected in LINES:
        offers = offered[line]
        if "=" in (word := expected.split()[-1]) and not expected.endswith("="):
            assert offers == [word]
        elif expected == line:
            assert offers == []
        else:
            assert offers == [expected.split()[-1]], line


def topics_that_are_heard() -> set[str]:
    """Of the configuration in the folder, as the catalogue has them."""
    inputs = [row for row in (*ROWS, *REQUEST_ROWS) if row.direction is Direction.PUBLISH]
    return {
        row.topic("hmp", room=room, server=server)
        for row in inputs
        for room in ("boardroom", "lab-2")
        for server in ("main", "spare")
    }


def all_that_is_taken() -> dict[str, set[str]]:
    """Lines, and what may come next, as the parser has it."""
    taken: dict[str, set[str]] = {}
    for command in [top := describe(make_parser()), *top.commands]:
        taken[f"{command.name} -"] = {name for each in command.options for name in each.names}
        for option in command.options:
            if option.words:
                taken[f"{command.name} {option.names[-1]} "] = {*option.words}
    assert taken["hmp-bridge send -"] == {"-h", "--help", "--config", "--set", "--servers"}
    return taken | {
        "hmp-bridge ": {each.word for each in top.commands},
        "hmp-bridge send ": {"main", "spare"},
        "hmp-bridge send main ": {*COMMANDS},
        "hmp-bridge topics --room ": {"boardroom", "lab-2"},
        "hmp-bridge try --topic ": topics_that_are_heard(),
    }


def test_bash_offers_what_the_parser_takes(folder: Path) -> None:
    lines = all_that_is_taken()
    program = (
        'for line in "$@"; do\n  COMP_WORDS=($line); [[ $line == *" " ]] && COMP_WORDS+=("")\n'
        "  COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n"
        '  _hmp_bridge; echo "# $line"; printf "%s\\n" "${COMPREPLY[@]}"\ndone\n'
    )
    done = subprocess.run(
        ["bash", "-c", f"{script_for('bash')}\n{program}", "bash", *lines],
        cwd=folder,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    parts = (part.splitlines() for part in done.stdout.split("# ")[1:])
    assert {line: {*offers} for line, *offers in parts} == lines


def test_fish_offers_what_the_parser_takes(folder: Path) -> None:
    lines = all_that_is_taken()
    offered = fish(folder, list(lines))
    for line, words in lines.items():
        # It offers -h only where it is typed.
        assert {*offered[line]} - {"-h"} == words - {"-h"}, line


def test_the_description_says_what_the_help_says() -> None:
    top = describe(make_parser())
    assert [each.name for each in top.commands][:2] == ["hmp-bridge run", "hmp-bridge demo"]
    for command in top.commands:
        assert command.usage.startswith(f"{command.name} [-h]")
        assert command.summary
        assert [section.title for section in command.sections if section.title == "examples"]
        assert all(each.summary for each in command.arguments)
    send = next(each for each in top.commands if each.word == "send")
    assert [(each.value, each.repeats) for each in send.positionals] == [
        ("SERVER", False),
        ("COMMAND", False),
        ("PARAMETER", True),
    ]
