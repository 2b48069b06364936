"""The example, `config/bridge.toml`: every key, and the defaults of what is commented out."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.config.configuration import BridgeTable, MetricsTable
from bridge.config.homeassistant import HomeAssistantTable
from bridge.config.mqtt import MqttTable
from bridge.config.room import RoomTable
from bridge.config.server import ServerTable
from bridge.config.web import WebTable
from bridge.hmp.link import LinkSettings
from bridge.mqtt.settings import BrokerSettings

EXAMPLE = Path(__file__).parents[2] / "config/bridge.toml"

TABLES: dict[str, tuple[type[Any], dict[str, Any]]] = {
    "mqtt": (MqttTable, {}),
    "bridge": (BridgeTable, {}),
    "metrics": (MetricsTable, {}),
    "web": (WebTable, {}),
    "homeassistant": (HomeAssistantTable, {}),
    "servers.main": (ServerTable, {"host": "hmp"}),
    "rooms.boardroom": (RoomTable, {"server": "main"}),
}
"""By heading, what checks a table, and what has no default in it."""


def keys() -> Iterator[tuple[str, str, str]]:
    """The heading, key and value of every line; the value is empty where the key is set."""
    heading = ""
    for line in EXAMPLE.read_text(encoding="utf-8").splitlines():
        if found := re.match(r"(?:# )?\[([\w.]+)\]$", line):
            heading = found[1]
        elif found := re.match(r"(# )?([a-z_]+)(\.[a-z]+)? = (.*)", line):
            yield heading, found[2], found[4] if found[1] and not found[3] else ""


COMMENTED_OUT = [(heading, key, value) for heading, key, value in keys() if value]


def test_every_key_stands_in_it() -> None:
    for heading, (table, _) in TABLES.items():
        assert {key for where, key, _ in keys() if where == heading} == set(table.model_fields)


@pytest.mark.parametrize(("heading", "key", "value"), COMMENTED_OUT)
def test_what_is_commented_out_is_the_default(heading: str, key: str, value: str) -> None:
    table, needed = TABLES[heading]
    default = table(**needed)
    if "…" in value.partition("  #")[0]:
        assert getattr(default, key) is None
        return
    written = table(**needed, **tomllib.loads(f"{key} = {value}"))
    if heading == "mqtt":  # whose port follows from the rest
        assert written.settings("x") == default.settings("x")
    else:
        assert getattr(written, key) == getattr(default, key)


def test_links_have_the_same_defaults() -> None:
    assert ServerTable(host="hmp").link("main") == LinkSettings(name="main", host="hmp")
    broker = BrokerSettings(host="localhost", port=1883, client_id="x")
    assert MqttTable().settings("x") == broker
