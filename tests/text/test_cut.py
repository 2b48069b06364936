"""Texts are cut to their length, and never within a character."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.text.cut import cut


@pytest.mark.parametrize(
    ("text", "limit", "result"),
    [
        ("short", 5, "short"),
        ("longer", 5, "long…"),
        ("two words", 5, "two…"),
        ("anything", 1, "…"),
        ("anything", 0, ""),
        ("e\u0301e\u0301e\u0301", 4, "e\u0301…"),
        ("a👨‍👩‍👧b", 5, "a…"),
        ("a👨‍👩‍👧bc", 7, "a👨‍👩‍👧…"),
        ("👍🏽👍🏽", 2, "…"),
        ("👍🏽👍🏽", 3, "👍🏽…"),
        ("❤️❤️", 2, "…"),
        ("❤️❤️", 3, "❤️…"),
        ("🇩🇪🇫🇷🇮🇹", 4, "🇩🇪…"),
        ("x🇩🇪🇫🇷", 4, "x🇩🇪…"),
        ("🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f!!", 5, "…"),
        ("1️⃣2️⃣", 5, "1️⃣…"),
        ("\r\n\r\nend", 4, "…"),
        ("\u1112\u1161\u11ab\u1100\u1173\u11af", 5, "\u1112\u1161\u11ab…"),
        ("नमस्ते", 5, "नम…"),
        ("é" * 10_000, 8, "é" * 7 + "…"),
    ],
)
def test_cut(text: str, limit: int, result: str) -> None:
    assert cut(text, limit) == result


@given(st.text(alphabet="aé\u0301\u200d\ufe0f👩👍🏽🇩🇪 \r\n\u0900नस्"), st.integers(0, 20))
def test_cut_keeps_to_the_limit_and_to_the_beginning(text: str, limit: int) -> None:
    result = cut(text, limit)
    assert len(result) <= limit
    if result != text:
        assert limit == 0 or result.endswith("…")
        assert text.startswith(result.removesuffix("…"))
