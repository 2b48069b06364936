"""Log lines: for people on a terminal, else one line of key=value, whatever is in the values."""

import io
import re
import shlex
from collections.abc import Iterator

import pytest
import structlog

from bridge.logs import LEVELS, configure_logs, set_level


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def logged(level: str = "info") -> tuple[io.StringIO, structlog.stdlib.BoundLogger]:
    stream = io.StringIO()
    configure_logs(level, stream)
    return stream, structlog.get_logger()


def test_one_line_per_event_that_a_program_can_take_apart() -> None:
    stream, log = logged()
    log.info("request done", room="r0", text='He said "hi" \\ é', lines="a\nb", yes=True, none=None)
    [line] = stream.getvalue().splitlines()
    assert re.match(r"timestamp=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z level=info event=", line)
    words = shlex.split(line)
    assert "event=request done" in words
    assert "yes=true" in words
    assert 'text=He said "hi" \\ é' in words


def test_an_exception_stays_on_its_line() -> None:
    stream, log = logged()
    try:
        int("of its own")
    except ValueError:
        log.exception("it broke")
    [line] = stream.getvalue().splitlines()
    assert "Traceback" in line
    assert "of its own" in line


@pytest.mark.parametrize(
    ("level", "heard"),
    [
        ("debug", ["debug", "info", "warning", "error"]),
        ("info", ["info", "warning", "error"]),
        ("warning", ["warning", "error"]),
        ("error", ["error"]),
    ],
)
def test_levels(level: str, heard: list[str]) -> None:
    stream, log = logged(level)
    for each in ("debug", "info", "warning", "error"):
        getattr(log, each)("said")
    assert re.findall(r"level=(\w+)", stream.getvalue()) == heard


def test_for_people_it_is_in_colour_and_in_order() -> None:
    stream = Terminal()
    configure_logs("info", stream)
    structlog.get_logger().info("HMP is ready", server="main", attempt=2)
    shown = re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue())
    assert re.match(r"\d\d:\d\d:\d\d \[info +\] HMP is ready +server=main attempt=2\n", shown)
    assert "level=" not in shown


@pytest.mark.parametrize("level", LEVELS)
def test_the_level_can_be_changed_while_it_runs(level: str) -> None:
    stream, log = logged("error" if level != "error" else "debug")
    set_level(level)
    for each in LEVELS:
        getattr(log, each)("said")
    heard = re.findall(r"level=(\w+)", stream.getvalue())
    assert heard == list(LEVELS[LEVELS.index(level) :])


def test_a_part_has_no_level_of_its_own() -> None:
    with pytest.raises(ValueError, match="'hmp' has no level of its own"):
        set_level("debug", "hmp")
