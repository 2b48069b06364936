"""The configuration as JSON Schema, for editors that help while it is written.

Generated from the models that validate it: names, types, choices, defaults and descriptions are
theirs. A description is the text behind its field, which is read here alone: reading the source of
every model would hold up each start of the daemon. Durations are the texts that the file has, and
nothing is null, for TOML has no null.
"""

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from pydantic import BaseModel

from ..text.durations import DURATION_PATTERN
from .configuration import Configuration
from .durations import render_duration
from .key_types import Table

__all__ = ["configuration_schema"]

_DRAFT = "http://json-schema.org/draft-07/schema#"
"""The latest that every editor's TOML support reads."""


def configuration_schema() -> dict[str, Any]:
    """JSON Schema of `bridge.toml`."""
    generated = Configuration.model_json_schema()
    models = {each.__name__: each for each in _models(Table)}
    _describe(Configuration, generated)
    for name, definition in generated["$defs"].items():
        if name in models:
            _describe(models[name], definition)
    schema: dict[str, Any] = _as_written(generated)
    return {"$schema": _DRAFT, "title": "hmp-bridge configuration"} | schema


def _models(base: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for each in base.__subclasses__():
        yield each
        yield from _models(each)


def _describe(model: type[BaseModel], definition: dict[str, Any]) -> None:
    """Give each property of the model's own schema the text behind its field."""
    for each in reversed(model.__mro__):
        if issubclass(each, (Table, Configuration)):
            for field, text in _texts(each):
                known = model.model_fields.get(field)
                name = field if known is None or known.alias is None else known.alias
                if name in definition["properties"]:
                    described = definition["properties"][name] | {"description": text}
                    definition["properties"][name] = dict(sorted(described.items()))


def _texts(model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    """The fields of a class, each with the text that stands behind it in the source."""
    [parsed] = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    assert isinstance(parsed, ast.ClassDef)  # noqa: S101 - what else has fields
    for field, text in pairwise(parsed.body):
        match field, text:
            case ast.AnnAssign(target=ast.Name(name)), ast.Expr(value=ast.Constant(str(said))):
                yield name, inspect.cleandoc(said)


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
