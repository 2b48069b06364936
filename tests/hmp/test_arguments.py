"""What HMP takes as an argument, and what never reaches it (R17)."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.hmp import arguments as check
from bridge.hmp.errors import HmpError, InvalidArgument
from tests.hmp.peer import UUID

Check = Callable[[object], object]

GOOD: list[tuple[Check, object, object]] = [
    (check.session_id, UUID, UUID),
    (check.source_id, UUID.upper(), UUID.upper()),
    (
        check.recording_id,
        "00000000-0000-0000-0000-000000000000",
        "0" * 8 + "-0000" * 3 + "-" + "0" * 12,
    ),
    (check.stream_id, UUID, UUID),
    (check.category_id, UUID, UUID),
    (check.boolean, True, True),
    (check.boolean, "false", False),
    (check.port, "1", 1),
    (check.port, 65535, 65535),
    (check.ip_address, "239.1.1.1", "239.1.1.1"),
    (check.any_ip_address, "2001:db8::1", "2001:db8::1"),
    (check.metadata_field, "createdby", check.MetadataField.CREATEDBY),
    (check.session_permission, "RECORD", "RECORD"),
    (check.recording_permission, "OWN", "OWN"),
    (check.recording_permission, UUID, UUID),
    (check.text, "a\r\nb\tc", "a\nb\tc"),
    (check.text, "", ""),
    (check.text, "x" * check.TEXT_LIMIT, "x" * check.TEXT_LIMIT),
    (check.title, "Phase I", "Phase I"),
    (check.session_title, " x ", " x "),
    (check.principal, "DOMAIN\\user", "DOMAIN\\user"),
    (check.category_values, "Surgery", ("Surgery",)),
    (check.category_values, ["a", "b"], ("a", "b")),
]


@pytest.mark.parametrize(("checked", "value", "expected"), GOOD)
def test_good(checked: Check, value: object, expected: object) -> None:
    assert checked(value) == expected


BAD: list[tuple[Check, object, str]] = [
    (check.session_id, "Test Session1", "must be a UUID such as"),
    (check.session_id, "71edd346-2cf0-4c62-b3d3-9d457b28739", "UUID"),
    (check.session_id, f"{{{UUID}}}", "UUID"),
    (check.session_id, f"{UUID}\n", "UUID"),
    (check.session_id, "7ledd346-2cf0-4c62-b3d3-9d457b287394", "UUID"),
    (check.session_id, "f678f415-0665-48cd-b141-le95283469f1", "UUID"),
    (check.session_id, "12b0cc54-9018-42c2-9dfb3f7707a09829", "UUID"),
    (check.recording_id, None, "recordingId"),
    (check.boolean, "True", "must be true or false"),
    (check.boolean, 1, "true or false"),
    (check.port, 0, "1 to 65535"),
    (check.port, "65536", "1 to 65535"),
    (check.port, "٣", "1 to 65535"),
    (check.port, "9" * 5000, "1 to 65535"),
    (check.port, True, "1 to 65535"),
    (check.port, 80.0, "1 to 65535"),
    (check.ip_address, "999.1.1.1", "an IPv4 address such as"),
    (check.ip_address, "hmp.example.edu", "IPv4"),
    (check.ip_address, "::1", "IPv6 needs HMP 3.10.2"),
    (check.any_ip_address, "fe80::1%eth0", "IPv4 or IPv6"),
    (check.ip_address, 16909060, "IPv4"),
    (check.metadata_field, "colour", "title, description, createdby"),
    (check.metadata_field, 3, "must be text"),
    (check.session_permission, "watch", "WATCH, EDIT, RECORD, OWN, or a custom"),
    (check.recording_permission, "RECORD", "WATCH, EDIT, OWN, or a custom"),
    (check.text, "x" * 4001, "4001 characters long; the limit is 4000"),
    (check.text, "a\rb", "U\\+000D"),
    (check.text, "a\0b", "U\\+0000"),
    (check.text, "a\ud83cb", "U\\+D83C"),
    (check.text, 7, "must be text"),
    (check.title, "  ", "blank"),
    (check.session_title, "", "blank"),
    (check.session_title, "x" * 256, "limit is 255"),
    (check.principal, "\t", "blank"),
    (check.category_values, [], "one or more"),
    (check.category_values, {"a": 1}, "one or more"),
    (check.category_values, ["a", "a"], "twice"),
    (check.category_values, ["a", ""], "empty"),
    (check.category_values, [" HD"], "spaces around"),
    (check.category_values, ["a", 1], "must be text"),
    (check.category_values, [str(n) for n in range(101)], "101 values; the limit is 100"),
]


@pytest.mark.parametrize(("checked", "value", "reason"), BAD)
def test_bad(checked: Check, value: object, reason: str) -> None:
    with pytest.raises(InvalidArgument, match=reason) as caught:
        checked(value)
    assert isinstance(caught.value, HmpError)
    assert isinstance(caught.value, ValueError)
    assert len(str(caught.value)) < 300


@given(st.text())
def test_what_templates_produce_can_be_sent_after_dropping(value: str) -> None:
    dropped = check.drop_control_characters(value)
    assert check.text(dropped[: check.TEXT_LIMIT]) == dropped[: check.TEXT_LIMIT]


@pytest.mark.parametrize(
    "given",
    [f"{{{UUID}}}", UUID.replace("-", ""), f" {UUID.replace('-', '')} ", UUID.replace("1", "l")],
)
def test_the_uuid_that_was_meant_is_said_in_full(given: str) -> None:
    with pytest.raises(InvalidArgument, match=f"; did you mean {UUID}\\?$"):
        check.session_id(given)


def test_dropping_keeps_tabs_and_line_feeds() -> None:
    assert check.drop_control_characters("a\r\nb\tc\x00\x1b\r\ud800d") == "a\nb\tcd"
