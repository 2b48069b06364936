"""Log lines: one per event, at a level of its part's own, whatever is in the values."""

import io
import json
import os
import re
import shlex
import tempfile
import traceback
from pathlib import Path
from typing import Any

import pytest
import structlog
import trio
import trio.testing

from bridge.logs.levels import LEVELS, PARTS
from bridge.logs.log import configure_logs, hears, set_level, tell_repeats, write_traceback
from bridge.logs.redaction import SECRETS

BRIDGE = Path(__file__).parents[2] / "bridge"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def logged(level: str = "info", **how: Any) -> tuple[io.StringIO, structlog.stdlib.BoundLogger]:
    stream = io.StringIO()
    configure_logs(level, stream, **how)
    return stream, structlog.get_logger("room")


def test_one_line_per_event_that_a_program_can_take_apart() -> None:
    stream, log = logged()
    log.info("request done", room="r0", text='He said "hi" \\ é', lines="a\nb", yes=True, none=None)
    [line] = stream.getvalue().splitlines()
    begin = r"timestamp=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z level=info part=room event="
    assert re.match(begin, line)
    words = shlex.split(line)
    assert "event=request done" in words
    assert "yes=true" in words
    assert 'text=He said "hi" \\ é' in words
    assert words[-1] == "none="


def test_a_long_value_is_cut_and_a_secret_in_it_is_hidden_first() -> None:
    secret = "sesame-of-the-vault"
    SECRETS.add(secret)
    stream, log = logged()
    log.warning("request refused", topic="a" * 1990 + secret + "b" * 60_000, what_to_do="look")
    [line] = stream.getvalue().splitlines()
    assert len(line) < 2200
    assert "sesame" not in line
    assert "... what_to_do=look" in line


@pytest.mark.parametrize(
    "text", ["\x1b[2J", "a\rb", "\x9b31m", "one\u2028two", "\x00", "tab\there", "exe\u202egpj"]
)
def test_no_value_ends_its_line_or_moves_a_cursor(text: str) -> None:
    lines, people, machines = io.StringIO(), Terminal(), io.StringIO()
    configure_logs("info", machines, form="json")
    structlog.get_logger("mqtt").warning("message dropped", topic=text)
    assert json.loads(machines.getvalue())["topic"] == text
    for stream in (lines, people):
        configure_logs("info", stream)
        structlog.get_logger("mqtt").warning("message dropped", topic=text)
    for stream in (lines, people, machines):
        shown = re.sub(r"\x1b\[\d*(;\d+)*m", "", stream.getvalue())
        acting = r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e]"
        assert re.search(acting, shown.replace("\t", "")) is None
        assert len(shown.splitlines()) == 1


def test_an_exception_stays_on_its_line() -> None:
    stream, log = logged()
    try:
        int("of its own")
    except ValueError:
        log.exception("it broke")
    [line] = stream.getvalue().splitlines()
    assert "Traceback" in line
    assert "of its own" in line


@pytest.mark.parametrize("position", range(len(LEVELS)))
def test_levels(position: int) -> None:
    stream, log = logged(LEVELS[position])
    for each in LEVELS:
        getattr(log, each)("said")
    log.critical("said")
    assert re.findall(r"level=(\w+)", stream.getvalue()) == [*LEVELS[position:], "critical"]
    assert [hears("room", each) for each in LEVELS] == [
        number >= position for number in range(len(LEVELS))
    ]


def test_each_part_has_a_level_that_changes_at_any_time() -> None:
    stream, log = logged("warning", levels={"hmp": "debug"})
    hmp = structlog.get_logger("hmp")
    hmp.debug("one")
    log.info("never")
    set_level("info", "room")
    log.info("two")
    set_level("error")
    hmp.warning("never")
    log.error("three")
    assert re.findall(r"event=(\w+)", stream.getvalue()) == ["one", "two", "three"]


def test_wrong_words_are_answered_with_the_right_ones() -> None:
    with pytest.raises(ValueError, match=r"'loud' is no log level.*debug, info, warning, error"):
        set_level("loud")
    with pytest.raises(ValueError, match=r"'hpm' is no part.*bridge, hmp, journal"):
        set_level("debug", "hpm")


def test_every_logger_is_of_a_part_that_there_is() -> None:
    asked = [
        (path.name, part)
        for path in BRIDGE.rglob("*.py")
        for part in re.findall(r"get_logger\(([^)]*)\)", path.read_text(encoding="utf-8"))
        if part != "part"
    ]
    assert {part for _, part in asked} <= {f'"{part}"' for part in PARTS}
    assert len(asked) >= 10


def test_json_has_the_same_fields() -> None:
    stream, log = logged(form="json")
    log.warning("alarm raised", room="r0", text='"é"\n', took=1.5, deep={"a": [1]}, odd=Path("x"))
    [line] = stream.getvalue().splitlines()
    said = json.loads(line)
    assert list(said)[:4] == ["timestamp", "level", "part", "event"]
    del said["timestamp"]
    assert said == {
        "level": "warning",
        "part": "room",
        "event": "alarm raised",
        "room": "r0",
        "text": '"é"\n',
        "took": 1.5,
        "deep": {"a": [1]},
        "odd": "x",
    }


def test_for_people_it_is_in_colour_and_in_order() -> None:
    stream = Terminal()
    configure_logs("info", stream)
    structlog.get_logger("hmp").info("HMP is ready", server="main", attempt=2)
    shown = re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue())
    assert re.match(r"\d\d:\d\d:\d\d \[info +\] HMP is ready +\[hmp\] server=main attempt=2", shown)
    assert "level=" not in shown
    configure_logs("info", stream, form="text")
    structlog.get_logger("hmp").info("HMP is ready")
    assert "level=info" in stream.getvalue()


def test_no_colour_where_somebody_wants_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()
    configure_logs("info", stream)
    structlog.get_logger("hmp").warning("HMP is ready", server="main")
    assert "HMP is ready" in stream.getvalue()
    assert "\x1b" not in stream.getvalue()


def test_the_journal_gets_priorities_and_no_second_time(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryFile("w+", encoding="utf-8") as stream:
        status = os.fstat(stream.fileno())
        for named, begin in (
            (f"{status.st_dev}:{status.st_ino}", "<4>level=warning part=room"),
            (f"{status.st_dev}:{status.st_ino + 1}", "timestamp="),
        ):
            monkeypatch.setenv("JOURNAL_STREAM", named)
            stream.seek(0)
            stream.truncate()
            configure_logs("info", stream)
            structlog.get_logger("room").warning("alarm raised")
            stream.seek(0)
            assert stream.read().startswith(begin)
    stream = io.StringIO()  # type: ignore[assignment] # no file at all
    configure_logs("info", stream)
    structlog.get_logger("room").warning("alarm raised")
    assert stream.getvalue().startswith("timestamp=")  # type: ignore[attr-defined]


async def test_what_repeats_is_counted(autojump_clock: trio.testing.MockClock) -> None:
    stream, log = logged()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(tell_repeats, trio.sleep_until)
        for number in range(18):
            log.warning("message dropped", topic="a", ms=number)
        log.warning("message dropped", topic="b")
        for _ in range(2):
            log.info("request done", id="42", room="r0")
        log.error("message dropped", topic="a")
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    lines = [line.partition(" ")[2] for line in stream.getvalue().splitlines()]
    assert lines == [
        'level=warning part=room event="message dropped" topic=a ms=0',
        'level=warning part=room event="message dropped" topic=b',
        'level=info part=room event="request done" id=42 room=r0',
        'level=info part=room event="request done" id=42 room=r0',
        'level=error part=room event="message dropped" topic=a',
        'level=warning part=room event="message dropped" repeated=17 topic=a',
    ]


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("secret", ["correct horse", 'qu"ote\\s', "päßwörter", "line\nfeed\tand"])
def test_a_secret_is_never_written(secret: str, form: Any) -> None:
    stream, log = logged(form=form)
    SECRETS.add(secret)
    try:
        dict[object, None]()[f"{secret!r} or {secret}", secret.encode()]
    except KeyError as error:
        log.exception("it broke", value=secret, tail=f"x{secret}y", odd=[secret])
        write_traceback("".join(traceback.format_exception(error)))
    said = stream.getvalue()
    for spelt in (
        secret,
        json.dumps(secret)[1:-1],
        repr(secret)[1:-1],
        repr(secret.encode())[2:-1],
    ):
        assert spelt not in said
    assert said.count("(hidden)") >= 9
    if form == "json":
        assert [json.loads(line)["level"] for line in said.splitlines()] == ["error", "critical"]
    assert "Traceback" in said


def test_a_word_too_short_to_be_a_secret_does_not_spoil_the_log() -> None:
    stream, log = logged()
    SECRETS.add("info")
    SECRETS.add("")
    log.info("said")
    assert "level=info" in stream.getvalue()


def test_a_standard_error_that_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", None)  # as Python has it then
    configure_logs()
    structlog.get_logger("room").error("said")
    assert hears("room", "info")


def test_a_log_that_nobody_can_read_any_more_ends_nothing() -> None:
    readable, writable = os.pipe()
    os.close(readable)
    with open(writable, "w", encoding="utf-8", buffering=1) as stream:  # noqa: PTH123 - a descriptor
        configure_logs("info", stream)
        structlog.get_logger("room").info("said")
        configure_logs()
        with pytest.raises(BrokenPipeError):
            stream.flush()
        os.dup2(os.open(os.devnull, os.O_WRONLY), writable)  # so that it can be closed
