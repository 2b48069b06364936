"""What strangers send: text at which a reader that takes the world for tidy falls over."""

import json
from collections.abc import Mapping

import hypothesis.strategies as st

__all__ = ["json_texts", "payloads", "scalars", "values"]

_DIGITS = st.sampled_from(["9" * 4_301, "0" * 4_301, "1" + "0" * 10_000, "9" * 400, "1e999999999"])
_OFFSETS = st.sampled_from(["", "Z", "+23:59", "-23:59", "+24:00", "+00:00:00.000001"])
_TIMES = st.builds(
    lambda year, rest, offset: f"{year:04d}-{rest}{offset}",
    st.integers(0, 10_000),
    st.sampled_from(["01-01T00:00:00", "12-31T23:59:59", "02-29", "W53-7", "13-40T25:61", ""]),
    _OFFSETS,
)
_DURATIONS = st.builds(
    "{}{}{}".format, st.sampled_from(["P", "PT", "-PT", ""]), _DIGITS, st.sampled_from("HYWDMS%")
)
_HALVES = st.sampled_from(["\ud800", "a\udfffb", "\ud83c", "\x00", "\x1f", "\u2028"])

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.just(10**4_299)
    | st.floats()
    | st.text(max_size=20)
    | _DIGITS
    | _TIMES
    | _DURATIONS
    | _HALVES
)
"""Values that are none of a few, or nearly one."""

values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5) | st.just("timeZone"), inner, max_size=3)
    ),
    max_leaves=5,
)
"""What JSON can hold."""

_DEEP = st.sampled_from([90, 99, 101, 300, 900, 990, 60_000]).map(lambda n: "[" * n + "]" * n)


def json_texts(members: Mapping[str, st.SearchStrategy[object]]) -> st.SearchStrategy[str]:
    """Objects with some of these members, one of which may be what Python itself cannot write."""
    return st.builds(
        _with,
        st.fixed_dictionaries({}, optional=dict(members)),
        st.sampled_from(["x", *members]),
        st.none() | _DIGITS | _DEEP | st.just("NaN"),
    )


def _with(members: dict[str, object], name: str, raw: str | None) -> str:
    text = json.dumps(members)
    if raw is None:
        return text
    return f"{{{json.dumps(name)}: {raw}{', ' if members else ''}{text[1:]}"


payloads = (
    st.binary(max_size=100)
    | _TIMES.map(str.encode)
    | _DIGITS.map(str.encode)
    | _DEEP.map(str.encode)
    | values.map(lambda value: json.dumps(value).encode())
)
"""Whole payloads of any kind."""
