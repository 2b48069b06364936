"""Regular expressions: what they match, and that no text of a message makes one slow."""

import re
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bridge.bindings.pattern import LONGEST, Pattern

FLOOR = 0.05
"""Seconds of the processor that a pattern may take whatever the length."""


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("([0-9a-f]{2}:){5}[0-9a-f]{2}", "00:1b:44:11:3a:b7"),
        ("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "71edd346-2cf0-4c62-b3d3-9d457b287394"),
        (r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", "71edd346-2cf0-4c62-b3d3-9d457b287394"),
        (r"\d{1,3}(\.\d{1,3}){3}", "192.168.1.20"),
        (r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?Z?", "2026-03-01T09:05:00.5Z"),
        (r"[a-z]+(-[a-z]+)*", "hall-main-east"),
        (r"(START|STOP|,|\d+)+", "START,7,STOP"),
        (r"(?i)record(ing)?", "Recording"),
        (r"\w+ \w+", "Große Aula"),
        ("^on$|^off$", "off"),
        ("[(a+)+]+", "(a+)"),
        (r"\(a\+\)+", "(a+))"),
        ("[]*+]x", "*x"),
        ("[^]*!]+", "abc"),
        ("(?:ab){2}", "abab"),
    ],
)
def test_patterns_of_everyday(pattern: str, text: str) -> None:
    assert Pattern(pattern).matches(text)
    assert not Pattern(pattern).matches(f"{text}!")
    assert not Pattern(pattern).matches(f"!{text}")


def test_patterns_are_values() -> None:
    assert Pattern("a|b") == Pattern("a|b") != Pattern("a")
    assert Pattern("a|b").matches("b")
    assert not Pattern("a|b").matches("ab")


@given(st.text("ab,\n é", max_size=8))
@example("a\n")
def test_they_match_what_pythons_own_match(text: str) -> None:
    for source in ("a.*", "(a|ab)*,?", "^a+$", "[^a]{1,3}", r"\w\s?b?", r"a\b.*", "a??b*", "|a"):
        expected = re.fullmatch(source, text, re.DOTALL) is not None
        assert Pattern(source).matches(text) == expected, source


def seconds(pattern: Pattern, text: str) -> float:
    times = []
    for _ in range(3):
        began = time.process_time()
        pattern.matches(text)
        times.append(time.process_time() - began)
        if times[-1] < FLOOR:
            break
    return min(times)


PIECES = st.recursive(
    st.sampled_from(["a", "b", ".", "[ab]", r"\d", r"\s", r"\w", "aa", "%"]),
    lambda inner: st.one_of(
        st.builds("({}){}".format, inner, st.sampled_from(["*", "+", "?", "{2}", "{1,9}"])),
        st.builds("({}|{})".format, inner, inner),
        st.builds("{}{}".format, inner, inner),
    ),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(PIECES, st.text("ab1% {\\\\é", min_size=1, max_size=4), st.text("!b", max_size=1))
@example("(a+)+", "a", "!")
@example("(a|aa)*", "a", "!")
@example("(a?)+", "a", "!")
@example("((ab)*c)*", "ab", "!")
@example("(a{1,9}){1,9}", "a", "!")
@example(".*.*.*.*.*", "a,", "!")
@example("(.*,)*", ",", "!")
@example(r"(\w+\s?)+", "a", "!")
def test_time_grows_with_the_text_and_no_faster(source: str, unit: str, end: str) -> None:
    try:
        pattern = Pattern(f"{source}c")
    except ValueError:
        return  # refused when the configuration is read
    whole = seconds(pattern, unit * ((LONGEST - 1) // len(unit)) + end)
    if whole > FLOOR:
        quarter = seconds(pattern, unit * (LONGEST // 4 // len(unit)) + end)
        assert whole <= 8 * quarter
