"""What comes of another configuration: one row for each thing that people change."""

import copy
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from bridge.config.configuration import Configuration
from bridge.daemon.reload_plan import Plan, plan_reload

ONE = "71edd346-2cf0-4c62-b3d3-9d457b287394"
OTHER = "b86befc3-7b44-4655-852f-21a77935d110"
THIRD = "692e9ab8-d446-4bfd-b64d-e39e8e57c4c5"

TABLES: Mapping[str, Any] = {
    "mqtt": {"host": "broker"},
    "bridge": {},
    "metrics": {},
    "homeassistant": {},
    "servers": {"main": {"host": "hmp"}, "spare": {"host": "hmp2"}},
    "rooms": {
        "hall": {"server": "main", "session": ONE},
        "studio": {"server": "main", "sources": [OTHER]},
    },
    "bindings": [
        {"topic": "button/1", "room": "hall", "do": "toggle"},
        {"topic": "button/1", "room": "hall", "do": "mark"},
        {"topic": "button/2", "room": "studio", "do": "toggle"},
    ],
}

Change = Callable[[dict[str, Any]], object]
RECORDS = {"hall": "is recording"}


def planned(
    change: Change, in_use: Mapping[str, str] | None = None, *, force: bool = False
) -> Plan:
    """The plan for this change of `TABLES`."""
    tables = copy.deepcopy(dict(TABLES))
    change(tables)
    before, after = Configuration(**TABLES), Configuration(**tables)
    return plan_reload(before, after, in_use or {}, force=force)


def said(plan: Plan) -> dict[str, list[str]]:
    """What is different, without what is not: ``{"rooms added": ["lab"]}``."""
    found: dict[str, list[str]] = {}
    report: dict[str, Any] = plan.report
    for part, value in report.items():
        kinds = value if isinstance(value, dict) else {"": value}
        found |= {f"{part} {kind}".strip(): names for kind, names in kinds.items() if names}
    return found


def put(path: str, value: Any) -> Change:
    """A key set."""

    def change(tables: dict[str, Any]) -> None:
        *parents, key = path.split(".")
        for parent in parents:
            tables = tables[parent]
        tables[key] = value

    return change


def without(table: str, name: str) -> Change:
    """A table left out."""
    return lambda tables: tables[table].pop(name)


def without_bindings(*places: int) -> Change:
    """Bindings left out."""

    def change(tables: dict[str, Any]) -> None:
        tables["bindings"] = [b for n, b in enumerate(tables["bindings"], 1) if n not in places]

    return change


def turned_round(tables: dict[str, Any]) -> None:
    """The bindings in another order."""
    tables["bindings"].reverse()


def hall_alone(tables: dict[str, Any]) -> None:
    """A room and what is bound to it left out."""
    del tables["rooms"]["studio"], tables["bindings"][2]


LAB = {"server": "spare", "session": THIRD}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda _: None, {}),
        (turned_round, {}),
        (put("rooms.lab", LAB), {"rooms added": ["lab"]}),
        (hall_alone, {"rooms removed": ["studio"], "bindings removed": ["binding 3 (button/2)"]}),
        (put("rooms.hall.name", "Hall"), {"rooms changed": ["hall"]}),
        (put("rooms.hall.tally", {"idle": "dark"}), {"rooms changed": ["hall"]}),
        (put("rooms.hall.details", {"title": "x"}), {"rooms changed": ["hall"]}),
        (put("rooms.hall.session", THIRD), {"rooms changed": ["hall"]}),
        (put("rooms.hall.server", "spare"), {"rooms changed": ["hall"]}),
        (put("rooms.studio.sources", [THIRD]), {"rooms changed": ["studio"]}),
        (put("servers.third", {"host": "hmp3"}), {"servers added": ["third"]}),
        (without("servers", "spare"), {"servers removed": ["spare"]}),
        (put("servers.main.poll_interval", "5s"), {"servers changed": ["main"]}),
        (put("servers.main.allow_commands", ["*"]), {"servers changed": ["main"]}),
        (put("servers.main.host", "elsewhere"), {"servers changed": ["main"]}),
        (without_bindings(2), {"bindings removed": ["binding 2 (button/1)"]}),
        (
            put("bindings", [{"topic": "x", "room": "hall", "do": "stop"}]),
            {
                "bindings added": ["binding 1 (x)"],
                "bindings removed": [
                    "binding 1 (button/1)",
                    "binding 2 (button/1)",
                    "binding 3 (button/2)",
                ],
            },
        ),
        (put("bridge.health_every", "5s"), {"settings": ["bridge.health_every"]}),
        (put("homeassistant.enabled", True), {"settings": ["homeassistant.enabled"]}),
        (put("bridge.log_levels", {"mqtt": "debug"}), {"settings": ["bridge.log_levels"]}),
        (put("bridge.log_format", "json"), {"settings": ["bridge.log_format"]}),
        (put("bridge.state_dir", "/x"), {"needs_restart": ["bridge.state_dir"]}),
        (put("bridge.clock", "trusted"), {"needs_restart": ["bridge.clock"]}),
        (put("metrics.listen", "127.0.0.1:9000"), {"needs_restart": ["metrics.listen"]}),
        (
            put("mqtt", {"host": "other", "username": "me", "password": "secret", "tls": {}}),
            {"needs_restart": ["mqtt.host", "mqtt.username", "mqtt.password", "mqtt.tls"]},
        ),
    ],
)
def test_changes_while_nothing_is_recorded(change: Change, expected: dict[str, list[str]]) -> None:
    plan = planned(change)
    assert plan.refused == ()
    assert said(plan) == expected


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (without("rooms", "hall"), "[rooms.hall] is removed, but the room is recording"),
        (put("rooms.hall.session", THIRD), "[rooms.hall] session: cannot change"),
        (put("rooms.hall.server", "spare"), "[rooms.hall] server: cannot change"),
        (
            put("rooms.hall", {"server": "spare", "sources": [THIRD]}),
            "[rooms.hall] server and session and sources: cannot change",
        ),
        (put("rooms.hall.name", "Hall"), None),
        (put("rooms.studio.sources", [THIRD]), None),
        (put("rooms.studio.server", "spare"), None),
        (put("rooms.lab", LAB), None),
    ],
)
def test_what_a_room_in_use_is_stays(change: Change, refusal: str | None) -> None:
    """Said with what to do; other rooms are nobody's business."""

    def also(tables: dict[str, Any]) -> None:
        change(tables)
        tables["bindings"] = []

    refused = planned(also, RECORDS).refused
    assert [text.startswith(refusal or "") for text in refused] == ([True] if refusal else [])
    assert all('{"force": true}' in text and "stop it first" in text for text in refused)
    assert planned(also, RECORDS, force=True).refused == ()


def test_every_refusal_at_once() -> None:
    def both(tables: dict[str, Any]) -> None:
        tables["rooms"] = {"lab": LAB}
        tables["bindings"] = []

    in_use = {"hall": "is paused", "studio": "is unknown"}
    hall, studio = planned(both, in_use).refused
    assert "the room is paused" in hall
    assert "the room is unknown" in studio


@pytest.mark.parametrize(
    ("change", "in_use", "force", "replaced"),
    [
        (put("rooms.hall.name", "Hall"), RECORDS, True, ()),
        (put("rooms.hall.session", THIRD), {}, False, ()),
        (put("rooms.hall.session", THIRD), RECORDS, True, ("hall",)),
        (put("rooms.hall.server", "spare"), {}, False, ("hall",)),
        (put("rooms.studio.sources", [THIRD, ONE]), RECORDS, False, ()),
    ],
)
def test_which_rooms_begin_anew(
    change: Change, in_use: dict[str, str], force: bool, replaced: tuple[str, ...]
) -> None:
    assert planned(change, in_use, force=force).replaced == replaced


def test_an_hmp_moves_only_when_no_room_of_it_records() -> None:
    def moves(tables: dict[str, Any]) -> None:
        tables["servers"]["main"] |= {"host": "elsewhere", "port": 7, "poll_interval": "9s"}

    plan = planned(moves, RECORDS)
    hint = "(or a reload once hall no longer records, or with force)"
    needed = (f"servers.main.host {hint}", f"servers.main.port {hint}")
    assert plan.needs_restart == needed
    main = plan.in_force.servers["main"]
    assert (main.host, main.port, main.poll_interval) == ("hmp", 23233, 9.0)
    for moved in (planned(moves), planned(moves, RECORDS, force=True)):
        assert moved.needs_restart == ()
        assert moved.in_force.servers["main"].host == "elsewhere"


def test_what_needs_a_restart_is_not_in_force_and_stays_named() -> None:
    def change(tables: dict[str, Any]) -> None:
        tables["mqtt"]["host"] = "other"
        tables["metrics"]["listen"] = "127.0.0.1:9000"
        tables["bridge"] |= {"clock": "trusted", "health_every": "5s"}

    plan = planned(change)
    assert plan.needs_restart == ("mqtt.host", "bridge.clock", "metrics.listen")
    assert plan.settings == ("bridge.health_every",)
    assert plan.in_force.mqtt.host == "broker"
    assert plan.in_force.bridge.health_every == 5.0
    tables = copy.deepcopy(dict(TABLES))
    change(tables)
    again = plan_reload(plan.in_force, Configuration(**tables), {})
    assert said(again) == {"needs_restart": list(plan.needs_restart)}
    assert planned(lambda _: None).in_force.digest == Configuration(**TABLES).digest


def test_the_log_s_words() -> None:
    assert planned(lambda _: None).changes == {}
    plan = planned(put("rooms.lab", LAB))
    assert plan.changes == {"rooms_added": "lab"}
