"""The OpenAPI document: valid, and of exactly what the door has and says."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trio
from openapi_spec_validator import OpenAPIV31SpecValidator
from starlette.routing import Route

from bridge.cli.main import ExitCode, run
from bridge.interface.openapi import openapi_document
from bridge.mqtt.topics import render_result
from tests.mqtt.samples import RESULT
from tests.schemas import complaints
from tests.web.doors import Site

DOCUMENT = openapi_document("1.2.3", ["r0", "r1"])


def schema(name: str) -> dict[str, Any]:
    """A schema of the document, which refers to no other."""
    found: dict[str, Any] = DOCUMENT["components"]["schemas"][name]
    return found


def test_it_is_valid() -> None:
    OpenAPIV31SpecValidator(json.loads(json.dumps(DOCUMENT))).validate()


def test_it_is_what_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    example = Path(__file__).parents[2] / "config" / "bridge.toml"
    assert run(["openapi", "--config", str(example)]) == ExitCode.OK
    printed = json.loads(capsys.readouterr().out)
    assert printed["openapi"] == "3.1.0"
    assert printed["paths"]["/rooms/{room}"]["parameters"][0]["schema"]["enum"][0] == "boardroom"


def described() -> Iterator[tuple[str, str]]:
    """Method and path of everything in it."""
    for path, item in DOCUMENT["paths"].items():
        yield from ((method.upper(), path) for method in item if method != "parameters")


async def test_every_route_is_in_it_and_nothing_else() -> None:
    routes = [each for each in Site().web.door.routes if isinstance(each, Route)]
    there = {
        (method, route.path) for route in routes for method in (route.methods or set()) - {"HEAD"}
    }
    assert there == set(described())


async def test_what_is_said_is_what_is_described(autojump_clock: trio.abc.Clock) -> None:
    site = Site()
    async with site.running() as client:
        for action in ("record", "mark", "pause", "fly"):
            said = (await client.post(f"/rooms/boardroom/{action}")).json()
            assert complaints(schema("Result"), said) == []
            assert complaints(schema("View"), (await client.get("/rooms/boardroom")).json()) == []
        for path in ("/rooms/none", "/nothing/here"):
            assert complaints(schema("Problem"), (await client.get(path)).json()) == []
        assert (await client.get("/openapi.json")).json()["paths"].keys() == DOCUMENT[
            "paths"
        ].keys()
    assert complaints(schema("Result"), json.loads(render_result(RESULT))) == []
