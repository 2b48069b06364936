"""Whose an info is."""

import json

import pytest

from bridge.daemon.info_and_health import Identity, identity_in


def info(instance: object) -> bytes:
    return json.dumps({"instance": instance, "started_at": "2026-05-04T08:00:00Z"}).encode()


def test_whose_an_info_is() -> None:
    assert identity_in(info("00112233aabbccdd")) == Identity(
        "2026-05-04T08:00:00Z", "00112233aabbccdd"
    )


@pytest.mark.parametrize(
    "instance", ["x\nlevel=error", "\x1b[2J", "\u202e", "x" * 65, "", None, ["a"], {"b": 1}]
)
def test_a_name_that_nobody_should_be_shown(instance: object) -> None:
    """Another bridge all the same: it is online where we want to be."""
    found = identity_in(info(instance))
    assert found is not None
    assert found.instance in ("unreadable", "None")


@pytest.mark.parametrize("text", [b"", b"x", b"[]", b"{}", b"[" * 100_000, b"1" * 5000])
def test_what_is_no_info(text: bytes) -> None:
    assert identity_in(text) is None
