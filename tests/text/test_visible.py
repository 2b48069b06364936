"""Text of others, as it is shown."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.text.visible import visible, visible_lines


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Réunion 会議 🎥 עברית", "Réunion 会議 🎥 עברית"),
        ("a\x1b]0;mine\x07b", r"a\u001b]0;mine\u0007b"),
        ("one\ntwo\r\n\tthree", r"one\ntwo\r\n\tthree"),
        ("\x9b31m", r"\u009b31m"),
        ("a\u2028b\u2029c", r"a\u2028b\u2029c"),
        ("user\u202egpj.exe\u2066x\u2069", r"user\u202egpj.exe\u2066x\u2069"),
        ("\ud800", r"\ud800"),
    ],
)
def test_what_acts_is_spelt_out(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_lines_of_its_own_stay() -> None:
    assert visible_lines("one\n\ttwo\r\x1b[2J") == "one\n\ttwo\\r\\u001b[2J"


@given(st.text(st.characters()))
def test_nothing_that_acts_is_left(text: str) -> None:
    shown = visible(text)
    assert not [each for each in shown if unicodedata.category(each) in ("Cc", "Cs", "Zl", "Zp")]
    assert not [
        each
        for each in shown
        if unicodedata.bidirectional(each)[:2] in ("LR", "RL", "PD")
        and unicodedata.category(each) == "Cf"
    ]
    assert visible(shown) == shown
    assert json.loads(visible(json.dumps(text, ensure_ascii=False))) == text
