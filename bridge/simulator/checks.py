"""The checks of an argument's look, before anything is looked up (the third step of E42).

A check returns the row that refuses the text, or None. Words are case-sensitive (E34); a UUID is
any 8-4-4-4-12 of hexadecimal digits in either case, without braces (E41).
"""

import ipaddress
import re
from collections.abc import Callable, Sequence

from . import messages
from .knobs import Knobs
from .messages import Row

__all__ = [
    "Check",
    "Refusal",
    "anything",
    "boolean",
    "category_values",
    "field_name",
    "ip_address",
    "is_uuid",
    "lower_case_uuid",
    "port_number",
    "recording_permission",
    "session_permission",
    "session_title",
    "uuid",
]

Check = Callable[[Knobs, str], Row | None]

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_BARE_SCALAR = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?|true|false")
_PORT = re.compile(r"[0-9]{1,5}")


class Refusal(Exception):
    """The command ends with this row; `value` fills its place holder where it has one."""

    def __init__(self, row: Row, value: str | None = None) -> None:
        super().__init__(row, value)
        self.row = row
        self.value = value


def is_uuid(text: str) -> bool:
    """True if the text is a UUID as HMP takes it (E41)."""
    return _UUID.fullmatch(text) is not None


def anything(_knobs: Knobs, _text: str) -> Row | None:
    """Free text."""
    return None


def uuid(_knobs: Knobs, text: str) -> Row | None:
    """An id, refused as "not a UUID"."""
    return None if _UUID.fullmatch(text) else messages.NOT_A_UUID


def lower_case_uuid(_knobs: Knobs, text: str) -> Row | None:
    """An id, refused as "not a uuid" (E10)."""
    return None if _UUID.fullmatch(text) else messages.NOT_A_LOWER_CASE_UUID


def boolean(_knobs: Knobs, text: str) -> Row | None:
    """``true`` or ``false``."""
    return None if text in ("true", "false") else messages.NOT_A_BOOLEAN


def session_title(_knobs: Knobs, text: str) -> Row | None:
    """At least one character, be it a space (E40)."""
    return None if text else messages.SESSION_NAME_EMPTY


def field_name(_knobs: Knobs, text: str) -> Row | None:
    """A field of the common metadata."""
    known = text in ("title", "description", "createdby")
    return None if known else messages.INVALID_FIELD_NAME


def session_permission(_knobs: Knobs, text: str) -> Row | None:
    """A built-in permission on sessions, or the id of a customized one (E18)."""
    known = text in ("WATCH", "EDIT", "RECORD", "OWN") or is_uuid(text)
    return None if known else messages.SESSION_PERMISSION


def recording_permission(_knobs: Knobs, text: str) -> Row | None:
    """A built-in permission on recordings, or the id of a customized one (E18, E19)."""
    known = text in ("WATCH", "EDIT", "OWN") or is_uuid(text)
    return None if known else messages.RECORDING_PERMISSION


def ip_address(knobs: Knobs, text: str) -> Row | None:
    """IPv4 dotted decimal; IPv6 too from 4.x on."""
    try:
        if knobs.version == "3.7":
            ipaddress.IPv4Address(text)
        else:
            ipaddress.ip_address(text)
    except ValueError:
        return messages.NOT_AN_IP_ADDRESS
    return None


def port_number(_knobs: Knobs, text: str) -> Row | None:
    """0 to 65535 (E32)."""
    known = _PORT.fullmatch(text) is not None and int(text) <= 65535
    return None if known else messages.NOT_A_PORT_NUMBER


def category_values(knobs: Knobs, values: Sequence[str], quoted: Sequence[bool]) -> Row | None:
    """The values of a category, taken together; `quoted` says which were written in quotes."""
    if knobs.numeric_values_are_not_strings and any(
        not in_quotes and _BARE_SCALAR.fullmatch(value)
        for value, in_quotes in zip(values, quoted, strict=True)
    ):
        return messages.VALUES_NOT_STRINGS
    if not all(values):
        return messages.VALUES_EMPTY
    if any(value != value.strip(" ") for value in values):
        return messages.VALUES_PADDED
    if len(set(values)) != len(values):
        return messages.VALUES_NOT_UNIQUE
    return None
