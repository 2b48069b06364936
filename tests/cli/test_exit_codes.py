"""What the shell is told: the codes of sysexits.h, as they are documented."""

import os
import re
import signal
from pathlib import Path

from bridge.cli.options import ExitCode

SYSEXITS = {
    ExitCode.OK: os.EX_OK,
    ExitCode.USAGE: os.EX_USAGE,
    ExitCode.UNAVAILABLE: os.EX_UNAVAILABLE,
    ExitCode.INTERNAL: os.EX_SOFTWARE,
    ExitCode.OUTPUT: os.EX_IOERR,
    ExitCode.UNKNOWN_OUTCOME: os.EX_PROTOCOL,
    ExitCode.NOT_AUTHORIZED: os.EX_NOPERM,
    ExitCode.CONFIGURATION: os.EX_CONFIG,
}
REFUSED = 1
"""Not of sysexits.h: the answer was no, and nothing is wrong with the bridge."""


def test_codes_are_those_of_sysexits() -> None:
    assert {code: int(code) for code in SYSEXITS} == SYSEXITS
    assert {ExitCode["REFUSED"], ExitCode["NOTHING"]} == {REFUSED}
    assert set(ExitCode) == {*SYSEXITS, ExitCode.REFUSED}


def test_the_documented_codes_are_those_that_there_are() -> None:
    guide = Path("config/README.md").read_text(encoding="utf-8")
    (listed,) = re.findall(r"^Exit codes: (.+?)\.$", guide, re.MULTILINE | re.DOTALL)
    codes = [int(each) for each in re.findall(r"(?:^|, )(\d+) ", listed.replace("\n", " "))]
    by_signal = {128 + signal.SIGINT, 128 + signal.SIGPIPE}
    assert codes == sorted({*map(int, ExitCode), *by_signal})
