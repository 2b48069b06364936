"""JSON Schema as tests ask it, formats included."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from jsonschema import Draft7Validator, FormatChecker

__all__ = ["complaints"]

_FORMATS = FormatChecker(("ipv4", "ipv6"))


@_FORMATS.checks("uuid", ValueError)
def _is_uuid(value: object) -> bool:
    return not isinstance(value, str) or str(uuid.UUID(value)) == value.lower()


@_FORMATS.checks("date-time", ValueError)
def _is_instant(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


def complaints(schema: Mapping[str, Any], value: object) -> list[str]:
    """What is wrong with `value`."""
    validator: Any = Draft7Validator(schema, format_checker=_FORMATS)
    return [error.message for error in validator.iter_errors(value)]
