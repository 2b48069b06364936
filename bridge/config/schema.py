"""The configuration as JSON Schema, for editors that help while it is written.

Generated from the models that validate it: names, types, choices, defaults and descriptions are
theirs. Durations are the texts that the file has, and nothing is null, for TOML has no null.
"""

from collections.abc import Mapping
from typing import Any

from ..text.durations import DURATION_PATTERN
from .configuration import Configuration
from .durations import render_duration

__all__ = ["configuration_schema"]

_DRAFT = "http://json-schema.org/draft-07/schema#"
"""The latest that every editor's TOML support reads."""


def configuration_schema() -> dict[str, Any]:
    """JSON Schema of `bridge.toml`."""
    schema: dict[str, Any] = _as_written(Configuration.model_json_schema())
    return {"$schema": _DRAFT, "title": "hmp-bridge configuration"} | schema


def _as_written(node: Any) -> Any:
    """The same without what only Python has: titles made of names, null, seconds as numbers."""
    if isinstance(node, list):
        return [_as_written(item) for item in node]
    if not isinstance(node, Mapping):
        return node
    kept = {key: _as_written(value) for key, value in node.items() if key != "title"}
    if "properties" in node:
        properties = node["properties"].items()
        kept["properties"] = {name: _as_written(value) for name, value in properties}
    if "patternProperties" in kept:
        kept["additionalProperties"] = False  # a name that does not match is a mistake
    if "anyOf" in kept:
        choices = [choice for choice in kept["anyOf"] if choice != {"type": "null"}]
        del kept["anyOf"]
        kept = (choices[0] if len(choices) == 1 else {"anyOf": choices}) | kept
    default = kept.get("default")
    if default is None or isinstance(default, Mapping):
        kept.pop("default", None)
    elif kept.get("pattern") == DURATION_PATTERN:
        kept["default"] = render_duration(default)
    return kept
