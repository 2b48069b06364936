"""The manual page: complete, and as man itself reads it."""

import re
import shutil
import subprocess

import pytest

from bridge import __version__
from bridge.cli.command_line import make_parser
from bridge.cli.description import Argument, Description, Section
from bridge.cli.man_page import man_page
from bridge.cli.parser import describe

PAGE = man_page(describe(make_parser()), __version__)


def described(summary: str, *, value: str = "FILE", rows: tuple[tuple[str, str], ...] = ()) -> str:
    argument = Argument(("--file",), value, summary, (), required=False, repeats=False)
    return man_page(
        Description("p", summary, "p", (argument,), (), (Section("examples", rows),)), "1"
    )


def shown(page: str) -> str:
    """The page as a reader sees it, without anything that depends on the terminal."""
    if shutil.which("groff") is None:
        pytest.skip("groff is not installed")
    done = subprocess.run(
        ["groff", "-man", "-ww", "-Kutf8", "-Tutf8", "-P-cbou", "-rLL=2000n"],
        input=page,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout


def test_everything_of_the_command_line_is_in_it() -> None:
    described = describe(make_parser())
    for command in described.commands:
        name = command.name.replace("-", "\\-")
        assert f"\n.SS {name}\n" in PAGE
        for argument in command.options:
            assert argument.names[-1].replace("-", "\\-") in PAGE
    heads = re.findall(r"^\.SH (.*)$", PAGE, re.MULTILINE)
    assert heads == ["NAME", "SYNOPSIS", "OPTIONS", "COMMANDS", "EXAMPLES", "EXIT CODES", "PLACES"]


def test_what_is_said_of_all_commands_is_said_once() -> None:
    assert PAGE.count("Show this help message and exit") == 1
    assert PAGE.count("hmp\\-bridge/bridge.toml") == 1


def test_groff_has_nothing_to_complain_of() -> None:
    said = shown(PAGE)
    assert "hmp-bridge - MQTT for Haivision Media Platform recordings" in said
    # Copied into a shell it works: hyphens and quotes are those of ASCII.
    assert "hmp-bridge send main createSession 'He said \"hi\"'" in said
    assert "hmp-bridge try --topic hmp/room/boardroom/press/record --payload true" in said


@pytest.mark.parametrize("text", [".so /etc/x", "'tis", "\\n[x] \\*[y]", "a`b^c~d'e\"f-g", ""])
def test_no_text_is_taken_for_roff(text: str) -> None:
    said = shown(described(text, rows=((text or "x", text),)))
    assert said.count(text) >= 3
