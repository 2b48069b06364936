"""The schema that editors read: equal to the models, complete, and right about the example."""

import copy
import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from bridge.cli.main import ExitCode, run
from bridge.config.errors import ConfigurationError
from bridge.config.load import load
from bridge.config.schema import configuration_schema

from .files import ROOM, WITH_PASSWORD, changed, loaded
from .mistakes import MISTAKES

CONFIG = Path(__file__).parents[2] / "config"
SCHEMA = configuration_schema()

#: Between tables, or no TOML at all: beyond what a schema says.
NOT_OF_THE_SCHEMA = {
    "a UUID without quotes",
    "a UUID without quotes in a list",
    "a bracket that is not closed",
    "a byte order mark",
    "a colon for an equals sign",
    "a duration beyond all clocks",
    "a duration without quotes",
    "a key twice",
    "a login in the host",
    "a password without a user name",
    "a permission in small letters, and a template that is not closed",
    "a quote that is not closed",
    "a server that does not exist",
    "a server that is like none",
    "a space in a heading",
    "a table twice",
    "text without quotes",
    "two rooms with one session",
}


def valid(text: str) -> bool:
    validator: Any = Draft7Validator(SCHEMA)
    return bool(validator.is_valid(tomllib.loads(text)))


def test_the_schema_in_the_repository_is_this_one(capsys: pytest.CaptureFixture[str]) -> None:
    """Made again by `hmp-bridge schema > config/bridge.schema.json`."""
    assert run(["schema"]) == ExitCode.OK
    assert (CONFIG / "bridge.schema.json").read_text(encoding="utf-8") == capsys.readouterr().out


def test_it_is_a_schema_of_a_draft_that_editors_read() -> None:
    Draft7Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == Draft7Validator.META_SCHEMA["$schema"]


def tables() -> Iterator[tuple[str, dict[str, Any]]]:
    yield "", SCHEMA
    yield from SCHEMA["$defs"].items()


def test_every_key_is_described() -> None:
    """A field needs the text behind it: `key: type = default` and then a docstring."""
    undescribed = [
        f"{table}.{key}"
        for table, schema in tables()
        for key, value in schema.get("properties", {}).items()
        if len(value.get("description", "")) < 8
    ]
    assert not undescribed
    assert all(schema.get("description") for _, schema in tables())


def test_nothing_in_it_is_only_pythons() -> None:
    text = json.dumps(SCHEMA)
    assert '"null"' not in text
    assert ": null" not in text
    room = SCHEMA["$defs"]["RoomTable"]["properties"]
    assert (room["action_ttl"]["type"], room["action_ttl"]["default"]) == ("string", "30s")
    assert room["restart_within"]["default"] == "2m"


def test_defaults_are_the_defaults(folder: Path) -> None:
    """Written out in a file, every default leaves the configuration as it is."""
    plain = loaded(folder, WITH_PASSWORD)
    tables = tomllib.loads(WITH_PASSWORD)
    written = copy.deepcopy(tables)
    for table, name in (("mqtt", "MqttTable"), ("bridge", "BridgeTable")):
        written[table] = defaults(name) | tables.get(table, {})
    written["servers"]["main"] |= defaults("ServerTable")
    written["rooms"]["boardroom"] |= defaults("RoomTable")
    Draft7Validator(SCHEMA).validate(written)
    assert loaded(folder, "", **written).model_dump() == plain.model_dump()


def defaults(table: str) -> dict[str, Any]:
    properties = SCHEMA["$defs"][table]["properties"].items()
    return {key: value["default"] for key, value in properties if "default" in value}


def test_the_example_is_valid_and_names_the_schema() -> None:
    text = (CONFIG / "bridge.toml").read_text(encoding="utf-8")
    assert valid(text)
    directive, path = text.splitlines()[0].split()
    assert directive == "#:schema"
    assert (CONFIG / path).resolve() == (CONFIG / "bridge.schema.json").resolve()
    load(CONFIG / "bridge.toml")


@pytest.mark.parametrize("mistake", sorted(set(MISTAKES) - NOT_OF_THE_SCHEMA))
def test_an_editor_marks_what_check_refuses(mistake: str) -> None:
    assert valid(WITH_PASSWORD)
    assert not valid(MISTAKES[mistake][0])


@pytest.mark.parametrize(
    "duration", ["300ms", "30s", " 1.5 h ", "1d", "30", "s", "1 min", "-1s", ""]
)
def test_durations_are_what_check_takes(folder: Path, duration: str) -> None:
    text = changed(ROOM, f'{ROOM}action_ttl = "{duration}"\n')
    try:
        loaded(folder, text)
    except ConfigurationError:
        assert not valid(text)
    else:
        assert valid(text)
