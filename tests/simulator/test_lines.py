"""Request lines as the simulated HMP reads them; what the bridge writes is in `hmp/test_syntax`."""

import pytest

from bridge.simulator.lines import LineSyntaxError, read_line


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", []),
        ("  a   b  ", ["a", "b"]),
        ("createSession C:\\rec\\new", ["createSession", "C:\\rec\\new"]),
        ('a "b\\tc\\u"', ["a", "b\\tc\\u"]),
        ('a ""', ["a", ""]),
        ('"a"', ["a"]),
        ('ab"c d"', ['ab"c', 'd"']),
        ("a\tb\r", ["a\tb"]),
    ],
)
def test_lines_that_the_bridge_does_not_write_but_the_guide_allows(
    line: str, words: list[str]
) -> None:
    assert read_line(line).words == words
    assert read_line(line.encode()).words == words


@pytest.mark.parametrize("line", ['createSession "asdf', '"a""b"', '"a"b', '"a\\', "a\ud83c"])
def test_lines_that_are_syntax_errors(line: str) -> None:
    with pytest.raises(LineSyntaxError):
        read_line(line)


def test_what_is_not_utf_8_or_too_long_is_one_too() -> None:
    for line in (b"a \xc3", b"x" * 101):
        with pytest.raises(LineSyntaxError):
            read_line(line, longest=100)
    assert read_line(b"x" * 100, longest=100).words == ["x" * 100]


def test_telnet_negotiation_is_dropped() -> None:
    assert read_line(b"\xff\xfb\x01getRecordingStatus\xff\xfa\x18\x00\xff\xf0 x").words == [
        "getRecordingStatus",
        "x",
    ]
