"""Regular expressions for JSON Schema, which knows no flags. Pure."""

import re

__all__ = ["either_case"]


def either_case(pattern: str) -> str:
    """The pattern, whose letters are taken in either case; what is escaped stays as it is."""
    letter = r"(?<!\\)[A-Za-z]"
    return re.sub(letter, lambda found: f"[{found[0].upper()}{found[0].lower()}]", pattern)
